"""Orders as each channel prints them, in the key order and with the number formats of recorded answers.

Recorded: POST /order, GET /order, allOrders, POST /algoOrder, openAlgoOrders, allAlgoOrders. Assumed after them:
PUT and DELETE like POST, openOrders with the keys of GET /order and the bare numbers of allOrders.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from withearth.paper.engine.kinds import OrderStatus, OrderType, TimeInForce
from withearth.paper.engine.orders import AlgoOrder, Amendment, Order
from withearth.paper.wire.numbers import Places, plain, plain_point

_ZERO: Final = Decimal(0)
_NEVER_FORCED: Final = frozenset({"priceMatch", "selfTradePreventionMode", "goodTillDate", "priceProtect"})
_WAITS: Final = frozenset({TimeInForce.GTC, TimeInForce.GTX, TimeInForce.GTD})


def placed(order: Order, places: Places) -> dict[str, Any]:
    """The answer to POST and DELETE: without avgPrice and cumQuote, as since 2026-06-30."""
    executed = places.pad_qty(order.executed)
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status.value,
        "clientOrderId": order.client_order_id,
        "price": places.pad_price(order.price),
        "origQty": places.pad_qty(order.quantity),
        "executedQty": executed,
        "cumQty": executed,
        **_nature(order),
        "stopPrice": places.pad_price(_ZERO),
        **_handling(order),
        "updateTime": order.updated_ms,
    }


def acknowledged(order: Order, places: Places, *, wants_result: bool) -> dict[str, Any]:
    """The answer to POST /order. Only RESULT waits for the match, and only for orders that do not rest."""
    rests = order.type is OrderType.LIMIT and order.time_in_force in _WAITS
    if wants_result and not rests:
        return placed(order, places)
    unmatched = replace(order, status=OrderStatus.NEW, executed=_ZERO, quote=_ZERO, updated_ms=order.created_ms)
    return placed(unmatched, places)


def tested(order: Order, places: Places) -> dict[str, Any]:
    """The answer to POST /order/test, which kept what POST /order lost."""
    nothing = places.pad_money(_ZERO)
    return {**placed(order, places), "avgPrice": nothing, "cumQuote": nothing}


def modified(order: Order, places: Places) -> dict[str, Any]:
    """The answer to PUT /order."""
    row = placed(order, places)
    head = {"orderId": row.pop("orderId"), "symbol": row.pop("symbol"), "pair": order.symbol}
    head |= {"status": row.pop("status"), "clientOrderId": row.pop("clientOrderId")}
    return head | ({} if order.modify_id is None else {"modifyId": order.modify_id}) | row


def queried(order: Order, places: Places) -> dict[str, Any]:
    """The answer to GET /order and GET /openOrder."""
    return _detailed(order, places, places.pad_price(order.price), places.pad_price(_ZERO))


def opened(order: Order, places: Places) -> dict[str, Any]:
    """One row of openOrders."""
    return _detailed(order, places, plain(order.price), "0")


def listed(order: Order, places: Places) -> dict[str, Any]:
    """One row of allOrders."""
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status.value,
        "clientOrderId": order.client_order_id,
        "price": plain(order.price),
        "avgPrice": places.pad_money(order.average_price),
        "origQty": plain(order.quantity),
        "executedQty": plain(order.executed),
        "cumQuote": places.pad_money(order.quote),
        "cumBase": "0",
        **_nature(order),
        "stopPrice": "0",
        "workingType": order.working_type.value,
        "priceMatch": order.price_match.value,
        "selfTradePreventionMode": order.self_trade_prevention.value,
        "goodTillDate": order.good_till_date,
        "priceProtect": order.price_protect,
        "origType": order.type.value,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "pair": order.symbol,
    }


def forced(order: Order, places: Places) -> dict[str, Any]:
    """One row of forceOrders: that of allOrders without its newer fields, as documented."""
    return {key: value for key, value in listed(order, places).items() if key not in _NEVER_FORCED}


def _detailed(order: Order, places: Places, price: str, stop_price: str) -> dict[str, Any]:
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status.value,
        "clientOrderId": order.client_order_id,
        "price": price,
        "avgPrice": places.pad_money(order.average_price),
        "origQty": places.pad_qty(order.quantity),
        "executedQty": places.pad_qty(order.executed),
        "cumQuote": places.pad_money(order.quote),
        **_nature(order),
        "stopPrice": stop_price,
        **_handling(order),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def _nature(order: Order) -> dict[str, Any]:
    return {
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.value,
        "positionSide": order.position_side.value,
    }


def _handling(order: Order) -> dict[str, Any]:
    return {
        "workingType": order.working_type.value,
        "priceProtect": order.price_protect,
        "origType": order.type.value,
        "priceMatch": order.price_match.value,
        "selfTradePreventionMode": order.self_trade_prevention.value,
        "goodTillDate": order.good_till_date,
    }


def amended(change: Amendment, places: Places) -> dict[str, Any]:
    """One row of orderAmendment."""
    return {
        "amendmentId": change.amendment_id,
        "symbol": change.symbol,
        "pair": change.symbol,
        "orderId": change.order_id,
        "clientOrderId": change.client_order_id,
        "time": change.time_ms,
        "amendment": {
            "price": {
                "before": places.pad_price(change.price_before),
                "after": places.pad_price(change.price_after),
            },
            "origQty": {
                "before": places.pad_qty(change.quantity_before),
                "after": places.pad_qty(change.quantity_after),
            },
            "count": change.count,
            **({} if change.modify_id is None else {"modifyId": change.modify_id}),
        },
    }


def algo_placed(algo: AlgoOrder, places: Places) -> dict[str, Any]:
    """The answer to POST /algoOrder."""
    return {
        **_algo_head(algo, places.pad_qty(algo.quantity)),
        "triggerPrice": places.pad_price(algo.trigger_price),
        "price": places.pad_price(algo.price),
        "icebergQuantity": None,
        **_algo_tail(algo),
    }


def algo_opened(algo: AlgoOrder) -> dict[str, Any]:
    """One row of openAlgoOrders."""
    return {
        **_algo_head(algo, plain_point(algo.quantity)),
        "actualOrderId": _actual_order(algo),
        "actualQty": plain_point(algo.actual_quantity),
        "triggerPrice": plain_point(algo.trigger_price),
        "price": plain_point(algo.price),
        "icebergQuantity": None,
        **_algo_tail(algo),
        "isActivated": algo.is_activated,
    }


def algo_listed(algo: AlgoOrder, places: Places) -> dict[str, Any]:
    """One row of allAlgoOrders, and the answer to GET /algoOrder."""
    actual = {"actualQty": places.pad_qty(algo.actual_quantity), "actualType": algo.actual_type.value}
    return {
        **_algo_head(algo, places.pad_qty(algo.quantity)),
        "actualOrderId": _actual_order(algo),
        "actualPrice": places.pad_money(algo.actual_price),
        **(actual if algo.actual_order_id else {}),
        "triggerPrice": places.pad_price(algo.trigger_price),
        "price": places.pad_price(algo.price),
        "icebergQuantity": None,
        "tpOrderType": "",
        **_algo_tail(algo),
        "isActivated": algo.is_activated,
    }


def _algo_head(algo: AlgoOrder, quantity: str) -> dict[str, Any]:
    return {
        "algoId": algo.algo_id,
        "clientAlgoId": algo.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.type.value,
        "symbol": algo.symbol,
        "side": algo.side.value,
        "positionSide": algo.position_side.value,
        "timeInForce": algo.time_in_force.value,
        "quantity": quantity,
        "algoStatus": algo.status.value,
    }


def _algo_tail(algo: AlgoOrder) -> dict[str, Any]:
    return {
        "selfTradePreventionMode": algo.self_trade_prevention.value,
        "workingType": algo.working_type.value,
        "priceMatch": algo.price_match.value,
        "closePosition": algo.close_position,
        "priceProtect": algo.price_protect,
        "reduceOnly": algo.reduce_only,
        **_trailing(algo),
        "createTime": algo.created_ms,
        "updateTime": algo.updated_ms,
        "triggerTime": algo.triggered_ms,
        "goodTillDate": algo.good_till_date,
    }


def _trailing(algo: AlgoOrder) -> dict[str, str]:
    if algo.callback_rate is None:
        return {}
    activate = "" if algo.activate_price is None else plain(algo.activate_price)
    return {"activatePrice": activate, "callbackRate": plain(algo.callback_rate)}


def _actual_order(algo: AlgoOrder) -> str:
    return str(algo.actual_order_id) if algo.actual_order_id else ""
