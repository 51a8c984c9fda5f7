"""All functions on Google's own emulators: messages pushed over HTTP, books in Firestore."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from tests.builders.deployment import Site, deployed
from tests.builders.installation import START, AlwaysLong, settings_of
from tests.fakes.clock import ManualClock
from withearth import bootstrap, log_context
from withearth.execution.paper_venue import PaperVenue
from withearth.flow.documents import DECISIONS, INTENTS, TRADES, view_ref
from withearth.local.checks import Coverage, check
from withearth.local.functions import FunctionHost
from withearth.messaging.pubsub import PubSubPublisher
from withearth.store.firestore import FirestoreStore
from withearth.store.port import Query

MINUTE = timedelta(minutes=1)


def test_a_tick_becomes_closed_trades_in_the_cloud(
    tmp_path: Path, project: str, firestore_emulator: str, pubsub_emulator: str
) -> None:
    """Dispatcher, worker, executor, reconciler and API, from a tick to a trade that the exchange's books agree with."""
    clock = ManualClock(START)
    settings = settings_of(tmp_path, EXECUTE_TRADES="true", VENUE="paper", HORIZON_MIN="15", ENTRY_MODE="MARKET")
    with (
        closing(FirestoreStore(project, emulator=firestore_emulator)) as store,
        closing(PubSubPublisher(project, emulator=pubsub_emulator)) as publisher,
    ):
        runtime = replace(bootstrap.assemble(settings, clock, store, publisher), predictor=AlwaysLong())
        assert isinstance(runtime.venue, PaperVenue)
        coverage = Coverage(runtime.venue, clock)
        runtime.venue.watch = coverage.sample
        host, site = FunctionHost(runtime), Site({bootstrap.ENVIRON_KEY: runtime})
        with deployed(pubsub_emulator, project, site):
            assert 200 == host.call("dispatcher")[0]
            site.wait_for("worker", len(settings.symbols))
            intents = sum(each.data["intent"] is not None for each in store.query(Query(DECISIONS)))
            site.wait_for("executor", intents)
            for _ in range(settings.horizon_min + 5):
                clock.advance(MINUTE)
                assert 200 == host.call("reconciler")[0]

        trades = [each.data for each in store.query(Query(TRADES))]
        checks = check(runtime.venue, store, coverage, timedelta(seconds=settings.protect_within_sec))
        assert intents == len(trades) > 0
        assert {"CLOSED"} == {each["status"] for each in trades}
        assert {"EXECUTED"} == {each.data["state"] for each in store.query(Query(INTENTS))}
        assert (True, 0, timedelta()) == (checks.hold, checks.still_open, checks.longest_uncovered)
        assert 200 == host.call("api", method="GET", path="/health")[0]


@pytest.fixture
def own_runtime() -> Iterator[None]:
    """Functions that build their runtime themselves, as an instance in the cloud does at its first request."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    bootstrap._process_runtime.cache_clear()
    yield
    bootstrap._process_runtime.cache_clear()
    root.handlers[:], root.level = handlers, level
    log_context.begin_request({})


@pytest.mark.usefixtures("own_runtime")
def test_functions_in_the_cloud_need_no_disk_of_their_own(
    tmp_path: Path,
    project: str,
    firestore_emulator: str,
    pubsub_emulator: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From settings alone: books and messages in the cloud, shadow trades, JSON on standard output, and no file."""
    monkeypatch.chdir(tmp_path)
    chosen = {
        "STORE": "cloud",
        "PROJECT_ID": project,
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "PUBSUB_EMULATOR_HOST": pubsub_emulator,
        "SYMBOLS": "BTCUSDT,ETHUSDT",
        "STATE_DIR": str(tmp_path / "state"),
        "LOG_DIR": str(tmp_path / "logs"),
        "MAX_TICK_AGE_SEC": "300",
        "INTENT_TTL_SEC": "600",
    }
    for key, value in chosen.items():
        monkeypatch.setenv(key, value)
    site = Site()
    with deployed(pubsub_emulator, project, site) as address:
        called = [_post(site, name) for name in ("dispatcher", "reconciler")]
        site.wait_for("worker", 2)
        called.append(_post(site, "reconciler"))

    assert [200, 200, 200] == called, address
    with closing(FirestoreStore(project, emulator=firestore_emulator)) as store:
        assert {"DONE"} == {each.data["state"] for each in store.query(Query(DECISIONS))}
        assert store.get(view_ref("overview")) is not None
    assert [] == list(tmp_path.iterdir())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert all({"severity", "message", "time"} <= set(line) for line in lines)
    assert "TICK_SENT" in {line.get("signal") for line in lines}


@pytest.mark.usefixtures("own_runtime")
def test_a_function_that_cannot_start_says_what_to_mend(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """500, so that the message waits; one error a problem in the log; and the next request tries again."""
    monkeypatch.setenv("STORE", "cloud")
    monkeypatch.setenv("MIN_PROB", "2")
    site = Site()

    assert [500, 500] == [_post(site, name) for name in ("dispatcher", "reconciler")]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    told = [each for each in lines if each["logger"] == bootstrap.__name__]
    assert 4 == len(told)
    assert all(each["severity"] == "ERROR" and each["message"].startswith("misconfigured ") for each in told)
    assert any("PROJECT_ID is empty" in each["message"] for each in told)


def _post(site: Site, name: str) -> int:
    """Call a function as the scheduler does, and return its status."""
    statuses: list[int] = []

    def start(status: str, _headers: Any, _exc_info: Any = None) -> None:
        statuses.append(int(status.split(" ", 1)[0]))

    environ = EnvironBuilder(path=f"/{name}", method="POST", data=b"{}", content_type="application/json").get_environ()
    list(site(environ, start))
    return statuses[-1]
