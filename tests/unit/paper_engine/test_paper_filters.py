from decimal import Decimal
from typing import Any

import pytest

from tests.unit.paper_engine.paper_stage import START_MS, instrument, order, refused, staged
from withearth.paper.engine.kinds import OrderType, PriceMatch, TimeInForce

YEAR_10000_MS = 253_402_300_799_000


@pytest.mark.parametrize(
    ("side", "quantity", "price", "code"),
    [
        ("BUY", "0.01", "49000.05", -4014),
        ("BUY", "0.01", "49000.055", -1111),
        ("BUY", "0.01", "556.70", -4013),
        ("BUY", "0.01", "0", -4013),
        ("BUY", "0.01", "-1", -4001),
        ("SELL", "0.01", "4529764.1", -4002),
        ("BUY", "0.01", "1e400", -4002),
        ("BUY", "0", "49000", -4003),
        ("BUY", "-1", "49000", -4003),
        ("BUY", "1000.001", "49000", -4005),
        ("BUY", "1e400", "49000", -4005),
        ("BUY", "0.0005", "49000", -1111),
        ("BUY", "0.01", "NaN", -1100),
        ("BUY", "NaN", "49000", -1100),
        ("BUY", "sNaN", "49000", -1100),
        ("BUY", "Infinity", "49000", -1100),
        ("BUY", "0.001", "49000", -4164),
        ("BUY", "0.01", "52500.1", -4016),
        ("SELL", "0.01", "47499.9", -4024),
        ("BUY", None, "49000", -1102),
        ("BUY", "0.01", None, -1102),
    ],
)
def test_a_limit_order_outside_a_filter_is_refused(side: str, quantity: Any, price: Any, code: int) -> None:
    """Each filter of exchangeInfo has its own code, and garbage never gets as far as arithmetic."""
    stage = staged()

    with refused(code):
        stage.limit(side, quantity, price)
    assert not stage.account.orders


@pytest.mark.parametrize(
    ("quantity", "code"), [("120.001", -4005), ("0.0005", -1111), ("0", -4003), ("NaN", -1100), (None, -1102)]
)
def test_a_market_order_has_a_lot_size_of_its_own(quantity: Any, code: int) -> None:
    """MARKET_LOT_SIZE, not LOT_SIZE, bounds a market order."""
    with refused(code):
        staged(wallet=10_000_000).market("BUY", quantity)


def test_a_quantity_off_a_coarse_step_is_not_one_too_precise() -> None:
    """Off the step within the precision is -4023, below the minimum -4004."""
    coarse = instrument(step_size=Decimal("0.01"), min_qty=Decimal("0.02"))

    with refused(-4023):
        staged(listed=coarse).limit("BUY", "0.025", "49000")
    with refused(-4004):
        staged(listed=coarse).limit("BUY", "0.01", "49000")


def test_trailing_zeros_are_no_precision() -> None:
    """A client may pad its numbers."""
    assert Decimal("0.01") == staged().limit("BUY", "0.0100000", "49000.1000").quantity


def test_a_limit_far_on_the_good_side_is_welcome() -> None:
    """PERCENT_PRICE is one-sided: a low bid and a high ask rest."""
    stage = staged()

    assert stage.limit("BUY", "0.1", "1000").is_open
    assert stage.limit("SELL", "0.1", "90000").is_open


def test_the_notional_of_a_market_order_is_counted_at_mark() -> None:
    """A market order has no price of its own."""
    stage = staged()
    stage.at(50_000, mark="49999")

    with refused(-4164):
        stage.market("BUY", "0.001")


def test_a_market_order_that_meets_prices_beyond_the_band_is_refused() -> None:
    """When even the best price is outside PERCENT_PRICE, or there is none, the order is refused."""
    stage = staged()
    stage.at(50_000, mark="47000")

    with refused(-4131):
        stage.market("BUY", "0.01")
    with refused(-4131):
        staged(depth=0).market("BUY", "0.01")


def test_a_symbol_takes_two_hundred_open_orders() -> None:
    """MAX_NUM_ORDERS counts the open ordinary orders of one symbol."""
    stage = staged()
    for _ in range(200):
        stage.limit("BUY", "0.01", "10000")

    with refused(-2025):
        stage.limit("BUY", "0.01", "10000")
    stage.exchange.cancel_all(stage.account, "BTCUSDT")
    assert stage.limit("BUY", "0.01", "10000").is_open


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (order("BUY", "0.01", None, type=OrderType.MARKET, time_in_force=TimeInForce.GTC), -1106),
        (order("BUY", "0.01", "49000", type=OrderType.MARKET), -1106),
        (order("BUY", "0.01", None, type=OrderType.MARKET, price_match=PriceMatch.QUEUE), -5038),
        (order("BUY", "0.01", "49000", price_match=PriceMatch.QUEUE), -1106),
        (order("BUY", "0.01", "49000", time_in_force=None), -1102),
        (order("BUY", "0.01", "49000", time_in_force=TimeInForce.GTE_GTC), -1115),
        (order("BUY", "0.01", "49000", time_in_force=TimeInForce.GTD), -1102),
        (order("BUY", "0.01", "49000", good_till_date=START_MS + 900_000), -1106),
        (order("BUY", "0.01", "49000", time_in_force=TimeInForce.GTD, good_till_date=START_MS + 600_000), -5040),
        (order("BUY", "0.01", "49000", time_in_force=TimeInForce.GTD, good_till_date=YEAR_10000_MS), -5040),
        (order("BUY", "0.01", "49000", client_order_id=""), -4015),
        (order("BUY", "0.01", "49000", client_order_id="x" * 37), -4015),
        (order("BUY", "0.01", "49000", client_order_id="a b"), -4015),
        (order("BUY", "0.01", "49000", symbol="NOSUCHUSDT"), -1121),
    ],
)
def test_a_malformed_order_is_refused(request_: Any, code: int) -> None:
    """What does not belong together is told by its own code."""
    stage = staged()

    with refused(code):
        stage.exchange.place(stage.account, request_)


@pytest.mark.parametrize(("status", "code"), [("PENDING_TRADING", -4140), ("SETTLING", -4141), ("CLOSE", -4141)])
def test_a_symbol_that_does_not_trade_takes_no_orders(status: str, code: int) -> None:
    """Not open yet and closed are two codes."""
    with refused(code):
        staged(listed=instrument(status=status)).limit("BUY", "0.01", "49000")


def test_a_checked_order_is_not_placed() -> None:
    """`test` applies every rule and leaves nothing behind."""
    stage = staged()
    stage.exchange.test(stage.account, order("BUY", "0.01", "49000"))

    assert not stage.account.orders
    with refused(-4014):
        stage.exchange.test(stage.account, order("BUY", "0.01", "49000.05"))
