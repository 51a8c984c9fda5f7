"""Control: what the owner asks for from the dashboard, obeyed once and answered.

The page writes one document, `control/request`. Whoever answers it does so in one commit with what it changes, over the
answers that were read: so a request is obeyed once, whoever else is at it, and however often it is written again. What
is not exactly a request, or not of now, is refused under a code and changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from withearth.domain.canonical import digest
from withearth.domain.reasons import Reason
from withearth.domain.times import to_ms
from withearth.flow.documents import control_request_ref, live_begun_ref, trading_ref, view_ref
from withearth.flow.journal import event
from withearth.flow.runtime import SHADOW, Runtime
from withearth.flow.trading_state import (
    Standing,
    TradingState,
    flatten_request,
    is_to_begin,
    persistently,
    set_state,
    standing_of,
)
from withearth.store.port import AlreadyExists, Stored, VersionMismatch, Write, version_of, write_over
from withearth.views.contract import ID_CHARS_MAX, TEXT_CHARS_MAX, ControlAnswer, ControlRequest, ControlView
from withearth.views.reading import as_written

WORD: Final = "FLATTEN"
TIMELY: Final = timedelta(minutes=5)
AHEAD: Final = timedelta(minutes=1)
"""How far a page's clock may be ahead of ours."""
ANSWERS_KEPT: Final = 20
_STATES: Final = {
    "halt": TradingState.HALTED,
    "reduce": TradingState.REDUCING,
    "resume": TradingState.ACTIVE,
    "flatten": TradingState.HALTED,
}


def answer_request(runtime: Runtime) -> ControlAnswer | None:
    """Obey or refuse the request that stands, unless that was done. Returns the answer, None where nothing is asked.

    Raises VersionMismatch when others are always faster.
    """
    return persistently(runtime.clock, "control", partial(_answer, runtime))


def _answer(runtime: Runtime) -> ControlAnswer | None:
    asked = runtime.store.get(control_request_ref())
    if asked is None:
        return None
    told = runtime.store.get(view_ref("control"))
    given = _given(asked, told)
    if given is not None:
        return given
    code = _refusal(runtime, asked.data)
    return _obey(runtime, asked, told) if code is None else _refuse(runtime, asked, told, code)


def _given(asked: Stored, told: Stored | None) -> ControlAnswer | None:
    """The answer that this request has had."""
    return next((each for each in _answers(told) if each["id"] == _id(asked)), None)


def _answers(told: Stored | None) -> list[ControlAnswer]:
    view = None if told is None else as_written(ControlView, told.data)
    return [] if view is None else view["answers"]


def _id(asked: Stored) -> str:
    """The request's own id; one without is known by the version that was read."""
    id_ = asked.data.get("id")
    known = isinstance(id_, str) and 0 < len(id_) <= ID_CHARS_MAX
    return str(id_) if known else f"unreadable-{digest(asked.version)[:16]}"


def _refusal(runtime: Runtime, asked: Mapping[str, Any]) -> Reason | None:
    request = as_written(ControlRequest, asked)
    if request is None:
        return Reason.CONTROL_MALFORMED
    now = runtime.clock.now()
    if not now - TIMELY <= request["at"] <= now + AHEAD:
        return Reason.CONTROL_UNTIMELY
    if request["action"] == "resume" and is_to_begin(runtime.store, runtime.mode):
        return Reason.CONTROL_NOT_BEGUN
    if request["action"] != "flatten":
        return None
    if request["word"] != WORD:
        return Reason.CONTROL_WORD_MISSING
    return Reason.CONTROL_NOTHING_HELD if runtime.mode == SHADOW else None


def _obey(runtime: Runtime, asked: Stored, told: Stored | None) -> ControlAnswer:
    action, who, why, now = asked.data["action"], asked.data["who"], asked.data["why"], runtime.clock.now()
    state = _STATES[action]
    answer = _worded(asked, now, state, None)
    more = [flatten_request(who, why, now)] if action == "flatten" else []
    set_state(runtime.store, Standing(state, who, why or action), now, _told(answer, told, now), *more)
    return answer


def _refuse(runtime: Runtime, asked: Stored, told: Stored | None, code: Reason) -> ControlAnswer:
    now, (trading, begun) = runtime.clock.now(), runtime.store.get_many([trading_ref(), live_begun_ref()])
    answer = _worded(asked, now, standing_of(runtime.mode, trading, begun).state, code)
    told_once = f"control-{to_ms(now)}-{digest(answer['id'])[:16]}"
    record = event(told_once, code.value, now, "", f"{answer['action']} ({answer['who']})")
    try:
        runtime.store.commit([_told(answer, told, now), record])
    except AlreadyExists as error:
        raise VersionMismatch(f"{asked.ref} was answered by somebody else first") from error
    return answer


def _worded(asked: Stored, now: datetime, state: TradingState, code: Reason | None) -> ControlAnswer:
    asked_at = asked.data.get("at")
    return {
        "id": _id(asked),
        "action": _text(asked, "action"),
        "who": _text(asked, "who"),
        "why": _text(asked, "why"),
        "asked_at": asked_at if isinstance(asked_at, datetime) and asked_at.tzinfo is not None else None,
        "answered_at": now,
        "outcome": "OBEYED" if code is None else "REFUSED",
        "code": None if code is None else code.value,
        "state": state.value,
    }


def _text(asked: Stored, name: str) -> str:
    return str(asked.data.get(name) or "")[:TEXT_CHARS_MAX]


def _told(answer: ControlAnswer, told: Stored | None, now: datetime) -> Write:
    """The answers with one more, over those that were read."""
    view: ControlView = {"at": now, "answers": [answer, *_answers(told)][:ANSWERS_KEPT]}
    return write_over(view_ref("control"), view, version_of(told))
