"""What a function costs before it does anything: its entry point, its runtime in the cloud, a decision up to the gate.

Each figure is a process of its own and counts from its start, interpreter included: median of RUNS. The budgets are
held against CPU time, which is wall time on a machine that does nothing else, since imports go one after the other.
Prices for the worker come over HTTP from a paper exchange on this machine; its books are local, with Firestore's client
open beside them. No service of Google's is asked.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from withearth.domain.times import floor_to_tick
from withearth.local.clocks import WallClock
from withearth.local.functions import FUNCTIONS
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import assemble_exchange, invented_listing
from withearth.paper.line import Line
from withearth.paper.server import serving

RUNS: Final = 5
BUDGETS: Final = {("dispatcher", "entry"): 0.7, ("api", "entry"): 0.7, ("worker", "gate"): 1.0}
"""Seconds of CPU."""
CLOUD: Final = {
    "STORE": "cloud",
    "PROJECT_ID": "nobody",
    "MARKET": "live",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
}
STOPPED_BY: Final = "VOLATILITY_TOO_LOW"
SYMBOL: Final = "BTCUSDT"
HISTORY: Final = timedelta(days=60)
_DEAREST: Final = 4
_IMPORT: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")

Stages = dict[str, Any]


def run() -> list[str]:
    """Measure and print every function. Returns what missed its budget."""
    print(f"cold start, from the process's beginning, medians of {RUNS}:")
    missed = [miss for name in FUNCTIONS for miss in _report(name, partial(cold_start, name, "cloud", CLOUD))]
    with TemporaryDirectory() as directory, prices() as address:
        books = iter(range(RUNS + 1))

        def decide() -> Stages:
            gate = cold_start("worker", "gate", to_the_gate(address, Path(directory, str(next(books)))))["gate"]
            if gate["blocked_by"] != STOPPED_BY:
                raise RuntimeError(f"the worker ended with {gate['blocked_by']}, not at its gate")
            return {"gate": gate}

        decide()  # the prices are made up as they are asked for
        missed += _report("worker", decide)
    for name in FUNCTIONS:
        print(f"  {name:11} dearest to import: {_dearest_imports(name)}")
    return missed


def _report(name: str, start: Callable[[], Stages]) -> Iterator[str]:
    starts = [start() for _ in range(RUNS)]
    for stage in starts[0]:
        cpu, wall, rss = (median(each[stage][what] for each in starts) for what in ("cpu", "wall", "rss_mib"))
        budget = BUDGETS.get((name, stage))
        told = "" if budget is None else f", budget {budget} s"
        print(f"  {name:11} {stage:6} {cpu:.2f} s CPU, {wall:.2f} s wall, {rss:4.0f} MiB{told}")
        if budget is not None and cpu > budget:
            yield f"cold start of {name} to {stage}: {cpu:.2f} s, budget {budget} s"


def cold_start(function: str, then: str, environment: Mapping[str, str]) -> Stages:
    """The stages of one start: wall, cpu, rss_mib and modules of each. Raises RuntimeError when it fails."""
    done = _python(
        ("-m", "benchmarks.cold_child", function, then, str(time.monotonic())),
        {"STATE_DIR": "/nonexistent", **environment},
    )
    stages: Stages = json.loads(done.stdout.splitlines()[-1])
    return stages


def to_the_gate(address: str, books: Path) -> dict[str, str]:
    """The settings of a worker that gets its prices from this address, and lets nothing through the gate."""
    live = {"MARKET": "live", "BINANCE_FAPI_BASE": address, "SYMBOLS": SYMBOL, "STATE_DIR": str(books)}
    return live | {
        "MIN_VOL_FRAC": "0.1",
        "PREDICTOR": "gemini",
        "GOOGLE_API_KEY": "nobody's",
    }


@contextmanager
def prices() -> Iterator[str]:
    """The address of a paper exchange that tells sixty days of one symbol."""
    clock = WallClock()
    market = SyntheticMarket(7, [SYMBOL], start=floor_to_tick(clock.now()) - HISTORY, spread_bps=Decimal(1))
    exchange = assemble_exchange(market, invented_listing(market, [SYMBOL]), clock, [])
    with serving(Line(exchange.face, exchange.faults), 0) as address:
        yield address


def _dearest_imports(name: str) -> str:
    """The modules that take longest by themselves, in milliseconds: the least of RUNS, since others use the machine."""
    took: dict[str, int] = {}
    for _ in range(RUNS):
        told = _python(("-X", "importtime", "-m", "benchmarks.cold_child", name, "cloud", "0"), CLOUD).stderr
        for found in _IMPORT.finditer(told):
            took[found[2]] = min(int(found[1]), took.get(found[2], sys.maxsize))
    dearest = sorted(took, key=took.__getitem__, reverse=True)[:_DEAREST]
    return ", ".join(f"{module} {took[module] / 1000:.0f} ms" for module in dearest)


def _python(arguments: Sequence[str], settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], **settings}
    done = subprocess.run((sys.executable, *arguments), env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done
