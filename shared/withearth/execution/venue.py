"""The venue port: what can be done with an exchange account, and what can be read of it.

What changes the account answers with an `Answer`. Reading either succeeds or raises Unavailable.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from withearth.execution.orders import Answer, Conditional, Order, PositionSide
from withearth.execution.shown import (
    AccountModes,
    Balance,
    ConditionalState,
    Fill,
    FundingFee,
    FundingRate,
    Income,
    OrderState,
    Position,
    SymbolModes,
    Truth,
)


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


LIVE: Final = "LIVE"
"""The kind of a venue with real money."""
EXTERNAL: Final = frozenset({"DEMO", LIVE})
"""The kinds of venue whose account is not ours alone to change."""
ALREADY_SO: Final = frozenset({-4046, -4059, -4171, -5027})
"""Codes by which the exchange says that what was asked is so already."""
