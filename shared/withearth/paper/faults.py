"""Faults between a client and the paper exchange: a seeded queue that says what goes wrong with which request.

Nothing here does I/O, reads a clock or waits. A face asks `take` once for every request and carries out what it gets;
the same faults, seed and requests always give the same mishaps, and `fired` tells afterwards which they were.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from withearth.domain.coded import Coded
from withearth.domain.errors import Misconfigured


class FaultKind(Coded):
    """What goes wrong. Each member carries the sentence that the documentation prints."""

    LATE_ARRIVAL = "late_arrival", "The request reaches the exchange `duration_ms` late."
    LATE_ANSWER = "late_answer", "The answer comes `duration_ms` late."
    TIMEOUT_BEFORE = "timeout_before", "No answer comes, and nothing was executed."
    TIMEOUT_AFTER = "timeout_after", "No answer comes, though the request was executed."
    RESET_BEFORE = "reset_before", "The connection breaks before the request was executed."
    RESET_AFTER = "reset_after", "The answer is dropped: the connection breaks after the request was executed."
    UNAVAILABLE = "unavailable", "503 `Service Unavailable.`, not executed."
    INTERNAL_ERROR = "internal_error", "503 `Internal error; …`, not executed."
    THROTTLED = "throttled", "503 with -1008, not executed; orders that reduce are exempt."
    UNKNOWN_BEFORE = "unknown_before", "503 `Unknown error, …`, not executed."
    UNKNOWN_AFTER = "unknown_after", "503 `Unknown error, …`, executed."
    BACKEND_TIMEOUT_BEFORE = "backend_timeout_before", "408 with -1007, not executed."
    BACKEND_TIMEOUT_AFTER = "backend_timeout_after", "408 with -1007, executed."
    TOO_MANY = "too_many", "429: other programs behind the same address used up the minute's weight."
    BANNED = "banned", "418: the address is banned."
    EMPTY_ANSWER = "empty_answer", "200 without a body, executed."
    REPEATED_ANSWER = "repeated_answer", "Executed, but the previous answer to the same method and path comes again."
    EXECUTED_TWICE = "executed_twice", "The request is executed twice, and the second answer comes."
    STALE_READS = "stale_reads", "After this write, signed reads show the account as it was before, for `duration_ms`."
    HIDDEN_ORDER = "hidden_order", "The order placed now is missing from signed reads for `duration_ms`."
    ALGO_NOT_FOUND = "algo_not_found", "GET /algoOrder answers -2013 for an order that lives."


_KINDS: Final = {kind.value: kind for kind in FaultKind}
_WRITES: Final = frozenset({"POST", "PUT", "DELETE"})
_PLACING: Final = ("/order", "/algoOrder", "/batchOrders")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and the requests it meets.

    `path` is matched at the end of a request's path. The first `skip` matching requests go unharmed, then each is met
    with `probability`, until it happened `times` times.
    """

    kind: FaultKind
    method: str | None = None
    path: str | None = None
    symbol: str | None = None
    times: int = 1
    skip: int = 0
    probability: float = 1.0
    duration_ms: int = 0

    def meets(self, method: str, path: str, symbol: str | None) -> bool:
        """Whether the fault is about such a request."""
        return (
            (self.method is None or self.method == method)
            and (self.path is None or path.endswith(self.path))
            and (self.symbol is None or self.symbol == symbol)
            and _applies(self.kind, method, path)
        )


@dataclass(frozen=True, slots=True)
class Fired:
    """A fault that happened."""

    fault: Fault
    method: str
    path: str
    at_ms: int


@dataclass(slots=True)
class FaultQueue:
    """Faults that wait for their request, first come first served."""

    seed: int = 0
    pending: list[Fault] = field(default_factory=list)
    fired: list[Fired] = field(default_factory=list)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  mishaps are to be repeatable, not unpredictable

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the queue."""
        self.pending.extend(faults)

    def clear(self) -> None:
        """Forget what waits. What happened stays known."""
        self.pending.clear()

    def take(self, method: str, path: str, symbol: str | None, now_ms: int) -> Fault | None:
        """What goes wrong with this request. At most one fault meets a request."""
        if not self.pending:
            return None
        for index, fault in enumerate(self.pending):
            if not fault.meets(method, path, symbol):
                continue
            if fault.skip:
                self.pending[index] = replace(fault, skip=fault.skip - 1)
            elif fault.probability >= 1 or self._random.random() < fault.probability:
                self._spend(index, fault)
                self.fired.append(Fired(fault, method, path, now_ms))
                return fault
        return None

    def _spend(self, index: int, fault: Fault) -> None:
        if fault.times > 1:
            self.pending[index] = replace(fault, times=fault.times - 1)
        else:
            del self.pending[index]


def fault_from(document: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form. Raises Misconfigured naming what is wrong."""
    try:
        fault = Fault(**{**document, "kind": _KINDS[document["kind"]]})
    except (KeyError, TypeError) as error:
        kinds = ", ".join(kind.value for kind in FaultKind)
        raise Misconfigured(f"{dict(document)} is not a fault ({error}); kind is one of {kinds}.") from error
    _refuse_odd_numbers(fault)
    return fault


def _refuse_odd_numbers(fault: Fault) -> None:
    whole = all(type(number) is int for number in (fault.times, fault.skip, fault.duration_ms))
    if not whole or fault.times < 1 or fault.skip < 0 or fault.duration_ms < 0 or not 0 < fault.probability <= 1:
        raise Misconfigured(f"{fault} has a number out of range: times ≥ 1, skip ≥ 0, 0 < probability ≤ 1.")


def _applies(kind: FaultKind, method: str, path: str) -> bool:
    """Some faults make sense for some requests only."""
    if kind is FaultKind.STALE_READS:
        return method in _WRITES
    if kind is FaultKind.HIDDEN_ORDER:
        return method == "POST" and path.endswith(_PLACING)
    if kind is FaultKind.ALGO_NOT_FOUND:
        return method == "GET" and path.endswith("/algoOrder")
    return True
