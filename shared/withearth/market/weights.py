"""What requests weigh, as the exchange's documentation says, and what a tick is expected to cost."""

from datetime import datetime
from typing import Final

from withearth.domain.times import Timeframe, to_ms

BOOK_TICKER: Final = 2
BOOK_TICKER_ALL: Final = 5
PREMIUM_INDEX: Final = 1
PREMIUM_INDEX_ALL: Final = 10
DAY_TICKER_ALL: Final = 40
DEPTH: Final = 2
"""With at most 50 levels a side."""
LISTING: Final = 1
TIME: Final = 1
FUNDING: Final = 0
"""Funding history weighs nothing; it has a limit of its own."""

_DEPTH_SHARE: Final = 0.35
"""How many of a portion's symbols are expected past the gate. With the default MAX_SPREAD_BPS a fifth of the exchange's
are, and those with the most turnover, which come first, are among them."""
_STEPS: Final = ((100, 1), (500, 2), (1_001, 5))


def klines(limit: int) -> int:
    """The weight of a klines answer of at most `limit` bars."""
    return next((weight for below, weight in _STEPS if limit < below), 10)


def tick_weight(closed_at: datetime) -> float:
    """What deciding on one symbol costs a warm worker: a top-up of each timeframe that has closed, and depth."""
    closing = sum(to_ms(closed_at) % timeframe.ms == 0 for timeframe in Timeframe)
    return closing + _DEPTH_SHARE * DEPTH
