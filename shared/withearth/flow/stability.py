"""Stability: the same question put again and again, to see how far the answers agree.

A model is not a function: seed and temperature make repeats likelier to agree, not certain. What this measures is what
a probability is worth. Each question is paid from the day's budget like any other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

from withearth.decision.prediction import Answer, Prediction, Question, Unanswered
from withearth.decision.sentiment import Sentiment
from withearth.features.snapshot import from_document
from withearth.flow.asking import Outcome, admit, put, reservation, settlement
from withearth.flow.runtime import Runtime
from withearth.store.port import Document


@dataclass(frozen=True, slots=True)
class Stability:
    """How the answers to one question agree. `agreement` is the share of the commonest direction among all askings."""

    decision_id: str
    asked: int
    refused: dict[str, int]
    directions: dict[str, int]
    agreement: float
    prob_mean: float | None
    prob_spread: float | None
    prob_deviation: float | None
    cost_micro_usd: int


def measure(runtime: Runtime, decision: Document, repeat: int) -> Stability:
    """Put a stored decision's question `repeat` times."""
    told = (decision["asked"] or {}).get("sentiment")
    sentiment = None if told is None else Sentiment.from_document(told)
    snapshot = from_document(decision["snapshot"])
    question = Question(decision["decision_id"], snapshot, decision["snapshot_hash"], sentiment)
    return summarise(question.decision_id, [_ask(runtime, question) for _ in range(repeat)])


def _ask(runtime: Runtime, question: Question) -> Outcome:
    try:
        ticket = admit(runtime, question, None)
    except Unanswered as unasked:
        return unasked
    reserved = reservation(runtime, ticket)
    if reserved:
        runtime.store.commit(reserved)
    outcome = put(runtime, question, ticket)
    settled = settlement(runtime, question, ticket, outcome)
    if settled:
        runtime.store.commit(settled)
    return outcome


def summarise(decision_id: str, outcomes: Sequence[Outcome]) -> Stability:
    """What the outcomes of one question have in common."""
    predictions = [each.prediction for each in outcomes if isinstance(each, Answer)]
    directions = Counter(each.direction.value for each in predictions)
    return Stability(
        decision_id=decision_id,
        asked=len(outcomes),
        refused=dict(Counter(each.reason.value for each in outcomes if isinstance(each, Unanswered))),
        directions=dict(directions),
        agreement=max(directions.values(), default=0) / len(outcomes),
        **_spread(predictions),
        cost_micro_usd=sum(each.audit["cost_micro_usd"] for each in outcomes),
    )


def _spread(predictions: Sequence[Prediction]) -> dict[str, Any]:
    probs = [each.prob for each in predictions]
    if not probs:
        return {"prob_mean": None, "prob_spread": None, "prob_deviation": None}
    return {"prob_mean": fmean(probs), "prob_spread": max(probs) - min(probs), "prob_deviation": pstdev(probs)}
