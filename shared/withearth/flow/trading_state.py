"""The trading state: whether entries are allowed, and who decided that.

It is one document, `control/trading`, that a person may edit by hand as well as with `withearth halt|reduce|resume`.
Every order that could increase what is held has it read again just before; protection and exits never ask. A document
whose state is none of the three words counts as HALTED. No document at all is a fresh installation, and ACTIVE.

With real money a beginning is HALTED, whatever the document says of an earlier venue, until a person resumes. What
breaks a promise trips it to HALTED. Only a person resumes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final, TypeVar

from withearth.domain.clock import Timer
from withearth.domain.reasons import Reason
from withearth.domain.times import to_ms
from withearth.execution.venue import LIVE
from withearth.flow.documents import flatten_ref, live_begun_ref, trading_ref
from withearth.flow.journal import event, record_once
from withearth.flow.runtime import Runtime
from withearth.store.port import (
    AlreadyExists,
    DocumentStore,
    Replace,
    Stored,
    VersionMismatch,
    Write,
    version_of,
    write_over,
)
from withearth.views.contract import Trading

SYSTEM: Final = "withearth"
"""Who did it, where no person did."""
AT_FIRST: Final = "the first start with real money: look at the limits and the account, then resume"
ATTEMPTS: Final = 6
PAUSE_MAX: Final = timedelta(milliseconds=50)

Answer = TypeVar("Answer")


class TradingState(StrEnum):
    """ACTIVE enters. REDUCING and HALTED let only orders through that reduce; HALTED asks for a person's look."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


_REASONS: Final[Mapping[TradingState, Reason | None]] = {
    TradingState.ACTIVE: None,
    TradingState.REDUCING: Reason.TRADING_REDUCING,
    TradingState.HALTED: Reason.TRADING_HALTED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The trading state as it stands. `is_known` is false where the document says something that is none."""

    state: TradingState
    who: str = ""
    why: str = ""
    at: datetime | None = None
    is_known: bool = True

    @property
    def no_entry(self) -> Reason | None:
        """Why nothing may be entered, if nothing may."""
        return _REASONS[self.state]

    def to_document(self) -> dict[str, Any]:
        """The standing as it is kept."""
        return {"state": self.state.value, "who": self.who, "why": self.why, "at": self.at}

    def shown(self) -> Trading:
        """The standing as it is shown."""
        return {
            "state": self.state.value,
            "who": self.who,
            "why": self.why,
            "at": self.at,
            "known": self.is_known,
        }


def standing(stored: Stored | None) -> Standing:
    """What the document says. Whatever a hand has left out but the state itself is merely not told."""
    if stored is None:
        return Standing(TradingState.ACTIVE)
    said, at = stored.data.get("state"), stored.data.get("at")
    who, why = (str(stored.data.get(name, "")) for name in ("who", "why"))
    told_at = at if isinstance(at, datetime) and at.tzinfo is not None else None
    if said not in set(TradingState):
        return Standing(TradingState.HALTED, who, f"control/trading says {said!r}: {why}", told_at, is_known=False)
    return Standing(TradingState(said), who, why, told_at)


def standing_of(mode: str, trading: Stored | None, begun: Stored | None) -> Standing:
    """What holds for a mode: with real money nothing is ACTIVE before `begin_live` has halted it once."""
    if mode == LIVE and begun is None:
        return Standing(TradingState.HALTED, SYSTEM, AT_FIRST)
    return standing(trading)


def is_to_begin(store: DocumentStore, mode: str) -> bool:
    """Whether real money has yet to begin, halted: who resumes before that resumes something else."""
    return mode == LIVE and store.get(live_begun_ref()) is None


def begin_live(runtime: Runtime) -> None:
    """Halt an installation that begins to trade real money, once."""
    if is_to_begin(runtime.store, runtime.mode):
        trip(runtime, AT_FIRST, Replace(live_begun_ref(), {"at": runtime.clock.now()}))


def set_state(store: DocumentStore, change: Standing, now: datetime, *more: Write) -> None:
    """Write a state with its event, over what was read just before. Raises VersionMismatch when that has changed."""
    stored = store.get(trading_ref())
    text = f"{change.state}: {change.why} ({change.who})"
    since = "first" if stored is None else stored.version
    told = event(f"trading-{to_ms(now)}-{since}", f"TRADING_{change.state}", now, "", text)
    document = change.to_document() | {"at": now}
    try:
        store.commit([write_over(trading_ref(), document, version_of(stored)), told, *more])
    except AlreadyExists as error:
        raise VersionMismatch(f"{trading_ref()} was written by somebody else first") from error


def trip(runtime: Runtime, why: str, *more: Write) -> None:
    """Halt because a promise does not hold, with what else has to be written then. A halt that stands is kept as it is.

    Raises VersionMismatch when the state was changed in between.
    """
    now = runtime.clock.now()
    halted = standing(runtime.store.get(trading_ref())).state is TradingState.HALTED
    if not halted:
        set_state(runtime.store, Standing(TradingState.HALTED, SYSTEM, why), now, *more)
    elif more:
        runtime.store.commit(more)


def ask_to_flatten(store: DocumentStore, who: str, why: str, now: datetime) -> None:
    """Halt, and have the reconciler close everything at its next pass."""
    set_state(store, Standing(TradingState.HALTED, who, f"flatten: {why}"), now, flatten_request(who, why, now))


def flatten_request(who: str, why: str, now: datetime) -> Write:
    """What asks the reconciler to close everything."""
    return Replace(flatten_ref(), {"who": who, "why": why, "at": now})


def closes_now(request: Stored | None, decided_at: datetime) -> bool:
    """Whether an execution has to be closed: the request has been taken up, and came after its decision."""
    since = obeyed_at(request)
    return since is not None and decided_at <= since


def obeyed_at(request: Stored | None) -> datetime | None:
    """When a request to close everything was taken up, None where there is none, or nobody has yet."""
    at = None if request is None else request.data.get("obeyed_at")
    return at if isinstance(at, datetime) else None


def obey(runtime: Runtime, request: Stored) -> None:
    """Take up a request to close everything: halt, and note when. It may be one that a hand has written."""
    taken_up = Replace(request.ref, dict(request.data) | {"obeyed_at": runtime.clock.now()}, request.version)
    trip(runtime, f"flatten: {request.data.get('why', '')}", taken_up)


def report_unknown(runtime: Runtime) -> None:
    """Tell of a state that is none of the three words, once for each edit."""
    stored = runtime.store.get(trading_ref())
    found = standing(stored)
    if stored is not None and not found.is_known:
        text = f"{found.why}; it counts as HALTED, allowed are {', '.join(TradingState)}"
        record_once(
            runtime.store, event(f"trading-unknown-{stored.version}", "TRADING_UNKNOWN", runtime.clock.now(), "", text)
        )


def persistently(clock: Timer, key: str, attempt: Callable[[], Answer]) -> Answer:
    """Repeat what met another writer a few times, after pauses that differ from writer to writer.

    Raises VersionMismatch when others are always faster: the message then comes again.
    """
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except VersionMismatch:
            clock.sleep(_pause(key, number))
    return attempt()


def _pause(key: str, number: int) -> timedelta:
    """Longer with every attempt, and for each key another length: a choice that can be repeated."""
    share = blake2b(f"{key}:{number}".encode(), digest_size=1).digest()[0] + 1
    return PAUSE_MAX * number * share / 256
