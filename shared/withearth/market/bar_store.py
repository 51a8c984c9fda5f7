"""Bars that grow at the end: what was handed out stays as it was, and a day is added without copying the past."""

import numpy as np

from withearth.domain.candles import Candles, aggregate
from withearth.domain.times import Timeframe


class BarStore:
    """5m bars by whole UTC days, with the longer timeframes built from them.

    Readers need no lock: they get a view of rows that are never written again. Writers are kept apart by the caller.
    """

    def __init__(self) -> None:
        self._series = {timeframe: _GrowingCandles(timeframe) for timeframe in Timeframe}

    def candles(self, timeframe: Timeframe) -> Candles:
        """All bars of a timeframe."""
        return self._series[timeframe].view

    def append(self, day: Candles) -> None:
        """Add the 5m bars of the whole day that follows."""
        for timeframe in (Timeframe.D1, Timeframe.H4, Timeframe.H1):
            self._series[timeframe].append(aggregate(day, timeframe))
        self._series[Timeframe.M5].append(day)


class _GrowingCandles:
    """Candles in buffers that double when they are full."""

    def __init__(self, timeframe: Timeframe) -> None:
        self._open_ms = np.empty(256, np.int64)
        self._ohlcv = np.empty((5, 256))
        self.view = Candles(timeframe, self._open_ms[:0], self._ohlcv[:, :0])

    def append(self, bars: Candles) -> None:
        start, end = len(self.view), len(self.view) + len(bars)
        while end > len(self._open_ms):
            self._open_ms = np.concatenate([self._open_ms, np.empty_like(self._open_ms)])
            self._ohlcv = np.concatenate([self._ohlcv, np.empty_like(self._ohlcv)], axis=1)
        self._open_ms[start:end], self._ohlcv[:, start:end] = bars.open_ms, bars.ohlcv
        self.view = Candles(bars.timeframe, self._open_ms[:end], self._ohlcv[:, :end])
