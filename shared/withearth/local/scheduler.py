"""A local Cloud Scheduler: cron expressions in UTC, as bars are, each calling one function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cronsim import CronSim

_JUST_BEFORE: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """Call `function` whenever `cron` fires."""

    function: str
    cron: str


RECONCILER: Final = Job("reconciler", "* * * * *")
CLOUD_JOBS: Final[Sequence[Job]] = (Job("dispatcher", "*/5 * * * *"), RECONCILER)
"""The schedule of the cloud."""
SLOW_JOBS: Final[Sequence[Job]] = (Job("sentiment", "*/10 * * * *"),)
"""Jobs that take minutes: they are fired beside the others, which wait for nobody."""
REPLAY_JOBS: Final[Sequence[Job]] = (Job("dispatcher", "*/5 * * * *"), Job("reconciler", "*/5 * * * *"))
"""Recorded candles change every five minutes only, so nothing can happen in the minutes between."""


class Scheduler:
    """Tells which jobs fire next, in UTC. Jobs of one instant come in their order."""

    def __init__(self, jobs: Sequence[Job], start: datetime) -> None:
        """The first instant that can fire is `start` itself when it is a full minute, else the minute after."""
        self._runs = [(job, CronSim(job.cron, start - _JUST_BEFORE)) for job in jobs]
        self._next = [next(runs) for _, runs in self._runs]

    def due(self) -> datetime:
        """The instant of the next jobs."""
        return min(self._next)

    def pop(self) -> tuple[datetime, list[Job]]:
        """That instant and every job that fires at it; each of them moves on to its following run."""
        at = self.due()
        firing = [index for index, when in enumerate(self._next) if when == at]
        for index in firing:
            self._next[index] = next(self._runs[index][1])
        return at, [self._runs[index][0] for index in firing]
