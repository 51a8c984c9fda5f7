"""The recorded predictor: answers with what was answered before, from exported decisions.

The file is what `withearth export decisions --json` writes: one decision document a line. An answer is given only
when the features are the very ones it was given for; anything else is refused, never approximated.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from withearth.decision.prediction import Prediction, Question
from withearth.domain.errors import Misconfigured, Refused
from withearth.domain.reasons import Reason


class RecordedPredictor:
    """Answers from stored decisions, by decision id."""

    name: Final = "recorded-1"

    def __init__(self, decisions: Mapping[str, Mapping[str, Any]]) -> None:
        """`decisions` maps a decision id to its document."""
        self._decisions = decisions

    def predict(self, question: Question) -> Prediction:
        """The stored answer. Raises Refused with DECISION_NOT_RECORDED."""
        stored = self._decisions.get(question.decision_id)
        if stored is None or stored.get("prediction") is None:
            raise Refused(Reason.DECISION_NOT_RECORDED)
        if stored.get("snapshot_hash") != question.snapshot_hash:
            raise Refused(Reason.DECISION_NOT_RECORDED, "the stored answer was given for other features")
        return Prediction.from_document(stored["prediction"])


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
    """The id and the document of one line. An answer that cannot be given again is damage, and found here."""
    document = json.loads(line)
    decision_id = document["decision_id"]
    if document.get("prediction") is not None:
        Prediction.from_document(document["prediction"])
    return decision_id, document
