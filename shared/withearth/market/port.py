"""The market port: what the system asks of the outside about prices, whoever answers.

Every method takes the instant it is asked for and never shows a row later than it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from withearth.domain.book import OrderBook, Quote
from withearth.domain.candles import Candles
from withearth.domain.instrument import Instrument
from withearth.domain.times import Timeframe


class MarketOrigin(StrEnum):
    """Where prices come from. Shown wherever a number of theirs is shown."""

    SYNTHETIC = "SYNTHETIC"
    RECORDED = "RECORDED"
    LIVE = "LIVE"


@dataclass(frozen=True, slots=True)
class Settlement:
    """One funding settlement: longs pay `rate` × notional to shorts (shorts to longs when negative)."""

    at: datetime
    rate: Decimal


class Market(Protocol):
    """Candles, book and funding of the configured symbols."""

    @property
    def origin(self) -> MarketOrigin:
        """Where the prices come from."""
        ...

    def instrument(self, symbol: str) -> Instrument:
        """The instrument's filters. Raises MarketFault with INSTRUMENT_UNKNOWN."""
        ...

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Mapping[str, Quote]:
        """Best bid, ask and funding of each symbol that has them; the others are absent.

        Raises MarketFault when there is not a single one to be had.
        """
        ...

    def tradable(self, as_of: datetime) -> tuple[str, ...]:
        """Every symbol that may be entered, in alphabetical order. Raises MarketFault when nobody can tell."""
        ...

    def turnover(self, as_of: datetime) -> Mapping[str, float]:
        """What each symbol traded in the 24 hours before, in the quote asset. Raises MarketFault."""
        ...

    def windows(self, symbol: str, as_of: datetime, limit: int) -> Mapping[Timeframe, Candles]:
        """The newest `limit` closed bars of every timeframe, possibly fewer. Raises MarketFault."""
        ...

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        """The newest `limit` closed bars, possibly fewer. Raises MarketFault when the source is unsound."""
        ...

    def depth(self, symbol: str, as_of: datetime) -> OrderBook:
        """The order book, at least ten levels a side where there are as many. Raises MarketFault."""
        ...

    def settlements(self, symbol: str, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """Funding settlements with after < at ≤ until, oldest first."""
        ...
