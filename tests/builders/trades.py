"""Builds open shadow trades and the bars that follow them."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from withearth.domain.candles import Candles, normalise
from withearth.domain.side import Side
from withearth.domain.times import Timeframe, to_ms
from withearth.execution.outcome import OpenTrade

OPENED_AT = datetime(2024, 3, 5, 10, 5, tzinfo=UTC)

Bar = tuple[float, float, float, float]

QUIET: Bar = (100.0, 100.5, 99.5, 100.0)
"""Open, high, low and close of a bar that reaches neither level of `a_trade`."""


def a_trade(
    side: Side = Side.LONG,
    *,
    entry: str | Decimal = "100",
    tp: str | Decimal | None = None,
    sl: str | Decimal | None = None,
    qty: str | Decimal = "2",
    horizon_min: int = 60,
) -> OpenTrade:
    """A trade from 100 with its target two away, and its stop one."""
    return OpenTrade(
        side=side,
        qty=Decimal(qty),
        entry=Decimal(entry),
        tp=Decimal(entry) + 2 * side.sign if tp is None else Decimal(tp),
        sl=Decimal(entry) - side.sign if sl is None else Decimal(sl),
        opened_at=OPENED_AT,
        horizon_min=horizon_min,
    )


def bars_since_entry(*bars: Bar | None, before: int = 0) -> Candles:
    """5m bars from the entry on, None for one that is missing; `before` quiet bars lie before the entry."""
    rows = [*[QUIET] * before, *bars]
    present = [place for place, bar in enumerate(rows) if bar is not None]
    prices = np.array([bar for bar in rows if bar is not None], dtype=float).reshape(-1, 4).T
    start = to_ms(OPENED_AT) - before * Timeframe.M5.ms
    open_ms = start + np.array(present, dtype=np.int64) * Timeframe.M5.ms
    return normalise(Timeframe.M5, open_ms, np.vstack([prices, np.ones(len(present))]))
