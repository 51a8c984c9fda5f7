"""Balances, positions and the book as they are shown now."""

from collections.abc import Iterable
from decimal import Decimal

from withearth.paper.engine.account import Account
from withearth.paper.engine.kinds import OrderSide, PositionSide
from withearth.paper.engine.margin import (
    available,
    cross_health,
    cross_positions,
    cross_wallet,
    exposure,
    isolated_health,
    liquidation_price,
    order_margin,
    position_margin,
)
from withearth.paper.engine.matching import offers
from withearth.paper.engine.orders import ZERO
from withearth.paper.engine.venue import Venue
from withearth.paper.engine.views import Balance, PositionView
from withearth.paper.feed import PriceLevel


def book(venue: Venue, symbol: str, limit: int) -> tuple[list[PriceLevel], list[PriceLevel]]:
    """Bids and asks, best first."""
    venue.instrument(symbol)
    return _side(venue, symbol, OrderSide.SELL, limit), _side(venue, symbol, OrderSide.BUY, limit)


def _side(venue: Venue, symbol: str, taker: OrderSide, limit: int) -> list[PriceLevel]:
    levels: dict[Decimal, Decimal] = {}
    for offer in offers(venue, symbol, taker):
        if offer.price not in levels and len(levels) == limit:
            break
        levels[offer.price] = levels.get(offer.price, ZERO) + offer.quantity
    return [PriceLevel(price, quantity) for price, quantity in levels.items()]


def balances(venue: Venue, account: Account) -> list[Balance]:
    """Every asset the account ever held."""
    return [_balance(venue, account, asset) for asset in account.wallet]


def _balance(venue: Venue, account: Account, asset: str) -> Balance:
    held = [each for each in account.held() if venue.instruments[each.symbol].margin_asset == asset]
    unrealized = sum((each.unrealized(venue.tick(each.symbol).mark) for each in held), ZERO)
    symbols = {order.symbol for order in account.open_orders.values()}
    orders = sum(
        (order_margin(venue, account, each) for each in symbols if venue.instruments[each].margin_asset == asset),
        ZERO,
    )
    bound = sum((position_margin(venue, account, each) for each in held), ZERO)
    maintenance = sum(
        (_maintenance(venue, each.symbol, each.quantity) for each in held),
        ZERO,
    )
    wallet, free = account.wallet[asset], max(ZERO, available(venue, account, asset))
    cross = list(cross_positions(venue, account, [asset]))
    cross_balance = cross_wallet(venue, account, [asset])
    return Balance(
        asset=asset,
        wallet_balance=wallet,
        unrealized_profit=unrealized,
        margin_balance=wallet + unrealized,
        maint_margin=maintenance,
        initial_margin=bound + orders,
        position_initial_margin=bound,
        open_order_initial_margin=orders,
        cross_wallet_balance=cross_balance,
        cross_unrealized=sum((each.unrealized(venue.tick(each.symbol).mark) for each, _ in cross), ZERO),
        available_balance=free,
        max_withdraw=max(ZERO, min(free, cross_balance)),
        updated_ms=account.income[-1].time_ms if account.income else 0,
    )


def _maintenance(venue: Venue, symbol: str, quantity: Decimal) -> Decimal:
    return venue.instruments[symbol].maintenance(abs(quantity) * venue.tick(symbol).mark)


def positions(venue: Venue, account: Account, symbol: str | None) -> list[PositionView]:
    """Every symbol and side, flat ones too."""
    sides: Iterable[PositionSide] = tuple(PositionSide) if account.dual_side else (PositionSide.BOTH,)
    symbols = venue.instruments if symbol is None else (venue.instrument(symbol).symbol,)
    return [_view(venue, account, each, side) for each in symbols for side in sides]


def positions_in_use(venue: Venue, account: Account, symbol: str | None) -> list[PositionView]:
    """Those with a position or an open ordinary order."""
    if symbol is not None:
        venue.instrument(symbol)
    keys = {(each.symbol, each.side) for each in account.held(symbol)}
    keys |= {
        (order.symbol, order.position_side) for order in account.open_orders.values() if symbol in {None, order.symbol}
    }
    return [_view(venue, account, *key) for key in sorted(keys)]


def _view(venue: Venue, account: Account, symbol: str, side: PositionSide) -> PositionView:
    instrument, position = venue.instruments[symbol], account.position(symbol, side)
    mark, leverage = venue.tick(symbol).mark, venue.leverage(account, instrument)
    isolated = venue.is_isolated(account, symbol)
    carried = exposure(venue, account, symbol, side)
    liquidation = ZERO
    if position.quantity:
        health = isolated_health(venue, position) if isolated else cross_health(venue, account, instrument.margin_asset)
        liquidation = liquidation_price(position, instrument, health, mark)
    bound, orders = position_margin(venue, account, position), carried.orders_need / leverage
    return PositionView(
        symbol=symbol,
        position_side=side,
        margin_asset=instrument.margin_asset,
        quantity=position.quantity,
        entry_price=position.entry_price,
        break_even_price=position.break_even_price,
        mark_price=mark,
        unrealized_profit=position.unrealized(mark),
        liquidation_price=liquidation,
        leverage=leverage,
        margin_type=account.margin_type(symbol),
        isolated_margin=position.isolated_wallet + position.unrealized(mark) if isolated else ZERO,
        isolated_wallet=position.isolated_wallet,
        notional=position.quantity * mark,
        max_notional=instrument.max_notional(leverage),
        initial_margin=bound + orders,
        maint_margin=_maintenance(venue, symbol, position.quantity),
        position_initial_margin=bound,
        open_order_initial_margin=orders,
        bid_notional=carried.bids,
        ask_notional=carried.asks,
        updated_ms=position.updated_ms,
    )
