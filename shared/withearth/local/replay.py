"""Replay: a stretch of recorded history through all functions, on a virtual clock.

The run's state lies in a directory of its own, so a run that was killed goes on where it stopped and ends with the
very decisions and journal of an undisturbed one.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from withearth.bootstrap import assemble, open_store
from withearth.domain.canonical import digest
from withearth.domain.errors import Misconfigured
from withearth.domain.times import TICK, floor_to_tick
from withearth.execution.paper_venue import PaperVenue
from withearth.flow.runtime import Runtime
from withearth.local.checks import Checks, Coverage, check
from withearth.local.clocks import VirtualClock
from withearth.local.cloud import LocalCloud, redeliver_before, run_until
from withearth.local.scheduler import CLOUD_JOBS, RECONCILER, REPLAY_JOBS, Scheduler
from withearth.local.state import exclusive, open_bus
from withearth.market.port import Market
from withearth.messaging.local_bus import Chaos
from withearth.settings import Settings
from withearth.store.port import DocumentStore, Ref, Replace

if TYPE_CHECKING:
    from withearth.store.sqlite import SqliteStore

CURSOR: Final = Ref("replay", "cursor")
FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """The ticks whose bars close after `start`, up to and including `end`."""

    start: datetime
    end: datetime

    @property
    def ticks(self) -> int:
        """How many 5m bars close in it."""
        return (self.end - self.start) // TICK


@dataclass(slots=True)
class Timing:
    """How many ticks were completed, and the seconds of the wall each pushed function took."""

    ticks: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def observe(self, function: str, seconds: float) -> None:
        """Add one call."""
        self.seconds.setdefault(function, []).append(seconds)


def state_directory(settings: Settings, period: Period, chaos: Chaos | None) -> Path:
    """Where the run of these settings over this period keeps its state."""
    disorder = None if chaos is None else asdict(chaos)
    key = digest([settings.model_dump(mode="json"), period.start, period.end, disorder])[:12]
    return settings.state_dir / f"replay-{key}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """The books of a run, the messages that could not be handled, and the checks of an executed one."""

    store: DocumentStore
    dead_letters: int
    checks: Checks | None


def replay_period(
    settings: Settings,
    period: Period,
    directory: Path,
    *,
    chaos: Chaos | None = None,
    timing: Timing,
    after_tick: Callable[[datetime], None],
    market: Market | None = None,
    fresh: bool = False,
) -> Replayed:
    """Run the period to its end, or go on with a run that was cut off, unless it has to begin `fresh`.

    `market` is the recording, where it is open already: reading it takes seconds.

    `after_tick` is called with each tick once all that belongs to it is done; the first call of a resumed run is for
    the tick it was cut off in. Raises Misconfigured when the directory is in use, or holds other books than a replay's.
    """
    clock = VirtualClock(period.start)
    with exclusive(directory):
        store = _books(directory, period, fresh=fresh)
        bus = open_bus(directory, clock, chaos)
        # Nobody looks at the charts of a replay while it runs, and they take a third of its time.
        runtime = assemble(settings.model_copy(update={"chart_symbols": 0}), clock, store, bus, market)
        cloud = LocalCloud(runtime, bus, timing.observe)

        def finish_step(at: datetime) -> None:
            if floor_to_tick(at) == at:
                store.commit([Replace(CURSOR, {"at": at, "done": False})])
                timing.ticks += 1
                after_tick(at)

        coverage = _watch(runtime, clock)
        jobs = CLOUD_JOBS if settings.execute_trades else REPLAY_JOBS
        run_until(cloud, clock, Scheduler(jobs, resume_at(store, period)), period.end, finish_step)
        if coverage is not None:
            _let_trades_end(cloud, clock, period.end)
        redeliver_before(cloud, clock, FOREVER)
        store.commit([Replace(CURSOR, {"at": period.end, "done": True})])
        dead_letters = len(bus.dead_letters())
        bus.close()
        return Replayed(store, dead_letters, None if coverage is None else _checked(coverage, store, settings))


def _checked(coverage: Coverage, store: DocumentStore, settings: Settings) -> Checks:
    return check(coverage.venue, store, coverage, timedelta(seconds=settings.protect_within_sec))


def _watch(runtime: Runtime, clock: VirtualClock) -> Coverage | None:
    """Watch the paper exchange, where there is one."""
    if not isinstance(runtime.venue, PaperVenue):
        return None
    coverage = Coverage(runtime.venue, clock)
    runtime.venue.watch = coverage.sample
    return coverage


def _let_trades_end(cloud: LocalCloud, clock: VirtualClock, end: datetime) -> None:
    """Go on without new ticks until the last trade has come to its horizon, so that the books can be compared."""
    after = end + timedelta(minutes=cloud.runtime.settings.horizon_min) + TICK
    run_until(cloud, clock, Scheduler([RECONCILER], max(end + TICK, clock.now())), after, lambda _at: None)


def resume_at(store: DocumentStore, period: Period) -> datetime:
    """The first tick that is not known to be complete."""
    cursor = store.get(CURSOR)
    return period.start + TICK if cursor is None else min(cursor.data["at"] + TICK, period.end)


def _books(directory: Path, period: Period, *, fresh: bool) -> "SqliteStore":
    """The books of a run that was cut off, or new ones: those of a finished run make room for its repetition."""
    store = open_store(directory)
    cursor = store.get(CURSOR)
    if cursor is None and store.last_change():
        store.close()
        raise Misconfigured(f"{directory} holds books that are no replay's: name another directory with --state.")
    if cursor is not None and (fresh or cursor.data["done"]):
        store.close()
        discard(directory)
        store, cursor = open_store(directory), None
    if cursor is None:
        store.commit([Replace(CURSOR, {"at": period.start, "done": False})])
    return store


def discard(directory: Path) -> None:
    """Delete the books and the bus of a run."""
    for file in (*directory.glob("store.db*"), *directory.glob("bus.db*")):
        file.unlink()
