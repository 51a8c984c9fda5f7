"""Margin: what positions and orders bind, what is free, and when an account is liquidated.

Cross positions of one margin asset share that asset's wallet, less what is set aside for isolated ones. In multi-assets
mode all assets count as one, at par: haircuts and exchange rates are not modelled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import OrderSide, PositionSide
from withearth.paper.engine.orders import ZERO
from withearth.paper.engine.venue import Venue


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one symbol and position side carries, as notional: the position at mark, open bids and open asks."""

    position: Decimal
    bids: Decimal
    asks: Decimal

    @property
    def largest(self) -> Decimal:
        """The larger of what it becomes when all bids, or all asks, are filled."""
        return max(abs(self.position + self.bids), abs(self.position - self.asks))

    @property
    def orders_need(self) -> Decimal:
        """What open orders can add to the position."""
        return max(ZERO, self.largest - abs(self.position))

    def plus(self, side: OrderSide, notional: Decimal) -> "Exposure":
        """The same with one more order."""
        more_bids, more_asks = (notional, ZERO) if side is OrderSide.BUY else (ZERO, notional)
        return Exposure(self.position, self.bids + more_bids, self.asks + more_asks)


@dataclass(frozen=True, slots=True)
class Health:
    """A margin balance and the maintenance margin below which it is liquidated."""

    balance: Decimal
    maintenance: Decimal

    @property
    def is_broken(self) -> bool:
        """Whether it is liquidated."""
        return self.maintenance > 0 and self.balance <= self.maintenance


def exposure(venue: Venue, account: Account, symbol: str, side: PositionSide) -> Exposure:
    """Position and open orders of one side. Orders that only close bind nothing."""
    position = account.positions.get((symbol, side))
    held = position.quantity * venue.tick(symbol).mark if position and position.quantity else ZERO
    bids = asks = ZERO
    for order in account.open_orders.values():
        if order.symbol == symbol and order.position_side is side and not order.closes:
            notional = order.price * order.remaining
            if order.side is OrderSide.BUY:
                bids += notional
            else:
                asks += notional
    return Exposure(held, bids, asks)


def pooled_assets(account: Account, asset: str) -> list[str]:
    """The assets whose wallets carry positions margined in `asset`."""
    return list(account.wallet) if account.multi_assets else [asset]


def cross_positions(venue: Venue, account: Account, assets: list[str]) -> Iterator[tuple[Position, PaperInstrument]]:
    """The cross positions that the wallets of these assets carry."""
    for position in account.positions.values():
        if position.quantity and not venue.is_isolated(account, position.symbol):
            instrument = venue.instruments[position.symbol]
            if instrument.margin_asset in assets:
                yield position, instrument


def cross_wallet(venue: Venue, account: Account, assets: list[str]) -> Decimal:
    """What is in the wallets and not set aside for isolated positions."""
    total = sum((account.wallet.get(asset, ZERO) for asset in assets), ZERO)
    for position in account.positions.values():
        if position.isolated_wallet and venue.instruments[position.symbol].margin_asset in assets:
            total -= position.isolated_wallet
    return total


def cross_health(venue: Venue, account: Account, asset: str) -> Health:
    """The balance and maintenance margin of all cross positions of an asset."""
    assets = pooled_assets(account, asset)
    balance, maintenance = cross_wallet(venue, account, assets), ZERO
    for position, instrument in cross_positions(venue, account, assets):
        mark = venue.tick(position.symbol).mark
        balance += position.unrealized(mark)
        maintenance += instrument.maintenance(abs(position.quantity) * mark)
    return Health(balance, maintenance)


def isolated_health(venue: Venue, position: Position) -> Health:
    """The balance and maintenance margin of one isolated position."""
    mark = venue.tick(position.symbol).mark
    instrument = venue.instruments[position.symbol]
    balance = position.isolated_wallet + position.unrealized(mark)
    return Health(balance, instrument.maintenance(abs(position.quantity) * mark))


def position_margin(venue: Venue, account: Account, position: Position) -> Decimal:
    """The initial margin of a position at mark."""
    instrument = venue.instruments[position.symbol]
    notional = abs(position.quantity) * venue.tick(position.symbol).mark
    return notional / venue.leverage(account, instrument)


def order_margin(venue: Venue, account: Account, symbol: str) -> Decimal:
    """The initial margin of the open orders of a symbol."""
    sides = (PositionSide.LONG, PositionSide.SHORT) if account.dual_side else (PositionSide.BOTH,)
    need = sum((exposure(venue, account, symbol, side).orders_need for side in sides), ZERO)
    return need / venue.leverage(account, venue.instruments[symbol])


def available(venue: Venue, account: Account, asset: str) -> Decimal:
    """What can still be bound as initial margin; negative when losses eat into what is bound."""
    assets = pooled_assets(account, asset)
    free = cross_wallet(venue, account, assets)
    for position, _ in cross_positions(venue, account, assets):
        free += position.unrealized(venue.tick(position.symbol).mark)
        free -= position_margin(venue, account, position)
    for symbol in {order.symbol for order in account.open_orders.values()}:
        if venue.instruments[symbol].margin_asset in assets:
            free -= order_margin(venue, account, symbol)
    return free


def liquidation_price(position: Position, instrument: PaperInstrument, health: Health, mark: Decimal) -> Decimal:
    """The mark price at which the balance meets the maintenance margin, other prices unchanged; 0 where none does.

    The position must not be flat.
    """
    size = abs(position.quantity)
    bracket = instrument.bracket_of(size * mark)
    others = health.maintenance - (size * mark * bracket.rate - bracket.cum)
    slope = position.quantity - size * bracket.rate
    price = (position.quantity * mark - health.balance + others - bracket.cum) / slope
    return max(ZERO, price)
