"""What is asked of the exchange, and what it answers.

Every call that changes the account answers with one of three types, because they call for three different acts:

- `Accepted`  the exchange has the order (or has done what was asked);
- `Rejected`  the exchange said no, under its own code: it did not happen;
- `Unknown`   nobody knows: a timeout, a 5xx, an answer that cannot be read. It is resolved by looking, never by
              sending again.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

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
