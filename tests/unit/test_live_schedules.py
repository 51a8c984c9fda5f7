import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from withearth.local.clocks import FastClock
from withearth.local.live import LiveRun
from withearth.local.scheduler import Job, Scheduler

START = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE = timedelta(seconds=10).total_seconds()


class Cloud:
    """Fires jobs: the quick one at once, the slow one when it is let go."""

    def __init__(self) -> None:
        self.runtime = SimpleNamespace(clock=FastClock(START, 600.0))
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
