"""The local cloud on a running clock: one thread a schedule, a few that pump the bus."""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Final, Self

from withearth.domain.errors import WithEarthError
from withearth.local.cloud import LocalCloud
from withearth.local.scheduler import Job, Scheduler
from withearth.local.schedules import paused

PUMPS: Final = 8
"""An entry that rests holds its pump for up to a minute and a half; the other symbols must not wait for it."""
IDLE_SECONDS: Final = 0.05
"""How long a thread that found nothing to do waits, in seconds of the wall."""

log = logging.getLogger(__name__)


class LiveRun(AbstractContextManager["LiveRun"]):
    """Runs from entering the context until leaving it."""

    def __init__(self, cloud: LocalCloud, *schedulers: Scheduler) -> None:
        """Each schedule has a thread of its own: its jobs hold up none of the others'."""
        self._cloud = cloud
        self._stop = threading.Event()
        loops = [(f"schedule-{number}", partial(self._fire_due, each)) for number, each in enumerate(schedulers)]
        loops += [(f"pump-{number}", partial(self._pump)) for number in range(PUMPS)]
        self._threads = [threading.Thread(target=self._loop, args=(step,), name=name) for name, step in loops]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _loop(self, step: Callable[[], bool]) -> None:
        """Repeat `step`, pausing when it had nothing to do. A fault is logged, and the next step tries again."""
        while not self._stop.is_set():
            try:
                busy = step()
            except WithEarthError as error:
                log.warning("%s", error)
                busy = False
            if not busy:
                self._stop.wait(IDLE_SECONDS)

    def _fire_due(self, scheduler: Scheduler) -> bool:
        """Fire what is due. After a pause of the machine, a job that missed several runs is fired once."""
        now = self._cloud.runtime.clock.now()
        if scheduler.due() > now:
            return False
        # Asked before anything is taken off the schedule: books that do not answer now are asked again.
        stopped = paused(self._cloud.runtime.store)
        firing: dict[str, Job] = {}
        while scheduler.due() <= now:
            firing |= {job.function: job for job in scheduler.pop()[1]}
        for job in firing.values():
            if job.function not in stopped:
                self._cloud.fire(job)
        return True

    def _pump(self) -> bool:
        return self._cloud.deliver() > 0
