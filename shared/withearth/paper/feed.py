"""Where the paper exchange's prices come from: the port, and the values that pass through it.

A feed is a series of price points for each symbol. Between two points nothing happens; at a point the engine fires
conditional orders, fills resting ones and looks at margins. `span` lets it skip time in which nothing can happen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Tick:
    """The prices of a symbol from `time_ms` until its next tick. `volume` is what trades at `last` in that time."""

    time_ms: int
    last: Decimal
    mark: Decimal
    index: Decimal
    bid: Decimal
    ask: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """One price of the book with the quantity that rests there, in the base asset."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """Bounds that neither the last nor the mark price leaves in some time. They may be wider than what happens."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class FundingTerms:
    """The funding a symbol announces: `rate` is paid by longs to shorts at `next_ms`, every `interval_ms`."""

    rate: Decimal
    next_ms: int
    interval_ms: int


@dataclass(frozen=True, slots=True)
class FundingGrid:
    """When funding settles of which nobody knows better: every so many hours since 1970."""

    hours: int

    @property
    def interval_ms(self) -> int:
        """From one settlement to the next."""
        return self.hours * _HOUR_MS

    def next_after(self, at_ms: int) -> int:
        """The first settlement later than an instant."""
        return (at_ms // self.interval_ms + 1) * self.interval_ms

    def due(self, after_ms: int, until_ms: int) -> range:
        """The settlements with after < time ≤ until."""
        return range(self.next_after(after_ms), until_ms + 1, self.interval_ms)


class PriceFeed(Protocol):
    """Prices of every symbol at every instant. The same instant always gets the same answer.

    Raises KeyError for a symbol it does not have.
    """

    def symbols(self) -> Sequence[str]:
        """The symbols that have prices."""
        ...

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The tick in force at an instant."""
        ...

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """Bounds of the ticks with after < time ≤ until, None when there is no tick."""
        ...

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The ticks with after < time ≤ until, oldest first."""
        ...

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the book, best price first, ending where it has no more depth."""
        ...

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """What is known of funding at an instant."""
        ...

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """The times and rates settled with after < time ≤ until, oldest first."""
        ...
