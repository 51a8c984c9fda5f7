"""The recorded predictor: answers with what was answered before, from stored decisions.

They come from the books of a run, or from the file that `withearth export decisions --json` writes, one decision
document a line. An answer is given only when the features are the very ones it was given for; anything else is refused,
never approximated. Where a model answered, its stored response goes through the same validator again, and where nobody
answered the stored reason is given again: a replay ends with the decisions of the run it repeats, without a network.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from withearth.decision.ensemble import Outcome, combined
from withearth.decision.prediction import Answer, Audit, Prediction, Question, Unanswered, audit_of
from withearth.decision.spend import NOTHING, Spend
from withearth.decision.wire import judge, read_response
from withearth.domain.errors import Misconfigured, Refused
from withearth.domain.reasons import Reason

_KEPT: Final = ("decision_id", "snapshot_hash", "prediction", "asked")
"""What is needed of a decision to give its answer again. A file is read into memory, so the rest is left in it."""


class StoredDecisions(Protocol):
    """Decisions by their id."""

    def get(self, decision_id: str, /) -> Mapping[str, Any] | None:
        """The decision's document, or None."""
        ...


class RecordedPredictor:
    """Answers from stored decisions, by decision id."""

    name: Final = "recorded-1"

    def __init__(self, decisions: StoredDecisions) -> None:
        self._decisions = decisions

    def spend_max(self, _question: Question) -> Spend:
        """Nothing: it was paid for when it was asked."""
        return NOTHING

    def predict(self, question: Question) -> Answer:
        """The stored answer, under the name of who gave it. Raises Unanswered, as it was or DECISION_NOT_RECORDED."""
        stored = self._decisions.get(question.decision_id)
        if stored is None or (stored.get("prediction") is None and stored.get("asked") is None):
            raise self._unknown("")
        if stored.get("snapshot_hash") != question.snapshot_hash:
            raise self._unknown("the stored answer was given for other features")
        return replayed(stored.get("asked"), stored.get("prediction"), question)

    def _unknown(self, detail: str) -> Unanswered:
        return Unanswered(Reason.DECISION_NOT_RECORDED, detail, audit_of(self.name, "unasked"))


def replayed(audit: Audit | None, prediction: Any, question: Question) -> Answer:
    """What an audit says happened, worked out again from its raw parts. Raises Unanswered where it ended so.

    A decision of before there were audits has only its prediction, which is then the answer.
    """
    if audit is None:
        return Answer(Prediction.from_document(prediction), audit_of(RecordedPredictor.name, "rule"))
    match audit["kind"]:
        case "gemini":
            answer = Answer(_rejudged(audit, question), audit)
        case "ensemble":
            answer = _recombined(audit, question)
        case _ if prediction is None:
            raise _as_it_was(audit)
        case _:
            answer = Answer(replace(Prediction.from_document(prediction), calibrated=None), audit)
    return _recalibrated(answer, audit)


def _rejudged(audit: Audit, question: Question) -> Prediction:
    """The last response's verdict, by today's validator. What brought no response, or none in time, ends as it did."""
    response = audit["attempts"][-1]["response"] if audit["attempts"] else None
    if response is None or audit.get("blocked_by") == Reason.MODEL_TIMEOUT:
        raise _as_it_was(audit)
    try:
        return judge(read_response(response), question)
    except Refused as refusal:
        raise Unanswered(refusal.reason, refusal.detail, audit) from refusal


def _as_it_was(audit: Audit) -> Unanswered:
    return Unanswered(Reason[audit["blocked_by"]], audit["detail"], audit)


def _recombined(audit: Audit, question: Question) -> Answer:
    outcomes: list[Outcome] = []
    for member in audit["members"]:
        try:
            outcomes.append(replayed(member["asked"], member["prediction"], question))
        except Unanswered as unanswered:
            outcomes.append(unanswered)
    return combined(audit["predictor"], audit["rule"], outcomes)


def _recalibrated(answer: Answer, audit: Audit) -> Answer:
    """The probability as it was calibrated then: the map of that day may be gone."""
    calibration = audit.get("calibration")
    if calibration is None:
        return answer
    if calibration["prob"] is None:
        raise _as_it_was(audit)
    return Answer(replace(answer.prediction, calibrated=calibration["prob"]), audit)


def read_decisions(path: Path) -> dict[str, Mapping[str, Any]]:
    """The decision documents of an exported file, by id. Raises Misconfigured when it cannot be read as one."""
    try:
        with path.open(encoding="utf-8") as lines:
            return dict(_decision(line) for line in lines if line.strip())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            f"RECORDED_DECISIONS is {path}, which is not a file of exported decisions ({error}): "
            "write one with `withearth export decisions --json > FILE`.",
        ) from error


def _decision(line: str) -> tuple[str, Mapping[str, Any]]:
    """The id of one line and what is kept of it. An answer that cannot be given again is damage, and found here."""
    document = json.loads(line)
    decision_id = document["decision_id"]
    if document.get("prediction") is not None:
        Prediction.from_document(document["prediction"])
    return decision_id, {name: document.get(name) for name in _KEPT}
