"""How a trade ended and what it earned, whoever executed it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from withearth.domain.side import Side

_R_STEP: Final = Decimal("0.0001")
"""To how much an R multiple is told."""


class ExitReason(StrEnum):
    """Why a trade ended. DATA_GAP: a shadow trade of which nobody knows. UNEXPLAINED: somebody else closed it.

    That is the owner by hand, or the exchange itself, whose fills are booked as the trade's.
    FLATTENED: the owner had everything closed. PARTIAL: it was filled in part only, and PARTIAL_FILL is close.
    """

    TARGET = "TARGET"
    STOP = "STOP"
    HORIZON = "HORIZON"
    UNPROTECTED = "UNPROTECTED"
    FLATTENED = "FLATTENED"
    PARTIAL = "PARTIAL"
    DATA_GAP = "DATA_GAP"
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class OpenTrade:
    """An open trade. `entry` is the price paid, slippage included; prices in the quote, quantity in the base asset."""

    side: Side
    qty: Decimal
    entry: Decimal
    tp: Decimal
    sl: Decimal
    opened_at: datetime
    horizon_min: int

    @property
    def ends_at(self) -> datetime:
        """When the horizon is over."""
        return self.opened_at + timedelta(minutes=self.horizon_min)


@dataclass(frozen=True, slots=True)
class Exit:
    """How a trade ended. `price` is None when it is not known."""

    reason: ExitReason
    at: datetime
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a closed trade earned, in the quote asset. `funding` is what was received, negative when paid."""

    gross: Decimal
    fees: Decimal
    funding: Decimal
    r_multiple: Decimal

    @classmethod
    def of(cls, gross: Decimal, fees: Decimal, funding: Decimal, risk: Decimal) -> "Result":
        """The result of a trade that risked so much: the distance from entry to stop, times the quantity."""
        return cls(gross, fees, funding, ((gross - fees + funding) / risk).quantize(_R_STEP))

    @property
    def net(self) -> Decimal:
        """Gross profit less fees, plus funding."""
        return self.gross - self.fees + self.funding
