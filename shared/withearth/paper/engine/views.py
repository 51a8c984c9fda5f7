"""Balances and positions as they are shown: values computed at the mark price of an instant, not rounded."""

from dataclasses import dataclass
from decimal import Decimal

from withearth.paper.engine.kinds import MarginType, PositionSide


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One margin asset of an account. The names follow `account` v3."""

    asset: str
    wallet_balance: Decimal
    unrealized_profit: Decimal
    margin_balance: Decimal
    maint_margin: Decimal
    initial_margin: Decimal
    position_initial_margin: Decimal
    open_order_initial_margin: Decimal
    cross_wallet_balance: Decimal
    cross_unrealized: Decimal
    available_balance: Decimal
    max_withdraw: Decimal
    updated_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """One symbol and position side of an account, also when flat. The names follow `positionRisk`.

    `liquidation_price` is 0 where there is none. `isolated_margin` is the isolated wallet with its unrealised profit.
    """

    symbol: str
    position_side: PositionSide
    margin_asset: str
    quantity: Decimal
    entry_price: Decimal
    break_even_price: Decimal
    mark_price: Decimal
    unrealized_profit: Decimal
    liquidation_price: Decimal
    leverage: int
    margin_type: MarginType
    isolated_margin: Decimal
    isolated_wallet: Decimal
    notional: Decimal
    max_notional: Decimal
    initial_margin: Decimal
    maint_margin: Decimal
    position_initial_margin: Decimal
    open_order_initial_margin: Decimal
    bid_notional: Decimal
    ask_notional: Decimal
    updated_ms: int
