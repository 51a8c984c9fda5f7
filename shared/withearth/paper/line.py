"""The line between a client and the face: carries out what the queue of faults says.

Without faults it hands every request straight to the face. `pause` is how time passes while a request is under way:
it is given milliseconds, and waits them on a wall clock or moves a virtual one.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.face import Face
from withearth.paper.faults import Fault, FaultKind, FaultQueue
from withearth.paper.wire import errors
from withearth.paper.wire.params import Params
from withearth.paper.wire.request import WireAnswer, WireRequest, read_parameters

_UNAVAILABLE: Final = 503
_TIMEOUT: Final = 408
_UNKNOWN_ERROR: Final = {"code": -1000, "msg": "Unknown error, please check your request or try again later."}
_REDUCING: Final = ("reduceOnly", "closePosition")


class Lost(Enum):
    """How an answer did not come."""

    ANSWER = "silence until the client gives up"
    CONNECTION = "the connection breaks"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What reaches the client: an answer, `late_ms` after it was made, or nothing."""

    answer: WireAnswer | None
    lost: Lost | None = None
    late_ms: int = 0


_INSTEAD: Final[Mapping[FaultKind, tuple[int, Any]]] = {
    FaultKind.UNAVAILABLE: (_UNAVAILABLE, {"code": 0, "msg": "Service Unavailable."}),
    FaultKind.INTERNAL_ERROR: (_UNAVAILABLE, errors.document(VenueError(Refusal.DISCONNECTED))),
    FaultKind.THROTTLED: (_UNAVAILABLE, errors.document(VenueError(Refusal.THROTTLED))),
    FaultKind.UNKNOWN_BEFORE: (_UNAVAILABLE, _UNKNOWN_ERROR),
    FaultKind.UNKNOWN_AFTER: (_UNAVAILABLE, _UNKNOWN_ERROR),
    FaultKind.BACKEND_TIMEOUT_BEFORE: (_TIMEOUT, errors.document(VenueError(Refusal.TIMEOUT))),
    FaultKind.BACKEND_TIMEOUT_AFTER: (_TIMEOUT, errors.document(VenueError(Refusal.TIMEOUT))),
    FaultKind.ALGO_NOT_FOUND: (400, errors.document(VenueError(Refusal.NO_SUCH_ORDER))),
}
"""Faults that put another answer in the place of the exchange's."""

_UNEXECUTED: Final = frozenset(
    {
        FaultKind.UNAVAILABLE,
        FaultKind.INTERNAL_ERROR,
        FaultKind.THROTTLED,
        FaultKind.UNKNOWN_BEFORE,
        FaultKind.BACKEND_TIMEOUT_BEFORE,
        FaultKind.ALGO_NOT_FOUND,
    }
)
_LOSSES: Final[Mapping[FaultKind, tuple[bool, Lost]]] = {
    FaultKind.TIMEOUT_BEFORE: (False, Lost.ANSWER),
    FaultKind.TIMEOUT_AFTER: (True, Lost.ANSWER),
    FaultKind.RESET_BEFORE: (False, Lost.CONNECTION),
    FaultKind.RESET_AFTER: (True, Lost.CONNECTION),
}
"""Faults after which no answer comes: whether the request was executed, and what the client sees."""


class Line:
    """A face that is reached over a network. `faults` may be shared, and filled at any time."""

    def __init__(
        self, face: Face, faults: FaultQueue | None = None, pause: Callable[[int], None] = lambda _: None
    ) -> None:
        self.face = face
        self.faults = FaultQueue() if faults is None else faults
        self.pause = pause
        self._last: dict[tuple[str, str], WireAnswer] = {}
        self._special: Mapping[FaultKind, Callable[[WireRequest, Fault], Delivery]] = {
            FaultKind.LATE_ARRIVAL: self._late_arrival,
            FaultKind.LATE_ANSWER: self._late_answer,
            FaultKind.TOO_MANY: self._too_many,
            FaultKind.BANNED: self._banned,
            FaultKind.EMPTY_ANSWER: self._empty,
            FaultKind.REPEATED_ANSWER: self._repeated,
            FaultKind.EXECUTED_TWICE: self._twice,
            FaultKind.STALE_READS: self._stale,
            FaultKind.HIDDEN_ORDER: self._hidden,
        }

    def deliver(self, request: WireRequest) -> Delivery:
        """Bring a request to the exchange, and what becomes of its answer."""
        fault = self._fault(request) if self.faults.pending else None
        if fault is None:
            return Delivery(self._execute(request))
        if fault.kind in _LOSSES:
            return self._lose(request, fault)
        if fault.kind in _INSTEAD:
            return self._replace(request, fault)
        return self._special[fault.kind](request, fault)

    def _fault(self, request: WireRequest) -> Fault | None:
        symbol = _sent(request).get("symbol")
        with self.face.lock:
            return self.faults.take(request.method, request.path, symbol, self.face.now_ms())

    def _execute(self, request: WireRequest) -> WireAnswer:
        answer = self._last[request.method, request.path] = self.face.answer(request)
        return answer

    def _lose(self, request: WireRequest, fault: Fault) -> Delivery:
        executed, lost = _LOSSES[fault.kind]
        if executed:
            self._execute(request)
        return Delivery(None, lost, fault.duration_ms)

    def _replace(self, request: WireRequest, fault: Fault) -> Delivery:
        if fault.kind is FaultKind.THROTTLED and _reduces(request):
            return Delivery(self._execute(request))
        if fault.kind not in _UNEXECUTED:
            self._execute(request)
        return Delivery(self.face.refused(request, *_INSTEAD[fault.kind]))

    def _late_arrival(self, request: WireRequest, fault: Fault) -> Delivery:
        self.pause(fault.duration_ms)
        return Delivery(self._execute(request))

    def _late_answer(self, request: WireRequest, fault: Fault) -> Delivery:
        return Delivery(self._execute(request), late_ms=fault.duration_ms)

    def _too_many(self, request: WireRequest, _: Fault) -> Delivery:
        with self.face.lock:
            self.face.meter.exhaust(request.address, self.face.now_ms())
            return Delivery(self._execute(request))

    def _banned(self, request: WireRequest, _: Fault) -> Delivery:
        with self.face.lock:
            self.face.meter.ban(request.address, self.face.now_ms())
            return Delivery(self._execute(request))

    def _empty(self, request: WireRequest, _: Fault) -> Delivery:
        answer = self._execute(request)
        return Delivery(WireAnswer(answer.status, b"", answer.headers))

    def _repeated(self, request: WireRequest, _: Fault) -> Delivery:
        before = self._last.get((request.method, request.path))
        answer = self._execute(request)
        return Delivery(before or answer)

    def _twice(self, request: WireRequest, _: Fault) -> Delivery:
        self._execute(request)
        return Delivery(self._execute(request))

    def _stale(self, request: WireRequest, fault: Fault) -> Delivery:
        owner = self.face.gate.owner(request.api_key)
        with self.face.lock:
            if owner is not None:
                self.face.look_back(owner, self.face.now_ms() + fault.duration_ms)
            return Delivery(self._execute(request))

    def _hidden(self, request: WireRequest, fault: Fault) -> Delivery:
        with self.face.lock:
            answer = self._execute(request)
            until_ms = self.face.now_ms() + fault.duration_ms
            self.face.desk.hidden.update(dict.fromkeys(_ids(answer), until_ms))
        return Delivery(answer)


def _sent(request: WireRequest) -> Mapping[str, str]:
    try:
        return read_parameters(request.query, request.body)
    except VenueError:
        return {}


def _reduces(request: WireRequest) -> bool:
    """Whether system protection lets a request through: cancels, and orders that reduce."""
    sent = Params(_sent(request))
    try:
        return request.method == "DELETE" or any(sent.flag(name) for name in _REDUCING)
    except VenueError:
        return False


def _ids(answer: WireAnswer) -> Iterator[int]:
    """The orders that an answer to a placement names."""
    document = json.loads(answer.body)
    for row in document if isinstance(document, list) else [document]:
        for name in ("orderId", "algoId"):
            if name in row:
                yield row[name]
