"""Ordinary orders: place, change, cancel, look up; one at a time and in batches."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.kinds import (
    AlgoType,
    OrderSide,
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    TimeInForce,
)
from withearth.paper.engine.orders import ZERO, ModifyOrder, Order, PlaceOrder
from withearth.paper.wire import errors, order_rows
from withearth.paper.wire.call import Call
from withearth.paper.wire.market_data import time_range
from withearth.paper.wire.params import Params

MOST_IN_BATCH: Final = 5
MOST_CANCELS: Final = 10
CANCELLED_ALL: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}
# They belong to conditional orders, which live at /algoOrder since 2025-12-09.
_CONDITIONAL: Final = ("stopPrice", "activationPrice", "activatePrice", "callbackRate")
_RESULT_TYPES: Final = {"ACK": False, "RESULT": True}


def place(call: Call) -> dict[str, Any]:
    """POST /order."""
    return _place(call, call.params)


def _place(call: Call, params: Params) -> dict[str, Any]:
    request, wants_result = place_request(params), _wants_result(params)
    order = call.exchange.place(call.account, request)
    return order_rows.acknowledged(order, call.places(order.symbol), wants_result=wants_result)


def place_request(params: Params) -> PlaceOrder:
    """The order that is asked for. Raises VenueError for what the exchange refuses at its gateway."""
    request = PlaceOrder(
        symbol=params.required("symbol"),
        side=_side(params),
        type=_type(params),
        quantity=params.number("quantity"),
        price=params.number("price"),
        time_in_force=params.word("timeInForce", TimeInForce, Refusal.INVALID_TIME_IN_FORCE),
        position_side=params.word("positionSide", PositionSide, Refusal.INVALID_POSITION_SIDE),
        reduce_only=params.flag("reduceOnly"),
        client_order_id=params.text("newClientOrderId"),
        price_match=params.word("priceMatch", PriceMatch, Refusal.INVALID_PRICE_MATCH) or PriceMatch.NONE,
        self_trade_prevention=self_trade(params),
        good_till_date=params.integer("goodTillDate"),
    )
    for name in _CONDITIONAL:
        if name in params:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, name.lower())
    if params.flag("closePosition"):
        raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "closeposition")
    return request


def _side(params: Params) -> OrderSide:
    params.required("side")
    side = params.word("side", OrderSide, Refusal.INVALID_SIDE)
    assert side is not None  # noqa: S101  required above
    return side


def _type(params: Params) -> OrderType:
    text = params.required("type")
    if text in AlgoType.__members__:
        raise VenueError(Refusal.USE_ALGO_ENDPOINT)
    if text not in OrderType.__members__:
        raise VenueError(Refusal.INVALID_ORDER_TYPE)
    return OrderType(text)


def self_trade(params: Params) -> SelfTradePrevention:
    """What happens when the account meets itself."""
    mode = params.word("selfTradePreventionMode", SelfTradePrevention, Refusal.INVALID_SELF_TRADE_PREVENTION)
    return mode or SelfTradePrevention.EXPIRE_MAKER


def _wants_result(params: Params) -> bool:
    wanted = _RESULT_TYPES.get(params.text("newOrderRespType") or "ACK")
    if wanted is None:
        raise VenueError(Refusal.INVALID_RESPONSE_TYPE)
    return wanted


def test(call: Call) -> dict[str, Any]:
    """POST /order/test: everything but the placing."""
    request = place_request(call.params)
    call.exchange.test(call.account, request)
    return order_rows.tested(_imagined(request, call), call.places(request.symbol))


def _imagined(request: PlaceOrder, call: Call) -> Order:
    return Order(
        order_id=0,
        account=call.account.key,
        symbol=request.symbol,
        client_order_id=request.client_order_id or f"test-{call.now_ms}",
        side=request.side,
        position_side=request.position_side or PositionSide.BOTH,
        type=request.type,
        time_in_force=request.time_in_force or TimeInForce.GTC,
        price=request.price or ZERO,
        quantity=request.quantity or ZERO,
        reduce_only=bool(request.reduce_only),
        closes=False,
        created_ms=call.now_ms,
        updated_ms=call.now_ms,
        price_match=request.price_match,
        self_trade_prevention=request.self_trade_prevention,
        good_till_date=request.good_till_date or 0,
    )


def modify(call: Call) -> dict[str, Any]:
    """PUT /order."""
    return _modify(call, call.params)


def _modify(call: Call, params: Params) -> dict[str, Any]:
    order_id, client_id = _one_id(params)
    quantity, price = params.number("quantity"), params.number("price")
    if quantity is None or price is None:
        raise errors.missing("quantity" if quantity is None else "price")
    request = ModifyOrder(
        symbol=params.required("symbol"),
        side=_side(params),
        quantity=quantity,
        price=price,
        order_id=order_id,
        client_order_id=client_id,
        reduce_only=params.flag("reduceOnly"),
        modify_id=params.integer("modifyId"),
    )
    order = call.exchange.modify(call.account, request)
    return order_rows.modified(order, call.places(order.symbol))


def _one_id(params: Params) -> tuple[int | None, str | None]:
    order_id, client_id = params.integer("orderId"), params.text("origClientOrderId")
    if order_id is None and client_id is None:
        raise errors.missing_either("origClientOrderId", "orderId")
    return order_id, client_id


def cancel(call: Call) -> dict[str, Any]:
    """DELETE /order."""
    return _cancel(call, call.symbol(), *_one_id(call.params))


def _cancel(call: Call, symbol: str, order_id: int | None, client_id: str | None) -> dict[str, Any]:
    order = call.exchange.cancel(call.account, symbol, order_id, client_id)
    return order_rows.placed(order, call.places(symbol))


def cancel_all(call: Call) -> dict[str, Any]:
    """DELETE /allOpenOrders."""
    call.exchange.cancel_all(call.account, call.symbol())
    return CANCELLED_ALL


def countdown(call: Call) -> dict[str, Any]:
    """POST /countdownCancelAll."""
    symbol, text = call.symbol(), call.params.required("countdownTime")
    call.exchange.countdown_cancel(call.account, symbol, call.params.integer("countdownTime") or 0)
    return {"symbol": symbol, "countdownTime": text}


def place_batch(call: Call) -> list[dict[str, Any]]:
    """POST /batchOrders. Every order is answered on its own."""
    return _batch(call, _place)


def modify_batch(call: Call) -> list[dict[str, Any]]:
    """PUT /batchOrders."""
    return _batch(call, _modify)


def _batch(call: Call, act: Callable[[Call, Params], dict[str, Any]]) -> list[dict[str, Any]]:
    call.params.required("batchOrders")
    rows = call.params.rows("batchOrders") or []
    if not 1 <= len(rows) <= MOST_IN_BATCH:
        raise VenueError(Refusal.INVALID_BATCH_SIZE)
    return [_each(partial(_acted, call, act, row)) for row in rows]


def _acted(call: Call, act: Callable[[Call, Params], dict[str, Any]], row: Any) -> dict[str, Any]:
    return act(call, _row_params(row))


def _row_params(row: Any) -> Params:
    if not isinstance(row, dict):
        raise errors.invalid("batchOrders")
    return Params({name: _text(value) for name, value in row.items() if value is not None})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _each(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return act()
    except VenueError as error:
        return errors.document(error)


def cancel_batch(call: Call) -> list[dict[str, Any]]:
    """DELETE /batchOrders."""
    symbol = call.symbol()
    ids = _listed(call.params, "orderIdList", "orderidlist")
    client_ids = _listed(call.params, "origClientOrderIdList", "origclientorderidlist")
    if ids is None and client_ids is None:
        raise errors.missing_either("orderIdList", "origClientOrderIdList")
    pairs: list[tuple[int | None, str | None]] = [(_number(each), None) for each in ids or ()]
    pairs = pairs or [(None, str(each)) for each in client_ids or ()]
    if not 1 <= len(pairs) <= MOST_CANCELS:
        raise VenueError(Refusal.TOO_MANY_CANCELS)
    return [_each(partial(_cancel, call, symbol, *pair)) for pair in pairs]


def _listed(params: Params, *names: str) -> list[Any] | None:
    """A list under its documented name, or in the lower case that clients write it in."""
    return next((params.rows(name) for name in names if name in params), None)


def _number(value: Any) -> int:
    text = str(value)
    if not text.isdecimal():
        raise errors.invalid("orderIdList")
    return int(text)


def query(call: Call) -> dict[str, Any]:
    """GET /order."""
    order = call.exchange.query(call.account, call.symbol(), *_one_id(call.params))
    return order_rows.queried(call.visible(order), call.places(order.symbol))


def query_open(call: Call) -> dict[str, Any]:
    """GET /openOrder."""
    order = call.exchange.query_open(call.account, call.symbol(), *_one_id(call.params))
    return order_rows.queried(call.visible(order), call.places(order.symbol))


def open_orders(call: Call) -> list[dict[str, Any]]:
    """GET /openOrders."""
    found = call.seen(call.exchange.open_orders(call.account, call.symbol_or_none()))
    return [order_rows.opened(order, call.places(order.symbol)) for order in found]


def all_orders(call: Call) -> list[dict[str, Any]]:
    """GET /allOrders."""
    start, end = time_range(call)
    found = call.exchange.all_orders(
        call.account,
        call.symbol_or_none(),
        order_id=call.params.integer("orderId"),
        start_ms=start,
        end_ms=end,
        limit=call.params.limit(500, 1_000),
    )
    return [order_rows.listed(order, call.places(order.symbol)) for order in call.seen(found)]


def force_orders(call: Call) -> list[dict[str, Any]]:
    """GET /forceOrders: the orders by which the exchange closed positions of the account."""
    symbol, (start, end) = call.symbol_or_none(), time_range(call)
    found = [
        order
        for order in call.account.orders.values()
        if order.liquidation
        and symbol in {None, order.symbol}
        and (start or 0) <= order.created_ms <= (call.now_ms if end is None else end)
    ]
    newest = found[-call.params.limit(50, 100) :]
    return [order_rows.forced(order, call.places(order.symbol)) for order in call.seen(newest)]


def amendments(call: Call) -> list[dict[str, Any]]:
    """GET /orderAmendment."""
    symbol, (start, end) = call.symbol(), time_range(call)
    order_id, client_id = call.params.integer("orderId"), call.params.text("origClientOrderId")
    named = order_id is not None or client_id is not None
    order = call.exchange.query(call.account, symbol, order_id, client_id) if named else None
    found = call.exchange.amendments(call.account, symbol, order)
    until = call.now_ms if end is None else end
    chosen = [change for change in found if (start or 0) <= change.time_ms <= until]
    return [order_rows.amended(change, call.places(symbol)) for change in chosen[: call.params.limit(50, 100)]]
