from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.paper_engine.paper_stage import SYMBOL, ZERO, Stage, algo, instrument, refused, staged
from withearth.paper.engine.kinds import (
    AlgoStatus,
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    TimeInForce,
    WorkingType,
)
from withearth.paper.engine.venue import Switches


def _long(quantity: str = "0.1", **more: Any) -> Stage:
    stage = staged(**more)
    stage.market("BUY", quantity)
    return stage


def test_a_bracket_lives_on_the_exchange_from_entry_to_exit() -> None:
    """Stop, entry, target in this order; the target closes the position, and the stop stays until it is taken away."""
    stage = staged()
    stop = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True, client_algo_id="stop")
    stage.market("BUY", "0.1")
    target = stage.algo("SELL", "TAKE_PROFIT_MARKET", "51000", "0.1", reduce_only=True, client_algo_id="target")
    stage.at(50_900)
    waiting = (stop.status, target.status)
    stage.at(51_000)
    made = stage.exchange.query(stage.account, SYMBOL, client_order_id="target")

    assert (AlgoStatus.NEW, AlgoStatus.NEW) == waiting
    assert (AlgoStatus.FINISHED, made.order_id) == (target.status, target.actual_order_id)
    assert (OrderType.MARKET, OrderStatus.FILLED, True) == (made.type, made.status, made.reduce_only)
    assert (Decimal("0.1"), made.average_price) == (target.actual_quantity, target.actual_price)
    assert 0 == stage.position().quantity
    assert [stop] == stage.exchange.open_algo_orders(stage.account, SYMBOL)
    stage.exchange.cancel_algo(stage.account, client_algo_id="stop")
    assert AlgoStatus.CANCELED == stop.status


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "quiet", "fires"),
    [
        ("SELL", "STOP_MARKET", "49000", "49000.1", "49000"),
        ("BUY", "STOP_MARKET", "51000", "50999.9", "51000"),
        ("SELL", "TAKE_PROFIT_MARKET", "51000", "50999.9", "51000"),
        ("BUY", "TAKE_PROFIT_MARKET", "49000", "49000.1", "49000"),
    ],
)
def test_it_fires_when_the_price_reaches_the_trigger(
    side: str, kind: str, trigger: str, quiet: str, fires: str
) -> None:
    """Stops fire against the position, take-profits with it; the trigger itself counts."""
    stage = staged()
    waiting = stage.algo(side, kind, trigger, "0.1")
    stage.at(quiet)
    before = waiting.status
    stage.at(fires)

    assert (AlgoStatus.NEW, AlgoStatus.FINISHED) == (before, waiting.status)
    assert stage.exchange.now_ms == waiting.triggered_ms


@pytest.mark.parametrize(
    ("side", "kind", "trigger"),
    [
        ("SELL", "STOP_MARKET", "50000"),
        ("BUY", "STOP_MARKET", "50000"),
        ("SELL", "TAKE_PROFIT_MARKET", "49000"),
        ("BUY", "TAKE_PROFIT_MARKET", "51000"),
    ],
)
def test_a_trigger_that_is_already_reached_is_refused(side: str, kind: str, trigger: str) -> None:
    """-2021: after this answer to a stop-loss the price is through."""
    with refused(-2021):
        staged().algo(side, kind, trigger, "0.1")


def test_the_working_type_says_which_price_fires() -> None:
    """The mark price does not see a wick of the last price."""
    stage = _long()
    by_mark = stage.algo("SELL", "STOP_MARKET", "49000", "0.05", reduce_only=True, working_type=WorkingType.MARK_PRICE)
    by_last = stage.algo("SELL", "STOP_MARKET", "49000", "0.05", reduce_only=True)
    stage.at(48_500, mark="49500")

    assert (AlgoStatus.NEW, AlgoStatus.FINISHED) == (by_mark.status, by_last.status)


def test_price_protection_waits_until_mark_and_last_agree() -> None:
    """No trigger while they differ by more than triggerProtect."""
    stage = _long()
    stop = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True, price_protect=True)
    stage.at(45_000, mark="50000")
    protected = stop.status
    stage.at(48_000, mark="50000")

    assert (AlgoStatus.NEW, AlgoStatus.FINISHED) == (protected, stop.status)


def test_a_stop_limit_becomes_a_limit_order() -> None:
    """TRIGGERED while its order rests, FINISHED when that ends, filled or cancelled."""
    stage = _long()
    stop = stage.algo("SELL", "STOP", "49000", "0.1", price="49500", time_in_force=TimeInForce.GTC, reduce_only=True)
    stage.at(48_900)
    resting = (stop.status, stop.actual_quantity)
    (made,) = stage.exchange.open_orders(stage.account)
    stage.exchange.cancel(stage.account, SYMBOL, made.order_id)

    assert (AlgoStatus.TRIGGERED, ZERO) == resting
    assert (OrderType.LIMIT, Decimal(49_500)) == (made.type, made.price)
    assert (AlgoStatus.FINISHED, ZERO) == (stop.status, stop.actual_quantity)


def test_what_fired_is_cancelled_as_an_ordinary_order() -> None:
    """-2011 at the conditional endpoint, also for one nobody knows; -2013 when such a one is queried."""
    stage = _long()
    stop = stage.algo("SELL", "STOP", "49000", "0.1", price="49500", reduce_only=True)
    stage.at(48_900)

    with refused(-2011):
        stage.exchange.cancel_algo(stage.account, stop.algo_id)
    with refused(-2011):
        stage.exchange.cancel_algo(stage.account, client_algo_id="nobody")
    with refused(-2013):
        stage.exchange.query_algo(stage.account, 1)
    with refused(-1102):
        stage.exchange.query_algo(stage.account)
    assert stop is stage.exchange.query_algo(stage.account, stop.algo_id)


def test_a_reduce_only_stop_without_position_waits_and_cuts_the_next_one() -> None:
    """A forgotten stop is live ammunition; fired without a position it is rejected."""
    stage = staged()
    forgotten = stage.algo("SELL", "STOP_MARKET", "49000", "0.05", reduce_only=True)
    idle = stage.algo("SELL", "STOP_MARKET", "48000", "0.05", reduce_only=True)
    stage.market("BUY", "0.05")
    stage.at(48_900)
    stage.at(47_900)

    assert (AlgoStatus.FINISHED, Decimal("0.05")) == (forgotten.status, forgotten.actual_quantity)
    assert (AlgoStatus.REJECTED, "ReduceOnly Order is rejected.") == (idle.status, idle.reject_reason)
    assert 0 == stage.position().quantity


def test_an_exchange_may_refuse_a_reduce_only_stop_without_position() -> None:
    """With the switch off it is -2022 while flat."""
    stage = staged(switches=Switches(reduce_only_without_position=False))

    with refused(-2022):
        stage.algo("SELL", "STOP_MARKET", "49000", "0.05", reduce_only=True)
    stage.market("BUY", "0.05")
    assert stage.algo("SELL", "STOP_MARKET", "49000", "0.05", reduce_only=True).is_open


def test_close_position_closes_whatever_there_is() -> None:
    """Its quantity is the position at the moment it fires."""
    stage = _long()
    stop = stage.algo("SELL", "STOP_MARKET", "49000", close_position=True)
    stage.market("BUY", "0.25")
    stage.at(48_900)

    assert (AlgoStatus.FINISHED, Decimal("0.35")) == (stop.status, stop.actual_quantity)
    assert 0 == stage.position().quantity


def test_one_close_position_order_per_direction_and_kind() -> None:
    """-4130 for a second stop; a target beside it is fine; and once the first is gone, the second may come."""
    stage = _long()
    first = stage.algo("SELL", "STOP_MARKET", "49000", close_position=True)
    stage.algo("SELL", "TAKE_PROFIT_MARKET", "51000", close_position=True)

    with refused(-4130):
        stage.algo("SELL", "STOP_MARKET", "48000", close_position=True)
    stage.exchange.cancel_algo(stage.account, first.algo_id)
    assert stage.algo("SELL", "STOP_MARKET", "48000", close_position=True).is_open


def test_gte_gtc_lives_as_long_as_its_position() -> None:
    """It needs a position, and expires with it; a plain stop stays."""
    stage = staged()

    with refused(-2022):
        stage.algo("SELL", "STOP_MARKET", "49000", close_position=True, time_in_force=TimeInForce.GTE_GTC)
    stage.market("BUY", "0.1")
    bound = stage.algo("SELL", "STOP_MARKET", "49000", close_position=True, time_in_force=TimeInForce.GTE_GTC)
    free = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True)
    stage.market("SELL", "0.1")

    assert (AlgoStatus.EXPIRED, AlgoStatus.NEW) == (bound.status, free.status)


def test_margin_is_looked_at_only_when_it_fires() -> None:
    """A stop that nobody could pay for is accepted, and rejected when its time comes."""
    stage = staged(wallet=10)
    entry = stage.algo("BUY", "STOP_MARKET", "51000", "1")
    stage.at(51_100)

    assert (AlgoStatus.REJECTED, "Margin is insufficient.") == (entry.status, entry.reject_reason)


def test_two_hundred_conditional_orders_are_the_limit() -> None:
    """-4045, over all symbols together."""
    stage = staged()
    for _ in range(200):
        stage.algo("SELL", "STOP_MARKET", "40000", "0.1", reduce_only=True)

    with refused(-4045):
        stage.algo("SELL", "STOP_MARKET", "40000", "0.1", reduce_only=True)
    stage.exchange.cancel_all_algo(stage.account, SYMBOL)
    assert stage.algo("SELL", "STOP_MARKET", "40000", "0.1", reduce_only=True).is_open


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (algo("SELL", "STOP_MARKET", None, "0.1"), -1102),
        (algo("SELL", "STOP_MARKET", "49000"), -1102),
        (algo("SELL", "STOP_MARKET", "NaN", "0.1"), -1100),
        (algo("SELL", "STOP_MARKET", "-1", "0.1"), -4006),
        (algo("SELL", "STOP_MARKET", "0", "0.1"), -4006),
        (algo("BUY", "STOP_MARKET", "1e300", "0.1"), -4007),
        (algo("BUY", "STOP_MARKET", "300000", "0.1"), -4210),
        (algo("SELL", "STOP_MARKET", "2000", "0.1"), -4211),
        (algo("SELL", "STOP_MARKET", "49000.05", "0.1"), -4014),
        (algo("SELL", "STOP_MARKET", "49000", "0"), -4003),
        (algo("SELL", "STOP_MARKET", "49000", "121"), -4005),
        (algo("SELL", "STOP_MARKET", "49000", "0.001"), -4164),
        (algo("SELL", "STOP_MARKET", "49000", "0.1", price="49000"), -1106),
        (algo("SELL", "STOP_MARKET", "49000", "0.1", callback_rate=Decimal(1)), -1106),
        (algo("SELL", "STOP_MARKET", "49000", "0.1", price_match=PriceMatch.QUEUE), -5038),
        (algo("SELL", "STOP", "49000", "0.1"), -1102),
        (algo("SELL", "STOP", "49000", "0.1", price="46000"), -4184),
        (algo("BUY", "STOP", "51000", "0.1", price="54000"), -4183),
        (algo("SELL", "STOP", "49000", "0.1", price="49000", price_match=PriceMatch.QUEUE), -1106),
        (algo("SELL", "STOP", "49000", close_position=True), -1106),
        (algo("SELL", "STOP_MARKET", "49000", "0.1", close_position=True), -4137),
        (algo("SELL", "STOP_MARKET", "49000", close_position=True, reduce_only=True), -1106),
        (algo("SELL", "STOP_MARKET", "49000", close_position=True, reduce_only=False), -4138),
        (algo("SELL", "STOP_MARKET", "49000", "0.1", client_algo_id="a b"), -4015),
        (algo("SELL", "STOP_MARKET", "49000", "0.1", position_side=PositionSide.LONG), -4061),
        (algo("SELL", "TRAILING_STOP_MARKET", None, "0.1"), -1102),
        (algo("SELL", "TRAILING_STOP_MARKET", None, "0.1", callback_rate=Decimal("20.1")), -1130),
        (algo("SELL", "TRAILING_STOP_MARKET", None, "0.1", callback_rate=Decimal("0.05")), -1130),
        (
            algo("SELL", "TRAILING_STOP_MARKET", None, "0.1", callback_rate=Decimal(1), activate_price=Decimal(49_000)),
            -4135,
        ),
        (
            algo("BUY", "TRAILING_STOP_MARKET", None, "0.1", callback_rate=Decimal(1), activate_price=Decimal(51_000)),
            -4135,
        ),
    ],
)
def test_a_malformed_conditional_order_is_refused(request_: Any, code: int) -> None:
    """Every rule of the conditional endpoint has its code, and a refusal uses up no id."""
    stage = staged()

    with refused(code):
        stage.exchange.place_algo(stage.account, request_)
    assert not stage.account.algos


def test_a_client_algo_id_is_unique_among_open_ones() -> None:
    """-4116 while the first waits."""
    stage = staged()
    stage.algo("SELL", "STOP_MARKET", "49000", "0.1", client_algo_id="mine")

    with refused(-4116):
        stage.algo("SELL", "STOP_MARKET", "48000", "0.1", client_algo_id="mine")


def test_an_unlisted_or_quiet_symbol_takes_no_conditional_orders() -> None:
    """-1121 and -4140."""
    with refused(-1121):
        staged().exchange.place_algo(staged().account, replace(algo("SELL", "STOP_MARKET", "49000", "0.1"), symbol="X"))
    with refused(-4140):
        staged(listed=instrument(status="SETTLING")).algo("SELL", "STOP_MARKET", "49000", "0.1")


def test_a_stop_limit_may_match_a_price_when_it_fires() -> None:
    """The price is taken from the book of that moment."""
    stage = _long()
    stage.algo("SELL", "STOP", "49000", "0.1", price_match=PriceMatch.QUEUE, reduce_only=True)
    stage.at(48_900)
    (made,) = stage.exchange.open_orders(stage.account)

    assert stage.exchange.tick(SYMBOL).ask == made.price


def test_in_hedge_mode_close_position_only_closes() -> None:
    """SELL belongs to LONG and BUY to SHORT."""
    stage = staged()
    stage.exchange.set_position_mode(stage.account, dual_side=True)
    stage.market("BUY", "0.1", position_side=PositionSide.LONG)

    with refused(-1128):
        stage.algo("BUY", "STOP_MARKET", "51000", close_position=True, position_side=PositionSide.LONG)
    with refused(-1106):
        stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True, position_side=PositionSide.LONG)
    stop = stage.algo("SELL", "STOP_MARKET", "49000", close_position=True, position_side=PositionSide.LONG)
    stage.at(48_900)
    assert AlgoStatus.FINISHED == stop.status
    assert 0 == stage.position(PositionSide.LONG).quantity


def test_a_trailing_stop_follows_the_best_price() -> None:
    """It fires one callback below the best price since it was activated."""
    stage = _long()
    stop = stage.algo("SELL", "TRAILING_STOP_MARKET", None, "0.1", callback_rate=Decimal(1), reduce_only=True)
    for price in (50_500, 52_000, 51_481):
        stage.at(price)
    before = stop.status
    stage.at(51_480)

    assert (AlgoStatus.NEW, Decimal(52_000)) == (before, stop.extreme)
    assert AlgoStatus.FINISHED == stop.status


def test_a_trailing_stop_waits_for_its_activation() -> None:
    """Before the activation price nothing is followed."""
    stage = _long()
    stop = stage.algo(
        "SELL",
        "TRAILING_STOP_MARKET",
        None,
        "0.1",
        callback_rate=Decimal(1),
        activate_price=Decimal(51_000),
        reduce_only=True,
    )
    stage.at(49_000)
    waiting = (stop.status, stop.is_activated)
    stage.at(51_200)
    activated = stop.is_activated
    stage.at(50_600)

    assert (AlgoStatus.NEW, False) == waiting
    assert activated
    assert AlgoStatus.FINISHED == stop.status


def test_a_gtd_conditional_order_expires() -> None:
    """It never becomes an order."""
    stage = staged()
    waiting = stage.algo(
        "SELL",
        "STOP",
        "49000",
        "0.1",
        price="49000",
        time_in_force=TimeInForce.GTD,
        good_till_date=stage.exchange.now_ms + 700_000,
    )
    stage.wait(700_000)

    assert AlgoStatus.EXPIRED == waiting.status


def test_a_gap_fills_a_stop_at_the_price_behind_it() -> None:
    """A stop promises a trigger, not a price."""
    stage = _long()
    stop = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True)
    stage.at(45_000)

    assert stop.actual_price < Decimal(45_000)
