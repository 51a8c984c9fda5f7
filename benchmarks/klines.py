"""From the bytes of four candle answers to the snapshot, beside the customary json and pandas; and what the SDK costs.

The peer parses with json, makes frames of floats and computes the same five indicators with pandas; it computes less
than a snapshot holds. The SDK's row is one klines answer of 499 bars fetched in process, beside the same by plain REST.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from benchmarks import Peer, take_turns
from benchmarks.features import pandas_indicators
from withearth.domain.book import Quote
from withearth.domain.candles import FloatArray
from withearth.domain.times import Timeframe, to_ms
from withearth.features.snapshot import HISTORY_BARS, FeatureSnapshot, build_snapshot
from withearth.local.clocks import VirtualClock
from withearth.market.klines import candles_from
from withearth.market.routes import Access, RestRoute, Route
from withearth.market.sdk_route import SdkRoute
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import assemble_exchange, invented_listing
from withearth.paper.transport import PaperTransport

OURS: Final = "bytes to snapshot, ours"
PANDAS: Final = "json and pandas"
RATIO_MAX: Final = 0.1
AT: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
SYMBOL: Final = "BTCUSDT"
ADDRESS: Final = "https://paper.invalid"
_IMPORTS: Final = {
    "REST": "withearth.market.binance",
    "REST and the SDK": "withearth.market.binance, binance_sdk_derivatives_trading_usds_futures.rest_api",
}


def run() -> list[str]:
    """Print both tables, and return the target when it is missed."""
    transport = _exchange()
    bodies = {each: _asked(RestRoute(Access(ADDRESS, transport=transport)), each) for each in Timeframe}
    missed = _parsing(bodies)
    _routes(transport)
    return missed


def _exchange() -> PaperTransport:
    market = SyntheticMarket(7, [SYMBOL], start=AT - timedelta(days=400), spread_bps=Decimal(1))
    clock = VirtualClock(AT + timedelta(seconds=2))
    return PaperTransport(assemble_exchange(market, invented_listing(market, [SYMBOL]), clock, []).face)


def _query(timeframe: Timeframe) -> dict[str, object]:
    closed_ms = to_ms(AT) - to_ms(AT) % timeframe.ms
    return {"symbol": SYMBOL, "interval": timeframe.value, "limit": HISTORY_BARS, "endTime": closed_ms - 1}


def _asked(route: Route, timeframe: Timeframe) -> bytes:
    return route.ask("/fapi/v1/klines", _query(timeframe)).body


def _parsing(bodies: dict[Timeframe, bytes]) -> list[str]:
    if importlib.util.find_spec("pandas") is None:
        print("klines: SKIPPED, pandas is not installed (make bench installs it)")
        return []
    peers = [Peer(OURS, partial(_snapshot, bodies), 20), Peer(PANDAS, partial(_with_pandas, bodies), 2)]
    found = take_turns(peers, 15)
    ratio = found.ratio(OURS, PANDAS)
    sizes = sum(map(len, bodies.values())) // 1000
    print(f"\nParsing: four answers of {HISTORY_BARS} bars ({sizes} kB) to what a decision is made from, one thread")
    for name in (OURS, PANDAS):
        print(f"{name:<28}{found.cpu_us(name):>10.0f} µs CPU")
    print(f"{'ratio':<28}{ratio:>10.3f}   (target: at most {RATIO_MAX})")
    return [] if ratio <= RATIO_MAX else [f"bytes to snapshot took {ratio:.3f} × json and pandas"]


def _snapshot(bodies: dict[Timeframe, bytes]) -> FeatureSnapshot:
    windows = {each: candles_from(body, each) for each, body in bodies.items()}
    close = Decimal(str(windows[Timeframe.M5].ohlcv[3, -1]))
    quote = Quote(SYMBOL, close, close + 1, AT, Decimal("0.0001"), AT + timedelta(hours=4))
    return build_snapshot(SYMBOL, AT, windows, quote)


def _with_pandas(bodies: dict[Timeframe, bytes]) -> list[object]:
    import pandas as pd  # noqa: PLC0415 - optional, and the benchmark runs without it

    def columns(body: bytes) -> FloatArray:
        frame = pd.DataFrame(json.loads(body)).iloc[:, 1:6].astype(float)
        values: FloatArray = frame.to_numpy().T
        return values

    return [pandas_indicators(columns(body)) for body in bodies.values()]


def _routes(transport: PaperTransport) -> None:
    access = Access(ADDRESS, transport=transport)
    routes: list[Route] = [RestRoute(access), SdkRoute(access)]
    work: dict[str, Callable[[], object]] = {route.name: partial(_asked, route, Timeframe.M5) for route in routes}
    found = take_turns([Peer(name, ask, 10) for name, ask in work.items()], 15)
    extra = found.cpu_us("SDK") - found.cpu_us("REST")
    print(f"\nThe SDK's path: {extra / 1000:.2f} ms CPU more for an answer of {HISTORY_BARS} bars than plain REST")
    for name, modules in _IMPORTS.items():
        cpu_s, rss_mb = _imported(modules)
        print(f"importing {name:<18}{cpu_s:>6.2f} s CPU{rss_mb:>7.0f} MB")


def _imported(modules: str) -> tuple[float, float]:
    """CPU seconds and resident megabytes of a process that imports these and nothing else."""
    # The largest size so far would be that of the process that began this one.
    told = "import time, pathlib; print(time.process_time(), pathlib.Path('/proc/self/statm').read_text().split()[1])"
    program = [sys.executable, "-c", f"import {modules}; {told}"]
    output = subprocess.run(program, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own
    cpu_s, pages = output.split()
    return float(cpu_s), int(pages) * 4096 / 1e6
