"""The whole cloud on one machine: functions, bus and scheduler, without a socket between them."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from withearth.domain.errors import Unavailable
from withearth.flow.recovery import void_claims
from withearth.flow.runtime import Runtime
from withearth.local.clocks import VirtualClock
from withearth.local.functions import FunctionHost
from withearth.local.scheduler import Job, Scheduler
from withearth.messaging.local_bus import Delivery, LocalBus

CALL_ATTEMPTS: Final = 3
"""How often the scheduler calls a function that answers with an error, as in the cloud's retry policy."""

Observer = Callable[[str, float], None]


class LocalCloud:
    """Calls functions as the scheduler and the bus do in the cloud."""

    def __init__(self, runtime: Runtime, bus: LocalBus, observe: Observer = lambda _function, _seconds: None) -> None:
        """`observe` is told each pushed function and the seconds it took. Voids what a killed process had claimed."""
        self.runtime = runtime
        self.bus = bus
        self._host = FunctionHost(runtime)
        self._observe = observe
        bus.release_leases()
        void_claims(runtime.store)

    def fire(self, job: Job) -> None:
        """Call a scheduled function. Raises Unavailable when it keeps failing."""
        for _ in range(CALL_ATTEMPTS):
            status, body = self._host.call(job.function)
            if status < 300:  # noqa: PLR2004 - the class of success
                return
        raise Unavailable(f"{job.function} answered {status}: {body.decode(errors='replace')[:200]}")

    def deliver(self) -> int:
        """Push every message that is due, and return how many there were."""
        return self.bus.deliver_due(self._push)

    def _push(self, delivery: Delivery) -> int:
        started = time.perf_counter()
        status, _ = self._host.call(delivery.function, body=json.dumps(delivery.envelope).encode())
        self._observe(delivery.function, time.perf_counter() - started)
        return status


def run_until(
    cloud: LocalCloud,
    clock: VirtualClock,
    scheduler: Scheduler,
    until: datetime,
    after_step: Callable[[datetime], None],
) -> None:
    """Run every job up to and including `until` on a virtual clock, delivering each job's messages before the next.

    `after_step` is called with each instant once everything that belongs to it is done.
    """
    while scheduler.due() <= until:
        at, jobs = scheduler.pop()
        redeliver_before(cloud, clock, at)
        # Work on an order takes time of its own, and may have gone beyond this instant.
        clock.set(max(at, clock.now()))
        for job in jobs:
            cloud.fire(job)
            while cloud.deliver():
                pass
        after_step(at)


def redeliver_before(cloud: LocalCloud, clock: VirtualClock, limit: datetime) -> None:
    """Move the clock to each waiting message that falls due before `limit`, and deliver it then."""
    while (due := cloud.bus.next_due()) is not None and due < limit:
        clock.set(max(due, clock.now()))
        if not cloud.deliver():
            return
