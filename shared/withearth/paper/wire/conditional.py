"""Conditional orders: the exchange's algo orders, a book of their own since 2025-12-09."""

from typing import Any

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.kinds import (
    AlgoType,
    OrderSide,
    PositionSide,
    PriceMatch,
    TimeInForce,
    WorkingType,
)
from withearth.paper.engine.orders import PlaceAlgo
from withearth.paper.wire import errors, order_rows
from withearth.paper.wire.call import Call
from withearth.paper.wire.market_data import time_range
from withearth.paper.wire.params import Params
from withearth.paper.wire.trading import CANCELLED_ALL, self_trade


def place(call: Call) -> dict[str, Any]:
    """POST /algoOrder."""
    algo = call.exchange.place_algo(call.account, algo_request(call.params))
    return order_rows.algo_placed(algo, call.places(algo.symbol))


def algo_request(params: Params) -> PlaceAlgo:
    """The conditional order that is asked for. Raises VenueError for what the exchange refuses at its gateway."""
    if params.required("algoType") != "CONDITIONAL":
        raise errors.invalid("algoType")
    side, kind = (params.required(name) for name in ("side", "type"))
    if side not in OrderSide.__members__:
        raise VenueError(Refusal.INVALID_SIDE)
    if kind not in AlgoType.__members__:
        raise VenueError(Refusal.INVALID_ORDER_TYPE)
    return PlaceAlgo(
        symbol=params.required("symbol"),
        side=OrderSide(side),
        type=AlgoType(kind),
        quantity=params.number("quantity"),
        price=params.number("price"),
        trigger_price=params.number("triggerPrice"),
        time_in_force=params.word("timeInForce", TimeInForce, Refusal.INVALID_TIME_IN_FORCE),
        position_side=params.word("positionSide", PositionSide, Refusal.INVALID_POSITION_SIDE),
        working_type=_working_type(params),
        close_position=params.flag("closePosition") or False,
        price_protect=params.flag("priceProtect") or False,
        reduce_only=params.flag("reduceOnly"),
        activate_price=params.number("activatePrice"),
        callback_rate=params.number("callbackRate"),
        client_algo_id=params.text("clientAlgoId"),
        price_match=params.word("priceMatch", PriceMatch, Refusal.INVALID_PRICE_MATCH) or PriceMatch.NONE,
        self_trade_prevention=self_trade(params),
        good_till_date=params.integer("goodTillDate"),
    )


def _working_type(params: Params) -> WorkingType:
    text = params.text("workingType")
    if text is not None and text not in WorkingType.__members__:
        raise VenueError(Refusal.INVALID_WORKING_TYPE, text)
    return WorkingType(text) if text else WorkingType.CONTRACT_PRICE


def cancel(call: Call) -> dict[str, Any]:
    """DELETE /algoOrder. The code is a text here, and a number everywhere else."""
    algo = call.exchange.cancel_algo(call.account, *_one_id(call.params))
    return {"algoId": algo.algo_id, "clientAlgoId": algo.client_algo_id, "code": "200", "msg": "success"}


def cancel_all(call: Call) -> dict[str, Any]:
    """DELETE /algoOpenOrders."""
    call.exchange.cancel_all_algo(call.account, call.symbol())
    return CANCELLED_ALL


def query(call: Call) -> dict[str, Any]:
    """GET /algoOrder."""
    algo = call.visible(call.exchange.query_algo(call.account, *_one_id(call.params)))
    return order_rows.algo_listed(algo, call.places(algo.symbol))


def _one_id(params: Params) -> tuple[int | None, str | None]:
    algo_id, client_id = params.integer("algoId"), params.text("clientAlgoId")
    if algo_id is None and client_id is None:
        raise errors.missing_either("clientAlgoId", "algoId")
    return algo_id, client_id


def open_orders(call: Call) -> list[dict[str, Any]]:
    """GET /openAlgoOrders."""
    algo_id = call.params.integer("algoId")
    found = call.seen(call.exchange.open_algo_orders(call.account, call.symbol_or_none()))
    return [order_rows.algo_opened(algo) for algo in found if algo_id in {None, algo.algo_id}]


def all_orders(call: Call) -> list[dict[str, Any]]:
    """GET /allAlgoOrders."""
    symbol, (start, end) = call.symbol(), time_range(call)
    found = call.exchange.all_algo_orders(
        call.account,
        symbol,
        algo_id=call.params.integer("algoId"),
        start_ms=start,
        end_ms=end,
        limit=call.params.limit(500, 1_000),
    )
    return [order_rows.algo_listed(algo, call.places(symbol)) for algo in call.seen(found)]
