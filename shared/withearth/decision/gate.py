"""The gate: what keeps a symbol from being worth a model call at this tick."""

from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot
from withearth.settings import Settings


def gate(snapshot: FeatureSnapshot, settings: Settings) -> tuple[Reason, ...]:
    """Every reason not to ask the predictor, in order of importance. Empty means the gate is open.

    History, staleness and missing funding never come this far: no snapshot is built without them.
    """
    window = settings.funding_window_min
    checks = (
        (Reason.SPREAD_TOO_WIDE, snapshot.spread_bps > float(settings.max_spread_bps)),
        (Reason.VOLATILITY_TOO_LOW, snapshot.frames[Timeframe.M5].volatility20 < settings.min_vol_frac),
        (Reason.FUNDING_WINDOW, window > 0 and snapshot.minutes_to_funding <= window),
    )
    return tuple(reason for reason, applies in checks if applies)
