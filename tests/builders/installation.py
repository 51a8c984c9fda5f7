"""A whole installation in a directory: settings, books, bus and functions on a virtual clock."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from withearth.bootstrap import assemble, open_store
from withearth.decision.prediction import Answer, Prediction, Question, audit_of
from withearth.decision.spend import NOTHING, Spend
from withearth.domain.canonical import canonical_json
from withearth.domain.side import Direction
from withearth.flow.runtime import Runtime
from withearth.local.clocks import VirtualClock
from withearth.local.cloud import LocalCloud, redeliver_before, run_until
from withearth.local.functions import FunctionHost
from withearth.local.scheduler import REPLAY_JOBS, Scheduler
from withearth.local.state import open_bus
from withearth.messaging.local_bus import Chaos
from withearth.settings import Settings, load_settings
from withearth.store.port import Query

START: Final = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
SYMBOLS: Final = "BTCUSDT,ETHUSDT"


def settings_of(directory: Path, **changes: str) -> Settings:
    """Settings of an installation on the synthetic market."""
    return load_settings(
        {"SYMBOLS": SYMBOLS, "STATE_DIR": str(directory), "CHART_SYMBOLS": "0", **changes}, env_file=None
    )


class AlwaysLong:
    """A predictor that sees a sure long everywhere."""

    name: Final = "always-long"

    def spend_max(self, question: Question) -> Spend:
        """Nothing."""
        return NOTHING

    def predict(self, question: Question) -> Answer:
        """A long, whatever the question."""
        return Answer(Prediction(Direction.LONG, 0.9, "always"), audit_of(self.name, "rule"))


class Installation:
    """Opened on a directory as a process would open it; open it again to see what another process would see."""

    def __init__(
        self,
        directory: Path,
        *,
        chaos: Chaos | None = None,
        now: datetime = START,
        ports: Mapping[str, Any] | None = None,
        given: Mapping[str, str] | None = None,
        **changes: str,
    ) -> None:
        """`ports` replace those that the settings choose; `given` and `changes` are settings."""
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = VirtualClock(now)
        self.store = open_store(directory)
        self.bus = open_bus(directory, self.clock, chaos)
        chosen: Runtime = assemble(
            settings_of(directory, **{**(given or {}), **changes}), self.clock, self.store, self.bus
        )
        self.runtime = replace(chosen, **(ports or {}))

    def cloud(self) -> LocalCloud:
        """The local cloud over these books."""
        return LocalCloud(self.runtime, self.bus)

    def functions(self) -> FunctionHost:
        """The functions, to be called one by one."""
        return FunctionHost(self.runtime)

    def run(
        self, hours: float, *, start: datetime = START, after_tick: Callable[[datetime], None] = lambda _at: None
    ) -> None:
        """Run the schedule from `start` to `hours` after START, and deliver what is left over at the end."""
        end = START + timedelta(hours=hours)
        cloud = self.cloud()
        run_until(cloud, self.clock, Scheduler(REPLAY_JOBS, start), end, after_tick)
        redeliver_before(cloud, self.clock, end + timedelta(hours=1))

    def books(self, collection: str) -> list[str]:
        """Every document of a collection as canonical text, by id."""
        return [canonical_json(each.data) for each in self.store.query(Query(collection))]

    def events(self) -> list[str]:
        """The kinds of all recorded events, by id."""
        return [each.data["kind"] for each in self.store.query(Query("events"))]

    def close(self) -> None:
        """Close books and bus."""
        self.store.close()
        self.bus.close()


class Killed(BaseException):
    """The process ends here, as by SIGKILL: nothing of ours may catch it."""
