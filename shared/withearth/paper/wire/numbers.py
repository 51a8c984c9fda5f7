"""Numbers as the exchange prints them. One order looks different in every channel, and clients have met each form.

Seen in recorded answers: a price is padded to the symbol's `pricePrecision`, a quantity to its `quantityPrecision`,
and what comes of multiplying or averaging to the sum of both. Lists of past orders drop the padding of a price, but
not that of an average. Money of the account has eight places, and often a bare `0` where it is nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_EIGHT: Final = ".8f"


@dataclass(frozen=True, slots=True)
class Places:
    """How many decimal places a symbol's prices and quantities are printed with."""

    price: int
    qty: int

    def pad_price(self, value: Decimal) -> str:
        """A price, padded."""
        return f"{value:.{self.price}f}"

    def pad_qty(self, value: Decimal) -> str:
        """A quantity, padded."""
        return f"{value:.{self.qty}f}"

    def pad_money(self, value: Decimal) -> str:
        """A product or an average of fills, padded."""
        return f"{value:.{self.price + self.qty}f}"


def plain(value: Decimal) -> str:
    """Without trailing zeros, never in exponent form, and zero as `0`."""
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_point(value: Decimal) -> str:
    """Like `plain`, but with at least one decimal place: `0.0`, `1.1837`."""
    text = plain(value)
    return text if "." in text else f"{text}.0"


def money(value: Decimal) -> str:
    """An amount of the account's money, in eight places."""
    return format(value, _EIGHT)


def money_or_zero(value: Decimal) -> str:
    """The same, with nothing at all as a bare `0`."""
    return format(value, _EIGHT) if value else "0"
