"""One cold start, told as JSON: `python -m benchmarks.cold_child FUNCTION gate|cloud SECONDS`.

SECONDS is when the process was started, by the machine's monotonic clock. The entry point is loaded as the platform
loads it. Then `cloud` makes what the environment asks for, with the cloud's store; `gate` opens the cloud's store too,
has the worker decide on the newest tick over local books, and says what the decision was blocked by.
"""

import base64
import json
import re
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import functions_framework

from withearth.local.functions import REPOSITORY

if TYPE_CHECKING:
    from withearth.flow.runtime import Runtime
    from withearth.store.port import Ref


def _peak_mib() -> float:
    """The most memory this process has had, by Linux; what getrusage tells includes the process it was started from."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
    return 0.0 if found is None else int(found[1]) / 1024


def _newest_tick(runtime: "Runtime") -> tuple["Runtime", "Ref", dict[str, Any]]:
    """The runtime two seconds after the newest bar's close, where its decision will stand, and the push that asks.

    With the clock as it is, a message would be too late in three minutes of five.
    """
    from withearth.domain.times import decision_id, floor_to_tick, tick_id  # noqa: PLC0415 - the worker has them
    from withearth.flow.dispatch import market_tick  # noqa: PLC0415 - see above
    from withearth.flow.documents import decision_ref  # noqa: PLC0415
    from withearth.local.clocks import VirtualClock  # noqa: PLC0415
    from withearth.messaging.events import encode  # noqa: PLC0415

    closed_at, symbol = floor_to_tick(runtime.clock.now()), runtime.settings.symbols[0]
    quote, tick = runtime.market.quotes([symbol], closed_at)[symbol], tick_id(closed_at)
    data = base64.b64encode(encode(market_tick(symbol, tick, quote))).decode()
    then = replace(runtime, clock=VirtualClock(closed_at + timedelta(seconds=2)))
    return then, decision_ref(decision_id(symbol, tick)), {"message": {"data": data}}


def main(function: str, then: str, begun: float) -> None:
    """Go through the stages, and print what each took since the process began."""
    stages: dict[str, Any] = {}

    def reached(stage: str) -> None:
        stages[stage] = {
            "wall": time.monotonic() - begun,
            "cpu": time.process_time(),
            "rss_mib": _peak_mib(),
            "modules": sorted(sys.modules),
        }

    source = REPOSITORY / "functions" / function / "main.py"
    app = functions_framework.create_app(target=function, source=str(source), signature_type="http")  # type: ignore[no-untyped-call]
    reached("entry")
    from withearth import bootstrap  # noqa: PLC0415 - the entry point loads it, and is measured

    if then == "gate":
        from withearth.store.firestore import FirestoreStore  # noqa: PLC0415 - see above

        FirestoreStore("nobody", emulator="127.0.0.1:1")
    runtime = bootstrap.runtime_of({})
    reached("ready")
    if then == "gate":
        runtime, ref, pushed = _newest_tick(runtime)
        app.test_client().post("/", json=pushed, environ_overrides={bootstrap.ENVIRON_KEY: runtime})
        reached("gate")
        stored = runtime.store.get(ref)
        stages["gate"]["blocked_by"] = None if stored is None else stored.data["blocked_by"]
    json.dump(stages, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
