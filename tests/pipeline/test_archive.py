"""What lies in the archive after a day, and what becomes of a bucket that cannot be written."""

import csv
import io
import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.installation import START, AlwaysLong, Installation
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.flow.documents import TRADES, ledger_ref
from withearth.store.port import Query

JOURNAL = "journal/shadow-20260105.csv"
BALANCE = "balance/shadow-20260105.csv"


class Drawer:
    """An archive in memory, which can be made to fail."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.writes = 0
        self.fault: Exception | None = None

    def keep(self, name: str, text: str) -> None:
        """Keep a text."""
        self.writes += 1
        if self.fault is not None:
            raise self.fault
        self.kept[name] = text


def rows(text: str) -> list[dict[str, str]]:
    """The rows of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def drawer() -> Drawer:
    """An empty archive."""
    return Drawer()


@pytest.fixture
def opened(tmp_path: Path, drawer: Drawer) -> Iterator[Installation]:
    """An installation that has traded for an hour of a day."""
    ports = {"predictor": AlwaysLong(), "archive": drawer}
    with closing(Installation(tmp_path, ports=ports, HORIZON_MIN="15")) as installation:
        installation.run(1)
        drawer.kept.clear()
        drawer.writes = 0
        yield installation


def next_day(opened: Installation) -> int:
    """The first pass of the next UTC day at which all of this one is booked, and its status."""
    opened.clock.set(max(opened.clock.now() + timedelta(minutes=1), START + timedelta(hours=25)))
    return opened.functions().call("reconciler")[0]


def test_a_day_is_archived_once(opened: Installation, drawer: Drawer) -> None:
    """Every trade that closed on it, with the net figures, and the balance; the next pass finds it done."""
    assert 200 == next_day(opened)
    closed = [each.data for each in opened.store.query(Query(TRADES)) if each.data["status"] == "CLOSED"]
    journal, balance = rows(drawer.kept[JOURNAL]), rows(drawer.kept[BALANCE])

    assert sorted(each["id"] for each in closed) == sorted(each["id"] for each in journal)
    assert sum(Decimal(each["net_pnl"]) for each in closed) == sum(Decimal(each["net_pnl"]) for each in journal)
    ledger = opened.store.get(ledger_ref("SHADOW"))
    assert ledger is not None
    assert [ledger.data["net"]] == [each["net"] for each in balance]
    assert 200 == next_day(opened)
    assert 2 == drawer.writes


def test_days_on_which_nothing_ran_are_made_good(opened: Installation, drawer: Drawer) -> None:
    """The journal of the day on which trades closed comes with the first pass after three days, and no empty ones."""
    opened.clock.set(START + timedelta(days=4, hours=1))
    assert 200 == opened.functions().call("reconciler")[0]

    assert {JOURNAL, JOURNAL.replace("05", "08"), BALANCE.replace("05", "08")} == set(drawer.kept)
    assert rows(drawer.kept[JOURNAL])
    assert 200 == opened.functions().call("reconciler")[0]
    assert 3 == drawer.writes


@pytest.mark.parametrize("fault", [Unavailable("later"), Misconfigured("There is no bucket: make one.")])
def test_a_bucket_that_fails_holds_up_nothing(
    opened: Installation, drawer: Drawer, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """The pass goes on, says so, and the next one makes it good."""
    drawer.fault = fault
    with caplog.at_level(logging.WARNING):
        assert 200 == next_day(opened)
    assert str(fault) in caplog.text
    assert {} == drawer.kept

    drawer.fault = None
    assert 200 == next_day(opened)
    assert {JOURNAL, BALANCE} == set(drawer.kept)
