"""Entry, target and stop of a trade, from the market's own movement.

The distances are multiples of the average true range over the horizon: the 1h ATR from 45 minutes up, else the 5m
ATR × √(horizon / 5), since the range of a random walk grows with the root of time. The recent extremes (50 bars of
the ATR's own timeframe) correct them: a target does not reach beyond an extreme that stands in its way, and a stop
that would rest just in front of one goes behind it. Every rounding to the tick is against the trade: the entry
worse, the target nearer, the stop further.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from withearth.domain.errors import Refused
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot
from withearth.settings import Settings

HOURLY_ATR_FROM_MIN: Final = 45
STOP_REACH: Final = 0.25
"""How far beyond the ATR stop, in ATR, an extreme may lie for the stop to go behind it."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices of one trade in the quote asset, all on the instrument's tick."""

    side: Side
    entry: Decimal
    tp: Decimal
    sl: Decimal

    @property
    def risk_reward(self) -> Decimal:
        """Distance to the target over distance to the stop, to four places."""
        return (abs(self.tp - self.entry) / abs(self.entry - self.sl)).quantize(Decimal("0.0001"))

    def to_document(self) -> dict[str, Any]:
        """The prices as they stand in the decision document."""
        return {"entry": str(self.entry), "tp": str(self.tp), "sl": str(self.sl)}


def horizon_atr(snapshot: FeatureSnapshot, horizon_min: int) -> tuple[float, Timeframe]:
    """The average true range over the horizon, in the quote asset, and the timeframe it was taken from."""
    if horizon_min >= HOURLY_ATR_FROM_MIN:
        return snapshot.frames[Timeframe.H1].atr14, Timeframe.H1
    return snapshot.frames[Timeframe.M5].atr14 * math.sqrt(horizon_min / 5), Timeframe.M5


def plan_levels(
    side: Side,
    mid: Decimal,
    snapshot: FeatureSnapshot,
    instrument: Instrument,
    settings: Settings,
) -> Levels:
    """The levels of a trade entered around `mid`. Raises Refused with LEVELS_INVALID when they cannot stand."""
    atr, timeframe = horizon_atr(snapshot, settings.horizon_min)
    frame = snapshot.frames[timeframe]
    ahead, behind = (frame.resistance50, frame.support50)[:: side.sign]
    against, along = (instrument.price_up, instrument.price_down)[:: side.sign]
    price, tick = float(mid), instrument.tick_size
    target = _target(side, price, atr * float(settings.atr_mult_tp), ahead)
    stop = _stop(side, price, atr * float(settings.atr_mult_sl), behind, reach=atr * STOP_REACH, tick=tick)
    levels = Levels(side, entry=against(mid), tp=along(target), sl=along(stop))
    if not _stands(levels, instrument):
        raise Refused(Reason.LEVELS_INVALID, f"entry {levels.entry}, tp {levels.tp}, sl {levels.sl}")
    return levels


def _target(side: Side, price: float, distance: float, extreme: float) -> Decimal:
    """`distance` away from the price, or at the extreme when that comes first."""
    to_extreme = (extreme - price) * side.sign
    return _decimal(extreme if 0 < to_extreme < distance else price + side.sign * distance)


def _stop(side: Side, price: float, distance: float, extreme: float, *, reach: float, tick: Decimal) -> Decimal:
    """`distance` behind the price, or a tick behind an extreme that lies at most `reach` further."""
    to_extreme = (price - extreme) * side.sign
    if distance <= to_extreme <= distance + reach:
        return _decimal(extreme) - side.sign * tick
    return _decimal(price - side.sign * distance)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _stands(levels: Levels, instrument: Instrument) -> bool:
    sign = levels.side.sign
    ordered = levels.sl * sign < levels.entry * sign < levels.tp * sign
    return ordered and all(map(instrument.takes_price, (levels.entry, levels.tp, levels.sl)))
