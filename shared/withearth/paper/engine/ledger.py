"""What is written once and never changed: fills and income."""

from dataclasses import dataclass
from decimal import Decimal

from withearth.paper.engine.kinds import IncomeType, OrderSide, PositionSide


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an account. `commission` is what was paid, positive."""

    trade_id: int
    order_id: int
    symbol: str
    side: OrderSide
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    quote: Decimal
    commission: Decimal
    commission_asset: str
    realized_pnl: Decimal
    maker: bool
    time_ms: int
    margin_asset: str


@dataclass(frozen=True, slots=True)
class Income:
    """One change of the wallet. `symbol` and `trade_id` are empty where none belongs to it."""

    tran_id: int
    symbol: str
    type: IncomeType
    amount: Decimal
    asset: str
    info: str
    time_ms: int
    trade_id: str = ""
