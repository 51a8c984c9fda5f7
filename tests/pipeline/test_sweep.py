"""What stands on the exchange without an execution of ours."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.installation import Installation
from withearth.execution.orders import Accepted, Action, Conditional, Order, Trigger
from withearth.execution.paper_venue import ACCOUNT, PaperVenue
from withearth.flow.prepare import prepare
from withearth.flow.sweep import sweep
from withearth.paper.engine.kinds import AlgoType, OrderSide
from withearth.paper.engine.orders import PlaceAlgo

ORPHAN = "BTCUSDT-20260105T0000Z-s0"
FOREIGN = "somebody/else:1"
ANOTHER_INSTALLATION_S = "BTCUSDT-20260105T0000Z-s0k7q"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation that executes on the paper exchange."""
    return Installation(tmp_path, EXECUTE_TRADES="true")


def venue_of(installation: Installation) -> PaperVenue:
    """Its exchange."""
    assert isinstance(installation.runtime.venue, PaperVenue)
    return installation.runtime.venue


def stop(installation: Installation, client_id: str) -> None:
    """Leave a stop far below the market."""
    venue, now = venue_of(installation), installation.clock.now()
    bid, _ = venue.touch("BTCUSDT")
    far = installation.runtime.market.instrument("BTCUSDT").price_down(bid * Decimal("0.98"))
    armed = venue.arm(Conditional("BTCUSDT", client_id, Action.SELL, Decimal("0.001"), Trigger.STOP, far), now)
    assert isinstance(armed, Accepted)


def swept(installation: Installation) -> list[str]:
    """Sweep once, and say which conditional orders are left."""
    venue = venue_of(installation)
    sweep(installation.runtime, venue)
    installation.clock.set(installation.clock.now() + timedelta(minutes=5))
    return [each.client_id for each in venue.everything()[2]]


def test_r03_a_forgotten_stop_is_taken_away_when_seen_twice(installation: Installation) -> None:
    """R3: an order of ours without a running execution goes at the second look, and the log tells."""
    stop(installation, ORPHAN)

    assert [ORPHAN] == swept(installation)
    assert [] == swept(installation)
    assert installation.events() == ["ORPHAN_REMOVED"]


@pytest.mark.parametrize("id_", [FOREIGN, ANOTHER_INSTALLATION_S])
def test_orders_of_others_are_reported_once_and_left_alone(installation: Installation, id_: str) -> None:
    """Whatever their ids look like, also those of another withEarth on the account."""
    stop(installation, id_)

    assert [id_] == swept(installation)
    assert [id_] == swept(installation)
    assert [id_] == swept(installation)
    assert installation.events() == ["FOREIGN"]


def test_r09_a_position_that_is_not_ours_is_reported_and_left_alone(installation: Installation) -> None:
    """R9: a position without a trade of ours is told, and stays as it is."""
    venue = venue_of(installation)
    venue.place(Order("BTCUSDT", FOREIGN, Action.BUY, Decimal("0.001")), installation.clock.now())

    swept(installation)

    assert installation.events() == ["FOREIGN"]
    assert venue.truth("BTCUSDT").position.qty == Decimal("0.001")


def test_r16_a_symbol_is_prepared_once_and_looked_at_again_after_an_hour(installation: Installation) -> None:
    """R16: margin type and leverage are as the settings say, and a person's change is noticed within the hour."""
    venue, clock = venue_of(installation), installation.clock
    prepare(installation.runtime, venue, "BTCUSDT")
    assert (venue.symbol_modes("BTCUSDT").margin_type, venue.symbol_modes("BTCUSDT").leverage) == ("ISOLATED", 5)

    venue.set_leverage("BTCUSDT", 20, clock.now())
    prepare(installation.runtime, venue, "BTCUSDT")
    assert venue.symbol_modes("BTCUSDT").leverage == 20
    clock.set(clock.now() + timedelta(hours=1))
    prepare(installation.runtime, venue, "BTCUSDT")
    assert venue.symbol_modes("BTCUSDT").leverage == 5


def test_r06_a_close_all_order_of_others_is_read_without_a_quantity(installation: Installation) -> None:
    """R6: a closePosition order carries no quantity; it is read, reported as foreign, and covers nothing of ours."""
    venue = venue_of(installation)
    exchange = venue.exchange
    account, bid = exchange.account(ACCOUNT), venue.touch("BTCUSDT")[0]
    far = installation.runtime.market.instrument("BTCUSDT").price_down(bid * Decimal("0.98"))
    order = PlaceAlgo(
        symbol="BTCUSDT", side=OrderSide.SELL, type=AlgoType.STOP_MARKET, trigger_price=far, close_position=True
    )
    exchange.place_algo(account, order)

    [seen] = venue.truth("BTCUSDT").conditionals
    sweep(installation.runtime, venue)

    assert (Decimal(0), False) == (seen.qty, seen.reduce_only)
    assert installation.events() == ["FOREIGN"]
