"""What the exchange shows: orders, positions, executions, and the account.

A reading that says an order is absent is a reading, not a proof: the exchange answers -2013 for live orders at times.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from withearth.domain.side import Side
from withearth.execution.orders import Action, PositionSide, Trigger, place_of


class OrderStatus(StrEnum):
    """The exchange's states of an ordinary order."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self in {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}


@dataclass(frozen=True, slots=True)
class OrderState:
    """An ordinary order as the exchange has it. `average_price` is None until something filled."""

    symbol: str
    client_id: str
    order_id: str
    action: Action
    status: OrderStatus
    qty: Decimal
    filled: Decimal
    price: Decimal | None
    average_price: Decimal | None
    reduce_only: bool
    updated_ms: int
    position_side: PositionSide = PositionSide.BOTH

    @property
    def only_reduces(self) -> bool:
        """Whether it can open nothing: it says so, or in hedge mode its position side does."""
        return self.reduce_only or self.position_side.is_reduced_by(self.action)


class ConditionalStatus(StrEnum):
    """The exchange's states of a conditional order. FINISHED says that the order it became has ended, filled or not."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        """Whether it still stands guard."""
        return self is ConditionalStatus.NEW


@dataclass(frozen=True, slots=True)
class ConditionalState:
    """A conditional order as the exchange has it. Once triggered, an ordinary order bears the same client id."""

    symbol: str
    client_id: str
    algo_id: str
    action: Action
    status: ConditionalStatus
    qty: Decimal
    trigger: Trigger
    trigger_price: Decimal
    reduce_only: bool
    position_side: PositionSide = PositionSide.BOTH

    @property
    def only_reduces(self) -> bool:
        """Whether it can open nothing: it says so, or in hedge mode its position side does."""
        return self.reduce_only or self.position_side.is_reduced_by(self.action)


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of a symbol: positive is long, zero is flat. The entry price is zero when flat.

    `liquidation_price` is where the exchange would close it, None where it names no price.
    """

    symbol: str
    qty: Decimal
    entry_price: Decimal
    position_side: PositionSide = PositionSide.BOTH
    liquidation_price: Decimal | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """Where it is held: the symbol, in hedge mode one side of it."""
        return place_of(self.symbol, self.position_side)

    @property
    def side(self) -> Side | None:
        """The side held, None when flat."""
        if self.qty == 0:
            return None
        return Side.LONG if self.qty > 0 else Side.SHORT


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `realized` is the profit it booked, before its commission, in the quote asset."""

    trade_id: int
    order_id: str
    symbol: str
    action: Action
    price: Decimal
    qty: Decimal
    realized: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class FundingFee:
    """One funding payment: positive was received, negative was paid."""

    symbol: str
    amount: Decimal
    asset: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class FundingRate:
    """The rate of one settlement: where it is positive, longs pay shorts."""

    rate: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The account's money in one asset. `available` is the margin that is free for another order."""

    asset: str
    wallet: Decimal
    unrealized: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class Income:
    """One change of the wallet. `kind` is the exchange's word, such as COMMISSION; `key` is different for every row."""

    key: str
    kind: str
    symbol: str
    amount: Decimal
    asset: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What the exchange has of one symbol, or one side of it, read at one moment: position and both books of orders."""

    position: Position
    orders: tuple[OrderState, ...]
    conditionals: tuple[ConditionalState, ...]

    @property
    def open_ids(self) -> list[str]:
        """The client ids of all open orders, ours and those of others."""
        return [*(each.client_id for each in self.orders), *(each.client_id for each in self.conditionals)]

    def order(self, client_id: str) -> OrderState | None:
        """The open ordinary order with this id."""
        return next((each for each in self.orders if each.client_id == client_id), None)

    def conditional(self, client_id: str) -> ConditionalState | None:
        """The open conditional order with this id."""
        return next((each for each in self.conditionals if each.client_id == client_id), None)


@dataclass(frozen=True, slots=True)
class AccountModes:
    """What holds for the whole account."""

    hedge_mode: bool
    multi_assets: bool
    can_trade: bool
    fees_in_bnb: bool = False


@dataclass(frozen=True, slots=True)
class SymbolModes:
    """What holds for one symbol. `margin_type` is ISOLATED or CROSSED."""

    margin_type: str
    leverage: int


QUOTE_ASSET: Final = "USDT"
"""The asset in which profit, fees and margin of these perpetuals are counted."""
