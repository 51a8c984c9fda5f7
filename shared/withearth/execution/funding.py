"""Whose a funding payment was. Pure.

In hedge mode a symbol's long and short position each pay or receive, and no record says which one it is about. The rate
does: where it is positive, longs pay and shorts receive; where it is negative, the other way round.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from withearth.domain.errors import Unavailable
from withearth.domain.side import Side
from withearth.domain.times import Timeframe
from withearth.execution.shown import FundingFee, FundingRate

SETTLED_WITHIN_MS: Final = 60_000
"""How long after the instant of a settlement its payments may be booked."""


def settlement_before(at: datetime) -> datetime:
    """The settlement that a payment of this instant was booked after: they are at whole hours."""
    return Timeframe.H1.last_close(at)


def charged_until(closed_at: datetime) -> datetime:
    """Up to when funding may be charged to a trade: that of the hour in whose first moments it ended comes later."""
    return max(closed_at, settlement_before(closed_at) + timedelta(milliseconds=SETTLED_WITHIN_MS))


def fees_of_side(fees: Iterable[FundingFee], rates: Sequence[FundingRate], side: Side) -> list[FundingFee]:
    """The payments of one side. Raises Unavailable while a rate is not known."""
    return [fee for fee in fees if (fee.amount * _rate_at(fee, rates).rate * side.sign) <= 0]


def _rate_at(fee: FundingFee, rates: Sequence[FundingRate]) -> FundingRate:
    found = [rate for rate in rates if abs(fee.at_ms - rate.at_ms) <= SETTLED_WITHIN_MS]
    if not found:
        raise Unavailable(f"the rate of the funding of {fee.symbol} at {fee.at_ms} is not known yet")
    return min(found, key=lambda rate: abs(fee.at_ms - rate.at_ms))
