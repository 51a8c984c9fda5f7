"""How many symbol-ticks a second the whole pipeline does: two recorded days of two symbols through all functions."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.recorded import market_dir
from withearth.local.replay import Period, Timing, replay_period
from withearth.local.report import percentiles_ms
from withearth.settings import load_settings

SYMBOLS: Final = "BTCUSDT,ETHUSDT"
PERIOD: Final = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))
SYMBOL_TICKS_PER_S_MIN: Final = 150


def run() -> list[str]:
    """Print the speed of a replay, and return the target when it is missed."""
    data = market_dir()
    if data is None:
        print("replay: SKIPPED, there is no recorded data (set WITHEARTH_DATA)")
        return []
    settings = load_settings({"MARKET": "recorded", "DATA_DIR": str(data), "SYMBOLS": SYMBOLS}, env_file=None)
    timing, started = Timing(), time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        replay_period(settings, PERIOD, Path(directory), timing=timing, after_tick=lambda _at: None)
    speed = timing.ticks * len(settings.symbols) / (time.perf_counter() - started)
    p50, p95 = percentiles_ms(timing.seconds["worker"])
    print(f"replay: {speed:.0f} symbol-ticks per second (target: at least {SYMBOL_TICKS_PER_S_MIN})")
    print(f"replay: one decision takes {p50:.2f} ms (p50), {p95:.2f} ms (p95), from push request to status")
    return [] if speed >= SYMBOL_TICKS_PER_S_MIN else [f"replay does {speed:.0f} symbol-ticks per second"]
