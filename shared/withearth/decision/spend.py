"""What asking costs: tokens and millionths of a dollar, as integers, so that the store can add them up.

A price in USD per million tokens is, as a number, the price of one token in millionths of a dollar.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

from withearth.settings import Settings

MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Spend:
    """Tokens asked and answered, and their price in millionths of a USD."""

    tokens: int = 0
    micro_usd: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(self.tokens + other.tokens, self.micro_usd + other.micro_usd)

    def __neg__(self) -> "Spend":
        return Spend(-self.tokens, -self.micro_usd)

    def __bool__(self) -> bool:
        return self != NOTHING

    def to_document(self) -> dict[str, int]:
        """The two numbers as they stand in documents."""
        return {"tokens": self.tokens, "micro_usd": self.micro_usd}

    @classmethod
    def from_document(cls, data: Any) -> Self:
        """The numbers a document holds."""
        return cls(data["tokens"], data["micro_usd"])


NOTHING: Final = Spend()


def spend(tokens_in: int, tokens_out: int, settings: Settings) -> Spend:
    """What these tokens cost, rounded up. Thinking counts as answering."""
    cost = tokens_in * settings.g_price_in_usd + tokens_out * settings.g_price_out_usd
    return Spend(tokens_in + tokens_out, math.ceil(cost))


def budget(settings: Settings) -> Spend:
    """The most that may be spent in one UTC day."""
    return Spend(settings.model_budget_tokens, math.floor(settings.model_budget_usd * MICRO))


def within(total: Spend, limit: Spend) -> bool:
    """Whether neither number is above its limit."""
    return total.tokens <= limit.tokens and total.micro_usd <= limit.micro_usd


def usd(micro_usd: int) -> str:
    """The amount in USD, as decimal text."""
    return str(Decimal(micro_usd) / MICRO)
