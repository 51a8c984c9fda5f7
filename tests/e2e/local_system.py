"""A whole local run for the browser's tests: the real pipeline on the paper exchange, whose time they move themselves.

`python -m tests.e2e.local_system DIRECTORY` reads one command a line and answers each with one line of JSON:

    ticks N   let N five-minute ticks go by, with every minute's reconciliation
    stop      stop the server; the books stay
    start     serve again, at the same address
    end       end
"""

import json
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.builders.installation import AlwaysLong, Installation
from withearth.domain.times import TICK
from withearth.flow.documents import trading_ref
from withearth.flow.trading_state import standing
from withearth.local.cloud import run_until
from withearth.local.scheduler import CLOUD_JOBS, Scheduler
from withearth.local.server import serving
from withearth.store.port import Query

SETTINGS = {
    "EXECUTE_TRADES": "true",
    "HORIZON_MIN": "15",
    "MAX_CONSECUTIVE_LOSSES": "0",
    "RR_MIN": "0.5",
    "RR_MIN_HIGH_PROB": "0.5",
    "COOLDOWN_MIN_AFTER_STOP": "0",
    "CHART_SYMBOLS": "2",
}


class LocalSystem:
    """One installation and, while it is started, its server."""

    def __init__(self, directory: Path) -> None:
        self._installation = Installation(directory, ports={"predictor": AlwaysLong()}, given=SETTINGS)
        self._cloud = self._installation.cloud()
        self._scheduler = Scheduler(CLOUD_JOBS, self._installation.clock.now())
        self._server = ExitStack()
        self._port = 0

    def start(self) -> dict[str, Any]:
        """Serve."""
        address = self._server.enter_context(serving(self._installation.runtime, self._port))
        self._port = urlsplit(address).port or 0
        return {"address": address}

    def stop(self) -> dict[str, Any]:
        """Stop serving."""
        self._server.close()
        return {}

    def ticks(self, number: int) -> dict[str, Any]:
        """Let time go by, to half a minute after the last tick."""
        clock = self._installation.clock
        run_until(self._cloud, clock, self._scheduler, clock.now() + number * TICK, lambda _at: None)
        clock.sleep(timedelta(seconds=30))
        store = self._installation.store
        return {
            "trades": store.count(Query("trades")),
            "state": standing(store.get(trading_ref())).state.value,
            "newest": clock.now().isoformat(),
        }


def main() -> None:
    """Serve, and obey."""
    system = LocalSystem(Path(sys.argv[1]))
    answer = system.start()
    while True:
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
        match sys.stdin.readline().split():
            case ["ticks", number]:
                answer = system.ticks(int(number))
            case ["stop"]:
                answer = system.stop()
            case ["start"]:
                answer = system.start()
            case _:
                system.stop()
                return


if __name__ == "__main__":
    main()
