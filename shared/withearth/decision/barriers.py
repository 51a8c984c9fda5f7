"""Barriers: which end a decision's levels would have met first, told by the candles that followed.

This is what a probability is about, so it is worked out for every decision that named levels, traded or not. A bar that
touches both stop and target met the stop; a missing bar leaves the question open for good.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import numpy as np

from withearth.domain.candles import HIGH, LOW, Candles
from withearth.domain.side import Side
from withearth.domain.times import from_ms, to_ms


class Barrier(StrEnum):
    """The end that came first. UNKNOWN: a candle is missing, and nobody can tell."""

    TARGET = "TARGET"
    STOP = "STOP"
    HORIZON = "HORIZON"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Barriers:
    """The ends of one decision, from the close of its bar on. Prices in the quote asset."""

    side: Side
    tp: Decimal
    sl: Decimal
    since: datetime
    horizon_min: int

    @property
    def until(self) -> datetime:
        """When the horizon is over, on a full bar."""
        return self.since + timedelta(minutes=-(-self.horizon_min // 5) * 5)


def first_barrier(barriers: Barriers, bars: Candles) -> tuple[Barrier, datetime]:
    """The barrier met first, and the close of the bar that met it. `bars` are 5m bars closed up to the horizon."""
    window = bars.opened_since(to_ms(barriers.since))
    expected = np.arange(to_ms(barriers.since), to_ms(barriers.until), bars.timeframe.ms)
    sound = int(np.argmin(np.append(window.open_ms == expected[: len(window)], False)))
    worst, best = (window.ohlcv[LOW, :sound], window.ohlcv[HIGH, :sound])[:: barriers.side.sign]
    sign = barriers.side.sign
    stopped = _first(worst * sign <= float(barriers.sl) * sign)
    reached = _first(best * sign >= float(barriers.tp) * sign)
    if stopped is None and reached is None:
        return (Barrier.HORIZON if sound == len(expected) else Barrier.UNKNOWN), barriers.until
    met_stop = stopped is not None and (reached is None or stopped <= reached)
    place = stopped if met_stop else reached
    closed_at = from_ms(int(window.close_ms[place or 0]))
    return (Barrier.STOP if met_stop else Barrier.TARGET), closed_at


def _first(met: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int | None:
    return int(np.argmax(met)) if met.any() else None
