"""The real exchange's prices for the paper exchange: its listing, and a feed that is brought up to date by polling."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from withearth.domain.clock import Clock
from withearth.domain.times import to_ms
from withearth.market import weights
from withearth.market.binance import BinanceMarket
from withearth.paper.engine.instruments import PaperInstrument, listed_instruments
from withearth.paper.feed_series import LiveFeed, LiveRows

POLL_EVERY: Final = timedelta(seconds=2)
"""The two lists of all symbols weigh 15: at this pace 450 of the 2,400 a minute, while there is something to ask."""


class LivePrices:
    """A live market's instruments and prices. Raises MarketFault when the market cannot be reached."""

    def __init__(self, market: BinanceMarket, symbols: Sequence[str], clock: Clock) -> None:
        entries = {"symbols": list(market.listed().values())}
        funding = market.get("/fapi/v1/fundingInfo", weight=weights.FUNDING)
        self.instruments: Mapping[str, PaperInstrument] = listed_instruments(entries, (), funding, only=symbols)
        self.feed = LiveFeed(self.instruments, lambda: LiveRows(*market.best_prices()))
        self._clock = clock
        self._polled_at = clock.now()
        self.feed.poll(to_ms(self._polled_at))

    def keep_up(self) -> bool:
        """Ask again, unless that was done a moment ago, and say which. Raises MarketFault; the prices then stay."""
        now = self._clock.now()
        if now - self._polled_at < POLL_EVERY:
            return False
        self._polled_at = now
        self.feed.poll(to_ms(now))
        return True
