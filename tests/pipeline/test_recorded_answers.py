"""Replaying stored answers: the raw responses through the same validator, to the same decisions, with nobody there."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import Installation
from tests.builders.questions import Scripted, a_prediction, impatient
from tests.fakes.model_server import GEMINI, ModelServer, model_server
from withearth.decision.calibration import CalibrationMap
from withearth.decision.ensemble import EnsemblePredictor
from withearth.decision.recorded import RecordedPredictor, read_decisions
from withearth.domain.reasons import Reason
from withearth.flow.calibrations import keep_map
from withearth.store.port import Query, Replace

HOURS = 2.5
WHAT_COUNTS = ("decisions", "intents", "trades", "risk", "labels")
GATE = {"MIN_VOL_FRAC": "0", "MAX_SPREAD_BPS": "100", "FUNDING_WINDOW_MIN": "0", "G_TIMEOUT_MS": "3000"}
EVERYTHING = [each for each in GEMINI if each not in {"enormous", "busy-for-long"}]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A stand-in that goes through everything it knows."""
    with model_server(*("right", "long", "short") * 4, *EVERYTHING, "right") as running:
        yield running


def asked(directory: Path, server: ModelServer, **changes: str) -> Installation:
    """A run that asked the stand-in."""
    opened = impatient(Installation(directory, given=GATE | server.settings(PREDICTOR="gemini") | changes))
    opened.run(HOURS)
    return opened


def again(directory: Path, source: Path, **changes: str) -> Installation:
    """A run from the answers of another."""
    opened = Installation(
        directory, given=GATE | {"PREDICTOR": "recorded", "RECORDED_DECISIONS": str(source)} | changes
    )
    opened.run(HOURS)
    return opened


def exported(opened: Installation, path: Path) -> Path:
    """The decisions as `withearth export decisions` writes them."""
    path.write_text("\n".join(opened.books("decisions")) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["directory", "file"])
def test_r21_a_replay_from_stored_responses_is_the_run_itself(
    tmp_path: Path, server: ModelServer, no_network_later: Any, form: str
) -> None:
    """Good answers, every failure, safe mode: decisions, intents, trades and labels, byte for byte, offline."""
    first = asked(tmp_path / "first", server, MODEL_SAFE_MODE_AFTER="9", MODEL_PROBE_SEC="600")
    codes = {each.data["blocked_by"] for each in first.store.query(Query("decisions"))}
    assert codes >= {"MODEL_TRUNCATED", "MODEL_INVALID", "MODEL_BLOCKED", "MODEL_SAFE_MODE", "MODEL_WRONG_SYMBOL", None}
    calls = len(server.requests)
    no_network_later()
    source = tmp_path / "first" if form == "directory" else exported(first, tmp_path / "answers.jsonl")
    second = again(tmp_path / "second", source)

    for collection in WHAT_COUNTS:
        assert second.books(collection) == first.books(collection)
    assert len(second.books("trades")) > 0
    assert len(server.requests) == calls
    assert second.books("budgets") == []


@pytest.fixture
def no_network_later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Called in the middle of a test: from then on whoever opens a connection fails it."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a replay of recorded answers needs no network")

    return lambda: monkeypatch.setattr(socket.socket, "connect", refuse)


def test_r21_the_stored_response_is_validated_again(tmp_path: Path, server: ModelServer) -> None:
    """A response that was tampered with in the books is refused, whatever the stored prediction says."""
    server.play("long")
    first = asked(tmp_path / "first", server)
    for stored in first.store.query(Query("decisions")):
        audit = stored.data["asked"]
        attempt = audit["attempts"][0] | {"response": audit["attempts"][0]["response"].replace("0.72", "7.2")}
        first.store.commit([Replace(stored.ref, dict(stored.data) | {"asked": audit | {"attempts": [attempt]}})])
    second = again(tmp_path / "second", tmp_path / "first")

    assert {each.data["blocked_by"] for each in second.store.query(Query("decisions"))} == {"MODEL_INVALID"}


def test_r21_a_calibrated_run_is_repeated_as_it_was(tmp_path: Path, server: ModelServer) -> None:
    """With the map of that day, which the new books have never seen."""
    first = Installation(tmp_path / "first", given=GATE | server.settings(PREDICTOR="gemini", MIN_PROB_ON="calibrated"))
    points = ((0.6, 0.8), (0.6, 0.75))
    keep_map(first.store, CalibrationMap(first.runtime.predictor.name, "isotonic", 900, None, *points))
    first.run(HOURS)
    second = again(tmp_path / "second", tmp_path / "first", MIN_PROB_ON="calibrated")

    assert "MODEL_UNCALIBRATED" in {each.data["blocked_by"] for each in first.store.query(Query("decisions"))}
    assert any('"calibrated":0.' in line for line in first.books("decisions"))
    for collection in WHAT_COUNTS:
        assert second.books(collection) == first.books(collection)


@pytest.mark.parametrize("rule", ["agree", "mean", "veto"])
def test_r21_an_ensemble_is_repeated_member_by_member(tmp_path: Path, server: ModelServer, rule: str) -> None:
    """Each member's answer is worked out again, and they are combined again."""
    members = {"PREDICTOR": "ensemble", "ENSEMBLE_MEMBERS": "gemini,baseline", "ENSEMBLE_RULE": rule}
    first = Installation(tmp_path / "first", given=GATE | server.settings() | members)
    first.run(1)
    second = Installation(
        tmp_path / "second", given=GATE | {"PREDICTOR": "recorded", "RECORDED_DECISIONS": str(tmp_path / "first")}
    )
    second.run(1)

    assert any('"kind":"ensemble"' in line for line in first.books("decisions"))
    for collection in WHAT_COUNTS:
        assert second.books(collection) == first.books(collection)


def test_a_baseline_run_is_repeated_too(tmp_path: Path) -> None:
    """An answer without a response is given again as it was."""
    first = Installation(tmp_path / "first")
    first.run(HOURS)
    second = Installation(tmp_path / "second", PREDICTOR="recorded", RECORDED_DECISIONS=str(tmp_path / "first"))
    second.run(HOURS)

    for collection in WHAT_COUNTS:
        assert second.books(collection) == first.books(collection)
    assert second.runtime.predictor.name == "recorded-1"


def test_a_file_keeps_only_what_an_answer_needs(tmp_path: Path) -> None:
    """Months of decisions are read into memory, without their snapshots."""
    opened = Installation(tmp_path / "one")
    opened.run(0)
    kept = read_decisions(exported(opened, tmp_path / "answers.jsonl"))

    assert len(kept) == 2
    assert all(set(each) == {"decision_id", "snapshot_hash", "prediction", "asked"} for each in kept.values())


def test_an_unrecorded_decision_says_who_was_asked(tmp_path: Path) -> None:
    """The recorded predictor itself, which had nothing."""
    (tmp_path / "answers.jsonl").write_text("", encoding="utf-8")
    opened = Installation(
        tmp_path / "one", PREDICTOR="recorded", RECORDED_DECISIONS=str(tmp_path / "answers.jsonl"), given=GATE
    )
    opened.run(0)

    documents = [json.loads(line) for line in opened.books("decisions")]
    assert {(each["predictor"], each["blocked_by"]) for each in documents} == {("recorded-1", "DECISION_NOT_RECORDED")}


def test_a_member_that_failed_is_repeated_as_failed(tmp_path: Path) -> None:
    """The ensemble ends for the same reason."""
    members = [Scripted(a_prediction(), name="a"), Scripted(Reason.MODEL_TIMEOUT, name="b")]
    first = Installation(tmp_path / "first", ports={"predictor": EnsemblePredictor(members, "agree")}, given=GATE)
    first.run(0)
    runtime = Installation(tmp_path / "second", given=GATE)
    runtime.runtime = replace(
        runtime.runtime,
        predictor=RecordedPredictor({each.ref.id: each.data for each in first.store.query(Query("decisions"))}),
    )
    runtime.run(0)

    assert runtime.books("decisions") == first.books("decisions")
