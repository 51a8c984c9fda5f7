"""When a price can change something: the bounds within which time may be skipped.

A liquidation depends on every position that shares a wallet. Instead of a price, each position gets a band around its
present mark price: while all of an account's prices stay inside their bands, however they move together, nothing is
liquidated. It holds because maintenance margin is continuous and never grows faster than the rate of the bracket of
twice the notional, and no band is wider than the price itself.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.kinds import OrderSide
from withearth.paper.engine.margin import (
    Health,
    cross_health,
    cross_positions,
    isolated_health,
    pooled_assets,
)
from withearth.paper.engine.orders import ZERO, AlgoOrder
from withearth.paper.engine.venue import Bounds, SymbolState, Venue
from withearth.paper.feed import Span


def can_touch(venue: Venue, symbol: str, span: Span) -> bool:
    """Whether a price inside the span can change anything."""
    bounds = _bounds(venue, symbol, venue.states[symbol])
    return (bounds.low is not None and span.low <= bounds.low) or (bounds.high is not None and span.high >= bounds.high)


def _bounds(venue: Venue, symbol: str, state: SymbolState) -> Bounds:
    if state.bounds is None or state.bounds_version != venue.version:
        below: list[Decimal] = []
        above: list[Decimal] = []
        for is_below, price in _prices(venue, symbol, state):
            (below if is_below else above).append(price)
        state.bounds = Bounds(max(below, default=None), min(above, default=None))
        state.bounds_version = venue.version
    return state.bounds


def _prices(venue: Venue, symbol: str, state: SymbolState) -> Iterator[tuple[bool, Decimal]]:
    for order in state.orders.values():
        yield order.side is OrderSide.BUY, order.price
    for algo in state.algos.values():
        yield from _trailing_prices(algo) if algo.callback_rate is not None else _trigger(algo)
    for key in state.holders:
        yield from _liquidation_band(venue, venue.accounts[key], symbol)


def _trigger(algo: AlgoOrder) -> Iterator[tuple[bool, Decimal]]:
    yield not algo.fires_above, algo.trigger_price


def _trailing_prices(algo: AlgoOrder) -> Iterator[tuple[bool, Decimal]]:
    buys = algo.side is OrderSide.BUY
    if algo.is_activated:
        yield buys, algo.extreme  # a better price moves the trigger
        yield not buys, algo.callback_price
    elif algo.activate_price is not None:
        yield buys, algo.activate_price


def _liquidation_band(venue: Venue, account: Account, symbol: str) -> Iterator[tuple[bool, Decimal]]:
    mark = venue.tick(symbol).mark
    for position in account.held(symbol):
        room = mark * _safe_fraction(venue, account, position)
        long = position.quantity > 0
        yield long, mark - room if long else mark + room


def _safe_fraction(venue: Venue, account: Account, position: Position) -> Decimal:
    asset = venue.instruments[position.symbol].margin_asset
    if venue.is_isolated(account, position.symbol):
        return _fraction(venue, isolated_health(venue, position), [position])
    together = [each for each, _ in cross_positions(venue, account, pooled_assets(account, asset))]
    return _fraction(venue, cross_health(venue, account, asset), together)


def _fraction(venue: Venue, health: Health, positions: Iterable[Position]) -> Decimal:
    weight = ZERO
    for position in positions:
        notional = abs(position.quantity) * venue.tick(position.symbol).mark
        weight += notional * (1 + venue.instruments[position.symbol].bracket_of(2 * notional).rate)
    return min(Decimal(1), max(ZERO, health.balance - health.maintenance) / weight)
