"""Calibration: from what a predictor says to how often it was right when it said so.

A map is a list of points between which probabilities are interpolated. It is fitted offline (`calibration_fit`), kept
as a document with its sample size, and applied here without any library. A map of too few samples changes nothing, and
says so. A probability outside what the sample held is not extrapolated: it is refused.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, Self

from withearth.decision.prediction import Answer, Predictor, Question, Unanswered
from withearth.decision.spend import Spend
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction

Method = Literal["identity", "platt", "isotonic"]


@dataclass(frozen=True, slots=True)
class CalibrationMap:
    """Points (said, true), said ascending. `samples` is how many outcomes they rest on, up to `until`."""

    predictor: str
    method: Method
    samples: int
    until: datetime | None
    said: tuple[float, ...] = ()
    true: tuple[float, ...] = ()

    def apply(self, prob: float) -> float:
        """The calibrated probability. Raises Refused with MODEL_UNCALIBRATED outside what the sample held."""
        if self.method == "identity":
            return prob
        if not self.said[0] <= prob <= self.said[-1]:
            seen = f"{self.said[0]:.3f} to {self.said[-1]:.3f}"
            raise Refused(Reason.MODEL_UNCALIBRATED, f"{prob} was said, {self.samples} samples lie in {seen}")
        return round(self._interpolated(prob), 6)

    def _interpolated(self, prob: float) -> float:
        right = min(bisect_right(self.said, prob), len(self.said) - 1)
        left = max(right - 1, 0)
        width = self.said[right] - self.said[left]
        share = (prob - self.said[left]) / width if width else 0.0
        return self.true[left] + share * (self.true[right] - self.true[left])

    def to_document(self) -> dict[str, Any]:
        """The map as it is kept."""
        return {
            "predictor": self.predictor,
            "method": self.method,
            "samples": self.samples,
            "until": self.until,
            "said": list(self.said),
            "true": list(self.true),
        }

    @classmethod
    def from_document(cls, data: Any) -> Self:
        """The map a document holds."""
        points = {name: tuple(data[name]) for name in ("said", "true")}
        return cls(data["predictor"], data["method"], data["samples"], data["until"], **points)


class CalibratedPredictor:
    """Another predictor, whose probabilities are corrected before they decide."""

    def __init__(self, inner: Predictor, find_map: Callable[[str], CalibrationMap | None]) -> None:
        """`find_map` looks up the newest map of a predictor by its name; None means there is none yet."""
        self.name: Final = inner.name
        self._inner = inner
        self._find_map = find_map

    def spend_max(self, question: Question) -> Spend:
        """What the other predictor may cost."""
        return self._inner.spend_max(question)

    def predict(self, question: Question) -> Answer:
        """The other's answer with its probability calibrated. Raises Unanswered."""
        answer = self._inner.predict(question)
        if answer.prediction.direction is Direction.HOLD:
            return answer
        found = self._find_map(self.name) or CalibrationMap(self.name, "identity", 0, None)
        used: dict[str, Any] = {"method": found.method, "samples": found.samples, "until": found.until}
        try:
            calibrated = found.apply(answer.prediction.prob)
        except Refused as refusal:
            audit = dict(answer.audit) | {"calibration": used | {"prob": None}}
            raise Unanswered(refusal.reason, refusal.detail, audit) from refusal
        audit = dict(answer.audit) | {"calibration": used | {"prob": calibrated}}
        return Answer(replace(answer.prediction, calibrated=calibrated), audit)
