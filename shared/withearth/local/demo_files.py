"""The saved demo: the answers of the local API after a run on the synthetic market, as files that need no server.

`python -m withearth.local.demo_files dashboard/public/demo` writes them anew. The run trades on the paper exchange and
ends with a position whose stop stands, so that every panel has something to show; nothing in it is anybody's.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from withearth.bootstrap import assemble, open_store
from withearth.domain.times import TICK
from withearth.flow.documents import control_request_ref, view_ref
from withearth.flow.runtime import Runtime
from withearth.handlers.api import VIEWS
from withearth.local.clocks import VirtualClock
from withearth.local.cloud import LocalCloud, run_until
from withearth.local.functions import FunctionHost
from withearth.local.scheduler import CLOUD_JOBS, Scheduler
from withearth.local.state import open_bus
from withearth.settings import Settings, load_settings
from withearth.store.port import Replace
from withearth.views.contract import Action, ControlRequest

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
PAUSED_AT, RESUMED_AT = START + timedelta(hours=20), START + timedelta(hours=22)
LATE_AT: Final = START + timedelta(hours=35)
AT_LEAST, AT_MOST = START + timedelta(hours=36), START + timedelta(hours=48)
OWNER: Final = "owner@example.com"
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT")
TICKS_SHOWN: Final = 24
TRADES_SHOWN: Final = 60
EVENTS_SHOWN: Final = 120


def settings_in(directory: Path) -> Settings:
    """Settings under which a few days show wins, losses, and something blocked by each stage."""
    return load_settings(
        {
            "SYMBOLS": ",".join(SYMBOLS),
            "STATE_DIR": str(directory),
            "EXECUTE_TRADES": "true",
            "MAX_CONSECUTIVE_LOSSES": "6",
            "LOSS_PAUSE_MIN": "60",
            "MIN_PROB": "0.62",
            "HORIZON_MIN": "180",
        },
        env_file=None,
    )


def demo_files(directory: Path) -> dict[str, Any]:
    """The contents of every file by its name, after a run whose state lies in the directory."""
    clock = VirtualClock(START)
    bus = open_bus(directory, clock)
    runtime = assemble(settings_in(directory), clock, open_store(directory), bus)
    cloud, scheduler = LocalCloud(runtime, bus), Scheduler(CLOUD_JOBS, START)

    def go_on(until: datetime) -> None:
        run_until(cloud, clock, scheduler, until, lambda _at: None)

    go_on(PAUSED_AT)
    _ask(runtime, "reduce", "away for two hours")
    go_on(RESUMED_AT)
    _ask(runtime, "resume", "back again")
    go_on(LATE_AT)
    _deliver_late(cloud, clock, scheduler)
    go_on(AT_LEAST)
    while not _is_armed(runtime) and clock.now() < AT_MOST:
        go_on(clock.now() + TICK)
    bus.close()
    return dict(_files(FunctionHost(runtime)))


def _ask(runtime: Runtime, action: Action, why: str) -> None:
    """What the owner asks for from the page."""
    now = runtime.clock.now()
    request: ControlRequest = {
        "id": f"{action}-{now:%H%M}",
        "action": action,
        "word": None,
        "why": why,
        "who": OWNER,
        "at": now,
    }
    runtime.store.commit([Replace(control_request_ref(), request)])


def _deliver_late(cloud: LocalCloud, clock: VirtualClock, scheduler: Scheduler) -> None:
    """A tick whose messages lie too long: what cannot be decided on time is not decided."""
    functions: set[str] = set()
    while "dispatcher" not in functions:
        at, jobs = scheduler.pop()
        functions = {job.function for job in jobs}
        clock.set(max(at, clock.now()))
        for job in jobs:
            cloud.fire(job)
    clock.sleep(timedelta(seconds=cloud.runtime.settings.max_tick_age_sec + 1))
    while cloud.deliver():
        pass


def _is_armed(runtime: Runtime) -> bool:
    """Whether a position stands with its stop and its target on the exchange."""
    view = runtime.store.get(view_ref("positions"))
    held = [] if view is None else view.data["positions"]
    return any(each["protection"] == "ARMED" and each["target"]["armed"] for each in held)


def _files(host: FunctionHost) -> Iterable[tuple[str, Any]]:
    for name in VIEWS:
        yield f"views-{name}", _answer(host, f"/api/views/{name}")
    feed, trades = (
        _last_page(_answer(host, path))
        for path in (f"/api/feed?limit={TICKS_SHOWN}", f"/api/trades?limit={TRADES_SHOWN}")
    )
    yield "feed", feed
    yield "trades", trades
    yield "events", _last_page(_answer(host, f"/api/events?limit={EVENTS_SHOWN}"))
    for symbol in SYMBOLS:
        yield f"charts-{symbol}", _answer(host, f"/api/charts/{symbol}")
    shown = {row["decision_id"] for tick in feed["feeds"] for row in tick["rows"]}
    shown |= {trade["id"] for trade in trades["trades"]}
    yield "decisions", {id_: _answer(host, f"/api/decisions/{id_}") for id_ in sorted(shown)}


def _last_page(page: dict[str, Any]) -> dict[str, Any]:
    """A page after which there is none."""
    return page | {"next": None}


def _answer(host: FunctionHost, path: str) -> Any:
    status, body = host.call("api", method="GET", path=path)
    if status != 200:  # noqa: PLR2004 - whatever else it is, it is no answer
        raise AssertionError(f"{path} answered {status}: {body.decode()}")
    return json.loads(body)


def main() -> None:
    """Write the files, in place of those that are there."""
    parser = argparse.ArgumentParser(prog="python -m withearth.local.demo_files", description=__doc__)
    parser.add_argument("directory", type=Path)
    target: Path = parser.parse_args().directory
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        files = demo_files(Path(state))
    for old in target.glob("*.json"):
        old.unlink()
    for name, content in files.items():
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        (target / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{len(files)} files written to {target}\n")


if __name__ == "__main__":
    main()
