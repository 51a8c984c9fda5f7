"""Funding as it was settled, and what of it is known at an instant."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from withearth.domain.times import from_ms, to_ms
from withearth.market.port import Settlement

_MINUTE_MS: Final = 60_000
# The exchange settles every 8, 4, 2 or 1 hours; a longer distance is a hole in the recording.
_LONGEST_INTERVAL_MS: Final = 8 * 3_600_000


@dataclass(frozen=True, slots=True)
class Funding:
    """The funding that applies: the rate settled last, and when the next settlement is due."""

    rate: Decimal
    next_at: datetime


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """Settlements of one symbol, oldest first and unique."""

    at_ms: tuple[int, ...]
    rates: tuple[Decimal, ...]

    def known_at(self, as_of: datetime) -> Funding | None:
        """The funding as `as_of` knows it, or None: no two settlements yet, or the recording has a hole there.

        Settlements are stamped some milliseconds after the minute they are due.
        """
        as_of_ms = to_ms(as_of)
        known = bisect_right(self.at_ms, as_of_ms)
        if known < 2:  # noqa: PLR2004  an interval has two ends
            return None
        before_ms, last_ms = (at_ms - at_ms % _MINUTE_MS for at_ms in self.at_ms[known - 2 : known])
        interval_ms = last_ms - before_ms
        if interval_ms > _LONGEST_INTERVAL_MS or as_of_ms - last_ms > interval_ms + _MINUTE_MS:
            return None
        return Funding(self.rates[known - 1], from_ms(last_ms + interval_ms))

    def between(self, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """The settlements with after < at ≤ until."""
        start, end = bisect_right(self.at_ms, to_ms(after)), bisect_right(self.at_ms, to_ms(until))
        pairs = zip(self.at_ms[start:end], self.rates[start:end], strict=True)
        return tuple(Settlement(from_ms(at_ms), rate) for at_ms, rate in pairs)
