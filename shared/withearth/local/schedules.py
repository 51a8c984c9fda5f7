"""The schedules of an installation, to be looked at, paused, resumed and run at once.

On one machine they stand in the books, where a running `withearth run` looks before it fires one.
"""

import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from withearth.domain.clock import Clock
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.local.scheduler import CLOUD_JOBS, SLOW_JOBS, Job, Scheduler
from withearth.store.port import DocumentStore, Ref, version_of, write_over

REF: Final = Ref("control", "schedules")
CALL_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule. Instants are text in UTC, empty where there is none."""

    name: str
    cron: str
    paused: bool
    next_at: str
    last: str = ""


class Schedules(Protocol):
    """The schedules of an installation, wherever it runs."""

    def all(self) -> list[Schedule]:
        """Every schedule, by name."""
        ...

    def pause(self, name: str) -> None:
        """Let a schedule fire no more, until it is resumed."""
        ...

    def resume(self, name: str) -> None:
        """Let it fire again."""
        ...

    def run(self, name: str) -> None:
        """Call its function now."""
        ...


class LocalSchedules:
    """The schedules port of one machine. `call` posts to a function of the running system."""

    def __init__(self, store: DocumentStore, clock: Clock, call: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._call = call
        self._jobs: Sequence[Job] = (*CLOUD_JOBS, *SLOW_JOBS)

    def all(self) -> list[Schedule]:
        """Every schedule, by name."""
        stopped, now = paused(self._store), self._clock.now()
        return sorted(
            (
                Schedule(job.function, job.cron, job.function in stopped, f"{Scheduler([job], now).due():%FT%TZ}")
                for job in self._jobs
            ),
            key=lambda each: each.name,
        )

    def pause(self, name: str) -> None:
        """Let a schedule fire no more, until it is resumed."""
        self._write(name, lambda stopped: stopped | {name})

    def resume(self, name: str) -> None:
        """Let it fire again."""
        self._write(name, lambda stopped: stopped - {name})

    def run(self, name: str) -> None:
        """Call its function now. Raises Unavailable when no system runs, or the function fails."""
        self._check(name)
        self._call(name)

    def _write(self, name: str, change: Callable[[frozenset[str]], frozenset[str]]) -> None:
        self._check(name)
        stored = self._store.get(REF)
        wanted = sorted(change(paused(self._store)))
        self._store.commit([write_over(REF, {"paused": wanted}, version_of(stored))])

    def _check(self, name: str) -> None:
        names = sorted(job.function for job in self._jobs)
        if name not in names:
            raise Misconfigured(f"There is no schedule {name}: there are {', '.join(names)}.")


def paused(store: DocumentStore) -> frozenset[str]:
    """The schedules that must not fire."""
    stored = store.get(REF)
    names: Any = () if stored is None else stored.data.get("paused", ())
    return frozenset(map(str, names))


def calling(port: int) -> Callable[[str], None]:
    """Calls a function of the system that `withearth run` serves at this port. The call raises Unavailable."""

    def call(name: str) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/fn/{name}", data=b"{}", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS):  # noqa: S310 - see above
                return
        except urllib.error.HTTPError as error:
            told = error.read(300).decode(errors="replace")
            raise Unavailable(f"{name} answered {error.code}: {told}") from error
        except OSError as error:
            raise Unavailable(f"Nothing answers at port {port}: start `withearth run`, or correct PORT.") from error

    return call
