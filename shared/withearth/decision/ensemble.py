"""The ensemble: several predictors asked the same question side by side, and one answer made of theirs.

- `agree`: every member points the same way, with the least of their probabilities; otherwise hold.
- `mean`: each member counts by how far its probability is above one half, long against short; the mean points the way.
- `veto`: the first member's answer stands, unless another points the opposite way; then hold.

A member that gives no answer leaves the question unanswered: who was to be heard and was not may have said no.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import fmean
from typing import Any, Final, Literal

from withearth.decision.prediction import Answer, Audit, Prediction, Predictor, Question, Unanswered
from withearth.decision.spend import NOTHING, Spend
from withearth.domain.side import Direction

Rule = Literal["agree", "mean", "veto"]
Outcome = Answer | Unanswered


class EnsemblePredictor:
    """Asks all members at once and combines what they say."""

    def __init__(self, members: Sequence[Predictor], rule: Rule) -> None:
        """`members` in the order of their rank."""
        self.name: Final = f"{rule}({', '.join(member.name for member in members)})"
        self._members = members
        self._rule: Rule = rule

    def spend_max(self, question: Question) -> Spend:
        """What all members together may cost."""
        return sum((member.spend_max(question) for member in self._members), NOTHING)

    def predict(self, question: Question) -> Answer:
        """The members' answers as one. Raises Unanswered when one of them has none."""
        with ThreadPoolExecutor(len(self._members), thread_name_prefix="member") as pool:
            outcomes = list(pool.map(lambda member: _outcome(member, question), self._members))
        return combined(self.name, self._rule, outcomes)


def _outcome(member: Predictor, question: Question) -> Outcome:
    try:
        return member.predict(question)
    except Unanswered as unanswered:
        return unanswered


def combined(name: str, rule: Rule, outcomes: Sequence[Outcome]) -> Answer:
    """One answer of the members' answers, with all their audits. Raises Unanswered for the first that has none."""
    audit = _audit(name, rule, outcomes)
    for outcome in outcomes:
        if isinstance(outcome, Unanswered):
            raise Unanswered(outcome.reason, outcome.detail, audit)
    return Answer(combine(rule, [each.prediction for each in outcomes if isinstance(each, Answer)]), audit)


def _audit(name: str, rule: Rule, outcomes: Sequence[Outcome]) -> Audit:
    audits = [each.audit for each in outcomes]
    members: list[dict[str, Any]] = [
        {"prediction": each.prediction.to_document() if isinstance(each, Answer) else None, "asked": each.audit}
        for each in outcomes
    ]
    return {
        "predictor": name,
        "kind": "ensemble",
        "rule": rule,
        "members": members,
        "tokens": sum(each["tokens"] for each in audits),
        "cost_micro_usd": sum(each["cost_micro_usd"] for each in audits),
        "latency_ms": max(each["latency_ms"] for each in audits),
    }


def combine(rule: Rule, predictions: Sequence[Prediction]) -> Prediction:
    """The answer the rule makes of the members' answers, the first member's words first."""
    words = " | ".join(f"{each.direction} {each.prob:.2f}" for each in predictions)
    match rule:
        case "agree":
            chosen = _agreed(predictions)
        case "veto":
            chosen = _unless_opposed(predictions)
        case "mean":
            chosen = _mean(predictions)
    return replace(chosen, reasoning=f"{rule}: {words}", calibrated=None)


def _agreed(predictions: Sequence[Prediction]) -> Prediction:
    least = min(predictions, key=lambda each: each.prob)
    united = len({each.direction for each in predictions}) == 1
    return least if united else replace(least, direction=Direction.HOLD)


def _unless_opposed(predictions: Sequence[Prediction]) -> Prediction:
    first = predictions[0]
    opposed = any(_sign(first) * _sign(other) < 0 for other in predictions[1:])
    return replace(first, direction=Direction.HOLD) if opposed else first


def _mean(predictions: Sequence[Prediction]) -> Prediction:
    edge = fmean(_sign(each) * max(0.0, each.prob - 0.5) for each in predictions)
    direction = Direction.HOLD if edge == 0 else Direction.LONG if edge > 0 else Direction.SHORT
    return replace(predictions[0], direction=direction, prob=round(0.5 + abs(edge), 6))


def _sign(prediction: Prediction) -> int:
    side = prediction.direction.side
    return 0 if side is None else side.sign
