"""The order book and the quote: what a symbol can be bought and sold for right now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.side import Side

BASIS_POINTS: Final = 10_000
FAR_OFF: Final = 1.25
"""A price further than this from the last close, either way, is of another symbol or of another time."""


def is_near(price: float, close: float) -> bool:
    """Whether a price can be of the symbol that closed there a moment ago."""
    return close / FAR_OFF <= price <= close * FAR_OFF


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask with the funding that applies, as the exchange's two all-symbol calls give them.

    `funding_rate` is a fraction of the notional per settlement, positive when longs pay.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    observed_at: datetime
    funding_rate: Decimal | None = None
    next_funding_at: datetime | None = None

    @property
    def mid(self) -> Decimal:
        """The middle between bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def spread_bps(self) -> Decimal:
        """Ask minus bid in basis points of the mid price."""
        return (self.ask - self.bid) / self.mid * BASIS_POINTS

    def fault(self) -> Reason | None:
        """What is wrong with the two prices, or None."""
        if self.bid <= 0 or self.ask <= 0:
            return Reason.BOOK_EMPTY
        return Reason.BOOK_CROSSED if self.bid >= self.ask else None


@dataclass(frozen=True, slots=True)
class Level:
    """One price of the book with the quantity that rests there, in the base asset."""

    price: Decimal
    qty: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Resting orders, best price first on each side.

    `modelled` says that the levels are an assumption around a recorded price, because no book was recorded.
    """

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    observed_at: datetime
    modelled: bool = False

    def __post_init__(self) -> None:
        if not self.bids or not self.asks:
            raise MarketFault(Reason.BOOK_EMPTY)
        if self.bids[0].price >= self.asks[0].price:
            raise MarketFault(Reason.BOOK_CROSSED)

    @property
    def mid(self) -> Decimal:
        """The middle between the best bid and the best ask."""
        return (self.bids[0].price + self.asks[0].price) / 2

    @property
    def spread_bps(self) -> Decimal:
        """Best ask minus best bid in basis points of the mid price."""
        return (self.asks[0].price - self.bids[0].price) / self.mid * BASIS_POINTS

    def imbalance(self, levels: int = 10) -> float:
        """(bid − ask quantity) / (bid + ask quantity) over the top levels: −1 only sellers, +1 only buyers."""
        bid, ask = _quantity(self.bids[:levels]), _quantity(self.asks[:levels])
        return float((bid - ask) / (bid + ask))

    def notional(self, taker: Side, levels: int = 10) -> Decimal:
        """What an order of this side could take out of the top levels, in the quote asset."""
        taken = self.asks if taker is Side.LONG else self.bids
        return sum((level.price * level.qty for level in taken[:levels]), Decimal(0))


def _quantity(levels: Sequence[Level]) -> Decimal:
    return sum((level.qty for level in levels), Decimal(0))
