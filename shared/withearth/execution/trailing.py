"""Where the stop of a trade belongs: where it was planned, at the entry from a gain on, or behind the best price. Pure.

R is the distance from the entry to the planned stop. A stop only ever moves towards the market.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from withearth.execution.record import Terms

STEP_R: Final = Decimal("0.1")
"""A stop is moved when it gains at least this much of R: each move is two orders."""


@dataclass(frozen=True, slots=True)
class Trailing:
    """Both in R, each 0 when it is off."""

    break_even_at: Decimal
    trail_by: Decimal

    def __bool__(self) -> bool:
        return bool(self.break_even_at or self.trail_by)


def stop_price(terms: Terms, best: Decimal | None, trailing: Trailing) -> Decimal:
    """The trigger that the stop should have, before rounding to the tick."""
    if best is None:
        return terms.sl
    sign, risk = terms.side.sign, risk_of(terms)
    candidates = [terms.sl]
    if trailing.break_even_at and (best - terms.entry) * sign >= trailing.break_even_at * risk:
        candidates.append(terms.entry)
    if trailing.trail_by:
        candidates.append(best - trailing.trail_by * risk * sign)
    return max(candidates, key=lambda price: price * sign)


def risk_of(terms: Terms) -> Decimal:
    """R: the distance from the entry to the planned stop, in the quote asset."""
    return abs(terms.entry - terms.sl)


def better(terms: Terms, best: Decimal | None, price: Decimal) -> Decimal:
    """The better of the best price so far and this one."""
    sign = terms.side.sign
    return price if best is None or price * sign > best * sign else best


def is_good_enough(terms: Terms, trigger: Decimal, wanted: Decimal) -> bool:
    """Whether a stop at `trigger` may stay, when it should be at `wanted`."""
    return trigger == wanted or (wanted - trigger) * terms.side.sign < STEP_R * risk_of(terms)
