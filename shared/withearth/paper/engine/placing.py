"""Ordinary orders come in: every rule an order has to pass, in the order in which the exchange checks them."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.filters import (
    check_band,
    check_best,
    check_notional,
    check_price,
    check_quantity,
    require,
)
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import (
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    TimeInForce,
)
from withearth.paper.engine.margin import available, exposure
from withearth.paper.engine.matching import best_offer, fillable, is_refused_to_take, offers, queue_at_placement, take
from withearth.paper.engine.orders import ZERO, Order, PlaceOrder
from withearth.paper.engine.venue import Venue
from withearth.paper.feed import Tick

_CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_GTD_LEAD_MS: Final = 600_000
_GTD_END_MS: Final = 253_402_300_799_000
_MATCH_DEPTH: Final = {
    PriceMatch.OPPONENT: 1,
    PriceMatch.OPPONENT_5: 5,
    PriceMatch.QUEUE: 1,
    PriceMatch.QUEUE_5: 5,
    PriceMatch.QUEUE_10: 10,
    PriceMatch.QUEUE_20: 20,
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """Where an order comes from that nobody sent: a conditional order, and whether it closes the whole position."""

    algo_id: int
    whole_position: bool


def check(venue: Venue, account: Account, request: PlaceOrder, trigger: Trigger | None = None) -> Order:
    """The order that the request would become, without an id and in no book. Raises VenueError."""
    instrument = venue.instrument(request.symbol)
    tick = venue.tick(request.symbol)
    side = position_side_of(account, request.position_side)
    check_client_id(request.client_order_id)
    _check_shape(request)
    check_reduce_only_flag(account, reduce_only=request.reduce_only)
    closes = closing(account, request.side, side, reduce_only=request.reduce_only)
    check_status(instrument, closes=closes)
    if request.client_order_id is not None:
        _check_unique(account, request.symbol, request.client_order_id)
    price = _limit_price(venue, instrument, request)
    quantity = require(request.quantity, "quantity")
    if trigger is None or not trigger.whole_position:
        check_quantity(instrument, quantity, request.type)
    order = _draft(venue, account, request, side, price, quantity, closes=closes)
    if trigger is None:
        order.good_till_date = check_good_till_date(venue, request.time_in_force, request.good_till_date)
    _check_count(account, instrument)
    _check_worth(instrument, order, tick)
    if closes:
        order.quantity = min(quantity, _left_to_close(venue, account, order))
    _check_book(venue, instrument, order, tick)
    check_margin(venue, account, instrument, order, tick)
    return order


def place(venue: Venue, account: Account, request: PlaceOrder, trigger: Trigger | None = None) -> Order:
    """Check, number and match an order. Raises VenueError."""
    order = check(venue, account, request, trigger)
    venue.counters.order += 1
    order.order_id = venue.counters.order
    order.client_order_id = order.client_order_id or f"paper-{venue.seed}-{order.order_id}"
    order.algo_id = trigger.algo_id if trigger else None
    account.orders[order.order_id] = order
    account.order_ids[order.symbol, order.client_order_id] = order.order_id
    match(venue, account, order)
    return order


def match(venue: Venue, account: Account, order: Order) -> None:
    """Trade what crosses, then rest or end what is left."""
    take(venue, order, _worst_price(venue, order))
    if not order.is_open:
        return
    rests = order.type is OrderType.LIMIT and order.time_in_force not in {TimeInForce.IOC, TimeInForce.FOK}
    if not rests or (order.closes and not account.position(order.symbol, order.position_side).quantity):
        venue.end_order(order, OrderStatus.EXPIRED)
    else:
        order.queue = queue_at_placement(venue, order)
        venue.open_order(account, order)


def _worst_price(venue: Venue, order: Order) -> Decimal:
    if order.type is OrderType.LIMIT:
        return order.price
    # A market order never goes further from the mark price than marketTakeBound; what is left expires (`er` 9).
    bound = venue.instruments[order.symbol].market_take_bound
    return venue.tick(order.symbol).mark * (1 + order.side.sign * bound)


def position_side_of(account: Account, sent: PositionSide | None) -> PositionSide:
    """The position side an order means. Raises VenueError -4061 when it does not fit the position mode."""
    side = sent or PositionSide.BOTH
    if (side is PositionSide.BOTH) is account.dual_side:
        raise VenueError(Refusal.POSITION_SIDE_MISMATCH)
    return side


def closing(account: Account, side: OrderSide, position_side: PositionSide, *, reduce_only: bool | None) -> bool:
    """Whether an order can only shrink a position: reduce-only, or against its position side in hedge mode."""
    if account.dual_side:
        return (side is OrderSide.SELL) is (position_side is PositionSide.LONG)
    return bool(reduce_only)


def check_client_id(client_id: str | None) -> None:
    """Raises VenueError -4015."""
    if client_id is not None and not _CLIENT_ID.fullmatch(client_id):
        raise VenueError(Refusal.INVALID_CLIENT_ID)


def check_status(instrument: PaperInstrument, *, closes: bool) -> None:
    """Raises VenueError -4140 or -4141 when the symbol does not trade."""
    if instrument.is_trading:
        return
    if instrument.status in {"PENDING_TRADING", "PRE_SETTLE", "PRE_DELIVERING", "TRADING_CANCEL_ONLY"} and not closes:
        raise VenueError(Refusal.NOT_OPEN_FOR_TRADING)
    raise VenueError(Refusal.SYMBOL_CLOSED)


def check_good_till_date(venue: Venue, time_in_force: TimeInForce | None, good_till_date: int | None) -> int:
    """The expiry in whole seconds, 0 without one. Raises VenueError -1102, -1106 or -5040."""
    if time_in_force is not TimeInForce.GTD:
        if good_till_date:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "goodtilldate")
        return 0
    if good_till_date is None:
        raise VenueError(Refusal.MANDATORY_PARAMETER, "goodtilldate")
    if not venue.now_ms + _GTD_LEAD_MS < good_till_date < _GTD_END_MS:
        raise VenueError(Refusal.INVALID_GOOD_TILL_DATE)
    return good_till_date - good_till_date % 1000


def check_reduce_only_flag(account: Account, *, reduce_only: bool | None) -> None:
    """Raises VenueError -1106 for a flag in hedge mode, where the position side says it."""
    if account.dual_side and reduce_only is not None:
        raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "reduceonly")


def _check_shape(request: PlaceOrder) -> None:
    if request.type is OrderType.MARKET:
        if request.price is not None:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "price")
        if request.time_in_force is not None:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "timeinforce")
        if request.price_match is not PriceMatch.NONE:
            raise VenueError(Refusal.PRICE_MATCH_NOT_SUPPORTED)
    elif request.time_in_force is None:
        raise VenueError(Refusal.MANDATORY_PARAMETER, "timeinforce")
    elif request.time_in_force is TimeInForce.GTE_GTC:
        raise VenueError(Refusal.INVALID_TIME_IN_FORCE)


def _check_unique(account: Account, symbol: str, client_id: str) -> None:
    # Unique among open orders only: the id of a filled order is free again.
    taken = account.order_ids.get((symbol, client_id))
    if taken is not None and taken in account.open_orders:
        raise VenueError(Refusal.DUPLICATED_CLIENT_ID)


def _limit_price(venue: Venue, instrument: PaperInstrument, request: PlaceOrder) -> Decimal:
    if request.type is OrderType.MARKET:
        return ZERO
    if request.price_match is not PriceMatch.NONE:
        if request.price is not None:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "price")
        return _matched_price(venue, request.symbol, request.side, request.price_match)
    price = require(request.price, "price")
    check_price(instrument, price)
    return price


def _matched_price(venue: Venue, symbol: str, side: OrderSide, price_match: PriceMatch) -> Decimal:
    taker = side if price_match in {PriceMatch.OPPONENT, PriceMatch.OPPONENT_5} else side.opposite
    wanted, prices = _MATCH_DEPTH[price_match], set[Decimal]()
    for offer in offers(venue, symbol, taker):
        prices.add(offer.price)
        if len(prices) == wanted:
            return offer.price
    raise VenueError(Refusal.NO_PRICE_TO_MATCH)


def _draft(
    venue: Venue,
    account: Account,
    request: PlaceOrder,
    side: PositionSide,
    price: Decimal,
    quantity: Decimal,
    *,
    closes: bool,
) -> Order:
    return Order(
        order_id=0,
        account=account.key,
        symbol=request.symbol,
        client_order_id=request.client_order_id or "",
        side=request.side,
        position_side=side,
        type=request.type,
        time_in_force=request.time_in_force or TimeInForce.GTC,
        price=price,
        quantity=quantity,
        reduce_only=bool(request.reduce_only),
        closes=closes,
        created_ms=venue.now_ms,
        updated_ms=venue.now_ms,
        self_trade_prevention=request.self_trade_prevention,
        price_match=request.price_match,
        good_till_date=request.good_till_date or 0,
    )


def _check_count(account: Account, instrument: PaperInstrument) -> None:
    if len(account.open_orders) < instrument.max_num_orders:
        return
    if len(account.orders_of(instrument.symbol)) >= instrument.max_num_orders:
        raise VenueError(Refusal.MAX_OPEN_ORDERS)


def _check_worth(instrument: PaperInstrument, order: Order, tick: Tick) -> None:
    if order.type is OrderType.LIMIT:
        check_band(instrument, order.side, order.price, tick.mark)
    if not order.closes:
        check_notional(instrument, order.quantity * (order.price or tick.mark))


def _left_to_close(venue: Venue, account: Account, order: Order) -> Decimal:
    facing = -account.position(order.symbol, order.position_side).quantity * order.side.sign
    if facing <= 0:
        raise VenueError(Refusal.REDUCE_ONLY_REJECTED)
    same_side = [
        each
        for each in account.open_orders.values()
        if each.symbol == order.symbol and each.side is order.side and each.position_side is order.position_side
    ]
    left = facing - sum((each.remaining for each in same_side if each.closes), ZERO)
    if left <= 0:
        # Open reduce-only orders cover the position already. Seen live on 2026-08-21 with this code.
        raise VenueError(Refusal.REDUCE_ONLY_MARGIN)
    plain = sum((each.remaining for each in same_side if not each.closes), ZERO)
    _check_flip(venue, account, order, plain + min(order.quantity, left) - facing if plain else ZERO)
    return left


def _check_flip(venue: Venue, account: Account, order: Order, flipped: Decimal) -> None:
    # With the position closed by this order, the plain orders beside it would open the other side.
    instrument = venue.instruments[order.symbol]
    need = flipped * venue.tick(order.symbol).mark / venue.leverage(account, instrument)
    if flipped > 0 and available(venue, account, instrument.margin_asset) < need:
        raise VenueError(Refusal.REDUCE_ONLY_MARGIN)


def _check_book(venue: Venue, instrument: PaperInstrument, order: Order, tick: Tick) -> None:
    if order.type is OrderType.MARKET:
        check_best(instrument, order.side, best_offer(venue, order.symbol, order.side), tick.mark)
    elif is_refused_to_take(venue, order, order.price):
        raise VenueError(Refusal.GTX_REJECTED)
    elif order.time_in_force is TimeInForce.FOK and not fillable(venue, order, order.price):
        raise VenueError(Refusal.FOK_REJECTED)


def check_margin(venue: Venue, account: Account, instrument: PaperInstrument, order: Order, tick: Tick) -> None:
    """Leverage bracket and free margin. Raises VenueError -2027 or -2019. An order that only closes needs neither."""
    if order.closes:
        return
    price = order.price or (tick.ask if order.side is OrderSide.BUY else tick.bid)
    before = exposure(venue, account, order.symbol, order.position_side)
    after = before.plus(order.side, price * order.quantity)
    grown = after.position + after.bids if order.side is OrderSide.BUY else after.asks - after.position
    leverage = venue.leverage(account, instrument)
    if grown > instrument.max_notional(leverage):
        raise VenueError(Refusal.MAX_POSITION)
    need = (after.orders_need - before.orders_need) / leverage
    # An order that is worse than the mark price loses the difference when it is filled.
    loss = max(ZERO, (price - tick.mark) * order.side.sign * order.quantity) if need > 0 else ZERO
    if need > 0 and available(venue, account, instrument.margin_asset) < need + loss:
        raise VenueError(Refusal.MARGIN_INSUFFICIENT)
