"""Control requests: obeyed once, answered, and refused when they are not of now or not exactly requests."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, AlwaysLong, Installation
from withearth.flow.control import ANSWERS_KEPT, answer_request
from withearth.flow.documents import control_request_ref, flatten_ref, trading_ref, view_ref
from withearth.flow.reconcile import reconcile
from withearth.flow.trading_state import Standing, TradingState, set_state, standing
from withearth.store.port import Query, Replace


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation on the paper exchange, whose predictor always wants to enter."""
    return Installation(
        tmp_path, ports={"predictor": AlwaysLong()}, EXECUTE_TRADES="true", RR_MIN="0.5", RR_MIN_HIGH_PROB="0.5"
    )


def ask(installation: Installation, **changes: Any) -> None:
    """Write a request as the page writes it."""
    request = {"id": "r-1", "action": "halt", "word": None, "why": "the news", "who": "owner@example.com"}
    document = request | {"at": installation.clock.now()} | changes
    installation.store.commit([Replace(control_request_ref(), document)])


def state_of(installation: Installation) -> TradingState:
    """The trading state."""
    return standing(installation.store.get(trading_ref())).state


def answers(installation: Installation) -> list[dict[str, Any]]:
    """What the page is told, newest first."""
    view = installation.store.get(view_ref("control"))
    return [] if view is None else list(view.data["answers"])


@pytest.mark.parametrize(
    ("action", "state"),
    [("halt", TradingState.HALTED), ("reduce", TradingState.REDUCING), ("resume", TradingState.ACTIVE)],
)
def test_the_reconciler_obeys_and_answers(installation: Installation, action: str, state: TradingState) -> None:
    """The state follows, with who asked and why, and the answer says so."""
    ask(installation, action=action)
    reconcile(installation.runtime)

    found = standing(installation.store.get(trading_ref()))
    assert (found.state, found.who, found.why) == (state, "owner@example.com", "the news")
    (answer,) = answers(installation)
    assert (answer["id"], answer["outcome"], answer["state"]) == ("r-1", "OBEYED", state.value)


def test_a_halt_stops_the_next_entry(installation: Installation) -> None:
    """Asked between two ticks: from then on intents are refused, and nothing more is entered."""
    installation.run(0)
    before = installation.store.count(Query("trades"))
    ask(installation, at=installation.clock.now())
    reconcile(installation.runtime)
    installation.run(2, start=START + timedelta(minutes=5))

    assert installation.store.count(Query("trades")) == before
    assert "TRADING_HALTED" in str(installation.books("intents"))


def test_a_request_twice_is_obeyed_once(installation: Installation) -> None:
    """Seen again, and written again with a new time: a person who resumed in between is not overruled."""
    ask(installation)
    reconcile(installation.runtime)
    set_state(installation.store, Standing(TradingState.ACTIVE, "me", "all is well"), installation.clock.now())
    reconcile(installation.runtime)
    installation.clock.sleep(timedelta(seconds=30))
    ask(installation)
    reconcile(installation.runtime)

    assert state_of(installation) is TradingState.ACTIVE
    assert len(answers(installation)) == 1


def test_many_at_once_obey_once(installation: Installation) -> None:
    """Twelve who find the same request: one event, one answer, and all say the same."""
    ask(installation)

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _number: answer_request(installation.runtime), range(12)))

    assert len({str(each) for each in found}) == 1
    assert installation.events().count("TRADING_HALTED") == 1
    assert len(answers(installation)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"at": START - timedelta(minutes=5, seconds=1)}, "CONTROL_UNTIMELY"),
        ({"at": START + timedelta(minutes=2)}, "CONTROL_UNTIMELY"),
        ({"action": "flatten"}, "CONTROL_WORD_MISSING"),
        ({"action": "flatten", "word": "flatten"}, "CONTROL_WORD_MISSING"),
        ({"action": "sell everything"}, "CONTROL_MALFORMED"),
        ({"more": "than a request"}, "CONTROL_MALFORMED"),
        ({"why": None}, "CONTROL_MALFORMED"),
        ({"at": "2026-01-05T00:05:00Z"}, "CONTROL_MALFORMED"),
        ({"id": 7}, "CONTROL_MALFORMED"),
        ({"id": ""}, "CONTROL_MALFORMED"),
    ],
)
def test_what_is_no_request_of_now_changes_nothing(
    installation: Installation, changes: dict[str, Any], code: str
) -> None:
    """It is refused under its code, once, and recorded."""
    ask(installation, **changes)
    reconcile(installation.runtime)
    reconcile(installation.runtime)

    assert state_of(installation) is TradingState.ACTIVE
    (answer,) = answers(installation)
    assert (answer["outcome"], answer["code"]) == ("REFUSED", code)
    assert installation.events().count(code) == 1


def test_flatten_halts_and_closes_everything(installation: Installation) -> None:
    """With its word: what is open is closed at the market, and the request is done with."""
    installation.run(0)
    assert installation.store.count(Query("positions")) > 0
    ask(installation, action="flatten", word="FLATTEN", at=installation.clock.now())
    for _ in range(3):
        reconcile(installation.runtime)
        installation.clock.sleep(timedelta(minutes=1))

    assert state_of(installation) is TradingState.HALTED
    assert installation.store.count(Query("positions")) == 0
    assert installation.store.get(flatten_ref()) is None
    assert {each.data["exit_reason"] for each in installation.store.query(Query("trades"))} == {"FLATTENED"}


def test_shadow_trades_cannot_be_closed(tmp_path: Path) -> None:
    """They hold nothing: the page is told so, and no request to close is left behind."""
    shadow = Installation(tmp_path)
    ask(shadow, action="flatten", word="FLATTEN")
    reconcile(shadow.runtime)

    assert answers(shadow)[0]["code"] == "CONTROL_NOTHING_HELD"
    assert shadow.store.get(flatten_ref()) is None


def test_an_unreadable_state_stays_halted_until_a_person_resumes(installation: Installation) -> None:
    """Whatever else is asked; and a resume puts a readable state in its place."""
    installation.store.commit([Replace(trading_ref(), {"state": "MAYBE"})])
    ask(installation, id="old", at=START - timedelta(hours=1))
    reconcile(installation.runtime)
    assert state_of(installation) is TradingState.HALTED

    ask(installation, id="new", action="resume")
    reconcile(installation.runtime)
    assert state_of(installation) is TradingState.ACTIVE


def test_answers_are_bounded(installation: Installation) -> None:
    """The newest are kept, whatever stood there before."""
    installation.store.commit([Replace(view_ref("control"), {"answers": "garbled"})])
    for number in range(ANSWERS_KEPT + 3):
        ask(installation, id=f"r-{number}", action="halt" if number % 2 else "resume")
        answer_request(installation.runtime)

    assert answers(installation)[0]["id"] == f"r-{ANSWERS_KEPT + 2}"
    assert len(answers(installation)) == ANSWERS_KEPT
