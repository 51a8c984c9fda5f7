"""The books of one account: wallet, positions, orders, fills and income.

Live objects of the engine. Others read them, and never write.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from withearth.paper.engine.kinds import MarginType, PositionSide
from withearth.paper.engine.ledger import Fill, Income
from withearth.paper.engine.orders import ZERO, AlgoOrder, Amendment, Order

DEFAULT_LEVERAGE: Final = 20
_ENTRY_PLACES: Final = Decimal("1e-10")


@dataclass(slots=True, kw_only=True)
class Position:
    """What an account holds of one symbol. `quantity` is negative when short.

    `cost` is the quote paid for it (negative when short) and is exact where an entry price would be rounded: unrealised
    profit is `quantity × mark − cost`. `fees` are the commissions paid to open what is held. `isolated_wallet` is the
    part of the wallet set aside for it under ISOLATED.
    """

    symbol: str
    side: PositionSide
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO
    isolated_wallet: Decimal = ZERO
    updated_ms: int = 0

    @property
    def entry_price(self) -> Decimal:
        """Mean price of what is held, to ten places; 0 when flat."""
        return _rounded(self.cost / self.quantity) if self.quantity else ZERO

    @property
    def break_even_price(self) -> Decimal:
        """The entry price with the commissions paid to open, to ten places; 0 when flat."""
        return _rounded((self.cost + self.fees) / self.quantity) if self.quantity else ZERO

    def unrealized(self, mark: Decimal) -> Decimal:
        """Profit if it were closed at `mark`, exact."""
        return self.quantity * mark - self.cost


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(_ENTRY_PLACES).normalize()


@dataclass(slots=True, kw_only=True)
class Account:
    """The books of one API key. `wallet` includes what is set aside for isolated positions."""

    key: str
    dual_side: bool = False
    multi_assets: bool = False
    wallet: dict[str, Decimal] = field(default_factory=dict)
    leverages: dict[str, int] = field(default_factory=dict)
    margin_types: dict[str, MarginType] = field(default_factory=dict)
    positions: dict[tuple[str, PositionSide], Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    open_orders: dict[int, Order] = field(default_factory=dict)
    algos: dict[int, AlgoOrder] = field(default_factory=dict)
    open_algos: dict[int, AlgoOrder] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    income: list[Income] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    countdowns: dict[str, int] = field(default_factory=dict)
    order_ids: dict[tuple[str, str], int] = field(default_factory=dict)
    algo_ids: dict[str, int] = field(default_factory=dict)

    def leverage(self, symbol: str) -> int:
        """The leverage set for a symbol, 20 unless changed."""
        return self.leverages.get(symbol, DEFAULT_LEVERAGE)

    def margin_type(self, symbol: str) -> MarginType:
        """CROSSED unless changed."""
        return self.margin_types.get(symbol, MarginType.CROSSED)

    def position(self, symbol: str, side: PositionSide) -> Position:
        """The position, flat when there is none."""
        return self.positions.get((symbol, side)) or Position(symbol=symbol, side=side)

    def held(self, symbol: str | None = None) -> list[Position]:
        """The positions that are not flat."""
        return [each for each in self.positions.values() if each.quantity and symbol in {None, each.symbol}]

    def orders_of(self, symbol: str) -> list[Order]:
        """The open ordinary orders of a symbol, oldest first."""
        return [order for order in self.open_orders.values() if order.symbol == symbol]

    def algos_of(self, symbol: str) -> list[AlgoOrder]:
        """The open conditional orders of a symbol, oldest first."""
        return [algo for algo in self.open_algos.values() if algo.symbol == symbol]
