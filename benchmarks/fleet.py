"""A whole exchange's worth of symbols at the price of ten: 550 names over the ten series of the synthetic market.

A share of them has a narrow spread and the rest a wide one, as on the exchange: of the 566 symbols that could be traded
on 2026-07-15, 17.8 % stood within the default MAX_SPREAD_BPS (recorded `bookTicker`).

Run as a program it is a paper exchange over HTTP with an admin face, which prints its address and serves until its
standard input ends.
"""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.book import OrderBook, Quote
from withearth.domain.candles import Candles
from withearth.domain.instrument import Instrument
from withearth.domain.times import Timeframe
from withearth.local.clocks import WallClock
from withearth.market.port import MarketOrigin, Settlement
from withearth.market.synthetic import SyntheticMarket
from withearth.market.synthetic_listing import EMBEDDED
from withearth.paper.assembly import assemble_exchange, invented_listing
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.feed import FundingTerms, PriceFeed, PriceLevel, Span, Tick
from withearth.paper.feed_market import MarketFeed
from withearth.paper.line import Line
from withearth.paper.server import serving
from withearth.paper.wire.limits import Limits

SYMBOLS: Final = 550
NARROW: Final = 109
"""How many get the narrow spread. A tenth of them have a tick too coarse for it, so that 98 stay within the limit."""
NARROW_BPS: Final = Decimal(1)
WIDE_BPS: Final = Decimal(5)
BEGIN: Final = datetime(2026, 1, 5, 23, 44, tzinfo=UTC)
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BASES: Final = tuple(EMBEDDED)


def names(count: int = SYMBOLS) -> tuple[str, ...]:
    """The names of the symbols."""
    return tuple(f"F{number:03}USDT" for number in range(count))


def base_of(symbol: str) -> str:
    """The series behind a name."""
    return _BASES[int(symbol[1:4]) % len(_BASES)]


def is_narrow(symbol: str) -> bool:
    """Whether a symbol has the narrow spread."""
    return int(symbol[1:4]) < NARROW


class FleetMarket:
    """The synthetic market under many names."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols = tuple(symbols)
        self._inner = SyntheticMarket(7, _BASES, start=START, spread_bps=NARROW_BPS)

    @property
    def origin(self) -> MarketOrigin:
        """Where the prices come from."""
        return MarketOrigin.SYNTHETIC

    def instrument(self, symbol: str) -> Instrument:
        """The series' own filters."""
        return replace(self._inner.instrument(base_of(symbol)), symbol=symbol)

    def tradable(self, as_of: datetime) -> tuple[str, ...]:  # noqa: ARG002
        """All of them."""
        return self._symbols

    def turnover(self, as_of: datetime) -> Mapping[str, float]:
        """Each name has its series' turnover."""
        turnover = self._inner.turnover(as_of)
        return {symbol: turnover[base_of(symbol)] for symbol in self._symbols}

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Mapping[str, Quote]:
        """The series' quotes under the names."""
        found = self._inner.quotes(_BASES, as_of)
        return {symbol: replace(found[base_of(symbol)], symbol=symbol) for symbol in symbols}

    def windows(self, symbol: str, as_of: datetime, limit: int) -> Mapping[Timeframe, Candles]:
        """The series' candles."""
        return self._inner.windows(base_of(symbol), as_of, limit)

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        """The series' candles."""
        return self._inner.candles(base_of(symbol), timeframe, as_of, limit)

    def depth(self, symbol: str, as_of: datetime) -> OrderBook:
        """The series' book."""
        return self._inner.depth(base_of(symbol), as_of)

    def settlements(self, symbol: str, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """The series' funding."""
        return self._inner.settlements(base_of(symbol), after, until)


class TwoSpreads:
    """The prices of a market in books of two spreads."""

    def __init__(self, market: FleetMarket, instruments: Mapping[str, PaperInstrument]) -> None:
        self._instruments = instruments
        self._narrow = MarketFeed(market, instruments, spread_bps=NARROW_BPS)
        self._wide = MarketFeed(market, instruments, spread_bps=WIDE_BPS)

    def _of(self, symbol: str) -> PriceFeed:
        return self._narrow if is_narrow(symbol) else self._wide

    def symbols(self) -> Sequence[str]:
        """All of them."""
        return tuple(self._instruments)

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The tick in force at an instant."""
        return self._of(symbol).tick(symbol, at_ms)

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """Bounds of the ticks in a time."""
        return self._of(symbol).span(symbol, after_ms, until_ms)

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The ticks in a time."""
        return self._of(symbol).steps(symbol, after_ms, until_ms)

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the book."""
        return self._of(symbol).levels(symbol, at_ms, asks=asks)

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """What is known of funding."""
        return self._of(symbol).funding(symbol, at_ms)

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """What was settled."""
        return self._of(symbol).settlements(symbol, after_ms, until_ms)


class JumpingClock:
    """Runs with the wall from BEGIN on, and can be moved forward, in step with the exchange's."""

    def __init__(self, begin: datetime = BEGIN) -> None:
        self._wall = WallClock()
        self._shift = begin - self._wall.now()

    def now(self) -> datetime:
        """The present instant."""
        return self._wall.now() + self._shift

    def sleep(self, duration: timedelta) -> None:
        """Wait."""
        time.sleep(duration.total_seconds())

    def jump(self, by: timedelta) -> None:
        """Move forward at once."""
        self._shift += by


def serve(limit: int) -> None:
    """Serve the exchange until standard input ends. `limit` is the weight a minute."""
    # It would report every request that has to wait for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    market = FleetMarket(names())
    instruments = invented_listing(market, names())
    clock = JumpingClock()
    exchange = assemble_exchange(
        market, instruments, clock, [], prices=TwoSpreads(market, instruments), limits=Limits(weight_1m=limit)
    )
    line = Line(exchange.face, exchange.faults)
    with serving(line, 0, admin=exchange.admin) as address:
        print(address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
