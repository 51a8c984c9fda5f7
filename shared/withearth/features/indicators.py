"""Technical indicators, each one definition in two forms.

The *window form* gives the value at the newest bar of a window of at most `HISTORY_BARS` bars: what a decision sees.
The *series form* gives, for every bar of a history, what the window form would give there, and NaN where it is not
defined yet: what a backtest sees. Tests hold the two together at every bar.

Chosen on purpose:

- Wilder's averages start from the mean of the first 14 changes of the window, as TA-Lib does. Such an average is a
  weighted sum of the window's changes with fixed weights, so a window costs one dot product, and a history one
  correlation: the series form forgets what lies before the window, exactly as a decision does that sees no more.
- The RSI of a window in which no close differs from the one before is 50, because neither side moved; TA-Lib says 0.
- A relative volume over a median of zero is unavailable, not infinite and not zero.

Arrays are oldest bar first and sound as `Candles` makes them: finite, with positive prices and no negative volume.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from operator import truediv
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from withearth.domain.candles import CLOSE, HIGH, VOLUME, FloatArray

# The longest answer of the exchange's klines endpoint that still costs two units of request weight.
HISTORY_BARS: Final = 499

_WILDER: Final = 14
_AVERAGE: Final = 20
_FAST_AVERAGE: Final = 5
_RANGE: Final = 50
_FLAT_RSI: Final = 50.0


class Indicators(NamedTuple):
    """Values at the newest bar of one window.

    `rsi14` runs from 0 to 100; `atr14` and `sma20` are in the quote asset; `volatility20` is a fraction per bar;
    `relative_volume20` is a ratio, None while its median is zero.
    """

    rsi14: float
    atr14: float
    sma20: float
    volatility20: float
    relative_volume20: float | None


def window_indicators(windows: Sequence[FloatArray]) -> list[Indicators]:
    """Indicators of each window; a window is shaped (5, bars), with rows as in `Candles`.

    All windows of a decision go in one call, because over a few hundred bars most of what an array operation costs is
    the call. Raises ValueError for a window of fewer than 21 bars.
    """
    for ohlcv in windows:
        _require(ohlcv.shape[1], _AVERAGE + 1)
    return [
        Indicators(rsi14, atr14, *_tail_indicators(ohlcv))
        for (rsi14, atr14), ohlcv in zip(_wilder_windows(windows), windows, strict=True)
    ]


def window_support(lows: FloatArray) -> float:
    """Lowest low of the newest 50 bars, the newest included, in the quote asset. Raises ValueError with fewer.

    Source: the lower line of R. D. Donchian's price channel, here of 50 bars.
    """
    _require(len(lows), _RANGE)
    newest = lows[-_RANGE:]
    return float(newest[newest.argmin()])


def window_resistance(highs: FloatArray) -> float:
    """Highest high of the newest 50 bars, the newest included: the channel's upper line. See `window_support`."""
    _require(len(highs), _RANGE)
    newest = highs[-_RANGE:]
    return float(newest[newest.argmax()])


def window_trend(closes: FloatArray) -> float:
    """SMA(5) / SMA(20) − 1, a fraction, positive when the newer closes are higher. Raises ValueError with fewer.

    Source: R. D. Donchian's 5 and 20 day moving averages, read as a distance and not as a crossing.
    """
    _require(len(closes), _AVERAGE)
    newest: list[float] = closes[-_AVERAGE:].tolist()
    return _mean(newest[-_FAST_AVERAGE:]) / _mean(newest) - 1


def rsi_series(closes: FloatArray) -> FloatArray:
    """Relative strength index over 14 bars, from 0 to 100, at every bar; defined from the 15th on.

    100 × average rise / (average rise + average fall), both Wilder averages of the changes of the close. Because
    rise − fall is the average change and rise + fall the average of its size, it is computed as
    50 × (1 + average change / average size). Exactly 0 when no close rises, exactly 100 when none falls.
    Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978, section VI.
    """
    changes = np.diff(closes)
    net, travelled = _wilder_series(changes), _wilder_series(np.abs(changes))
    moved = travelled > 0
    rsi = np.where(np.isnan(travelled), np.nan, _FLAT_RSI)
    rsi[moved] *= 1 + net[moved] / travelled[moved]
    return _aligned(rsi, len(closes))


def atr_series(highs: FloatArray, lows: FloatArray, closes: FloatArray) -> FloatArray:
    """Average true range over 14 bars, in the quote asset, at every bar; defined from the 15th on.

    The Wilder average of max(high, previous close) − min(low, previous close).
    Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978, section III.
    """
    true_ranges = np.maximum(highs[1:], closes[:-1]) - np.minimum(lows[1:], closes[:-1])
    return _aligned(_wilder_series(true_ranges), len(closes))


def sma_series(closes: FloatArray, bars: int = _AVERAGE) -> FloatArray:
    """Arithmetic mean of the newest `bars` closes, in the quote asset, at every bar; TA-Lib's SMA."""
    return _rolling(closes, bars, lambda windows: windows.mean(axis=1))


def volatility_series(closes: FloatArray) -> FloatArray:
    """Population standard deviation of the newest 20 simple returns, a fraction per bar; defined from the 21st on.

    TA-Lib's STDDEV (nbdev=1) of its ROCP(1). Source: "estimating volatility from historical data" in J. C. Hull,
    "Options, Futures, and Other Derivatives", here of simple returns, without Bessel's correction, not annualised.
    """
    ratios = closes[1:] / closes[:-1]
    return _aligned(_rolling(ratios, _AVERAGE, lambda windows: windows.std(axis=1)), len(closes))


def relative_volume_series(volumes: FloatArray) -> FloatArray:
    """Volume of a bar divided by the median of the 20 bars before it; defined from the 21st on.

    NaN also where that median is zero. The median and not the mean, so that one burst does not hide the next.
    """
    medians = _rolling(volumes[:-1], _AVERAGE, _median)
    relative = np.full(len(medians), np.nan)
    np.divide(volumes[1:], medians, out=relative, where=medians > 0)
    return _aligned(relative, len(volumes))


def support_series(lows: FloatArray) -> FloatArray:
    """`window_support` at every bar; defined from the 50th on."""
    return _rolling(lows, _RANGE, lambda windows: windows.min(axis=1))


def resistance_series(highs: FloatArray) -> FloatArray:
    """`window_resistance` at every bar; defined from the 50th on."""
    return _rolling(highs, _RANGE, lambda windows: windows.max(axis=1))


def trend_series(closes: FloatArray) -> FloatArray:
    """`window_trend` at every bar; defined from the 20th on."""
    return sma_series(closes, _FAST_AVERAGE) / sma_series(closes) - 1


def _wilder_windows(windows: Sequence[FloatArray]) -> list[tuple[float, float]]:
    """RSI and ATR at the newest bar of each window, as `rsi_series` and `atr_series` define them."""
    abreast = np.concatenate([ohlcv[HIGH : CLOSE + 1] for ohlcv in windows], axis=1)
    highs, lows, closes = abreast[0, 1:], abreast[1, 1:], abreast[2]
    previous = closes[:-1]
    changes = closes[1:] - previous
    sizes = np.abs(changes)
    true_ranges = np.maximum(highs, previous) - np.minimum(lows, previous)
    values, start = [], 0
    for ohlcv in windows:
        bars = ohlcv.shape[1]
        weights, own = _wilder_weights(bars - 1), slice(start, start + bars - 1)
        net, travelled = float(changes[own].dot(weights)), float(sizes[own].dot(weights))
        values.append((_rsi(net, travelled), float(true_ranges[own].dot(weights))))
        start += bars  # and not bars - 1: the step from one window into the next belongs to neither
    return values


def _rsi(net: float, travelled: float) -> float:
    return _FLAT_RSI * (1 + net / travelled) if travelled > 0 else _FLAT_RSI


@cache
def _wilder_weights(changes: int) -> FloatArray:
    """What each of `changes` consecutive values, oldest first, counts in the Wilder average at the newest."""
    kept = 1 - 1 / _WILDER
    weights = kept ** np.arange(changes - 1, -1, -1.0) / _WILDER
    weights[:_WILDER] = kept ** (changes - _WILDER) / _WILDER
    weights.flags.writeable = False
    return weights


def _wilder_series(values: FloatArray) -> FloatArray:
    """Wilder average at each value, over what a window that ends there holds: at most `HISTORY_BARS` − 1 values."""
    window = HISTORY_BARS - 1
    average = np.full(len(values), np.nan)
    growing = values[:window]
    if len(growing) >= _WILDER:
        seed = float(growing[:_WILDER].mean())
        steps: list[float] = growing[_WILDER:].tolist()
        average[_WILDER - 1 : window] = list(accumulate(steps, _wilder_step, initial=seed))
    if len(values) > window:
        average[window:] = np.correlate(values[1:], _wilder_weights(window), "valid")
    return average


def _wilder_step(average: float, value: float) -> float:
    return average + (value - average) / _WILDER


def _tail_indicators(ohlcv: FloatArray) -> tuple[float, float, float | None]:
    """Average, volatility and relative volume, from the newest 21 bars: too few to be worth arrays."""
    closes, volumes = ohlcv[CLOSE : VOLUME + 1, -_AVERAGE - 1 :].tolist()
    return _mean(closes[1:]), _volatility(closes), _relative_volume(volumes)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _volatility(closes: Sequence[float]) -> float:
    """Deviation of the close ratios, which is that of the returns, as each of these is one less."""
    ratios = tuple(map(truediv, closes[1:], closes))
    return math.dist(ratios, (_mean(ratios),) * len(ratios)) / math.sqrt(len(ratios))


def _relative_volume(volumes: Sequence[float]) -> float | None:
    """Newest volume over the median of the others, of which there is an even number."""
    others = sorted(volumes[:-1])
    middle = len(others) // 2
    median = (others[middle - 1] + others[middle]) / 2
    return volumes[-1] / median if median > 0 else None


def _rolling(values: FloatArray, bars: int, reduce_windows: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Reduce the window of `bars` values that ends at each value; NaN where it would begin before the first."""
    reduced = np.full(len(values), np.nan)
    if len(values) >= bars:
        reduced[bars - 1 :] = reduce_windows(sliding_window_view(values, bars))
    return reduced


def _median(windows: FloatArray) -> FloatArray:
    middle = windows.shape[1] // 2
    ordered = np.sort(windows, axis=1)
    return (ordered[:, middle - 1] + ordered[:, middle]) / 2


def _aligned(per_change: FloatArray, bars: int) -> FloatArray:
    """Values that belong to the bars from the second on, with NaN for the bars before."""
    aligned = np.full(bars, np.nan)
    aligned[bars - len(per_change) :] = per_change
    return aligned


def _require(bars: int, need: int) -> None:
    if bars < need:
        raise ValueError(f"an indicator over {need} bars needs as many, was {bars}")
