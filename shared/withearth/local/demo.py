"""Demo: the whole system on a seeded synthetic market, so that anybody can look at it within a minute.

The hours before the start are run through at once on a virtual clock, so the page is full from the first look; then
time goes on faster than the wall's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from withearth.bootstrap import assemble, open_store
from withearth.flow.runtime import Runtime
from withearth.local.clocks import FastClock, VirtualClock
from withearth.local.cloud import LocalCloud, run_until
from withearth.local.live import LiveRun
from withearth.local.replay import discard
from withearth.local.scheduler import CLOUD_JOBS, REPLAY_JOBS, Scheduler
from withearth.local.state import exclusive, open_bus
from withearth.settings import Settings

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
"""Where the demo's time begins; the market is synthetic, so any instant would do."""
WARM_UP: Final = timedelta(hours=12)
SPEED: Final = 60.0
"""A minute of the demo in a second of the wall: the slowest pace at which a five-minute tick does not bore."""


@contextmanager
def running_demo(settings: Settings, directory: Path, after_tick: Callable[[datetime], None]) -> Iterator[Runtime]:
    """Warm up, then run until the context is left. The books begin anew each time.

    `after_tick` is called after each tick of the warm-up.
    """
    with exclusive(directory):
        discard(directory)
        clock = VirtualClock(START)
        store = open_store(directory)
        bus = open_bus(directory, clock)
        warming = assemble(settings, clock, store, bus)
        run_until(LocalCloud(warming, bus), clock, Scheduler(REPLAY_JOBS, START), START + WARM_UP, after_tick)
        bus.close()
        with going_on(warming, directory) as runtime:
            yield runtime


@contextmanager
def going_on(warmed: Runtime, directory: Path) -> Iterator[Runtime]:
    """The same market and books from the end of the warm-up on, on a clock that runs."""
    clock = FastClock(warmed.clock.now(), SPEED)
    bus = open_bus(directory, clock)
    runtime = replace(warmed, clock=clock, publisher=bus)
    with LiveRun(LocalCloud(runtime, bus), Scheduler(CLOUD_JOBS, clock.now())):
        yield runtime
    bus.close()
