"""The entry's price, and what the market must look like for an entry to make sense. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from withearth.domain.book import BASIS_POINTS
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.execution.record import Terms

STOP_TICKS_MIN: Final = 2
"""Nearer than this to the market, a stop is refused with -2021 or goes off at once."""


@dataclass(frozen=True, slots=True)
class Touch:
    """Best bid and best ask, in the quote asset."""

    bid: Decimal
    ask: Decimal

    def leaves_at(self, side: Side) -> Decimal:
        """The price at which a trade of this side can be left at once."""
        return self.bid if side is Side.LONG else self.ask


def limit_price(terms: Terms, touch: Touch, instrument: Instrument, slippage_bps: Decimal, *, crosses: bool) -> Decimal:
    """The price of a limit entry: the best of its own side, or the other side's when it `crosses` the spread.

    Never worse than the intent's entry by more than `slippage_bps`, and rounded towards resting.
    """
    slippage = slippage_bps / BASIS_POINTS
    if terms.side is Side.LONG:
        return instrument.price_down(min(touch.ask if crosses else touch.bid, terms.entry * (1 + slippage)))
    return instrument.price_up(max(touch.bid if crosses else touch.ask, terms.entry * (1 - slippage)))


def entry_fault(terms: Terms, touch: Touch, instrument: Instrument) -> Reason | None:
    """Why this market does not allow the entry any more, or None. Looked at before every order of it."""
    leaves_at = touch.leaves_at(terms.side)
    sign = terms.side.sign
    room = (leaves_at - terms.sl) * sign
    if room <= 0 or leaves_at * sign >= terms.tp * sign:
        return Reason.LEVELS_OVERTAKEN
    if room < max(STOP_TICKS_MIN * instrument.tick_size, touch.ask - touch.bid):
        return Reason.STOP_TOO_CLOSE
    middle = (touch.bid + touch.ask) / 2
    if not all(instrument.within_band(price, middle) for price in (terms.entry, terms.sl)):
        return Reason.PRICE_BAND
    return None
