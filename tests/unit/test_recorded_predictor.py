import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders.snapshots import a_snapshot
from withearth.decision.prediction import Prediction, Question, audit_of
from withearth.decision.recorded import RecordedPredictor, read_decisions
from withearth.domain.errors import Misconfigured, Refused
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction

ID = "BTCUSDT-20240305T1005Z"
ANSWER = Prediction(Direction.SHORT, 0.7125, "the trend is down", support=98.5, resistance=None)


def _decision(**changed: Any) -> dict[str, Any]:
    return {"decision_id": ID, "snapshot_hash": "a1", "prediction": ANSWER.to_document()} | changed


def _question(*, decision_id: str = ID, snapshot_hash: str = "a1") -> Question:
    return Question(decision_id, a_snapshot(), snapshot_hash)


def _refusal(predictor: RecordedPredictor, question: Question) -> Reason:
    with pytest.raises(Refused) as refused:
        predictor.predict(question)
    return refused.value.reason


def _file(directory: Path, text: str | bytes) -> Path:
    path = directory / "decisions.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_same_features_get_the_same_answer(tmp_path: Path) -> None:
    """What was exported comes back whole: direction, probability, words and extremes."""
    path = _file(tmp_path, json.dumps(_decision()) + "\n")

    assert RecordedPredictor(read_decisions(path)).predict(_question()).prediction == ANSWER


def test_other_features_get_no_answer() -> None:
    """An answer is never carried over to features it was not given for."""
    predictor = RecordedPredictor({ID: _decision()})

    assert Reason.DECISION_NOT_RECORDED is _refusal(predictor, _question(snapshot_hash="b2"))


def test_another_decision_gets_no_answer() -> None:
    """Neither the symbol's other ticks nor its neighbours are looked at."""
    predictor = RecordedPredictor({ID: _decision()})

    assert Reason.DECISION_NOT_RECORDED is _refusal(predictor, _question(decision_id="BTCUSDT-20240305T1010Z"))


@pytest.mark.parametrize("stored", [{"prediction": None}, {"prediction": None, "snapshot_hash": None}])
def test_a_decision_that_never_reached_a_predictor_has_no_answer(stored: dict[str, Any]) -> None:
    """What the gate stopped was not predicted."""
    predictor = RecordedPredictor({ID: _decision(**stored)})

    assert Reason.DECISION_NOT_RECORDED is _refusal(predictor, _question())


def test_a_decision_without_the_field_has_no_answer() -> None:
    """A document that lacks the prediction altogether is as silent as one with none."""
    assert Reason.DECISION_NOT_RECORDED is _refusal(RecordedPredictor({ID: {"decision_id": ID}}), _question())


def test_a_second_attempt_that_there_was_no_time_for_ends_as_it_did() -> None:
    """What came of the first attempt did not decide then, and does not now."""
    attempt = {"model": "a", "response": '{"candidates": []}', "blocked_by": "MODEL_INVALID"}
    asked = audit_of("a@1.1", "gemini", attempts=[attempt], blocked_by="MODEL_TIMEOUT", detail="no time was left")
    predictor = RecordedPredictor({ID: _decision(prediction=None, asked=asked)})

    assert Reason.MODEL_TIMEOUT is _refusal(predictor, _question())


def test_blank_lines_and_decisions_without_an_answer_are_read(tmp_path: Path) -> None:
    """An export holds every decision, and an editor may have added a line."""
    stopped = _decision(decision_id="ETHUSDT-20240305T1005Z", prediction=None, snapshot_hash=None)
    path = _file(tmp_path, f"\n{json.dumps(stopped)}\n\n{json.dumps(_decision())}\n\n")

    assert {ID, "ETHUSDT-20240305T1005Z"} == read_decisions(path).keys()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(_decision())[:-9],
        "not json\n",
        b"\xff\xfe\x00",
        "[1, 2]\n",
        '"BTCUSDT"\n',
        "7\n",
        "null\n",
        '{"symbol": "BTCUSDT"}\n',
        '{"decision_id": ["BTCUSDT"]}\n',
        json.dumps(_decision(prediction={"direction": "long"})),
        json.dumps(_decision(prediction=["long", 0.7])),
        json.dumps(_decision(prediction="long")),
        json.dumps(_decision(prediction=ANSWER.to_document() | {"direction": "up"})),
        json.dumps(_decision(prediction=ANSWER.to_document() | {"prob": "high"})),
        json.dumps(_decision(prediction=ANSWER.to_document() | {"prob": 1.01})),
        json.dumps(_decision(prediction=ANSWER.to_document() | {"prob": -0.2})),
        json.dumps(_decision(prediction=ANSWER.to_document() | {"prob": float("nan")})),
    ],
)
def test_a_damaged_file_stops_with_a_sentence(tmp_path: Path, text: str | bytes) -> None:
    """It names the key, the file and what to do, before anything is decided on half of it."""
    path = _file(tmp_path, text)

    with pytest.raises(Misconfigured) as stopped:
        read_decisions(path)

    sentence = str(stopped.value)
    assert sentence.startswith(f"RECORDED_DECISIONS is {path}, which is not a file of exported decisions")
    assert sentence.endswith("write one with `withearth export decisions --json > FILE`.")


def test_a_missing_file_stops_with_a_sentence(tmp_path: Path) -> None:
    """As a damaged one does."""
    with pytest.raises(Misconfigured, match="RECORDED_DECISIONS is"):
        read_decisions(tmp_path / "nothing.jsonl")
