"""The face behind an unreliable network: carries out what the queue of faults says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, assert_never

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.face import Face
from withearth.paper.faults import Fault, FaultKind, FaultQueue
from withearth.paper.wire import errors
from withearth.paper.wire.request import WireAnswer, WireRequest, read_parameters


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


_UNAVAILABLE: Final = 503
_UNKNOWN_ERROR: Final = {"code": -1000, "msg": "Unknown error, please check your request or try again later."}
_MADE_UP: Final[Mapping[FaultKind, tuple[int, Any]]] = {
    FaultKind.UNAVAILABLE: (_UNAVAILABLE, {"code": 0, "msg": "Service Unavailable."}),
    FaultKind.INTERNAL_ERROR: (_UNAVAILABLE, errors.document(VenueError(Refusal.DISCONNECTED))),
    FaultKind.UNKNOWN_BEFORE: (_UNAVAILABLE, _UNKNOWN_ERROR),
    FaultKind.UNKNOWN_AFTER: (_UNAVAILABLE, _UNKNOWN_ERROR),
    FaultKind.THROTTLED: (_UNAVAILABLE, errors.document(VenueError(Refusal.THROTTLED))),
    FaultKind.BACKEND_TIMEOUT_BEFORE: (408, errors.document(VenueError(Refusal.TIMEOUT))),
    FaultKind.BACKEND_TIMEOUT_AFTER: (408, errors.document(VenueError(Refusal.TIMEOUT))),
    FaultKind.ALGO_NOT_FOUND: (400, errors.document(VenueError(Refusal.NO_SUCH_ORDER))),
}
_REDUCING: Final = ("reduceOnly", "closePosition")
