"""The schedules of one machine, as they are listed, paused, resumed and run."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.handlers.loopback import serving_on_loopback
from withearth.local.schedules import LocalSchedules, calling, paused
from withearth.store.sqlite import SqliteStore


@pytest.fixture
def called() -> list[str]:
    """The functions that were called."""
    return []


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """The books."""
    with closing(SqliteStore(tmp_path / "store.db")) as opened:
        yield opened


@pytest.fixture
def schedules(store: SqliteStore, called: list[str]) -> LocalSchedules:
    """The schedules over these books."""
    return LocalSchedules(store, ManualClock(NOON), called.append)


def test_every_schedule_is_listed_with_its_next_run(schedules: LocalSchedules) -> None:
    """In UTC, by name."""
    listed = {each.name: each for each in schedules.all()}

    assert sorted(listed) == [each.name for each in schedules.all()]
    assert "2024-01-01T12:00:00Z" == listed["dispatcher"].next_at
    assert not listed["dispatcher"].paused


def test_a_pause_lasts_until_it_is_resumed(schedules: LocalSchedules, store: SqliteStore) -> None:
    """It stands in the books, where a running system looks; twice is as good as once."""
    schedules.pause("dispatcher")
    schedules.pause("dispatcher")
    schedules.pause("reconciler")
    schedules.resume("reconciler")

    assert {"dispatcher"} == paused(store)
    assert [True] == [each.paused for each in schedules.all() if each.name == "dispatcher"]
    schedules.resume("dispatcher")
    assert not paused(store)


@pytest.mark.parametrize("verb", ["pause", "resume", "run"])
def test_a_name_that_is_none_is_told(schedules: LocalSchedules, called: list[str], verb: str) -> None:
    """With those there are; nothing is called."""
    with pytest.raises(Misconfigured, match=r"no schedule dispatch: there are dispatcher, reconciler"):
        getattr(schedules, verb)("dispatch")
    assert [] == called


def test_a_paused_schedule_can_be_run_by_hand(schedules: LocalSchedules, called: list[str]) -> None:
    """Now, and once."""
    schedules.pause("dispatcher")
    schedules.run("dispatcher")

    assert ["dispatcher"] == called


@pytest.mark.parametrize(("status", "told"), [("200 OK", ""), ("503 Service Unavailable", "answered 503: busy")])
def test_a_run_posts_to_the_running_system(status: str, told: str) -> None:
    """At the function's own path; what it answers is told when it fails."""
    asked: list[tuple[str, str]] = []

    def system(environ, start_response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - WSGI
        asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        start_response(status, [("Content-Length", "4")])
        return [b"busy"]

    with serving_on_loopback(system, 0, "PORT") as address:
        call = calling(int(address.rsplit(":", 1)[1]))
        if told:
            with pytest.raises(Unavailable, match=told):
                call("dispatcher")
        else:
            call("dispatcher")
    assert [("POST", "/fn/dispatcher")] == asked


def test_without_a_running_system_a_run_says_so() -> None:
    """Which port was asked, and what to start."""
    with pytest.raises(Unavailable, match="Nothing answers at port 9: start `withearth run`, or correct PORT"):
        calling(9)("dispatcher")
