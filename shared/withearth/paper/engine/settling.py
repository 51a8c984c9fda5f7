"""What happens because time or losses say so: expiries, countdowns, funding, liquidation.

A liquidation closes the whole position, or all cross positions of the wallet, at the book's prices and charges the
symbol's liquidation fee on top of the commission. What the margin cannot pay, the insurance fund does, as
INSURANCE_CLEAR: no wallet stays below zero. Partial liquidation by brackets and auto-deleveraging are not modelled.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.booking import book_fill, money
from withearth.paper.engine.kinds import AlgoStatus, IncomeType, OrderSide, OrderStatus, OrderType, TimeInForce
from withearth.paper.engine.margin import (
    cross_health,
    cross_positions,
    cross_wallet,
    isolated_health,
    pooled_assets,
)
from withearth.paper.engine.matching import take
from withearth.paper.engine.orders import ZERO, Order
from withearth.paper.engine.venue import NEVER_MS, SymbolState, Venue, expiry_ms

# Recorded settlements are stamped some milliseconds after the hour they are due.
_SETTLED_WITHIN_MS: Final = 60_000


def settle_due(venue: Venue) -> None:
    """Do everything that is due by now."""
    for symbol, state in list(venue.states.items()):
        if state.holders and state.funding_ms <= venue.now_ms:
            _settle_funding(venue, symbol, state)
        _expire(venue, state)
    for account in venue.accounts.values():
        _count_down(venue, account)
    venue.changed()


def _expire(venue: Venue, state: SymbolState) -> None:
    for order in list(state.orders.values()):
        if order.is_open and expiry_ms(order) <= venue.now_ms:
            venue.end_order(order, OrderStatus.EXPIRED)
    for algo in list(state.algos.values()):
        if algo.good_till_date and algo.good_till_date <= venue.now_ms:
            venue.end_algo(algo, AlgoStatus.EXPIRED)


def _count_down(venue: Venue, account: Account) -> None:
    for symbol in [symbol for symbol, due in account.countdowns.items() if due <= venue.now_ms]:
        del account.countdowns[symbol]
        for order in account.orders_of(symbol):
            venue.end_order(order, OrderStatus.CANCELED)


def _settle_funding(venue: Venue, symbol: str, state: SymbolState) -> None:
    due = state.funding_ms
    mark = venue.tick(symbol).mark
    for _, rate in venue.feed.settlements(symbol, due - 1, due + _SETTLED_WITHIN_MS - 1):
        for key in list(state.holders):
            for position in venue.accounts[key].held(symbol):
                _pay_funding(venue, venue.accounts[key], position, mark, rate)
    following = venue.feed.funding(symbol, venue.now_ms).next_ms
    state.funding_ms = following if following > venue.now_ms else NEVER_MS
    for key in list(state.holders):
        liquidate_broken(venue, venue.accounts[key], symbol)


def _pay_funding(venue: Venue, account: Account, position: Position, mark: Decimal, rate: Decimal) -> None:
    amount = money(-position.quantity * mark * rate)
    if not amount:
        return
    venue.pay(
        account,
        IncomeType.FUNDING_FEE,
        venue.instruments[position.symbol].margin_asset,
        amount,
        symbol=position.symbol,
    )
    if venue.is_isolated(account, position.symbol):
        position.isolated_wallet = max(ZERO, position.isolated_wallet + amount)


def liquidate_broken(venue: Venue, account: Account, symbol: str) -> None:
    """Liquidate what of the account the prices of a symbol have broken."""
    asset = venue.instruments[symbol].margin_asset
    if venue.is_isolated(account, symbol):
        for position in account.held(symbol):
            if isolated_health(venue, position).is_broken:
                _liquidate_isolated(venue, account, position, asset)
    if cross_health(venue, account, asset).is_broken:
        _liquidate_cross(venue, account, asset)


def _liquidate_isolated(venue: Venue, account: Account, position: Position, asset: str) -> None:
    _end_orders(venue, [o for o in account.orders_of(position.symbol) if o.position_side is position.side])
    margin, wallet = position.isolated_wallet, account.wallet[asset]
    _close_out(venue, account, position)
    short = -(margin + account.wallet[asset] - wallet)
    if short > 0:
        venue.pay(account, IncomeType.INSURANCE_CLEAR, asset, short, symbol=position.symbol)


def _liquidate_cross(venue: Venue, account: Account, asset: str) -> None:
    assets = pooled_assets(account, asset)
    _end_orders(venue, list(account.open_orders.values()))
    for position, _ in list(cross_positions(venue, account, assets)):
        _close_out(venue, account, position)
    short = -cross_wallet(venue, account, assets)
    if short > 0:
        venue.pay(account, IncomeType.INSURANCE_CLEAR, asset, short)


def _end_orders(venue: Venue, orders: Iterable[Order]) -> None:
    for order in orders:
        venue.end_order(order, OrderStatus.EXPIRED)


def _close_out(venue: Venue, account: Account, position: Position) -> None:
    order = _liquidation_order(venue, account, position)
    account.orders[order.order_id] = order
    account.order_ids[order.symbol, order.client_order_id] = order.order_id
    take(venue, order, None)
    if order.is_open:
        # The book is empty: the insurance fund takes the rest at mark.
        venue.counters.trade += 1
        book_fill(venue, order, order.price, order.remaining, trade_id=venue.counters.trade, maker=False)
    instrument = venue.instruments[order.symbol]
    fee = money(order.quote * instrument.liquidation_fee)
    if fee:
        venue.pay(account, IncomeType.INSURANCE_CLEAR, instrument.margin_asset, -fee, symbol=order.symbol)


def _liquidation_order(venue: Venue, account: Account, position: Position) -> Order:
    venue.counters.order += 1
    return Order(
        order_id=venue.counters.order,
        account=account.key,
        symbol=position.symbol,
        client_order_id=f"autoclose-{venue.now_ms}{venue.counters.order % 1_000_000:06d}",
        side=OrderSide.SELL if position.quantity > 0 else OrderSide.BUY,
        position_side=position.side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        price=venue.tick(position.symbol).mark,
        quantity=abs(position.quantity),
        reduce_only=False,
        closes=True,
        created_ms=venue.now_ms,
        updated_ms=venue.now_ms,
        liquidation=True,
    )
