from decimal import Decimal

import pytest

from tests.unit.paper_engine.paper_stage import SYMBOL, ZERO, Stage, order, refused, staged
from withearth.paper.engine.kinds import OrderStatus, PositionSide
from withearth.paper.engine.venue import Switches

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def _hedged() -> Stage:
    stage = staged()
    stage.exchange.set_position_mode(stage.account, dual_side=True)
    return stage


def test_reduce_only_needs_a_position_on_the_other_side() -> None:
    """-2022 when flat, and when it would add."""
    stage = staged()

    with refused(-2022):
        stage.market("SELL", "0.01", reduce_only=True)
    stage.market("BUY", "0.01")
    with refused(-2022):
        stage.market("BUY", "0.01", reduce_only=True)


def test_reduce_only_is_clamped_to_the_position() -> None:
    """The order becomes as large as what it can close, and never flips the position."""
    stage = staged()
    stage.market("BUY", "0.1")
    closed = stage.market("SELL", "5", reduce_only=True)

    assert (Decimal("0.1"), OrderStatus.FILLED) == (closed.quantity, closed.status)
    assert 0 == stage.position().quantity


def test_reduce_only_is_exempt_from_min_notional() -> None:
    """A small rest can be closed."""
    stage = staged()
    stage.market("BUY", "0.002")
    stage.at(40_000)

    assert OrderStatus.FILLED == stage.market("SELL", "0.001", reduce_only=True).status


def test_open_reduce_only_orders_count_against_the_position() -> None:
    """A second one gets what the first left; when nothing is left, -4118."""
    stage = staged()
    stage.market("BUY", "0.1")
    stage.limit("SELL", "0.06", "51000", reduce_only=True)
    second = stage.limit("SELL", "0.1", "52000", reduce_only=True)

    assert Decimal("0.04") == second.quantity
    with refused(-4118):
        stage.market("SELL", "0.1", reduce_only=True)


def test_reduce_only_beside_a_plain_order_must_not_flip_unpaid() -> None:
    """-4118 when both together would open the other side, and the margin for that is not there."""
    stage = staged(wallet=600)
    stage.market("BUY", "0.1")
    stage.limit("SELL", "0.2", "51000")

    with refused(-4118):
        stage.market("SELL", "0.1", reduce_only=True)
    rich = staged()
    rich.market("BUY", "0.1")
    rich.limit("SELL", "0.2", "51000")
    assert OrderStatus.FILLED == rich.market("SELL", "0.1", reduce_only=True).status


def test_a_closing_maker_gives_no_more_than_its_position() -> None:
    """Met by another account it closes what is left, and expires."""
    stage = staged()
    stage.market("BUY", "0.1")
    rests = stage.limit("SELL", "0.1", "50001", reduce_only=True)
    stage.position().quantity, stage.position().cost = Decimal("0.04"), Decimal(2000)
    other = stage.exchange.open_account("other", {"USDT": Decimal(10_000)})
    taker = stage.exchange.place(other, order("BUY", "0.1", "50001"))

    assert (OrderStatus.EXPIRED, Decimal("0.04")) == (rests.status, rests.executed)
    assert Decimal("0.04") == taker.executed


def test_a_triggered_stop_knocks_out_the_newest_targets_only() -> None:
    """What it does not need to displace stays."""
    stage = staged()
    stage.market("BUY", "0.1")
    older = stage.limit("SELL", "0.05", "51000", reduce_only=True)
    newer = stage.limit("SELL", "0.05", "52000", reduce_only=True)
    stage.algo("SELL", "STOP_MARKET", "49000", "0.05", reduce_only=True)
    stage.at(48_900)

    assert (OrderStatus.NEW, OrderStatus.EXPIRED) == (older.status, newer.status)
    assert Decimal("0.05") == stage.position().quantity


def test_a_closing_order_ends_with_its_position() -> None:
    """Once the position is gone a resting reduce-only order expires: it cannot open anything."""
    stage = staged()
    stage.market("BUY", "0.1")
    target = stage.limit("SELL", "0.1", "51000", reduce_only=True)
    stage.market("SELL", "0.1")

    assert OrderStatus.EXPIRED == target.status


def test_a_resting_reduce_only_order_fills_no_more_than_is_left() -> None:
    """The position shrank meanwhile: the order closes the rest and expires with its remainder."""
    stage = staged()
    stage.market("BUY", "0.1")
    target = stage.limit("SELL", "0.1", "51000", reduce_only=True)
    stage.market("SELL", "0.06")
    stage.at(51_500)

    assert (OrderStatus.EXPIRED, Decimal("0.04")) == (target.status, target.executed)
    assert 0 == stage.position().quantity


def test_a_triggered_stop_takes_the_place_of_a_resting_target() -> None:
    """The stop closes the position; the target it competes with is knocked out."""
    stage = staged()
    stage.market("BUY", "0.1")
    target = stage.limit("SELL", "0.1", "51000", reduce_only=True)
    stop = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True)
    stage.at(48_900)

    assert OrderStatus.EXPIRED == target.status
    assert ("FINISHED", Decimal("0.1")) == (stop.status, stop.actual_quantity)
    assert 0 == stage.position().quantity


def test_a_stricter_exchange_rejects_the_triggered_stop() -> None:
    """With the switch off a covered position is as closed to a stop as to a direct order."""
    stage = staged(switches=Switches(triggers_knock_out=False))
    stage.market("BUY", "0.1")
    stage.limit("SELL", "0.1", "51000", reduce_only=True)
    stop = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True)
    stage.at(48_900)

    assert ("REJECTED", True) == (stop.status, stop.reject_reason.startswith("ReduceOnly"))
    assert Decimal("0.1") == stage.position().quantity


@pytest.mark.parametrize("flag", [True, False])
def test_hedge_mode_knows_no_reduce_only(flag: bool) -> None:
    """-1106 as soon as the parameter is sent, as seen live."""
    with refused(-1106):
        _hedged().market("BUY", "0.01", position_side=LONG, reduce_only=flag)


def test_the_position_side_has_to_fit_the_mode() -> None:
    """-4061 both ways."""
    with refused(-4061):
        staged().market("BUY", "0.01", position_side=LONG)
    with refused(-4061):
        _hedged().market("BUY", "0.01")


def test_hedge_mode_holds_both_sides_at_once() -> None:
    """Long and short live side by side, and each is closed from its own side."""
    stage = _hedged()
    stage.market("BUY", "0.2", position_side=LONG)
    stage.market("SELL", "0.3", position_side=SHORT)
    closed = stage.market("SELL", "0.5", position_side=LONG)

    assert Decimal("0.2") == closed.executed
    assert (ZERO, Decimal("-0.3")) == (stage.position(LONG).quantity, stage.position(SHORT).quantity)
    with refused(-2022):
        stage.market("SELL", "0.1", position_side=LONG)
    assert ["SHORT"] == [each.position_side for each in stage.exchange.positions_in_use(stage.account)]


def test_the_mode_changes_only_when_flat_and_quiet() -> None:
    """-4059 when it is so already, -4067 with orders, -4068 with positions."""
    stage = staged()

    with refused(-4059):
        stage.exchange.set_position_mode(stage.account, dual_side=False)
    placed = stage.limit("BUY", "0.01", "49000")
    with refused(-4067):
        stage.exchange.set_position_mode(stage.account, dual_side=True)
    stage.exchange.cancel(stage.account, SYMBOL, placed.order_id)
    stage.market("BUY", "0.01")
    with refused(-4068):
        stage.exchange.set_position_mode(stage.account, dual_side=True)
