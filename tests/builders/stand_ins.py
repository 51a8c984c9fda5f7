"""Ports with one thing that is not as it was; everything else is passed on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tests.builders.trading import World
from tests.builders.trading_stories import SECOND
from withearth.domain.errors import MarketFault
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.times import to_ms
from withearth.execution.shown import FundingFee


class LateFunding:
    """An exchange that charges funding some seconds after the hour."""

    LATE: Final = 7 * SECOND

    def __init__(self, venue: Any, world: World, late: timedelta = LATE) -> None:
        self._venue = venue
        self._world = world
        self._late_ms = late // timedelta(milliseconds=1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def funding_fees(self, symbol: str, since_ms: int) -> tuple[FundingFee, ...]:
        """The payments, each when its time has come."""
        charged = self._venue.funding_fees(symbol, since_ms - self._late_ms)
        late = (replace(each, at_ms=each.at_ms + self._late_ms) for each in charged)
        return tuple(each for each in late if since_ms <= each.at_ms <= to_ms(self._world.now()))


class Unlisted:
    """A market whose list lacks some symbols."""

    def __init__(self, market: Any, *symbols: str) -> None:
        self._market = market
        self._symbols = symbols

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    def instrument(self, symbol: str) -> Instrument:
        """The filters, unless the symbol is one of those."""
        if symbol in self._symbols:
            raise MarketFault(Reason.INSTRUMENT_UNKNOWN, symbol)
        found: Instrument = self._market.instrument(symbol)
        return found
