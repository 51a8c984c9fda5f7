"""The closed candles a process has seen, and how new ones are put to them.

Closed candles never change, so a history is fetched once and topped up by its newest bars. Every top-up begins with
bars that are there already: where one of them differs, the history or the answer is wrong, and both are thrown away.

Pure but for the dictionary it keeps; used from any thread.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from withearth.domain.candles import Candles
from withearth.domain.times import Timeframe

KEPT_BARS: Final = 499
"""What the features look at, and the most that weighs 2: from 500 on an answer weighs 5."""
OVERLAP: Final = 2
CHEAP_BARS: Final = 99
"""Up to this many bars weigh 1."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A history without gaps. `whole` says that the symbol has no older bars."""

    bars: Candles
    whole: bool

    def window(self, closed_ms: int, limit: int) -> Candles | None:
        """The newest `limit` bars closed at an instant, None when they are not all here."""
        if self.bars.last_close_ms < closed_ms:
            return None
        window = self.bars.closed_at(closed_ms, limit)
        return window if len(window) == limit or self.whole else None

    def missing(self, closed_ms: int) -> int:
        """How many bars have closed since."""
        return (closed_ms - self.bars.last_close_ms) // self.bars.timeframe.ms

    def with_newer(self, newest: Candles) -> "Kept | None":
        """The history with the newest bars, None when they do not continue it."""
        shared = newest.open_ms <= self.bars.open_ms[-1]
        count = int(np.count_nonzero(shared))
        if not 0 < count <= len(self.bars) or not self._agrees(newest, count):
            return None
        bars = _joined(self.bars, newest, count)
        return None if has_gap(bars) else Kept(bars, self.whole and len(self.bars) + len(newest) - count <= KEPT_BARS)

    def _agrees(self, newest: Candles, count: int) -> bool:
        same_times = np.array_equal(newest.open_ms[:count], self.bars.open_ms[-count:])
        return same_times and np.array_equal(newest.ohlcv[:, :count], self.bars.ohlcv[:, -count:])


class CandleCache:
    """Histories by symbol and timeframe."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Timeframe], Kept] = {}

    def get(self, symbol: str, timeframe: Timeframe) -> Kept | None:
        """What is known, if anything is."""
        return self._kept.get((symbol, timeframe))

    def put(self, symbol: str, kept: Kept) -> None:
        """Remember a history."""
        self._kept[symbol, kept.bars.timeframe] = kept

    def forget(self, symbol: str) -> None:
        """Start over with a symbol."""
        for timeframe in Timeframe:
            self._kept.pop((symbol, timeframe), None)


def has_gap(bars: Candles) -> bool:
    """Whether a bar is missing between the first and the last."""
    return len(bars) > 0 and int(bars.open_ms[-1] - bars.open_ms[0]) != (len(bars) - 1) * bars.timeframe.ms


def _joined(before: Candles, newest: Candles, count: int) -> Candles:
    """Both in arrays of their own, which hold on to no answer, and at most KEPT_BARS of them."""
    open_ms = np.concatenate([before.open_ms, newest.open_ms[count:]])[-KEPT_BARS:].copy()
    ohlcv = np.ascontiguousarray(np.concatenate([before.ohlcv, newest.ohlcv[:, count:]], axis=1)[:, -KEPT_BARS:])
    return Candles(before.timeframe, open_ms, ohlcv)
