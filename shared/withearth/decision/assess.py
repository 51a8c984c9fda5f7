"""From a prediction to a trade that may be taken: probability, levels, risk/reward and size, each able to say no."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from withearth.decision.levels import Levels, plan_levels
from withearth.decision.prediction import Prediction
from withearth.domain.book import OrderBook
from withearth.domain.errors import Refused
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.features.snapshot import FeatureSnapshot
from withearth.risk.sizing import Sizing, size
from withearth.settings import Settings


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a trade would meet: the features, the book, the instrument's filters and the margin that is free."""

    snapshot: FeatureSnapshot
    book: OrderBook
    instrument: Instrument
    free_margin: Decimal


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that was worked out about a prediction, and what blocked it, if anything did."""

    reasons: tuple[Reason, ...]
    levels: Levels | None = None
    rr_min: Decimal | None = None
    qty: Decimal | None = None
    detail: str = ""

    def to_document(self) -> dict[str, Any]:
        """The levels, risk/reward and size as they stand in the decision document."""
        levels = None if self.levels is None else self.levels.to_document()
        return {
            "levels": levels,
            "risk_reward": None if self.levels is None else str(self.levels.risk_reward),
            "risk_reward_min": None if self.rr_min is None else str(self.rr_min),
            "qty": None if self.qty is None else str(self.qty),
            "detail": self.detail,
        }


def assess(prediction: Prediction, conditions: Conditions, settings: Settings) -> Assessment:
    """Whether the prediction may become a trade. All reasons are given, not just the first."""
    side = prediction.direction.side
    if side is None:
        return Assessment((Reason.MODEL_HOLD,))
    reasons = [Reason.PROBABILITY_TOO_LOW] if prediction.traded_prob < settings.min_prob else []
    try:
        levels = plan_levels(side, conditions.book.mid, conditions.snapshot, conditions.instrument, settings)
    except Refused as refusal:
        return Assessment((*reasons, refusal.reason), detail=refusal.detail)
    rr_min = required_risk_reward(prediction.traded_prob, settings)
    if levels.risk_reward < rr_min:
        reasons.append(Reason.RISK_REWARD_TOO_LOW)
    try:
        sizing = Sizing(side, levels.entry, conditions.book, conditions.free_margin)
        qty = size(sizing, conditions.instrument, settings)
    except Refused as refusal:
        return Assessment((*reasons, refusal.reason), levels, rr_min, detail=refusal.detail)
    return Assessment(tuple(reasons), levels, rr_min, qty)


def required_risk_reward(prob: float, settings: Settings) -> Decimal:
    """RR_MIN, relaxed to RR_MIN_HIGH_PROB from a probability of HIGH_PROB_RELAX_RR up."""
    return settings.rr_min_high_prob if prob >= settings.high_prob_relax_rr else settings.rr_min
