"""Candles: closed bars of one symbol and timeframe, and what can be wrong with them.

A `Candles` value is always ordered, unique, on its timeframe's grid and free of contradictions, because
`normalise` is the only way rows of the outside world become one. What depends on the asked time (a gap inside
the window, a stale end, too short a history) is told by `window_fault`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

OPEN: Final = 0
HIGH: Final = 1
LOW: Final = 2
CLOSE: Final = 3
VOLUME: Final = 4

DAY_BARS: Final = 288
"""The 5m bars of a day."""


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Bars, oldest first. `ohlcv` has one row each for open, high, low, close and volume, one column a bar.

    Prices are in the quote asset and volume in the base asset, as floats: candles feed features, never orders.
    """

    timeframe: Timeframe
    open_ms: IntArray
    ohlcv: FloatArray

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def close_ms(self) -> IntArray:
        """The instants at which the bars close: the exchange's `closeTime` plus its last millisecond."""
        return self.open_ms + self.timeframe.ms

    @property
    def last_close_ms(self) -> int:
        """The instant at which the newest bar closes. Raises IndexError when there is no bar."""
        return int(self.open_ms[-1]) + self.timeframe.ms

    def closed_at(self, as_of_ms: int, limit: int) -> "Candles":
        """The newest `limit` bars that are closed at `as_of_ms`: a view, nothing is copied."""
        end = int(np.searchsorted(self.open_ms, as_of_ms - self.timeframe.ms, side="right"))
        return self._slice(max(0, end - limit), end)

    def opened_since(self, since_ms: int) -> "Candles":
        """The bars that open at `since_ms` or later: a view."""
        return self._slice(int(np.searchsorted(self.open_ms, since_ms, side="left")), len(self))

    def _slice(self, start: int, end: int) -> "Candles":
        return Candles(self.timeframe, self.open_ms[start:end], self.ohlcv[:, start:end])


def normalise(timeframe: Timeframe, open_ms: IntArray, ohlcv: FloatArray) -> Candles:
    """Order the rows by open time and drop exact repetitions.

    `ohlcv` is shaped (5, rows). Raises MarketFault with CANDLE_CONFLICT when two rows of one open time differ and
    with CANDLE_INVALID when a row is off the timeframe's grid, not finite, not positive, or contradicts itself.
    """
    order = np.argsort(open_ms, kind="stable")
    open_ms, ohlcv = open_ms[order], np.ascontiguousarray(ohlcv[:, order])
    repeated = np.flatnonzero(np.diff(open_ms) == 0)
    if repeated.size:
        if not np.array_equal(ohlcv[:, repeated], ohlcv[:, repeated + 1]):
            raise MarketFault(Reason.CANDLE_CONFLICT, f"{timeframe} bar at {int(open_ms[repeated[0]])} ms")
        keep = np.ones(len(open_ms), dtype=bool)
        keep[repeated + 1] = False
        open_ms, ohlcv = open_ms[keep], np.ascontiguousarray(ohlcv[:, keep])
    _refuse_contradictions(timeframe, open_ms, ohlcv)
    return Candles(timeframe, open_ms, ohlcv)


def _refuse_contradictions(timeframe: Timeframe, open_ms: IntArray, ohlcv: FloatArray) -> None:
    opens, highs, lows, closes, volumes = ohlcv
    sound = (
        np.isfinite(ohlcv).all(axis=0)
        & (lows > 0)
        & (lows <= np.minimum(opens, closes))
        & (highs >= np.maximum(opens, closes))
        & (volumes >= 0)
        & (open_ms % timeframe.ms == 0)
    )
    if not sound.all():
        raise MarketFault(Reason.CANDLE_INVALID, f"{timeframe} bar at {int(open_ms[np.argmin(sound)])} ms")


def window_fault(window: Candles, as_of_ms: int, need: int) -> Reason | None:
    """What forbids computing features on `window` at `as_of_ms`, or None.

    `need` is the least number of bars. Because bars are unique and on the grid, a window has a gap exactly when its
    ends lie further apart than its count says.
    """
    count = len(window)
    if count == 0:
        return Reason.NO_CANDLES
    step = window.timeframe.ms
    if window.last_close_ms != as_of_ms - as_of_ms % step:
        return Reason.CANDLE_STALE
    if count < need:
        return Reason.SHORT_HISTORY
    if int(window.open_ms[-1]) - int(window.open_ms[0]) != (count - 1) * step:
        return Reason.CANDLE_GAP
    return None


def quote_turnover(bars: Candles) -> float:
    """What was traded in these bars, in the quote asset, as if all of a bar had been traded at its close."""
    return float(bars.ohlcv[CLOSE] @ bars.ohlcv[VOLUME])


def aggregate(candles: Candles, timeframe: Timeframe) -> Candles:
    """Build bars of a longer timeframe. A bar is built only when every bar inside it is there."""
    per_bar = timeframe.ms // candles.timeframe.ms
    bucket = candles.open_ms // timeframe.ms
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1))
    ends = np.append(starts[1:], len(bucket))
    whole = ends - starts == per_bar
    if not len(starts) or not whole.any():
        return Candles(timeframe, np.empty(0, np.int64), np.empty((5, 0)))
    opens, highs, lows, closes, volumes = candles.ohlcv
    ohlcv = np.array(
        [
            opens[starts],
            np.maximum.reduceat(highs, starts),
            np.minimum.reduceat(lows, starts),
            closes[ends - 1],
            np.add.reduceat(volumes, starts),
        ],
    )
    return Candles(timeframe, bucket[starts][whole] * timeframe.ms, np.ascontiguousarray(ohlcv[:, whole]))


def union(preferred: Candles, other: Candles) -> Candles:
    """All bars of both; where both have a bar, the preferred one's."""
    extra = ~np.isin(other.open_ms, preferred.open_ms, assume_unique=True)
    open_ms = np.concatenate([preferred.open_ms, other.open_ms[extra]])
    ohlcv = np.concatenate([preferred.ohlcv, other.ohlcv[:, extra]], axis=1)
    return normalise(preferred.timeframe, open_ms, ohlcv)
