"""A feed whose prices somebody may take over: a path laid over another feed, symbol by symbol.

Before a path's first point the other feed holds. From then on last, mark and index price are the path's, the book is
the other feed's moved by the difference, and after the last point the price stays. Volume and funding remain the
other's.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np

from withearth.domain.candles import Candles
from withearth.domain.times import Timeframe
from withearth.paper.feed import FundingTerms, PriceFeed, PriceLevel, Span, Tick
from withearth.paper.wire.bars import BarSource, traded


@dataclass(frozen=True, slots=True)
class Path:
    """Prices by time, oldest first."""

    times_ms: tuple[int, ...]
    prices: tuple[Decimal, ...]

    def at(self, at_ms: int) -> tuple[int, Decimal] | None:
        """The point in force at an instant, None before the first."""
        index = bisect_right(self.times_ms, at_ms) - 1
        return (self.times_ms[index], self.prices[index]) if index >= 0 else None

    def between(self, after_ms: int, until_ms: int) -> Sequence[int]:
        """The times of the points with after < time ≤ until."""
        return self.times_ms[bisect_right(self.times_ms, after_ms) : bisect_right(self.times_ms, until_ms)]


class SteeredFeed:
    """Another feed, with paths laid over it."""

    def __init__(self, inner: PriceFeed) -> None:
        self._inner = inner
        self._paths: dict[str, Path] = {}

    def steer(self, symbol: str, points: Sequence[tuple[int, Decimal]]) -> None:
        """Lay a path over a symbol, in the place of its former one. Points are given oldest first.

        Raises ValueError for no points, or points in disorder.
        """
        times = tuple(at_ms for at_ms, _ in points)
        if not times or any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("a path has at least one point, and its times rise")
        before = self._paths.get(symbol)
        kept = () if before is None else tuple(at for at in before.times_ms if at < times[0])
        prices = () if before is None else before.prices[: len(kept)]
        self._paths[symbol] = Path(kept + times, prices + tuple(price for _, price in points))

    def steered_from(self, symbol: str) -> int | None:
        """When a symbol's path begins, None when it has none."""
        path = self._paths.get(symbol)
        return None if path is None else path.times_ms[0]

    def symbols(self) -> Sequence[str]:
        """The symbols that have prices."""
        return self._inner.symbols()

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The tick in force at an instant."""
        tick = self._inner.tick(symbol, at_ms)
        point = self._point(symbol, at_ms)
        return tick if point is None else _moved(tick, *point)

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The ticks with after < time ≤ until, oldest first."""
        path = self._paths.get(symbol)
        if path is None:
            return self._inner.steps(symbol, after_ms, until_ms)
        first_ms = path.times_ms[0]
        untouched = self._inner.steps(symbol, after_ms, min(until_ms, first_ms - 1)) if after_ms < first_ms else ()
        return [*untouched, *(self.tick(symbol, at_ms) for at_ms in path.between(after_ms, until_ms))]

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """Bounds of the ticks with after < time ≤ until, None when there is no tick."""
        if symbol not in self._paths:
            return self._inner.span(symbol, after_ms, until_ms)
        prices = [price for tick in self.steps(symbol, after_ms, until_ms) for price in (tick.last, tick.mark)]
        return Span(min(prices), max(prices)) if prices else None

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the book, best price first."""
        levels = self._inner.levels(symbol, at_ms, asks=asks)
        point = self._point(symbol, at_ms)
        if point is None:
            return levels
        shift = point[1] - self._inner.tick(symbol, at_ms).last
        return (replace(level, price=level.price + shift) for level in levels if level.price + shift > 0)

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """What is known of funding at an instant."""
        return self._inner.funding(symbol, at_ms)

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """The times and rates settled with after < time ≤ until, oldest first."""
        return self._inner.settlements(symbol, after_ms, until_ms)

    def _point(self, symbol: str, at_ms: int) -> tuple[int, Decimal] | None:
        path = self._paths.get(symbol)
        return None if path is None else path.at(at_ms)


def _moved(tick: Tick, at_ms: int, price: Decimal) -> Tick:
    shift = price - tick.last
    return Tick(
        time_ms=at_ms,
        last=price,
        mark=price,
        index=price,
        bid=tick.bid + shift,
        ask=tick.ask + shift,
        volume=tick.volume,
    )


class SteeredBars:
    """Closed bars that follow the path where there is one, and are another source's where there is none."""

    def __init__(self, inner: BarSource, feed: SteeredFeed) -> None:
        self._inner = inner
        self._feed = feed

    def closed(self, symbol: str, timeframe: Timeframe, as_of_ms: int, limit: int) -> Candles:
        """The newest `limit` bars that are closed at an instant. Raises MarketFault."""
        bars, since_ms = self._inner.closed(symbol, timeframe, as_of_ms, limit), self._feed.steered_from(symbol)
        if since_ms is None or not len(bars) or bars.last_close_ms <= since_ms:
            return bars
        ohlcv = bars.ohlcv.copy()
        for index in np.flatnonzero(bars.close_ms > since_ms).tolist():
            opened = int(bars.open_ms[index])
            ohlcv[:, index] = traded(self._feed, symbol, opened, opened + timeframe.ms)
        return Candles(timeframe, bars.open_ms, ohlcv)
