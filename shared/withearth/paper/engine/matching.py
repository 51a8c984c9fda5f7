"""Takers meet the book, and the market meets resting orders.

The book of a symbol is the outside market's, as the feed gives it for the present tick, with the resting orders of all
accounts in it. Chosen deliberately:

- A taker eats prices in order; at one price the outside quantity stands in front. What it eats is gone until the feed's
  next tick.
- A resting order trades whole when the last price goes through it. When the last price only touches it, half of the
  tick's volume works on its side of the book: first on the queue in front of it, then on the orders by their age. The
  queue is what stands at the outside market's best price when the price first gets there; an order that bettered the
  outside market when it was placed has none.
- An account that meets itself does not trade: self-trade prevention says which of the two orders expires.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from withearth.paper.engine.booking import book_fill, closable
from withearth.paper.engine.filters import down_to_step
from withearth.paper.engine.kinds import OrderSide, OrderStatus, SelfTradePrevention, TimeInForce
from withearth.paper.engine.orders import ZERO, Order
from withearth.paper.engine.venue import Venue
from withearth.paper.feed import PriceLevel, Tick


@dataclass(frozen=True, slots=True)
class Offer:
    """Something a taker can trade with: a level of the outside book, or a resting order."""

    price: Decimal
    quantity: Decimal
    order: Order | None = None


def crosses(side: OrderSide, limit: Decimal | None, price: Decimal) -> bool:
    """Whether an order of this side and limit trades at `price`; without a limit it trades at any."""
    return limit is None or (price <= limit if side is OrderSide.BUY else price >= limit)


def offers(venue: Venue, symbol: str, taker: OrderSide) -> Iterator[Offer]:
    """What a taker meets, best price first."""
    outside = outside_levels(venue, symbol, asks=taker is OrderSide.BUY)
    resting = [order for order in venue.state(symbol).orders.values() if order.side is not taker]
    if not resting:
        yield from (Offer(level.price, level.quantity) for level in outside)
        return
    resting.sort(key=lambda order: order.price * taker.sign)
    queue = iter(resting)
    order = next(queue, None)
    for level in outside:
        while order is not None and order.price * taker.sign < level.price * taker.sign:
            yield Offer(order.price, order.remaining, order)
            order = next(queue, None)
        yield Offer(level.price, level.quantity)
    while order is not None:
        yield Offer(order.price, order.remaining, order)
        order = next(queue, None)


def outside_levels(venue: Venue, symbol: str, *, asks: bool) -> Iterator[PriceLevel]:
    """One side of the outside book, less what was taken since its tick began."""
    taken = _taken(venue, symbol)
    for level in venue.feed.levels(symbol, venue.now_ms, asks=asks):
        left = level.quantity - taken.get(level.price, ZERO) if taken else level.quantity
        if left > 0:
            yield level if left == level.quantity else PriceLevel(level.price, left)


def best_offer(venue: Venue, symbol: str, taker: OrderSide) -> Decimal | None:
    """The best price a taker meets, None in an empty book."""
    first = next(offers(venue, symbol, taker), None)
    return first.price if first else None


def is_refused_to_take(venue: Venue, order: Order, price: Decimal) -> bool:
    """Whether the order may only rest (GTX), and would trade at once at this limit."""
    if order.time_in_force is not TimeInForce.GTX:
        return False
    best = best_offer(venue, order.symbol, order.side)
    return best is not None and crosses(order.side, price, best)


def fillable(venue: Venue, order: Order, limit: Decimal) -> bool:
    """Whether the whole order would trade at once, without a trade with itself."""
    missing = order.quantity
    for offer in offers(venue, order.symbol, order.side):
        if not crosses(order.side, limit, offer.price):
            break
        if offer.order is None or offer.order.account != order.account:
            missing -= offer.quantity
        if missing <= 0:
            return True
    return False


def take(venue: Venue, order: Order, limit: Decimal | None) -> None:
    """Trade what crosses now. What is left of the order is the caller's to rest or to end."""
    account = venue.accounts[order.account]
    left = closable(account, order)
    for offer in offers(venue, order.symbol, order.side):
        if left <= 0 or not crosses(order.side, limit, offer.price):
            return
        if offer.order is not None and not offer.order.is_open:
            continue  # knocked out by an earlier trade of this very order
        if offer.order is not None and not _may_meet(venue, order, offer.order):
            if not order.is_open:
                return
            continue
        quantity = min(left, offer.quantity if offer.order is None else _maker_quantity(venue, offer.order))
        if quantity > 0:
            _trade(venue, order, offer, quantity)
            left = closable(account, order)


def _maker_quantity(venue: Venue, maker: Order) -> Decimal:
    return closable(venue.accounts[maker.account], maker)


def _may_meet(venue: Venue, taker: Order, maker: Order) -> bool:
    if taker.account != maker.account or taker.self_trade_prevention is SelfTradePrevention.NONE:
        return True
    mode = taker.self_trade_prevention
    if mode in {SelfTradePrevention.EXPIRE_MAKER, SelfTradePrevention.EXPIRE_BOTH}:
        venue.end_order(maker, OrderStatus.EXPIRED_IN_MATCH)
    if mode in {SelfTradePrevention.EXPIRE_TAKER, SelfTradePrevention.EXPIRE_BOTH}:
        venue.end_order(taker, OrderStatus.EXPIRED_IN_MATCH)
    return False


def _trade(venue: Venue, taker: Order, offer: Offer, quantity: Decimal) -> None:
    venue.counters.trade += 1
    trade_id = venue.counters.trade
    if offer.order is None:
        taken = _taken(venue, taker.symbol)
        taken[offer.price] = taken.get(offer.price, ZERO) + quantity
    else:
        book_fill(venue, offer.order, offer.price, quantity, trade_id=trade_id, maker=True)
        _end_if_pointless(venue, offer.order)
    book_fill(venue, taker, offer.price, quantity, trade_id=trade_id, maker=False)


def _taken(venue: Venue, symbol: str) -> dict[Decimal, Decimal]:
    state, tick_ms = venue.state(symbol), venue.tick(symbol).time_ms
    if state.taken_ms != tick_ms:
        state.taken, state.taken_ms = {}, tick_ms
    return state.taken


def queue_at_placement(venue: Venue, order: Order) -> Decimal | None:
    """Nobody stands in front of an order that betters the outside market; otherwise it is not known yet."""
    tick = venue.tick(order.symbol)
    betters = order.price > tick.bid if order.side is OrderSide.BUY else order.price < tick.ask
    return ZERO if betters else None


def match_resting(venue: Venue, symbol: str, tick: Tick) -> None:
    """Let the market's new price trade with what rests."""
    volume = {OrderSide.BUY: tick.volume / 2, OrderSide.SELL: tick.volume / 2}
    for order in list(venue.state(symbol).orders.values()):
        if order.is_open and crosses(order.side, order.price, tick.last):
            quantity = closable(venue.accounts[order.account], order)
            if order.price == tick.last:
                quantity = _at_touch(venue, order, quantity, volume)
            _fill_resting(venue, order, quantity)


def _at_touch(venue: Venue, order: Order, wanted: Decimal, volume: dict[OrderSide, Decimal]) -> Decimal:
    if order.queue is None:
        level = next(outside_levels(venue, order.symbol, asks=order.side is OrderSide.SELL), None)
        order.queue = level.quantity if level else ZERO
    room = volume[order.side] - order.queue
    order.queue = max(ZERO, -room)
    quantity = min(wanted, down_to_step(venue.instruments[order.symbol], room))
    volume[order.side] -= quantity
    return quantity


def _fill_resting(venue: Venue, order: Order, quantity: Decimal) -> None:
    if quantity > 0:
        venue.counters.trade += 1
        book_fill(venue, order, order.price, quantity, trade_id=venue.counters.trade, maker=True)
    _end_if_pointless(venue, order)


def _end_if_pointless(venue: Venue, order: Order) -> None:
    if order.is_open and not closable(venue.accounts[order.account], order):
        venue.end_order(order, OrderStatus.EXPIRED)
