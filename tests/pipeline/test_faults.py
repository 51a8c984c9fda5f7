"""Books that cannot be written for a while: nothing is lost, and what was interrupted is finished later."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders.installation import START, Installation
from withearth.domain.errors import Misconfigured
from withearth.local.cloud import LocalCloud, redeliver_before
from withearth.local.scheduler import Job
from withearth.store.port import Query
from withearth.store.sqlite import SqliteStore

DISPATCH = Job("dispatcher", "*/5 * * * *")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation that does not wait long for a locked file."""
    opened = Installation(tmp_path)
    opened.close()
    store = SqliteStore(tmp_path / "store.db", busy_timeout_s=0.02)
    return Installation(tmp_path, ports={"store": store})


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the file's write lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def dispatched(installation: Installation) -> LocalCloud:
    """A cloud whose tick messages wait on the bus."""
    cloud = installation.cloud()
    cloud.fire(DISPATCH)
    return cloud


def deliver_later(installation: Installation, cloud: LocalCloud) -> list[str]:
    """Let the back-off pass and deliver; the symbols that are decided then."""
    redeliver_before(cloud, installation.clock, START + timedelta(minutes=2))
    decided = installation.store.query(Query("decisions", where={"state": "DONE"}))
    return sorted(each.data["symbol"] for each in decided)


def test_locked_books_are_waited_for(installation: Installation, tmp_path: Path) -> None:
    """While another program holds the file nothing is decided; afterwards everything is, once."""
    cloud = dispatched(installation)
    with locked(tmp_path / "store.db"):
        cloud.deliver()
        assert installation.store.count(Query("decisions")) == 0
        assert installation.bus.pending() == 2

    assert deliver_later(installation, cloud) == ["BTCUSDT", "ETHUSDT"]
    assert installation.bus.pending() == 0


def test_a_full_disk_loses_nothing(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that needs a person keeps the message; once it is mended the work is done."""
    cloud = dispatched(installation)
    with monkeypatch.context() as broken:

        def full(*_arguments: object) -> str:
            raise Misconfigured("store.db cannot grow, the disk is full: make room")

        broken.setattr(SqliteStore, "commit", full)
        cloud.deliver()
        assert installation.bus.pending() == 2

    assert deliver_later(installation, cloud) == ["BTCUSDT", "ETHUSDT"]


def test_a_fault_that_stays_ends_as_a_dead_letter(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five attempts the message is kept aside, whole, and can be brought back."""
    cloud = dispatched(installation)
    with monkeypatch.context() as broken:

        def crashes(*_arguments: object) -> None:
            raise RuntimeError("a bug")

        broken.setattr(SqliteStore, "get", crashes)
        redeliver_before(cloud, installation.clock, START + timedelta(hours=1))
        letters = installation.bus.dead_letters()
        assert [letter.subscription for letter in letters] == ["worker-ticks", "worker-ticks"]

    for letter in letters:
        installation.bus.revive_dead_letter(letter.id)
    assert deliver_later(installation, cloud) == []
    cloud.deliver()
    late = installation.store.query(Query("decisions"))
    assert {each.data["blocked_by"] for each in late} == {"TICK_TOO_LATE"}
