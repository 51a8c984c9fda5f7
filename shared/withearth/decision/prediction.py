"""The predictor port: what may answer the question "long, short or hold?", and what it may answer.

A predictor sees the feature snapshot and, where it is switched on, sentiment as three numbers: nothing else. It never
chooses size, leverage or order type. What it was asked and what it answered travel together, so that the decision can
keep both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from withearth.decision.sentiment import Sentiment
from withearth.decision.spend import Spend
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction

if TYPE_CHECKING:  # numpy comes with it, which only who makes snapshots needs
    from withearth.features.snapshot import FeatureSnapshot


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predictor's answer. `prob` is the probability, 0 to 1, that the target is reached before the stop.

    `calibrated` is that probability corrected by what came of earlier ones, None where nothing is calibrated.
    """

    direction: Direction
    prob: float
    reasoning: str
    support: float | None = None
    resistance: float | None = None
    calibrated: float | None = None

    @property
    def traded_prob(self) -> float:
        """The probability that decides."""
        return self.prob if self.calibrated is None else self.calibrated

    def to_document(self) -> dict[str, Any]:
        """The answer as it stands in the decision document."""
        return {
            "direction": self.direction.value,
            "prob": self.prob,
            "reasoning": self.reasoning,
            "support": self.support,
            "resistance": self.resistance,
            "calibrated": self.calibrated,
        }

    @classmethod
    def from_document(cls, data: Any) -> "Prediction":
        """The answer a decision document holds. Raises KeyError, TypeError or ValueError when it holds none."""
        direction, prob, reasoning = Direction(data["direction"]), _probability(data["prob"]), str(data["reasoning"])
        calibrated = data.get("calibrated")
        return cls(
            direction,
            prob,
            reasoning,
            support=data.get("support"),
            resistance=data.get("resistance"),
            calibrated=None if calibrated is None else _probability(calibrated),
        )


def _probability(value: Any) -> float:
    prob = float(value)
    if not 0 <= prob <= 1:
        raise ValueError(f"a probability lies between 0 and 1, was {prob}")
    return prob


@dataclass(frozen=True, slots=True)
class Question:
    """What a predictor is asked: one decision, the features as they were known, and sentiment where it is fresh."""

    decision_id: str
    snapshot: "FeatureSnapshot"
    snapshot_hash: str
    sentiment: Sentiment | None = None


Audit = Mapping[str, Any]
"""What was asked and answered, as it stands in the decision document. `predictor`, `tokens` and `cost_micro_usd` and
`latency_ms` are always there; `blocked_by` and `detail` where there is no answer; the rest is the predictor's own."""


def audit_of(predictor: str, kind: str, **more: Any) -> dict[str, Any]:
    """An audit of something that cost nothing, with more to say."""
    return {"predictor": predictor, "kind": kind, "tokens": 0, "cost_micro_usd": 0, "latency_ms": 0} | more


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction, and how it came about."""

    prediction: Prediction
    audit: Audit


class Unanswered(Refused):
    """There is no answer that may be used. What was asked, and what it cost all the same, is told with it."""

    def __init__(self, reason: Reason, detail: str, audit: Audit) -> None:
        super().__init__(reason, detail)
        self.audit: Audit = dict(audit) | {"blocked_by": reason.value, "detail": detail}


class Predictor(Protocol):
    """Answers one question."""

    @property
    def name(self) -> str:
        """What the audit and every screen call it, with its version."""
        ...

    def spend_max(self, question: Question) -> Spend:
        """The most that answering may cost. Nothing, for who asks nobody outside."""
        ...

    def predict(self, question: Question) -> Answer:
        """The answer. Raises Unanswered with the reason for which the decision must be HOLD."""
        ...


def spent(audit: Audit) -> Spend:
    """What an audit says was spent."""
    return Spend(audit["tokens"], audit["cost_micro_usd"])
