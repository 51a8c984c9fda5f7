"""Open ordinary orders change or go: modify, cancel, cancel all, the countdown."""

from dataclasses import replace
from decimal import Decimal

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.filters import check_band, check_notional, check_price, check_quantity, require
from withearth.paper.engine.history import find_order
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import OrderStatus, OrderType
from withearth.paper.engine.matching import is_refused_to_take
from withearth.paper.engine.orders import ZERO, Amendment, ModifyOrder, Order
from withearth.paper.engine.placing import check_margin, match
from withearth.paper.engine.venue import Venue


def modify(venue: Venue, account: Account, request: ModifyOrder) -> Order:
    """Give an open LIMIT order another price and quantity; it loses its place in the queue.

    It is cancelled when nothing of it is left to trade, or when it is GTX and would take.
    """
    instrument = venue.instrument(request.symbol)
    order = find_order(account, request.symbol, request.order_id, request.client_order_id)
    if order is not None and order.type is not OrderType.LIMIT:
        raise VenueError(Refusal.MODIFY_LIMIT_ONLY)
    if order is None or not order.is_open:
        raise VenueError(Refusal.NO_SUCH_ORDER)
    quantity, price = _check_modification(instrument, order, request)
    tick = venue.tick(request.symbol)
    check_band(instrument, order.side, price, tick.mark)
    if not (order.closes or request.reduce_only):
        check_notional(instrument, quantity * price, Refusal.MODIFY_MIN_NOTIONAL)
    if quantity <= order.executed or is_refused_to_take(venue, order, price):
        venue.end_order(order, OrderStatus.CANCELED)
        return order
    _check_affordable(venue, account, instrument, order, price, quantity)
    _amend(venue, account, order, request, price, quantity)
    match(venue, account, order)
    return order


def _check_modification(instrument: PaperInstrument, order: Order, request: ModifyOrder) -> tuple[Decimal, Decimal]:
    if request.side is not order.side:
        raise VenueError(Refusal.INVALID_SIDE)
    if request.reduce_only and not order.reduce_only:
        raise VenueError(Refusal.NOT_REDUCE_ONLY)
    quantity, price = require(request.quantity, "quantity"), require(request.price, "price")
    check_price(instrument, price)
    check_quantity(instrument, quantity, OrderType.LIMIT)
    if (quantity, price) == (order.quantity, order.price):
        raise VenueError(Refusal.NOTHING_TO_MODIFY)
    if order.modified >= instrument.max_modifications:
        raise VenueError(Refusal.MODIFY_TOO_OFTEN)
    return quantity, price


def _check_affordable(
    venue: Venue, account: Account, instrument: PaperInstrument, order: Order, price: Decimal, quantity: Decimal
) -> None:
    wanted = replace(order, price=price, quantity=quantity - order.executed, executed=ZERO)
    # The margin that the order binds already is free for its new self.
    before, order.quantity = order.quantity, order.executed
    try:
        check_margin(venue, account, instrument, wanted, venue.tick(order.symbol))
    finally:
        order.quantity = before


def _amend(
    venue: Venue, account: Account, order: Order, request: ModifyOrder, price: Decimal, quantity: Decimal
) -> None:
    venue.counters.amendment += 1
    order.modified += 1
    account.amendments.append(
        Amendment(
            amendment_id=venue.counters.amendment,
            order_id=order.order_id,
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            time_ms=venue.now_ms,
            price_before=order.price,
            price_after=price,
            quantity_before=order.quantity,
            quantity_after=quantity,
            count=order.modified,
            modify_id=request.modify_id,
        )
    )
    order.price, order.quantity, order.modify_id = price, quantity, request.modify_id
    order.updated_ms = venue.now_ms
    account.open_orders.pop(order.order_id)
    venue.state(order.symbol).orders.pop(order.order_id)


def cancel(venue: Venue, account: Account, symbol: str, order_id: int | None, client_order_id: str | None) -> Order:
    """Cancel one open order. Raises VenueError -1102 without an id, -2011 when it is not open."""
    venue.instrument(symbol)
    order = find_order(account, symbol, order_id, client_order_id)
    if order is None or not order.is_open:
        raise VenueError(Refusal.UNKNOWN_ORDER)
    venue.end_order(order, OrderStatus.CANCELED)
    return order


def cancel_all(venue: Venue, account: Account, symbol: str) -> list[Order]:
    """Cancel the open ordinary orders of a symbol. Conditional orders stay."""
    venue.instrument(symbol)
    orders = account.orders_of(symbol)
    for order in orders:
        venue.end_order(order, OrderStatus.CANCELED)
    return orders


def countdown_cancel(venue: Venue, account: Account, symbol: str, countdown_ms: int) -> None:
    """Arm, prolong or, with 0, disarm the cancelling of a symbol's ordinary orders."""
    venue.instrument(symbol)
    if countdown_ms < 0:
        raise VenueError(Refusal.INVALID_PARAMETER, "countdownTime")
    account.countdowns.pop(symbol, None)
    if countdown_ms:
        account.countdowns[symbol] = venue.now_ms + countdown_ms
    venue.changed()
