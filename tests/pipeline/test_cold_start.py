"""What each function loads before it works: a list of modules, which no busy machine changes.

Seconds and memory are measured by `make bench`.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks.cold_start import CLOUD, STOPPED_BY, Stages, cold_start, prices, to_the_gate
from withearth.local.functions import FUNCTIONS

ANALYSIS = ("pandas", "polars", "pyarrow", "scipy", "sklearn", "talib", "numba")
EXCHANGE = ("binance_sdk_derivatives_trading_usds_futures", "binance_common", "aiohttp", "ccxt")
MODEL = ("google.genai", "httpx", "httpx2")
CLOUD_CLIENTS = ("grpc", "google.auth", "google.cloud.firestore_v1", "google.pubsub_v1")
TERMINAL = ("typer", "rich", "withearth.cli", "withearth.paper", "withearth.history")
WITHOUT_CANDLES = ("dispatcher", "api", "sentiment")


def loaded(stage: object, names: Iterable[str]) -> list[str]:
    """Which of these packages, or anything in them, a stage has loaded."""
    assert isinstance(stage, dict)
    return [name for name in names if any(f"{each}.".startswith(f"{name}.") for each in stage["modules"])]


@pytest.fixture(scope="module", params=FUNCTIONS)
def started(request: pytest.FixtureRequest) -> tuple[str, Stages]:
    """A function in the cloud, as far as it comes without a request."""
    return request.param, cold_start(request.param, "cloud", CLOUD)


def test_an_entry_point_loads_nothing_dear(started: tuple[str, Stages]) -> None:
    """Neither the exchange's SDK nor the model's, no client of the cloud; numpy only where candles are looked at."""
    function, stages = started

    without = (*ANALYSIS, *EXCHANGE, *MODEL, *CLOUD_CLIENTS, *TERMINAL, "requests")
    assert not loaded(stages["entry"], (*without, "numpy") if function in WITHOUT_CANDLES else without)


def test_a_runtime_in_the_cloud_loads_its_store_and_no_more(started: tuple[str, Stages]) -> None:
    """Firestore's client, because each function asks it; Pub/Sub's with the first message, the SDKs with their use."""
    _, stages = started

    assert loaded(stages["ready"], ["google.cloud.firestore_v1"])
    assert not loaded(stages["ready"], (*ANALYSIS, *EXCHANGE, *MODEL, *TERMINAL, "google.pubsub_v1"))


def test_a_worker_comes_to_its_gate_without_asking_for_an_sdk(tmp_path: Path) -> None:
    """At prices that come over HTTP: what the gate stops has paid for neither the model's SDK nor the exchange's."""
    with prices() as address:
        gate = cold_start("worker", "gate", to_the_gate(address, tmp_path))["gate"]

    assert gate["blocked_by"] == STOPPED_BY
    assert not loaded(gate, (*ANALYSIS, *EXCHANGE, *MODEL, *TERMINAL, "google.pubsub_v1"))
