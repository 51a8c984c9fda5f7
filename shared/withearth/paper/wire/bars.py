"""Where candles come from, and how every interval of the exchange is built from those four that are stored.

The engine's feed knows prices from point to point; the closed bars of the past are the market's. The bar that is still
forming is put together from both, so that it never contradicts what the feed let an order trade at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import numpy as np

from withearth.domain.candles import CLOSE, HIGH, LOW, OPEN, VOLUME, Candles, FloatArray, IntArray
from withearth.domain.errors import MarketFault
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market.port import Market
from withearth.paper.feed import PriceFeed

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = Timeframe.D1.ms
# 1970 began on a Thursday, weeks begin on Mondays.
_MONDAY_MS: Final = 4 * _DAY_MS
_FOREVER_MS: Final = 2**62


class BarSource(Protocol):
    """Closed bars of the past."""

    def closed(self, symbol: str, timeframe: Timeframe, as_of_ms: int, limit: int) -> Candles:
        """The newest `limit` bars that are closed at an instant, possibly fewer. Raises MarketFault."""
        ...


class MarketBars:
    """The bars of a market port."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def closed(self, symbol: str, timeframe: Timeframe, as_of_ms: int, limit: int) -> Candles:
        """The newest `limit` bars that are closed at an instant. Raises MarketFault."""
        return self._market.candles(symbol, timeframe, from_ms(as_of_ms), limit)


class FeedBars:
    """Bars put together from the points of a feed, for an exchange that has no market behind it."""

    def __init__(self, feed: PriceFeed) -> None:
        self._feed = feed

    def closed(self, symbol: str, timeframe: Timeframe, as_of_ms: int, limit: int) -> Candles:
        """The newest `limit` bars that are closed at an instant."""
        last = as_of_ms - as_of_ms % timeframe.ms
        opens = np.arange(last - limit * timeframe.ms, last, timeframe.ms, dtype=np.int64)
        rows = [traded(self._feed, symbol, int(at), int(at) + timeframe.ms) for at in opens]
        return Candles(timeframe, opens, np.array(rows).reshape(-1, 5).T)


def traded(feed: PriceFeed, symbol: str, start_ms: int, end_ms: int) -> tuple[float, float, float, float, float]:
    """Open, high, low, close and volume of the points in force from `start_ms` until just before `end_ms`."""
    ticks = [feed.tick(symbol, start_ms), *feed.steps(symbol, start_ms, end_ms - 1)]
    prices = [float(tick.last) for tick in ticks]
    volume = sum(float(tick.volume) for tick in ticks)
    return prices[0], max(prices), min(prices), prices[-1], volume


@dataclass(frozen=True, slots=True)
class Interval:
    """One of the exchange's intervals, and which stored bars it is built from. `length_ms` 0 is a calendar month."""

    name: str
    length_ms: int
    base: Timeframe | None
    offset_ms: int = 0

    @property
    def bases(self) -> int:
        """How many stored bars make one of these, at most."""
        return (self.length_ms or 31 * _DAY_MS) // (self.base or Timeframe.M5).ms or 1

    def begin(self, at_ms: int) -> int:
        """When the bar opens that an instant falls into."""
        return at_ms - (at_ms - self.offset_ms) % self.length_ms if self.length_ms else _month(at_ms, 0)

    def later(self, open_ms: int, count: int) -> int:
        """When the bar opens that comes `count` bars after one."""
        return open_ms + count * self.length_ms if self.length_ms else _month(open_ms, count)

    def begin_from(self, at_ms: int) -> int:
        """When the first bar opens that does not begin before an instant."""
        begun = self.begin(at_ms)
        return begun if begun == at_ms else self.later(begun, 1)


def _month(at_ms: int, count: int) -> int:
    at = from_ms(at_ms)
    months = at.year * 12 + at.month - 1 + count
    return to_ms(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC))


INTERVALS: Final = {
    interval.name: interval
    for interval in (
        Interval("1m", _MINUTE_MS, None),
        Interval("3m", 3 * _MINUTE_MS, None),
        Interval("5m", 5 * _MINUTE_MS, Timeframe.M5),
        Interval("15m", 15 * _MINUTE_MS, Timeframe.M5),
        Interval("30m", 30 * _MINUTE_MS, Timeframe.M5),
        Interval("1h", 60 * _MINUTE_MS, Timeframe.H1),
        Interval("2h", 120 * _MINUTE_MS, Timeframe.H1),
        Interval("4h", 240 * _MINUTE_MS, Timeframe.H4),
        Interval("6h", 360 * _MINUTE_MS, Timeframe.H1),
        Interval("8h", 480 * _MINUTE_MS, Timeframe.H4),
        Interval("12h", 720 * _MINUTE_MS, Timeframe.H4),
        Interval("1d", _DAY_MS, Timeframe.D1),
        Interval("3d", 3 * _DAY_MS, Timeframe.D1),
        Interval("1w", 7 * _DAY_MS, Timeframe.D1, _MONDAY_MS),
        Interval("1M", 0, Timeframe.D1),
    )
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of any interval. `end_ms` is when it closes, or will."""

    open_ms: int
    end_ms: int
    ohlcv: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Window:
    """Which bars are asked for: those that open in [start, end], at most `limit`, and none later than `now_ms`."""

    start_ms: int | None
    end_ms: int | None
    limit: int
    now_ms: int


def bars_of(source: BarSource, feed: PriceFeed, symbol: str, interval: Interval, window: Window) -> list[Bar]:
    """The bars of a window, oldest first; the one that is forming comes last. What was not recorded is absent."""
    newest = _newest(interval, window)
    if newest is None:
        return []
    end_ms, start_ms = interval.later(newest, 1), window.start_ms or 0
    forming = end_ms > window.now_ms
    bars = _closed(source, feed, symbol, interval, newest if forming else end_ms, window.limit)
    bars = [bar for bar in bars if bar.open_ms >= start_ms]
    if forming:
        bars.append(Bar(newest, end_ms, _so_far(source, feed, symbol, newest, window.now_ms)))
    return bars[-window.limit :]


def _newest(interval: Interval, window: Window) -> int | None:
    """When the newest bar of the window opens, or None: the window has none."""
    latest = interval.begin(window.now_ms if window.end_ms is None else min(window.now_ms, window.end_ms))
    if window.start_ms is None:
        return latest
    first = interval.begin_from(window.start_ms)
    return min(interval.later(first, window.limit - 1), latest) if first <= latest else None


def _closed(
    source: BarSource, feed: PriceFeed, symbol: str, interval: Interval, until_ms: int, limit: int
) -> list[Bar]:
    if interval.base is None:
        return list(_minutes(feed, symbol, interval, until_ms, limit))
    count = (limit + 1) * interval.bases
    try:
        stored = source.closed(symbol, interval.base, until_ms, count)
    except MarketFault:
        return []
    bars = _grouped(stored, interval)
    # The oldest group was cut by the count, unless history itself begins there.
    return bars[1:] if len(stored) == count and interval.bases > 1 else bars


def _minutes(feed: PriceFeed, symbol: str, interval: Interval, until_ms: int, limit: int) -> Iterator[Bar]:
    for at in range(until_ms - limit * interval.length_ms, until_ms, interval.length_ms):
        try:
            yield Bar(at, at + interval.length_ms, traded(feed, symbol, at, at + interval.length_ms))
        except (KeyError, MarketFault):
            continue


def _grouped(stored: Candles, interval: Interval) -> list[Bar]:
    if not len(stored):
        return []
    begins = np.array([interval.begin(int(at)) for at in stored.open_ms])
    starts = np.flatnonzero(np.diff(begins, prepend=-_FOREVER_MS))
    columns = zip(*_merged(stored.ohlcv, starts).tolist(), strict=True)
    return [Bar(int(at), interval.later(int(at), 1), ohlcv) for at, ohlcv in zip(begins[starts], columns, strict=True)]


def _merged(ohlcv: FloatArray, starts: IntArray) -> FloatArray:
    ends = np.append(starts[1:], ohlcv.shape[1]) - 1
    return np.array(
        [
            ohlcv[OPEN, starts],
            np.maximum.reduceat(ohlcv[HIGH], starts),
            np.minimum.reduceat(ohlcv[LOW], starts),
            ohlcv[CLOSE, ends],
            np.add.reduceat(ohlcv[VOLUME], starts),
        ],
    )


def _so_far(
    source: BarSource, feed: PriceFeed, symbol: str, open_ms: int, now_ms: int
) -> tuple[float, float, float, float, float]:
    """A bar that began at `open_ms`, as of now: from whole days, hours and five minutes, and the points since."""
    parts, at = [], open_ms
    for timeframe in (Timeframe.D1, Timeframe.H1, Timeframe.M5):
        count = (now_ms - at) // timeframe.ms if at % timeframe.ms == 0 else 0
        if count:
            parts.append(source.closed(symbol, timeframe, now_ms, count).opened_since(at).ohlcv)
            at += count * timeframe.ms
    parts.append(np.array(traded(feed, symbol, at, now_ms + 1)).reshape(5, 1))
    merged = _merged(np.concatenate(parts, axis=1), np.array([0]))[:, 0].tolist()
    return merged[OPEN], merged[HIGH], merged[LOW], merged[CLOSE], merged[VOLUME]
