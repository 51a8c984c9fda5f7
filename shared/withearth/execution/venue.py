"""The venue port: orders, conditional orders and what the exchange says about them.

Every call that changes the account answers with one of three types, because they call for three different acts:

- `Accepted`  the exchange has the order (or has done what was asked);
- `Rejected`  the exchange said no, under its own code: it did not happen;
- `Unknown`   nobody knows: a timeout, a 5xx, an answer that cannot be read. It is resolved by looking, never by
              sending again.

Reading either succeeds or raises Unavailable. A reading that says an order is absent is a reading, not a proof: the
exchange answers -2013 for live orders at times.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from withearth.domain.side import Side


class Action(StrEnum):
    """The direction of an order, in the exchange's words."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Action":
        """The other direction."""
        return Action.SELL if self is Action.BUY else Action.BUY


def entering(side: Side) -> Action:
    """What opens a trade of this side."""
    return Action.BUY if side is Side.LONG else Action.SELL


class PositionSide(StrEnum):
    """Which of a symbol's positions an order is about: the only one, or in hedge mode its long or its short one."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"

    def is_reduced_by(self, action: Action) -> bool:
        """Whether in hedge mode an order of this direction can only reduce the position."""
        return self is not PositionSide.BOTH and (self is PositionSide.LONG) == (action is Action.SELL)


def place_of(symbol: str, position_side: PositionSide) -> str:
    """What one trade takes for itself: a symbol, or one side of it in hedge mode."""
    return symbol if position_side is PositionSide.BOTH else f"{symbol}-{position_side}"


class TimeInForce(StrEnum):
    """How long a limit order rests. GTX is post-only: it never takes."""

    GTC = "GTC"
    IOC = "IOC"
    GTX = "GTX"


class Trigger(StrEnum):
    """Which way a conditional order looks: a stop protects, a target takes the profit."""

    STOP = "STOP_MARKET"
    TARGET = "TAKE_PROFIT_MARKET"


@dataclass(frozen=True, slots=True)
class Order:
    """An ordinary order. Without a price it is a market order. Price in the quote, quantity in the base asset."""

    symbol: str
    client_id: str
    action: Action
    qty: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH


@dataclass(frozen=True, slots=True)
class Conditional:
    """A reduce-only market order that waits for its trigger price."""

    symbol: str
    client_id: str
    action: Action
    qty: Decimal
    trigger: Trigger
    trigger_price: Decimal
    position_side: PositionSide = PositionSide.BOTH


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange has it. `order_id` is the exchange's own id, empty where an answer carries none."""

    client_id: str
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The exchange refused. `code` is its own, such as -2019."""

    client_id: str
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No trustworthy answer: look before anything else is done on this symbol."""

    client_id: str
    detail: str


Answer = Accepted | Rejected | Unknown


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

    def order(self, client_id: str) -> OrderState | None:
        """The open ordinary order with this id."""
        return next((each for each in self.orders if each.client_id == client_id), None)

    def conditional(self, client_id: str) -> ConditionalState | None:
        """The open conditional order with this id."""
        return next((each for each in self.conditionals if each.client_id == client_id), None)


class Trading(Protocol):
    """What changes orders. Nothing here raises for an answer of the exchange, whatever it is.

    `at` is the instant at which the caller last knew that it may act: when its write-ahead record, and with it its
    lease, was written. The request is signed with it, so the exchange itself refuses a request that was held up on the
    way (-1021): a process that slept through its lease cannot act beside the one that took over.
    """

    def place(self, order: Order, at: datetime) -> Answer:
        """Send an ordinary order."""
        ...

    def arm(self, conditional: Conditional, at: datetime) -> Answer:
        """Send a conditional order."""
        ...

    def modify(self, order: Order, at: datetime) -> Answer:
        """Move an open limit order to the price and quantity given; it loses its place in the queue."""
        ...

    def cancel(self, symbol: str, client_id: str, at: datetime) -> Answer:
        """Cancel an ordinary order. Rejected with -2011 says nothing about why it is not open."""
        ...

    def disarm(self, client_id: str, at: datetime) -> Answer:
        """Cancel a conditional order."""
        ...


class Reading(Protocol):
    """What the exchange says. Raises Unavailable when it does not say it."""

    def touch(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Best bid and best ask."""
        ...

    def truth(self, symbol: str, position_side: PositionSide = PositionSide.BOTH) -> Truth:
        """Position and open orders of one symbol; in hedge mode of one side of it."""
        ...

    def positions(self) -> tuple[Position, ...]:
        """Every position of the account that is not flat."""
        ...

    def order(self, symbol: str, client_id: str) -> OrderState | None:
        """One ordinary order in whatever state, None when the exchange says it has none."""
        ...

    def orders(self, symbol: str, since_ms: int) -> tuple[OrderState, ...]:
        """Every ordinary order since an instant, in whatever state: the only list that shows an id twice."""
        ...

    def conditional(self, symbol: str, client_id: str) -> ConditionalState | None:
        """One conditional order in whatever state, None when no list of the exchange has it."""
        ...

    def fills(self, symbol: str, since_ms: int) -> tuple[Fill, ...]:
        """All executions since an instant, oldest first, each once."""
        ...

    def funding_fees(self, symbol: str, since_ms: int) -> tuple[FundingFee, ...]:
        """All funding payments since an instant, oldest first; in hedge mode of both sides, and nothing says whose."""
        ...

    def funding_rates(self, symbol: str, since_ms: int) -> tuple[FundingRate, ...]:
        """The rate of every settlement since an instant, oldest first."""
        ...


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


class Account(Protocol):
    """How the account is set up, what it holds altogether, and what can be changed about it."""

    def modes(self) -> AccountModes:
        """The account's modes. Raises Unavailable."""
        ...

    def symbol_modes(self, symbol: str) -> SymbolModes:
        """The modes of one symbol. Raises Unavailable."""
        ...

    def set_margin_type(self, symbol: str, margin_type: str, at: datetime) -> Answer:
        """Change ISOLATED or CROSSED. The exchange refuses it while the symbol has orders or a position."""
        ...

    def set_leverage(self, symbol: str, leverage: int, at: datetime) -> Answer:
        """Change the leverage."""
        ...

    def balance(self) -> Balance:
        """The account's USDT. Raises Unavailable."""
        ...

    def income(self, since_ms: int) -> tuple[Income, ...]:
        """Every change of the wallet since an instant, oldest first, each once. Raises Unavailable."""
        ...

    def everything(self) -> tuple[tuple[Position, ...], tuple[OrderState, ...], tuple[ConditionalState, ...]]:
        """Every position that is not flat, and every open order of both books, over all symbols. Raises Unavailable."""
        ...


class Venue(Trading, Reading, Account, Protocol):
    """An exchange account, and what can be done with it."""

    @property
    def kind(self) -> str:
        """PAPER, DEMO or LIVE: shown beside every number that comes of it."""
        ...


QUOTE_ASSET: Final = "USDT"
"""The asset in which profit, fees and margin of these perpetuals are counted."""
LIVE: Final = "LIVE"
"""The kind of a venue with real money."""
EXTERNAL: Final = frozenset({"DEMO", LIVE})
"""The kinds of venue whose account is not ours alone to change."""
ALREADY_SO: Final = frozenset({-4046, -4059, -4171, -5027})
"""Codes by which the exchange says that what was asked is so already."""
