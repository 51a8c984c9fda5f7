"""A paper exchange to be tested through its wire: a market moved by hand, and clients on it, in process and over HTTP."""

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from withearth.domain.times import Timeframe
from withearth.paper.feed import FundingTerms, PriceLevel, Span, Tick

BTC: Final = "BTCUSDT"
DOT: Final = "DOTUSDT"
FUNDING_RATE: Final = Decimal("0.0001")
FUNDING_MS: Final = 8 * 3_600_000
LEVELS: Final = 1_500
_BAR_MS: Final = Timeframe.M5.ms
_WAVE: Final = (0, 3, 5, 6, 5, 3, 0, -3, -5, -6, -5, -3)
_DEPTH: Final = Decimal(200)


def data_dir() -> Path | None:
    """`$WITHEARTH_DATA`, else `../shared/data` beside the repository; None where nothing is recorded."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    directory = Path(os.environ.get("WITHEARTH_DATA", beside))
    return directory if (directory / "binance_wire" / "SOURCES.md").is_file() else None


def wire_dir() -> Path | None:
    """Where the recorded answers of the exchange lie, None where they do not."""
    directory = data_dir()
    return None if directory is None else directory / "binance_wire"


@dataclass(slots=True)
class HandFeed:
    """A price feed whose prices are set by hand. Before its start a small wave closes a bar every five minutes.

    The best ask is the last price, the best bid one tick below it; every level holds 200.
    """

    start_ms: int
    prices: dict[str, Decimal]
    tick_sizes: dict[str, Decimal]
    _times: dict[str, list[int]] = field(init=False)
    _set: dict[str, list[Decimal]] = field(init=False)

    def __post_init__(self) -> None:
        self._times = {symbol: [self.start_ms] for symbol in self.prices}
        self._set = {symbol: [price] for symbol, price in self.prices.items()}

    def move(self, symbol: str, at_ms: int, price: Decimal) -> None:
        """From an instant on, later than any other that was set, trade at this price."""
        self._times[symbol].append(at_ms)
        self._set[symbol].append(price)

    def symbols(self) -> Sequence[str]:
        """The symbols that have prices."""
        return tuple(self.prices)

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The tick in force at an instant."""
        if at_ms < self.start_ms:
            return self._wave(symbol, at_ms - at_ms % _BAR_MS)
        index = bisect_right(self._times[symbol], at_ms) - 1
        return self._tick(symbol, self._times[symbol][index], self._set[symbol][index])

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The ticks with after < time ≤ until."""
        first = after_ms - after_ms % _BAR_MS + _BAR_MS
        waves = range(first, min(until_ms + 1, self.start_ms), _BAR_MS)
        times = self._times[symbol]
        by_hand = times[bisect_right(times, after_ms) : bisect_right(times, until_ms)]
        return [self.tick(symbol, at_ms) for at_ms in (*waves, *by_hand)]

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """Bounds of the ticks with after < time ≤ until."""
        prices = [tick.last for tick in self.steps(symbol, after_ms, until_ms)]
        return Span(min(prices), max(prices)) if prices else None

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the book, best price first."""
        tick, size = self.tick(symbol, at_ms), self.tick_sizes[symbol]
        best, step = (tick.ask, size) if asks else (tick.bid, -size)
        return (PriceLevel(best + step * level, _DEPTH) for level in range(LEVELS))

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """The same rate every eight hours."""
        if symbol not in self.prices:
            raise KeyError(symbol)
        return FundingTerms(FUNDING_RATE, at_ms - at_ms % FUNDING_MS + FUNDING_MS, FUNDING_MS)

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """The settlements with after < time ≤ until."""
        first = self.funding(symbol, after_ms).next_ms
        return [(at_ms, FUNDING_RATE) for at_ms in range(first, until_ms + 1, FUNDING_MS)]

    def _wave(self, symbol: str, at_ms: int) -> Tick:
        height = _WAVE[at_ms // _BAR_MS % len(_WAVE)]
        return self._tick(symbol, at_ms, self.prices[symbol] + height * self.tick_sizes[symbol])

    def _tick(self, symbol: str, at_ms: int, last: Decimal) -> Tick:
        bid = last - self.tick_sizes[symbol]
        return Tick(time_ms=at_ms, last=last, mark=last, index=last, bid=bid, ask=last, volume=_DEPTH)
