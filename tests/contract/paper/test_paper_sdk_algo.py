"""Conditional orders through the official SDK: their own endpoints, and the ordinary order they turn into."""

from tests.builders.paper import BTC, DOT, Venue
from tests.contract.paper.recordings import RECORDINGS

IDS = ("algoId", "clientAlgoId", "createTime", "updateTime")


def _without_ids(row: dict[str, object]) -> list[tuple[str, object]]:
    return [(key, value) for key, value in row.items() if key not in IDS]


def _stop(venue: Venue, trigger: str, **more: str) -> int:
    """A stop to buy 4.9 DOT, as in the recording."""
    venue.rest.new_algo_order(
        algo_type="CONDITIONAL",
        symbol=DOT,
        side="BUY",
        type="STOP_MARKET",
        quantity="4.9",
        trigger_price=trigger,
        **more,
    )
    return int(venue.answer["algoId"])


def test_the_recorded_stop_is_answered_to_the_letter(venue: Venue) -> None:
    """Placed, listed and cancelled, as the live exchange answered the same on 2026-09-19."""
    venue.trade_at(DOT, "1.1310")
    algo_id = _stop(venue, "1.1837", client_algo_id="stop-1")
    placed = venue.answer
    venue.rest.current_all_algo_open_orders(symbol=DOT)
    (listed,) = venue.answer
    venue.rest.cancel_algo_order(client_algo_id="stop-1")

    assert _without_ids(RECORDINGS["algo.placed"].answer()) == _without_ids(placed)
    assert _without_ids(RECORDINGS["algo.open"].answer()[0]) == _without_ids(listed)
    assert {"algoId": algo_id, "clientAlgoId": "stop-1", "code": "200", "msg": "success"} == venue.answer
    assert list(RECORDINGS["algo.cancelled"].answer()) == list(venue.answer)


def test_a_triggered_stop_becomes_an_ordinary_order(venue: Venue) -> None:
    """It carries the stop's id, is found among all orders, and the list of all algo orders knows both, newest first."""
    venue.trade_at(DOT, "1.1310")
    _stop(venue, "1.1837", client_algo_id="stop-1")
    venue.rest.cancel_algo_order(client_algo_id="stop-1")
    venue.pass_time(1_000)
    _stop(venue, "1.1322", client_algo_id="stop-2")
    venue.trade_at(DOT, "1.1325")
    venue.rest.query_all_algo_orders(symbol=DOT)
    listed = venue.answer
    venue.rest.all_orders(symbol=DOT)
    (order,) = venue.answer
    venue.rest.current_all_algo_open_orders(symbol=DOT)

    assert RECORDINGS["algo.all"].differences(listed) == []
    assert ["stop-2", "stop-1"] == [each["clientAlgoId"] for each in listed]
    assert ["FINISHED", "CANCELED"] == [each["algoStatus"] for each in listed]
    assert RECORDINGS["algo.triggered"].differences([order]) == []
    assert ("stop-2", "MARKET", "MARKET", "FILLED") == tuple(
        order[key] for key in ("clientOrderId", "type", "origType", "status")
    )
    assert str(order["orderId"]) == listed[0]["actualOrderId"]
    assert venue.answer == []


def test_one_algo_order_is_looked_up_by_either_id(venue: Venue) -> None:
    """The same document, whichever id it is asked with."""
    algo_id = _stop(venue, "1.3000", client_algo_id="stop-1")
    venue.rest.query_algo_order(algo_id=algo_id)
    by_id = venue.answer
    venue.rest.query_algo_order(client_algo_id="stop-1")

    assert by_id == venue.answer
    assert by_id["algoStatus"] == "NEW"


def test_all_algo_orders_of_a_symbol_are_cancelled_at_once(venue: Venue) -> None:
    """The code is a number here, unlike that of a single cancellation."""
    _stop(venue, "1.3000")
    venue.rest.cancel_all_algo_open_orders(symbol=DOT)
    answer = venue.answer
    venue.rest.current_all_algo_open_orders(symbol=DOT)

    assert RECORDINGS["algo.all.cancelled"].differences(answer) == []
    assert answer["code"] == 200
    assert venue.answer == []


def test_every_conditional_type_is_placed_and_listed_alike(venue: Venue) -> None:
    """Stops, take-profits with and without a price, and trailing stops share the shape of one list."""
    sell = {"algo_type": "CONDITIONAL", "symbol": BTC, "side": "SELL", "quantity": "0.010"}
    for order in (
        {"type": "STOP_MARKET", "trigger_price": "45000", "working_type": "MARK_PRICE"},
        {"type": "STOP", "trigger_price": "45000", "price": "44900", "time_in_force": "GTC"},
        {"type": "TAKE_PROFIT_MARKET", "trigger_price": "55000", "price_protect": "TRUE"},
        {"type": "TAKE_PROFIT", "trigger_price": "55000", "price": "55000", "time_in_force": "GTC"},
    ):
        venue.rest.new_algo_order(**sell, **order)
        assert list(RECORDINGS["algo.placed"].answer()) == list(venue.answer)
        assert order["type"] == venue.answer["orderType"]
    venue.rest.current_all_algo_open_orders(symbol=BTC)

    assert len(venue.answer) == 4
    assert all(list(RECORDINGS["algo.open"].answer()[0]) == list(each) for each in venue.answer)


def test_a_stop_that_closes_the_position_needs_no_quantity(venue: Venue) -> None:
    """Triggered, it closes what there is."""
    venue.rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.010")
    venue.rest.new_algo_order(
        algo_type="CONDITIONAL",
        symbol=BTC,
        side="SELL",
        type="STOP_MARKET",
        trigger_price="49000",
        close_position="true",
    )
    assert (True, "0") == (venue.answer["closePosition"], venue.answer["quantity"].rstrip("0").rstrip(".") or "0")

    venue.trade_at(BTC, "48990")
    venue.rest.position_information_v3(symbol=BTC)

    assert venue.answer == []
