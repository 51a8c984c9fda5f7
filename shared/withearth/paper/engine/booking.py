"""A trade enters the books: order, position, wallet, fill and income, all from one place.

What is exact: cost, proceeds and realised profit are products and differences of prices and quantities, never
quotients. Only a share is rounded (to eight places, as the exchange books money): the part of the cost, of the opening
fees and of the isolated wallet that leaves with a partial close. What a share rounds away stays with what is left.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import AlgoStatus, IncomeType, OrderStatus, TimeInForce
from withearth.paper.engine.ledger import Fill
from withearth.paper.engine.orders import ZERO, Order
from withearth.paper.engine.venue import Venue

_MONEY: Final = Decimal("1e-8")


def money(amount: Decimal) -> Decimal:
    """Rounded to eight places, as the exchange books it."""
    return amount.quantize(_MONEY, ROUND_HALF_EVEN)


def closable(account: Account, order: Order) -> Decimal:
    """How much of the order can trade without opening anything; all of it when it may open."""
    if not order.closes:
        return order.remaining
    held = account.position(order.symbol, order.position_side).quantity
    facing = -held * order.side.sign
    return min(order.remaining, max(ZERO, facing))


def book_fill(venue: Venue, order: Order, price: Decimal, quantity: Decimal, *, trade_id: int, maker: bool) -> None:
    """Book one trade of an order."""
    account, instrument = venue.accounts[order.account], venue.instruments[order.symbol]
    quote = price * quantity
    commission = money(quote * (instrument.maker_fee if maker else instrument.taker_fee))
    realized = _move_position(venue, account, instrument, order, price, quantity, commission)
    _pay_for(venue, account, instrument, order, realized, commission, trade_id)
    account.fills.append(
        Fill(
            trade_id=trade_id,
            order_id=order.order_id,
            symbol=order.symbol,
            side=order.side,
            position_side=order.position_side,
            price=price,
            quantity=quantity,
            quote=quote,
            commission=commission,
            commission_asset=instrument.margin_asset,
            realized_pnl=realized,
            maker=maker,
            time_ms=venue.now_ms,
            margin_asset=instrument.margin_asset,
        )
    )
    _move_order(venue, account, order, quantity, quote)
    _after_position(venue, account, order)


def _pay_for(
    venue: Venue,
    account: Account,
    instrument: PaperInstrument,
    order: Order,
    realized: Decimal,
    commission: Decimal,
    trade_id: int,
) -> None:
    about = {"symbol": order.symbol, "info": str(trade_id), "trade_id": str(trade_id)}
    if realized:
        venue.pay(account, IncomeType.REALIZED_PNL, instrument.margin_asset, realized, **about)
    if commission:
        venue.pay(account, IncomeType.COMMISSION, instrument.margin_asset, -commission, **about)


def _move_order(venue: Venue, account: Account, order: Order, quantity: Decimal, quote: Decimal) -> None:
    order.executed += quantity
    order.quote += quote
    order.updated_ms = venue.now_ms
    if order.algo_id is not None:
        algo = account.algos[order.algo_id]
        algo.actual_quantity, algo.actual_price = order.executed, order.average_price
    if order.remaining:
        order.status = OrderStatus.PARTIALLY_FILLED
        venue.changed()
    else:
        venue.end_order(order, OrderStatus.FILLED)


def _move_position(
    venue: Venue,
    account: Account,
    instrument: PaperInstrument,
    order: Order,
    price: Decimal,
    quantity: Decimal,
    commission: Decimal,
) -> Decimal:
    key = (order.symbol, order.position_side)
    position = account.positions.get(key)
    if position is None:
        position = account.positions[key] = Position(symbol=order.symbol, side=order.position_side)
    sign = order.side.sign
    closing = min(quantity, max(ZERO, -position.quantity * sign))
    realized = _close(position, price, closing, sign) if closing else ZERO
    opening = quantity - closing
    if opening:
        position.cost += sign * opening * price
        position.quantity += sign * opening
        position.fees += money(commission * opening / quantity)
        if venue.is_isolated(account, order.symbol):
            position.isolated_wallet += money(opening * price / venue.leverage(account, instrument))
    position.updated_ms = venue.now_ms
    return realized


def _close(position: Position, price: Decimal, closing: Decimal, sign: int) -> Decimal:
    held = abs(position.quantity)
    released = _share(position.cost, closing, held)
    position.cost -= released
    position.fees -= _share(position.fees, closing, held)
    position.isolated_wallet -= _share(position.isolated_wallet, closing, held)
    position.quantity += sign * closing
    return -sign * closing * price - released


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return amount if part == whole else money(amount * part / whole)


def _after_position(venue: Venue, account: Account, order: Order) -> None:
    symbol, side = order.symbol, order.position_side
    state = venue.state(symbol)
    if not account.held(symbol):
        state.holders.pop(account.key, None)
    elif account.key not in state.holders:
        if not state.holders:
            state.funding_ms = venue.feed.funding(symbol, venue.now_ms).next_ms
        state.holders[account.key] = None
    _expire_pointless(venue, account, symbol, order)
    if not account.position(symbol, side).quantity:
        for algo in account.algos_of(symbol):
            if algo.position_side is side and algo.time_in_force is TimeInForce.GTE_GTC:
                venue.end_algo(algo, AlgoStatus.EXPIRED)


def _expire_pointless(venue: Venue, account: Account, symbol: str, filled: Order) -> None:
    # Knocked out (`er` 4): a closing order with nothing left to close. The one that trades just now sees to itself.
    for order in account.orders_of(symbol):
        if order.closes and order is not filled and not closable(account, order):
            venue.end_order(order, OrderStatus.EXPIRED)
