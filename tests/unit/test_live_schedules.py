import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from withearth.local.clocks import FastClock
from withearth.local.live import LiveRun
from withearth.local.scheduler import Job, Scheduler
from withearth.store.port import Ref, Stored

START = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE = timedelta(seconds=10).total_seconds()


class NoBooks:
    """Books in which nothing is paused."""

    paused: Sequence[str] = ()

    def get(self, ref: Ref) -> Stored | None:
        """What is paused."""
        return Stored(ref, {"paused": list(self.paused)}, "1")


class Cloud:
    """Fires jobs: the quick one at once, the slow one when it is let go."""

    def __init__(self) -> None:
        self.runtime = SimpleNamespace(clock=FastClock(START, 600.0), store=NoBooks())
        self.let_go, self.slow_began, self.quick_fired = threading.Event(), threading.Event(), threading.Event()

    def fire(self, job: Job) -> None:
        """Call a function."""
        if job.function == "slow":
            self.slow_began.set()
            self.let_go.wait(PATIENCE)
        elif self.slow_began.is_set():
            self.quick_fired.set()

    def deliver(self) -> int:
        """There are no messages."""
        return 0


def test_a_slow_job_holds_up_no_other() -> None:
    """While one that takes minutes is at work, the schedule of the others goes on."""
    cloud = Cloud()
    quick, slow = (Scheduler([Job(name, "* * * * *")], START) for name in ("quick", "slow"))
    with LiveRun(cast("Any", cloud), quick, slow):
        fired = cloud.slow_began.wait(PATIENCE) and cloud.quick_fired.wait(PATIENCE)
        cloud.let_go.set()

    assert fired


def test_a_paused_schedule_does_not_fire() -> None:
    """What `withearth schedules pause` wrote into the books is looked at before every call, and holds up no other."""
    cloud = Cloud()
    cloud.runtime.store.paused = ["quick"]
    both = Scheduler([Job("slow", "* * * * *"), Job("quick", "* * * * *")], START)
    cloud.let_go.set()
    with LiveRun(cast("Any", cloud), both):
        assert cloud.slow_began.wait(PATIENCE)
        until = cloud.runtime.clock.now() + timedelta(minutes=3)
        while cloud.runtime.clock.now() < until:
            pass

    assert not cloud.quick_fired.is_set()
