"""Builds questions to predictors, and predictors that answer them from a script."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.builders.installation import Installation
from tests.builders.snapshots import a_snapshot
from withearth.decision.gemini import GeminiPredictor
from withearth.decision.gemini_service import GeminiService
from withearth.decision.prediction import Answer, Prediction, Question, Unanswered, audit_of
from withearth.decision.sentiment import Sentiment
from withearth.decision.spend import NOTHING, Spend
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction

ID = "BTCUSDT-20240305T1005Z"


def a_question(*, sentiment: Sentiment | None = None, **snapshot: Any) -> Question:
    """A question about a calm market at 100."""
    return Question(ID, a_snapshot(**snapshot), "a1", sentiment)


def a_prediction(direction: str = "long", prob: float = 0.7) -> Prediction:
    """An answer of this direction and probability."""
    return Prediction(Direction(direction), prob, f"because {direction}", support=99.0, resistance=101.0)


def impatient(opened: Installation) -> Installation:
    """The installation, asking Gemini through the real SDK without waiting between two attempts."""
    settings = opened.runtime.settings
    predictor = GeminiPredictor(settings, settings.gemini_model, opened.clock, GeminiService(settings), lambda _: None)
    opened.runtime = replace(opened.runtime, predictor=predictor)
    return opened


class Scripted:
    """Gives the answers of its script in turn, and the last one ever after."""

    def __init__(self, *script: Prediction | Reason, name: str = "scripted", cost: Spend = NOTHING) -> None:
        """`cost` is what each answer costs, and what is reserved for it."""
        self.name = name
        self.asked = 0
        self._script: Sequence[Prediction | Reason] = script
        self._cost = cost

    def spend_max(self, question: Question) -> Spend:
        """What each answer costs."""
        return self._cost

    def predict(self, question: Question) -> Answer:
        """The next of the script."""
        outcome = self._script[min(self.asked, len(self._script) - 1)]
        self.asked += 1
        audit = audit_of(self.name, "rule", tokens=self._cost.tokens, cost_micro_usd=self._cost.micro_usd)
        if isinstance(outcome, Prediction):
            return Answer(outcome, audit)
        raise Unanswered(outcome, "", audit)
