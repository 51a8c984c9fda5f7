"""Labels: which barrier each past decision met, worked out by the reconciler."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.builders.installation import START, Installation
from withearth.decision.calibration import CalibrationMap
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.flow.calibrations import keep_map, newest_map
from withearth.flow.labelling import label_past_decisions
from withearth.local.scheduler import Job
from withearth.messaging.local_bus import Chaos
from withearth.store.port import Query

HORIZON = {"HORIZON_MIN": "15"}


def labels(opened: Installation) -> list[Any]:
    """All labels."""
    return [each.data for each in opened.store.query(Query("labels"))]


def test_every_decision_with_levels_is_labelled_after_its_horizon(tmp_path: Path) -> None:
    """Traded or not; the others have no label; those whose horizon is not over wait."""
    opened = Installation(tmp_path, given=HORIZON)
    opened.run(2)
    with_levels = {
        each.data["decision_id"]
        for each in opened.store.query(Query("decisions"))
        if (each.data["assessment"] or {}).get("levels") is not None
    }

    assert {each["decision_id"] for each in labels(opened)} == with_levels
    for each in labels(opened):
        over = each["as_of"] + timedelta(minutes=15) <= START + timedelta(hours=2)
        assert (each["state"], each["barrier"] is not None) == (("DONE", True) if over else ("DUE", False))
    assert {each["barrier"] for each in labels(opened) if each["barrier"]} >= {"STOP", "HORIZON"}


def test_labels_do_not_depend_on_disorder(tmp_path: Path) -> None:
    """Messages twice, late and shuffled: the same labels, byte for byte."""
    calm = Installation(tmp_path / "calm", given=HORIZON)
    wild = Installation(
        tmp_path / "wild", chaos=Chaos(seed=1, duplicate=True, shuffle=True, lose_acks=0.2), given=HORIZON
    )
    calm.run(1)
    wild.run(1)

    assert calm.books("labels") == wild.books("labels") != []


def test_a_second_pass_changes_nothing(tmp_path: Path) -> None:
    """What is labelled is labelled."""
    opened = Installation(tmp_path, given=HORIZON)
    opened.run(1)
    before = opened.books("labels")

    assert label_past_decisions(opened.runtime) == 0
    assert opened.books("labels") == before


def test_a_pass_does_a_bounded_number(tmp_path: Path) -> None:
    """After a long silence the backlog is worked off the oldest first."""
    opened = Installation(tmp_path, given=HORIZON)
    cloud = opened.cloud()
    for tick in range(4):
        opened.clock.set(START + timedelta(minutes=5 * tick))
        cloud.fire(Job("dispatcher", "*/5 * * * *"))
        while cloud.deliver():
            pass
    opened.clock.set(START + timedelta(days=1))

    assert label_past_decisions(opened.runtime, at_most=3) == 3
    done = [each for each in labels(opened) if each["state"] == "DONE"]
    waiting = [each for each in labels(opened) if each["state"] == "DUE"]
    assert len(done) == 3
    assert max(each["due_at"] for each in done) <= min(each["due_at"] for each in waiting)


def test_missing_candles_hold_up_nobody_and_end_as_unknown(tmp_path: Path) -> None:
    """The label goes to the back of the queue each hour, and is settled a day after its horizon."""
    opened = Installation(tmp_path, given=HORIZON)
    market = opened.runtime.market
    candles = market.candles
    opened.run(0)
    due = labels(opened)

    def gone(*_: Any) -> Any:
        raise MarketFault(Reason.DATA_UNREADABLE)

    market.candles = gone  # type: ignore[method-assign,assignment]
    opened.clock.set(START + timedelta(minutes=15))
    label_past_decisions(opened.runtime)
    assert {each["due_at"] for each in labels(opened)} == {START + timedelta(minutes=75)}
    opened.clock.set(START + timedelta(days=1, minutes=15))
    label_past_decisions(opened.runtime)
    market.candles = candles  # type: ignore[method-assign]

    assert {(each["state"], each["barrier"]) for each in labels(opened)} == {("DONE", "UNKNOWN")}
    assert [each["as_of"] for each in labels(opened)] == [each["as_of"] for each in due] != []


def test_min_prob_can_be_held_against_the_calibrated_probability(tmp_path: Path) -> None:
    """A map that halves every edge blocks what was let through as said."""
    raw = Installation(tmp_path / "raw")
    raw.run(1)
    calibrated = Installation(tmp_path / "calibrated", MIN_PROB_ON="calibrated")
    keep_map(calibrated.store, CalibrationMap("baseline-1", "platt", 900, START, (0.5, 1.0), (0.5, 0.55)))
    calibrated.run(1)

    assert len(raw.books("intents")) > 0
    assert calibrated.books("intents") == []
    blocked = [each.data for each in calibrated.store.query(Query("decisions")) if each.data["prediction"]]
    directed = [each for each in blocked if each["prediction"]["direction"] != "hold"]
    assert {each["blocked_by"] for each in directed} == {"PROBABILITY_TOO_LOW"}
    assert all(each["prediction"]["calibrated"] < each["prediction"]["prob"] for each in directed)


def test_the_newest_map_of_a_predictor_is_found(tmp_path: Path) -> None:
    """Each predictor has one; a new one takes its place."""
    store = Installation(tmp_path).store
    keep_map(store, CalibrationMap("a", "identity", 1, None))
    keep_map(store, CalibrationMap("a", "identity", 2, None))

    assert newest_map(store, "b") is None
    found = newest_map(store, "a")
    assert found is not None
    assert found.samples == 2
