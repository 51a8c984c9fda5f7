"""The predictor port: what may answer the question "long, short or hold?", and what it may answer.

A predictor sees the feature snapshot and nothing else. It never chooses size, leverage or order type.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from withearth.domain.side import Direction
from withearth.features.snapshot import FeatureSnapshot


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predictor's answer. `prob` is the probability, 0 to 1, that the target is reached before the stop."""

    direction: Direction
    prob: float
    reasoning: str
    support: float | None = None
    resistance: float | None = None

    def to_document(self) -> dict[str, Any]:
        """The answer as it stands in the decision document."""
        return {
            "direction": self.direction.value,
            "prob": self.prob,
            "reasoning": self.reasoning,
            "support": self.support,
            "resistance": self.resistance,
        }

    @classmethod
    def from_document(cls, data: Any) -> "Prediction":
        """The answer a decision document holds. Raises KeyError, TypeError or ValueError when it holds none."""
        prob = float(data["prob"])
        if not 0 <= prob <= 1:
            raise ValueError(f"a probability lies between 0 and 1, was {prob}")
        return cls(
            direction=Direction(data["direction"]),
            prob=prob,
            reasoning=str(data["reasoning"]),
            support=data.get("support"),
            resistance=data.get("resistance"),
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What a predictor is asked: one decision, and the features as they were known."""

    decision_id: str
    snapshot: FeatureSnapshot
    snapshot_hash: str


class Predictor(Protocol):
    """Answers one question."""

    @property
    def name(self) -> str:
        """What the audit and every screen call it, with its version."""
        ...

    def predict(self, question: Question) -> Prediction:
        """The answer. Raises Refused with the reason for which the decision must be HOLD."""
        ...
