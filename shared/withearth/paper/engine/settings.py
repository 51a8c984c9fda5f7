"""What an account sets: money in and out, leverage, margin type, position mode, assets mode, isolated margin."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from withearth.paper.engine.account import Account
from withearth.paper.engine.booking import money
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.filters import require
from withearth.paper.engine.kinds import IncomeType, MarginType, PositionSide
from withearth.paper.engine.ledger import Income
from withearth.paper.engine.margin import available, cross_wallet, position_margin
from withearth.paper.engine.orders import ZERO
from withearth.paper.engine.placing import position_side_of
from withearth.paper.engine.venue import Venue

# Beyond any money there is; keeps sums within the digits decimals carry.
_AMOUNT_MAX: Final = Decimal(10) ** 15


def open_account(venue: Venue, key: str, deposits: Mapping[str, Decimal]) -> Account:
    """Start an account with a wallet. Raises ValueError when the key has one."""
    if key in venue.accounts:
        raise ValueError(f"the key {key} has an account")
    account = venue.accounts[key] = Account(key=key)
    for asset, amount in deposits.items():
        transfer(venue, account, asset, amount)
    return account


def transfer(venue: Venue, account: Account, asset: str, amount: Decimal) -> Income:
    """Pay in, or out with a negative amount. Raises VenueError -1100, -1130, -4055 or -4050."""
    amount = _money(amount)
    if not amount:
        raise VenueError(Refusal.AMOUNT_NOT_POSITIVE)
    free = min(available(venue, account, asset), cross_wallet(venue, account, [asset]))
    if amount < 0 and max(ZERO, free) < -amount:
        raise VenueError(Refusal.CROSS_BALANCE_INSUFFICIENT)
    row = venue.pay(account, IncomeType.TRANSFER, asset, amount)
    venue.changed()
    return row


def set_leverage(venue: Venue, account: Account, symbol: str, leverage: int) -> Decimal:
    """Set the leverage and say what notional it allows. Raises VenueError -4028, -4161, -2027 or -2028."""
    instrument = venue.instrument(symbol)
    if not 1 <= leverage <= instrument.max_leverage:
        raise VenueError(Refusal.INVALID_LEVERAGE, leverage)
    before = venue.leverage(account, instrument)
    held = account.held(symbol)
    if leverage < before and held and venue.is_isolated(account, symbol):
        raise VenueError(Refusal.ISOLATED_LEVERAGE_CUT)
    allowed = instrument.max_notional(leverage)
    mark = venue.tick(symbol).mark
    if any(abs(position.quantity) * mark > allowed for position in held):
        raise VenueError(Refusal.MAX_POSITION)
    account.leverages[symbol] = leverage
    if leverage < before and available(venue, account, instrument.margin_asset) < 0:
        account.leverages[symbol] = before
        raise VenueError(Refusal.MIN_LEVERAGE)
    venue.changed()
    return allowed


def set_margin_type(venue: Venue, account: Account, symbol: str, margin_type: MarginType) -> None:
    """Cross or isolated. Raises VenueError -4046, -4168, -4047 or -4048."""
    venue.instrument(symbol)
    if account.margin_type(symbol) is margin_type:
        raise VenueError(Refusal.SAME_MARGIN_TYPE)
    if account.multi_assets and margin_type is MarginType.ISOLATED:
        raise VenueError(Refusal.ISOLATED_IN_ASSETS_MODE)
    if account.orders_of(symbol) or account.algos_of(symbol):
        raise VenueError(Refusal.MARGIN_TYPE_OPEN_ORDERS)
    if account.held(symbol):
        raise VenueError(Refusal.MARGIN_TYPE_POSITION)
    account.margin_types[symbol] = margin_type


def set_position_mode(venue: Venue, account: Account, *, dual_side: bool) -> None:
    """Hedge mode or one-way mode. Raises VenueError -4059, -4067 or -4068."""
    if account.dual_side is dual_side:
        raise VenueError(Refusal.SAME_POSITION_MODE)
    if account.open_orders or account.open_algos:
        raise VenueError(Refusal.POSITION_MODE_OPEN_ORDERS)
    if account.held():
        raise VenueError(Refusal.POSITION_MODE_POSITION)
    account.dual_side = dual_side
    venue.changed()


def set_multi_assets(venue: Venue, account: Account, *, multi_assets: bool) -> None:
    """Single- or multi-assets mode. Raises VenueError -4171, -4167 or -4170."""
    if account.multi_assets is multi_assets:
        raise VenueError(Refusal.SAME_ASSETS_MODE)
    if multi_assets and MarginType.ISOLATED in account.margin_types.values():
        raise VenueError(Refusal.ASSETS_MODE_ISOLATED)
    if account.open_orders:
        raise VenueError(Refusal.ASSETS_MODE_OPEN_ORDERS)
    account.multi_assets = multi_assets
    venue.changed()


def modify_isolated_margin(
    venue: Venue, account: Account, symbol: str, amount: Decimal, *, add: bool, side: PositionSide | None
) -> None:
    """Move margin to or from an isolated position. Raises VenueError -4055, -4049, -4054, -4050 or -4051."""
    instrument = venue.instrument(symbol)
    amount = _money(amount)
    if amount <= 0:
        raise VenueError(Refusal.AMOUNT_NOT_POSITIVE)
    position = account.position(symbol, position_side_of(account, side))
    if not venue.is_isolated(account, symbol):
        raise VenueError(Refusal.NOT_ISOLATED)
    if not position.quantity:
        raise VenueError(Refusal.NO_POSITION_FOR_MARGIN)
    if add and available(venue, account, instrument.margin_asset) < amount:
        raise VenueError(Refusal.CROSS_BALANCE_INSUFFICIENT)
    spare = position.isolated_wallet + min(ZERO, position.unrealized(venue.tick(symbol).mark))
    if not add and spare - amount < position_margin(venue, account, position):
        raise VenueError(Refusal.ISOLATED_BALANCE_INSUFFICIENT)
    position.isolated_wallet += amount if add else -amount
    position.updated_ms = venue.now_ms
    venue.changed()


def _money(amount: Decimal) -> Decimal:
    if abs(require(amount, "amount")) > _AMOUNT_MAX:
        raise VenueError(Refusal.INVALID_PARAMETER, "amount")
    return money(amount)
