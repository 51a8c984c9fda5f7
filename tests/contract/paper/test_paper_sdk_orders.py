"""Ordinary orders through the official SDK, in the sequences a trader goes through."""

from decimal import Decimal

from tests.builders.paper import BTC, DOT, Venue
from tests.contract.paper.recordings import RECORDINGS

IDS = ("orderId", "clientOrderId", "time", "updateTime")


def _without_ids(row: dict[str, object]) -> list[tuple[str, object]]:
    """An order's fields in their order, without what differs between any two orders."""
    return [(key, value) for key, value in row.items() if key not in IDS]


def _rest_at(venue: Venue, price: str, **more: str) -> int:
    """Place a limit order to buy 0.010 BTC and give its id."""
    venue.rest.new_order(
        symbol=BTC, side="BUY", type="LIMIT", quantity="0.010", price=price, time_in_force="GTC", **more
    )
    return int(venue.answer["orderId"])


def test_the_recorded_round_trip_is_answered_to_the_letter(venue: Venue) -> None:
    """Bought, looked up, sold and listed again, as the live exchange answered the same on 2026-09-19."""
    venue.trade_at(DOT, "1.1359")
    market = {"symbol": DOT, "type": "MARKET", "quantity": "4.9", "new_order_resp_type": "RESULT"}
    answers = {}
    venue.rest.new_order(**market, side="BUY", new_client_order_id="entry-1")
    answers["order.placed"] = venue.answer
    venue.rest.query_order(symbol=DOT, orig_client_order_id="entry-1")
    answers["order.queried"] = venue.answer
    venue.rest.new_order(**market, side="SELL", reduce_only="true", new_client_order_id="exit-1")
    answers["order.reduced"] = venue.answer
    venue.rest.all_orders(symbol=DOT)
    listed = venue.answer

    for name, answer in answers.items():
        assert _without_ids(RECORDINGS[name].answer()) == _without_ids(answer)
    assert ["entry-1", "exit-1"] == [each["clientOrderId"] for each in listed]
    assert _without_ids(RECORDINGS["orders.all"].answer()[2]) == _without_ids(listed[0])


def test_fills_have_the_recorded_shape(venue: Venue) -> None:
    """One row for each fill, oldest first, with commission and realised profit."""
    venue.trade_at(DOT, "1.1359")
    venue.rest.new_order(symbol=DOT, side="BUY", type="MARKET", quantity="6.3")
    venue.trade_at(DOT, "1.1459")
    venue.rest.new_order(symbol=DOT, side="SELL", type="MARKET", quantity="6.3")
    venue.rest.account_trade_list(symbol=DOT)
    bought, sold = venue.answer

    assert RECORDINGS["trades"].differences(venue.answer) == []
    assert bought["realizedPnl"] == "0"
    assert sold["realizedPnl"] == "0.06237000"
    assert [bought["id"], bought["orderId"]] < [sold["id"], sold["orderId"]]


def test_a_resting_order_through_its_life(venue: Venue) -> None:
    """Placed, looked up in three ways, changed and cancelled: each answer in its shape."""
    order_id = _rest_at(venue, "45000", new_client_order_id="rest-1")
    assert RECORDINGS["order.documented"].differences(venue.answer) == []
    assert venue.answer["status"] == "NEW"

    for name, call in (
        ("order.open", venue.rest.query_current_open_order),
        ("order.open", venue.rest.query_order),
        ("orders.open", lambda **order: venue.rest.current_all_open_orders(symbol=order["symbol"])),
    ):
        call(symbol=BTC, order_id=order_id)
        assert RECORDINGS[name].differences(venue.answer) == []

    venue.rest.modify_order(symbol=BTC, order_id=order_id, side="BUY", quantity="0.020", price="45100", modify_id=7)
    assert RECORDINGS["order.modified"].differences(venue.answer) == []
    assert [Decimal(45_100), Decimal("0.02")] == [Decimal(venue.answer[key]) for key in ("price", "origQty")]

    venue.rest.cancel_order(symbol=BTC, orig_client_order_id="rest-1")
    assert RECORDINGS["order.cancelled"].differences(venue.answer) == []
    assert venue.answer["status"] == "CANCELED"

    venue.rest.current_all_open_orders(symbol=BTC)
    assert venue.answer == []


def test_a_tested_order_is_not_placed(venue: Venue) -> None:
    """It is validated and answered, and nothing rests afterwards."""
    venue.rest.test_order(symbol=BTC, side="BUY", type="LIMIT", quantity="0.010", price="45000", time_in_force="GTC")
    tested = venue.answer
    venue.rest.current_all_open_orders(symbol=BTC)

    assert RECORDINGS["order.tested"].differences(tested) == []
    assert venue.answer == []


def test_a_batch_answers_each_order_for_itself(venue: Venue) -> None:
    """Orders and errors in the order they were sent, under status 200; cancelled together, they answer alike."""
    good = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": "45000", "timeInForce": "GTC"}
    bad = good | {"price": "45000.01"}
    venue.rest.place_multiple_orders(batch_orders=[good, bad, good | {"newClientOrderId": "batch-3"}])
    first, second, third = venue.answer

    assert RECORDINGS["order.documented"].differences(first) == []
    assert {"code": -4014, "msg": "Price not increased by tick size."} == second
    assert third["clientOrderId"] == "batch-3"

    venue.rest.cancel_multiple_orders(symbol=BTC, order_id_list=[first["orderId"], 1])
    cancelled, unknown = venue.answer

    assert RECORDINGS["order.cancelled"].differences(cancelled) == []
    assert {"code": -2011, "msg": "Unknown order sent."} == unknown


def test_orders_are_changed_together(venue: Venue) -> None:
    """Each is answered for itself, and its history tells what it was before."""
    order_id = _rest_at(venue, "45000")
    change = {"symbol": BTC, "orderId": order_id, "side": "BUY", "quantity": "0.020", "price": "45100", "modifyId": 3}
    venue.rest.modify_multiple_orders(batch_orders=[change, change | {"orderId": 1}])
    changed, unknown = venue.answer
    venue.rest.get_order_modify_history(symbol=BTC, order_id=order_id)
    (amendment,) = venue.answer

    assert RECORDINGS["orders.modified"].differences([changed]) == []
    assert {"code": -2013, "msg": "Order does not exist."} == unknown
    assert RECORDINGS["amendments"].differences([amendment]) == []
    before_and_after = [amendment["amendment"]["price"][key] for key in ("before", "after")]
    assert [Decimal(45_000), Decimal(45_100)] == [Decimal(each) for each in before_and_after]


def test_a_liquidated_position_leaves_a_forced_order(venue: Venue) -> None:
    """The exchange closes what its margin does not carry, under an id of its own, and the wallet pays for it."""
    venue.rest.change_initial_leverage(symbol=BTC, leverage=50)
    venue.rest.change_margin_type(symbol=BTC, margin_type="ISOLATED")
    venue.rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.100")
    venue.rest.position_information_v3(symbol=BTC)
    liquidation_price = Decimal(venue.answer[0]["liquidationPrice"])
    venue.trade_at(BTC, f"{liquidation_price - 5:.1f}")
    venue.rest.users_force_orders()
    forced = venue.answer
    venue.rest.position_information_v3(symbol=BTC)

    assert Decimal(49_000) < liquidation_price < Decimal(49_500)
    assert RECORDINGS["orders.forced"].differences(forced) == []
    assert forced[0]["clientOrderId"].startswith("autoclose-")
    assert venue.answer == []


def test_all_orders_are_cancelled_at_once(venue: Venue) -> None:
    """The code is a number here, and conditional orders stay."""
    _rest_at(venue, "45000")
    venue.rest.new_algo_order(
        algo_type="CONDITIONAL", symbol=BTC, side="SELL", type="STOP_MARKET", quantity="0.010", trigger_price="44000"
    )
    venue.rest.cancel_all_open_orders(symbol=BTC)
    assert RECORDINGS["orders.cancelled"].differences(venue.answer) == []
    assert venue.answer["code"] == 200

    venue.rest.current_all_open_orders(symbol=BTC)
    assert venue.answer == []
    venue.rest.current_all_algo_open_orders(symbol=BTC)
    assert len(venue.answer) == 1


def test_the_countdown_cancels_when_it_is_not_renewed(venue: Venue) -> None:
    """Its answer has the time as text; orders rest until it has run down."""
    _rest_at(venue, "45000")
    venue.rest.auto_cancel_all_open_orders(symbol=BTC, countdown_time=120_000)
    assert RECORDINGS["orders.countdown"].differences(venue.answer) == []
    venue.pass_time(119_000)
    venue.rest.current_all_open_orders(symbol=BTC)
    assert len(venue.answer) == 1

    venue.pass_time(2_000)
    venue.rest.current_all_open_orders(symbol=BTC)
    assert venue.answer == []


def test_histories_come_oldest_first(venue: Venue) -> None:
    """Of a window, a limit keeps the newest orders in `allOrders`, and the oldest fills in `userTrades`."""
    venue.trade_at(DOT, "1.1359")
    for count in range(4):
        venue.rest.new_order(symbol=DOT, side="BUY", type="MARKET", quantity="10", new_client_order_id=f"buy-{count}")
    venue.rest.all_orders(symbol=DOT, limit=2)
    orders = [each["clientOrderId"] for each in venue.answer]
    venue.rest.account_trade_list(symbol=DOT)
    ids = [each["id"] for each in venue.answer]
    venue.rest.account_trade_list(symbol=DOT, start_time=venue.now_ms() - 60_000, limit=2)

    assert ["buy-2", "buy-3"] == orders
    assert sorted(ids) == ids
    assert ids[:2] == [each["id"] for each in venue.answer]
