"""Conditional orders: placed, cancelled, fired.

NEW → TRIGGERING → TRIGGERED → FINISHED is the way of one that fires; TRIGGERING passes within the tick. REJECTED is one
whose order was refused when it fired, EXPIRED one that outlived its goodTillDate or its position. What is checked at
placement is its shape and its prices: margin and position are looked at only when it fires.
"""

from decimal import Decimal

from withearth.paper.engine.account import Account
from withearth.paper.engine.conditional_rules import check_request
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.history import find_algo
from withearth.paper.engine.kinds import (
    AlgoStatus,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
    WorkingType,
)
from withearth.paper.engine.orders import ZERO, AlgoOrder, Order, PlaceAlgo, PlaceOrder
from withearth.paper.engine.placing import Trigger, check_good_till_date, closing
from withearth.paper.engine.placing import place as place_order
from withearth.paper.engine.venue import Venue
from withearth.paper.feed import Tick


def place(venue: Venue, account: Account, request: PlaceAlgo) -> AlgoOrder:
    """Check a conditional order and let it wait. Raises VenueError."""
    side = check_request(venue, account, request)
    venue.counters.algo += 1
    algo = _accepted(venue, account, request, side)
    if has_fired(algo, venue.tick(algo.symbol)):
        venue.counters.algo -= 1
        raise VenueError(Refusal.WOULD_TRIGGER)
    if request.callback_rate is not None and request.activate_price is None:
        _activate(algo, venue.tick(algo.symbol))
    venue.open_algo(account, algo)
    return algo


def _accepted(venue: Venue, account: Account, request: PlaceAlgo, side: PositionSide) -> AlgoOrder:
    return AlgoOrder(
        algo_id=venue.counters.algo,
        account=account.key,
        symbol=request.symbol,
        client_algo_id=request.client_algo_id or f"paper-{venue.seed}-a{venue.counters.algo}",
        side=request.side,
        position_side=side,
        type=request.type,
        time_in_force=request.time_in_force or TimeInForce.GTC,
        quantity=request.quantity or ZERO,
        price=request.price or ZERO,
        trigger_price=request.trigger_price or ZERO,
        working_type=request.working_type,
        close_position=request.close_position,
        price_protect=request.price_protect,
        reduce_only=bool(request.reduce_only),
        self_trade_prevention=request.self_trade_prevention,
        price_match=request.price_match,
        good_till_date=check_good_till_date(venue, request.time_in_force, request.good_till_date),
        created_ms=venue.now_ms,
        updated_ms=venue.now_ms,
        activate_price=request.activate_price,
        callback_rate=request.callback_rate,
    )


def cancel(venue: Venue, account: Account, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
    """Cancel one that waits. Raises VenueError -2011: once it fired, its order is cancelled as an ordinary one."""
    algo = find_algo(account, algo_id, client_algo_id)
    if algo is None or not algo.is_open:
        raise VenueError(Refusal.UNKNOWN_ORDER)
    venue.end_algo(algo, AlgoStatus.CANCELED)
    return algo


def cancel_all(venue: Venue, account: Account, symbol: str) -> list[AlgoOrder]:
    """Cancel all that wait on a symbol."""
    venue.instrument(symbol)
    algos = account.algos_of(symbol)
    for algo in algos:
        venue.end_algo(algo, AlgoStatus.CANCELED)
    return algos


def has_fired(algo: AlgoOrder, tick: Tick) -> bool:
    """Whether the working price has reached the trigger."""
    price = _working_price(algo, tick)
    if algo.callback_rate is not None:
        called_back = price >= algo.callback_price if algo.side is OrderSide.BUY else price <= algo.callback_price
        return algo.is_activated and called_back
    return price >= algo.trigger_price if algo.fires_above else price <= algo.trigger_price


def fire_due(venue: Venue, symbol: str, tick: Tick) -> None:
    """Fire what the new prices reach, oldest first."""
    for algo in list(venue.state(symbol).algos.values()):
        if algo.callback_rate is not None:
            _follow(algo, tick)
        if algo.is_open and has_fired(algo, tick) and not _is_protected(venue, algo, tick):
            _fire(venue, algo)


def _working_price(algo: AlgoOrder, tick: Tick) -> Decimal:
    return tick.mark if algo.working_type is WorkingType.MARK_PRICE else tick.last


def _is_protected(venue: Venue, algo: AlgoOrder, tick: Tick) -> bool:
    limit = venue.instruments[algo.symbol].trigger_protect
    return algo.price_protect and abs(tick.mark - tick.last) > limit * tick.mark


def _follow(algo: AlgoOrder, tick: Tick) -> None:
    price = _working_price(algo, tick)
    if not algo.is_activated:
        wanted = algo.activate_price
        reached = wanted is not None and (price <= wanted if algo.side is OrderSide.BUY else price >= wanted)
        if reached:
            _activate(algo, tick)
        return
    better = min if algo.side is OrderSide.BUY else max
    algo.extreme = better(algo.extreme, price)


def _activate(algo: AlgoOrder, tick: Tick) -> None:
    algo.is_activated, algo.extreme = True, _working_price(algo, tick)


def _fire(venue: Venue, algo: AlgoOrder) -> None:
    account = venue.accounts[algo.account]
    algo.triggered_ms = venue.now_ms
    venue.end_algo(algo, AlgoStatus.TRIGGERING)
    try:
        order = _order_of(venue, account, algo)
    except VenueError as refused:
        algo.status, algo.reject_reason = AlgoStatus.REJECTED, refused.message
        return
    algo.actual_order_id = order.order_id
    if order.is_open:
        algo.status = AlgoStatus.TRIGGERED


def _order_of(venue: Venue, account: Account, algo: AlgoOrder) -> Order:
    closes = algo.close_position or closing(account, algo.side, algo.position_side, reduce_only=algo.reduce_only)
    if closes and venue.switches.triggers_knock_out:
        _knock_out(venue, account, algo)
    request = PlaceOrder(
        symbol=algo.symbol,
        side=algo.side,
        type=algo.actual_type,
        quantity=_quantity(account, algo),
        price=algo.price or None,
        time_in_force=_time_in_force(algo),
        position_side=algo.position_side,
        reduce_only=True if closes and not account.dual_side else None,
        client_order_id=algo.client_algo_id,
        price_match=algo.price_match,
        self_trade_prevention=algo.self_trade_prevention,
        good_till_date=algo.good_till_date or None,
    )
    return place_order(venue, account, request, Trigger(algo.algo_id, algo.close_position))


def _quantity(account: Account, algo: AlgoOrder) -> Decimal:
    if not algo.close_position:
        return algo.quantity
    return abs(account.position(algo.symbol, algo.position_side).quantity)


def _time_in_force(algo: AlgoOrder) -> TimeInForce | None:
    if algo.actual_type is OrderType.MARKET:
        return None
    return TimeInForce.GTC if algo.time_in_force is TimeInForce.GTE_GTC else algo.time_in_force


def _knock_out(venue: Venue, account: Account, algo: AlgoOrder) -> None:
    # `er` 4 of the user stream: resting reduce-only orders give way, newest first, until the quantity fits.
    covering = [
        order
        for order in account.orders_of(algo.symbol)
        if order.closes and order.side is algo.side and order.position_side is algo.position_side
    ]
    held = abs(account.position(algo.symbol, algo.position_side).quantity)
    excess = sum((order.remaining for order in covering), ZERO) + _quantity(account, algo) - held
    for order in reversed(covering):
        if excess <= 0:
            return
        excess -= order.remaining
        venue.end_order(order, OrderStatus.EXPIRED)
