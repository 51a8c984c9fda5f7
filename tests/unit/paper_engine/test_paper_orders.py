from decimal import Decimal

import pytest

from tests.unit.paper_engine.paper_stage import DAY_MS, SYMBOL, ZERO, Stage, order, refused, staged
from withearth.paper.engine.kinds import (
    OrderSide,
    OrderStatus,
    OrderType,
    PriceMatch,
    SelfTradePrevention,
    TimeInForce,
)
from withearth.paper.engine.orders import ModifyOrder, Order

# At 50,000 the outside book stands at 49,997.5 and 50,002.5.
BID, ASK = Decimal("49997.5"), Decimal("50002.5")


def _modify(stage: Stage, order_: Order, quantity: str, price: str, *, reduce_only: bool | None = None) -> Order:
    return stage.exchange.modify(
        stage.account,
        ModifyOrder(
            symbol=SYMBOL,
            side=order_.side,
            order_id=order_.order_id,
            quantity=Decimal(quantity),
            price=Decimal(price),
            reduce_only=reduce_only,
        ),
    )


def test_a_market_order_pays_the_ask_and_the_taker_fee() -> None:
    """The fill, the position and the wallet tell the same story."""
    stage = staged()
    bought = stage.market("BUY", "0.1")
    (fill,) = stage.account.fills

    assert OrderStatus.FILLED == bought.status
    assert (ASK, Decimal("5000.25")) == (fill.price, fill.quote)
    assert Decimal("2.500125") == fill.commission
    assert Decimal(100000) - fill.commission == stage.wallet
    assert (Decimal("0.1"), ASK) == (stage.position().quantity, stage.position().entry_price)


def test_a_large_taker_eats_into_the_book() -> None:
    """Each level gives what it holds, so a larger order pays a worse price, in several fills."""
    stage = staged(depth="0.5", wallet=1_000_000)
    bought = stage.market("BUY", "5")

    assert OrderStatus.FILLED == bought.status
    assert len(stage.account.fills) > 3
    prices = [fill.price for fill in stage.account.fills]
    assert sorted(prices) == prices
    assert bought.average_price > ASK


def test_what_a_taker_ate_is_gone_until_the_next_tick() -> None:
    """Two takers at one instant do not both get the best level."""
    stage = staged(depth="0.5", wallet=1_000_000)
    best = stage.exchange.book(SYMBOL, 1)[1][0]
    stage.market("BUY", str(best.quantity))
    after = stage.exchange.book(SYMBOL, 1)[1][0]
    stage.at(50_000)

    assert after.price > best.price
    assert best.price == stage.exchange.book(SYMBOL, 1)[1][0].price


def test_a_market_order_stops_at_the_take_bound_and_the_rest_expires() -> None:
    """A market order never trades beyond marketTakeBound; what is left expires."""
    stage = staged(depth="0.001", wallet=10_000_000)
    bought = stage.market("BUY", "100")

    assert OrderStatus.EXPIRED == bought.status
    assert 0 < bought.executed < 100
    assert max(fill.price for fill in stage.account.fills) <= Decimal(52_500)


def test_a_resting_order_is_filled_whole_when_the_price_goes_through_it() -> None:
    """The maker pays its own price and the maker fee."""
    stage = staged()
    rests = stage.limit("BUY", "0.1", "49900")
    stage.at("49899.9")
    (fill,) = stage.account.fills

    assert OrderStatus.FILLED == rests.status
    assert (Decimal(49_900), True, Decimal("0.998")) == (fill.price, fill.maker, fill.commission)


def test_a_touch_fills_only_what_the_volume_reaches_behind_the_queue() -> None:
    """At a touch the queue in front trades first, and half of the tick's volume is on each side."""
    stage = staged()
    rests = stage.limit(
        "BUY",
        "10",
        "49900",
    )
    stage.at(49_900, volume=2, depth="1")
    queue = rests.queue
    stage.at("49900", volume=20)

    assert queue is not None
    assert OrderStatus.PARTIALLY_FILLED == rests.status
    assert Decimal(10) - queue == rests.executed


def test_the_older_order_is_served_first_at_a_touch() -> None:
    """Two orders at one price share the volume by age."""
    stage = staged(wallet=10_000_000)
    # Both better the outside bid, so nobody stands in front of them.
    older = stage.limit("BUY", "3", "50000")
    younger = stage.limit("BUY", "3", "50000")
    stage.at(50_000, volume=8)

    assert (Decimal(3), Decimal(1)) == (older.executed, younger.executed)


def test_a_limit_that_crosses_takes_what_it_can_and_rests_with_the_remainder() -> None:
    """A marketable GTC limit is first a taker, then a maker."""
    stage = staged(depth="0.1", wallet=1_000_000)
    placed = stage.limit("BUY", "5", ASK)
    taken = placed.executed
    stage.at(49_000)

    assert 0 < taken < 5
    assert OrderStatus.FILLED == placed.status
    assert [False, True] == [fill.maker for fill in stage.account.fills]


def test_ioc_expires_with_what_it_could_not_take() -> None:
    """IOC never rests."""
    stage = staged(depth="0.1", wallet=1_000_000)
    partly = stage.limit("BUY", "5", ASK, time_in_force=TimeInForce.IOC)
    nothing = stage.limit("BUY", "5", "49000", time_in_force=TimeInForce.IOC)

    assert OrderStatus.EXPIRED == partly.status
    assert 0 < partly.executed < 5
    assert (OrderStatus.EXPIRED, ZERO) == (nothing.status, nothing.executed)


def test_fok_trades_whole_or_not_at_all() -> None:
    """-5021, and nothing has been traded."""
    stage = staged(depth="0.1", wallet=1_000_000)

    with refused(-5021):
        stage.limit("BUY", "5", ASK, time_in_force=TimeInForce.FOK)
    assert not stage.account.fills
    assert OrderStatus.FILLED == stage.limit("BUY", "0.01", ASK, time_in_force=TimeInForce.FOK).status


def test_gtx_never_takes() -> None:
    """-5022 when it would cross; one tick below the ask it rests."""
    stage = staged()

    with refused(-5022):
        stage.limit("BUY", "0.01", ASK, time_in_force=TimeInForce.GTX)
    assert stage.limit("BUY", "0.01", ASK - Decimal("0.1"), time_in_force=TimeInForce.GTX).is_open


def test_gtd_expires_at_its_second() -> None:
    """The expiry counts in whole seconds."""
    stage = staged()
    until = stage.exchange.now_ms + 700_500
    placed = stage.limit("BUY", "0.01", "40000", time_in_force=TimeInForce.GTD, good_till_date=until)
    stage.wait(699_999)
    alive = placed.is_open
    stage.wait(1)

    assert alive
    assert until - 500 == placed.good_till_date
    assert (OrderStatus.EXPIRED, until - 500) == (placed.status, placed.updated_ms)


def test_gtc_expires_after_a_year() -> None:
    """Nothing rests for ever."""
    stage = staged()
    placed = stage.limit("BUY", "0.01", "40000")
    stage.wait(365 * DAY_MS)

    assert OrderStatus.EXPIRED == placed.status


def test_price_match_takes_a_price_from_the_book() -> None:
    """QUEUE joins the own side, OPPONENT takes the other; the fifth is behind the first."""
    stage = staged()
    bids, asks = stage.exchange.book(SYMBOL, 5)

    assert bids[0].price == stage.limit("BUY", "0.01", None, price_match=PriceMatch.QUEUE).price
    assert bids[4].price == stage.limit("BUY", "0.01", None, price_match=PriceMatch.QUEUE_5).price
    assert asks[4].price == stage.limit("BUY", "0.01", None, price_match=PriceMatch.OPPONENT_5).price
    with refused(-5041):
        staged(depth=0).limit("BUY", "0.01", None, price_match=PriceMatch.OPPONENT)


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    """-4116 while the first is open; once it ended the id is free, and names the newest order."""
    stage = staged()
    first = stage.limit("BUY", "0.01", "49000", client_order_id="mine")

    with refused(-4116):
        stage.market("BUY", "0.01", client_order_id="mine")
    stage.exchange.cancel(stage.account, SYMBOL, client_order_id="mine")
    second = stage.market("BUY", "0.01", client_order_id="mine")
    third = stage.market("BUY", "0.01", client_order_id="mine")
    assert OrderStatus.CANCELED == first.status
    assert OrderStatus.FILLED == second.status
    assert third is stage.exchange.query(stage.account, SYMBOL, client_order_id="mine")


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        (SelfTradePrevention.EXPIRE_MAKER, OrderStatus.EXPIRED_IN_MATCH, OrderStatus.FILLED),
        (SelfTradePrevention.EXPIRE_TAKER, OrderStatus.NEW, OrderStatus.EXPIRED_IN_MATCH),
        (SelfTradePrevention.EXPIRE_BOTH, OrderStatus.EXPIRED_IN_MATCH, OrderStatus.EXPIRED_IN_MATCH),
        (SelfTradePrevention.NONE, OrderStatus.FILLED, OrderStatus.FILLED),
    ],
)
def test_an_account_that_meets_itself(mode: SelfTradePrevention, maker: OrderStatus, taker: OrderStatus) -> None:
    """Self-trade prevention says which order gives way."""
    stage = staged()
    rests = stage.limit("SELL", "0.01", "50001")
    takes = stage.limit("BUY", "0.01", "50003", self_trade_prevention=mode)

    assert (maker, taker) == (rests.status, takes.status)


def test_two_accounts_trade_with_each_other() -> None:
    """A resting order inside the spread is the best offer for everybody."""
    stage = staged()
    other = stage.exchange.open_account("other", {"USDT": Decimal(1000)})
    stage.limit("SELL", "0.01", "50001")
    taker = stage.exchange.place(other, order("BUY", "0.01", "50002"))

    assert OrderStatus.FILLED == taker.status
    assert [True] == [fill.maker for fill in stage.account.fills]
    assert stage.account.fills[0].trade_id == other.fills[0].trade_id
    assert 0 == stage.position().quantity + other.position(SYMBOL, stage.position().side).quantity


def test_resting_orders_stand_between_the_outside_levels() -> None:
    """A taker meets them at their price, behind what stands there already."""
    stage = staged(depth="0.5", wallet=1_000_000)
    first, second = stage.exchange.book(SYMBOL, 2)[1]
    beside = stage.limit("SELL", "0.5", first.price)
    behind = stage.limit("SELL", "0.5", second.price + Decimal("0.1"))
    other = stage.exchange.open_account("other", {"USDT": Decimal(1_000_000)})
    wanted = first.quantity + second.quantity + Decimal("0.8")
    stage.exchange.place(other, order("BUY", wanted, None, type=OrderType.MARKET))

    assert (OrderStatus.FILLED, Decimal("0.3")) == (beside.status, behind.executed)
    assert sorted(fill.price for fill in other.fills) == [fill.price for fill in other.fills]


def test_orders_alone_are_a_book_too() -> None:
    """Where the outside market is empty, accounts still trade with each other."""
    stage = staged(depth=0)
    stage.limit("SELL", "0.1", "50001")
    other = stage.exchange.open_account("other", {"USDT": Decimal(10_000)})

    assert OrderStatus.FILLED == stage.exchange.place(other, order("BUY", "0.1", "50001")).status
    assert ([], []) == stage.exchange.book(SYMBOL)


def test_a_resting_order_shows_in_the_book() -> None:
    """Everybody sees it at its price."""
    stage = staged()
    stage.limit("SELL", "0.01", "50001")
    bids, asks = stage.exchange.book(SYMBOL, 3)

    assert (Decimal(50_001), Decimal("0.01")) == (asks[0].price, asks[0].quantity)
    assert (ASK, BID) == (asks[1].price, bids[0].price)


def test_cancelling_needs_an_open_order_and_an_id() -> None:
    """-1102 without an id, -2011 for one that is not open or not there."""
    stage = staged()
    placed = stage.limit("BUY", "0.01", "49000")
    cancelled = stage.exchange.cancel(stage.account, SYMBOL, placed.order_id)

    assert OrderStatus.CANCELED == cancelled.status
    with refused(-2011):
        stage.exchange.cancel(stage.account, SYMBOL, placed.order_id)
    with refused(-2011):
        stage.exchange.cancel(stage.account, SYMBOL, client_order_id="nobody")
    with refused(-1102):
        stage.exchange.cancel(stage.account, SYMBOL)


def test_a_modified_order_keeps_its_id_and_loses_its_place() -> None:
    """Price and quantity change; the change is on record."""
    stage = staged(wallet=10_000_000)
    first = stage.limit("BUY", "3", "50000")
    second = stage.limit("BUY", "3", "50000")
    _modify(stage, first, "4", "50000")
    stage.at(50_000, volume=6)
    (amendment,) = stage.exchange.amendments(stage.account, SYMBOL)

    assert (ZERO, Decimal(3)) == (first.executed, second.executed)
    assert (Decimal(3), Decimal(4), 1) == (amendment.quantity_before, amendment.quantity_after, amendment.count)


def test_modifying_has_rules_of_its_own() -> None:
    """Nothing to change, not a limit order any more, not reduce-only, too small, unknown."""
    stage = staged()
    placed = stage.limit("BUY", "0.01", "49000")

    with refused(-5027):
        _modify(stage, placed, "0.010", "49000.0")
    with refused(-5047):
        _modify(stage, placed, "0.02", "49000", reduce_only=True)
    with refused(-5029):
        _modify(stage, placed, "0.001", "49000")
    with refused(-4014):
        _modify(stage, placed, "0.01", "49000.05")
    with refused(-2019):
        _modify(stage, placed, "100", "49000")
    assert Decimal("0.01") == placed.quantity
    stage.at(48_000)
    with refused(-2013):
        _modify(stage, placed, "0.02", "49000")


def test_a_market_order_cannot_be_modified() -> None:
    """-5025, whatever became of it; -2013 for one that is not there."""
    stage = staged()
    bought = stage.market("BUY", "0.01")

    with refused(-5025):
        _modify(stage, bought, "0.02", "49000")
    bought.symbol = "ETHUSDT"
    with refused(-2013):
        _modify(stage, bought, "0.02", "49000")


def test_modifying_has_a_limit() -> None:
    """As many as maxMoveOrderLimit says, then -5026."""
    stage = staged()
    placed = stage.limit("BUY", "0.01", "49000")
    placed.modified = 10_000

    with refused(-5026):
        _modify(stage, placed, "0.02", "49000")


def test_modifying_across_the_spread_trades_and_gtx_is_cancelled() -> None:
    """A GTC order becomes a taker; a GTX order goes instead."""
    stage = staged()
    plain = stage.limit("BUY", "0.01", "49000")
    post_only = stage.limit("BUY", "0.01", "49000", time_in_force=TimeInForce.GTX)
    _modify(stage, plain, "0.01", str(ASK))
    _modify(stage, post_only, "0.01", str(ASK))

    assert (OrderStatus.FILLED, OrderStatus.CANCELED) == (plain.status, post_only.status)


def test_modifying_below_what_is_executed_cancels() -> None:
    """Nothing is left to trade."""
    stage = staged(depth="0.1", wallet=1_000_000)
    placed = stage.limit("BUY", "5", ASK)
    _modify(stage, placed, str(placed.executed), str(ASK))

    assert OrderStatus.CANCELED == placed.status


def test_the_countdown_cancels_ordinary_orders_only() -> None:
    """It can be prolonged and called off; conditional orders stay, as cancel-all leaves them too."""
    stage = staged()
    stop = stage.algo("SELL", "STOP_MARKET", "40000", "0.1", reduce_only=True)
    placed = stage.limit("BUY", "0.01", "49000")
    stage.exchange.countdown_cancel(stage.account, SYMBOL, 1_000)
    stage.wait(900)
    stage.exchange.countdown_cancel(stage.account, SYMBOL, 1_000)
    stage.wait(900)
    prolonged = placed.is_open
    stage.exchange.countdown_cancel(stage.account, SYMBOL, 0)
    stage.wait(10_000)
    called_off = placed.is_open
    stage.exchange.countdown_cancel(stage.account, SYMBOL, 1_000)
    stage.wait(1_000)

    assert prolonged
    assert called_off
    assert OrderStatus.CANCELED == placed.status
    assert stop.is_open
    with refused(-1130):
        stage.exchange.countdown_cancel(stage.account, SYMBOL, -1)


def test_cancel_all_leaves_conditional_orders_and_other_symbols() -> None:
    """Two order books of record, symbol by symbol."""
    stage = staged()
    stop = stage.algo("SELL", "STOP_MARKET", "40000", "0.1", reduce_only=True)
    elsewhere = stage.exchange.place(stage.account, order("BUY", "0.01", "49000", symbol="ETHUSDT"))
    stage.limit("BUY", "0.01", "49000")
    stage.exchange.cancel_all(stage.account, SYMBOL)

    assert [elsewhere] == stage.exchange.open_orders(stage.account)
    assert [stop] == stage.exchange.open_algo_orders(stage.account)


def test_an_order_side_is_given_with_a_change() -> None:
    """The side of a modification has to be the order's."""
    stage = staged()
    placed = stage.limit("BUY", "0.01", "49000")
    change = ModifyOrder(
        symbol=SYMBOL, side=OrderSide.SELL, quantity=Decimal(1), price=Decimal(1), order_id=placed.order_id
    )

    with refused(-1117):
        stage.exchange.modify(stage.account, change)
