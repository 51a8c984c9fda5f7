"""What a tick of the live market costs: 550 symbols against the paper exchange over HTTP, 80 ms away.

The exchange runs in a process of its own; dispatcher, bus and workers run in this one, as they do on a laptop, with the
baseline predictor. One tick warms it up, then a steady one and the one at midnight are measured from the bar's close
to the last decision, and the request weight is read from the exchange. It allows more than the real one, so that
nothing is spread over time: what a minute's limit makes of midnight is the soak's business (`make soak`).
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests

from benchmarks.fleet import SYMBOLS, JumpingClock
from withearth.bootstrap import assemble, open_store
from withearth.domain.times import TICK, floor_to_tick, from_ms, tick_id
from withearth.local.cloud import LocalCloud
from withearth.local.live import PUMPS
from withearth.local.scheduler import CLOUD_JOBS
from withearth.local.state import open_bus
from withearth.settings import load_settings
from withearth.store.port import Query

LATENCY_MS: Final = 80
SECONDS_MAX: Final = 20.0
WEIGHT_MAX: Final = 800
MIDNIGHT_MAX: Final = 2_500
UNLIMITED: Final = 100_000
PATIENCE_S: Final = 240.0


def run() -> list[str]:
    """Print what three ticks cost, and return the targets that were missed."""
    with _exchange() as address, tempfile.TemporaryDirectory() as directory:
        stage = _Stage(address, Path(directory))
        cold = stage.tick(floor_to_tick(stage.clock.now()) + TICK)
        stage.rule("faults", {"kind": "late_answer", "duration_ms": LATENCY_MS, "times": 1_000_000})
        steady = stage.tick(cold.at + TICK)
        stage.tick(cold.at + 2 * TICK)
        midnight = stage.tick(cold.at + 3 * TICK)
        stage.close()
    print(f"\nMarket, {SYMBOLS} symbols over HTTP, {LATENCY_MS} ms of latency a call, {PUMPS} at once, one process")
    for name, done in (("cold, no latency", cold), ("steady", steady), ("midnight", midnight)):
        codes = ", ".join(f"{code} {count}" for code, count in sorted(done.outcomes.items()))
        print(f"{name:<20}{done.seconds:>7.1f} s  weight {done.weight:>6}   CPU {done.cpu_s:>5.1f} s   {codes}")
    checks = (
        (steady.seconds <= SECONDS_MAX, f"a steady tick took {steady.seconds:.1f} s, the target is {SECONDS_MAX} s"),
        (steady.weight <= WEIGHT_MAX, f"a steady tick cost {steady.weight}, the target is {WEIGHT_MAX}"),
        (midnight.weight <= MIDNIGHT_MAX, f"midnight cost {midnight.weight}, the target is {MIDNIGHT_MAX}"),
    )
    return [miss for kept, miss in checks if not kept]


@dataclass(frozen=True, slots=True)
class _Done:
    """What a tick cost."""

    at: datetime
    seconds: float
    cpu_s: float
    weight: int
    outcomes: Counter[str]


class _Stage:
    """An installation on the exchange's prices, with the clocks of both in step."""

    def __init__(self, address: str, directory: Path) -> None:
        self.address, self.clock = address, JumpingClock()
        told = requests.get(f"{address}/fapi/v1/time", timeout=30).json()["serverTime"]
        self.clock.jump(from_ms(told) - self.clock.now())
        settings = load_settings(
            {"MARKET": "live", "SYMBOLS": "all", "STATE_DIR": str(directory), "BINANCE_FAPI_BASE": address},
            env_file=None,
        )
        self.bus = open_bus(directory, self.clock)
        self.cloud = LocalCloud(assemble(settings, self.clock, open_store(directory), self.bus), self.bus)

    def tick(self, at: datetime) -> _Done:
        """Jump to a bar's close, and run its tick to the last decision."""
        by = at - self.clock.now()
        self.rule("clock", {"advance_ms": by // timedelta(milliseconds=1)})
        self.clock.jump(by)
        started, cpu = time.perf_counter(), time.process_time()
        over = threading.Event()
        pumps = [threading.Thread(target=self._pump, args=(over,)) for _ in range(PUMPS)]
        for pump in pumps:
            pump.start()
        self.cloud.fire(CLOUD_JOBS[0])
        decided = self._await(tick_id(at), started)
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        over.set()
        for pump in pumps:
            pump.join()
        return _Done(at, seconds, cpu_s, self._weight(), decided)

    def _await(self, tick: str, started: float) -> Counter[str]:
        store = self.cloud.runtime.store
        while store.count(Query("decisions", where={"tick_id": tick, "state": "DONE"})) < SYMBOLS:
            if time.perf_counter() - started > PATIENCE_S:
                break
            time.sleep(0.1)
        found = store.query(Query("decisions", where={"tick_id": tick}))
        return Counter(str(each.data.get("blocked_by") or "INTENT") for each in found)

    def _pump(self, over: threading.Event) -> None:
        while not over.is_set():
            if not self.cloud.deliver():
                over.wait(0.02)

    def _weight(self) -> int:
        """The weight of the present minute, less the request that asks for it."""
        answer = requests.get(f"{self.address}/fapi/v1/ping", timeout=30)
        return int(answer.headers["X-MBX-USED-WEIGHT-1M"]) - 1

    def rule(self, what: str, document: dict[str, Any]) -> None:
        """Change something about the exchange."""
        requests.post(f"{self.address}/admin/{what}", json=document, timeout=120).raise_for_status()

    def close(self) -> None:
        """Close the books."""
        self.bus.close()


@contextmanager
def _exchange() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.fleet", str(UNLIMITED)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        yield process.stdout.readline().strip()
        process.stdin.close()
