"""What is wrong between the account and our books, on the status bar."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.trading import MINUTE, Trading, World, with_fault
from withearth.flow.documents import canary_ref, drift_ref, view_ref
from withearth.paper.faults import FaultKind
from withearth.store.port import Ref, Replace


def shown(trading: Trading) -> tuple[str, str | None]:
    """Level and words of the check."""
    overview = trading.store.get(view_ref("overview"))
    assert overview is not None
    check: dict[str, Any] = next(each for each in overview.data["health"] if each["check"] == "ACCOUNT")
    return check["level"], check["value"]


@pytest.mark.parametrize("kind", ["PAPER", "DEMO"])
def test_an_account_that_agrees_is_well(tmp_path: Path, kind: str) -> None:
    """Read, explained, tried and compared: nothing to tell."""
    world = World()
    world.kind = kind
    with Trading(tmp_path, world) as trading:
        trading.reconcile()

        assert ("ok", None) == shown(trading)


def test_an_equity_that_nobody_knows_is_watched(tmp_path: Path) -> None:
    """The account was not read for too long."""
    world = World()
    world.kind = "DEMO"
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        with_fault(world, kind=FaultKind.UNAVAILABLE, method="GET", path="/v3/account", times=100)
        world.sleep(timedelta(minutes=6))
        trading.reconcile()

        assert ("watch", "EQUITY_UNKNOWN") == shown(trading)


@pytest.mark.parametrize(
    ("ref", "changed", "told"),
    [
        (drift_ref("DEMO"), {"differences": {"BTCUSDT": "the exchange booked 1"}}, ("watch", "DRIFT")),
        (canary_ref(), {"fault": "-4120"}, ("alarm", "CANARY")),
    ],
)
def test_what_the_daily_checks_found_stays_until_the_next(
    tmp_path: Path, ref: Ref, changed: dict[str, Any], told: tuple[str, str]
) -> None:
    """Books that differ are watched; stops that do not work are an alarm."""
    world = World()
    world.kind = "DEMO"
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        found = trading.store.get(ref)
        assert found is not None
        trading.store.commit([Replace(ref, dict(found.data) | changed)])
        world.sleep(MINUTE)
        trading.reconcile()

        assert told == shown(trading)
