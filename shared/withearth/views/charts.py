"""Charts: the newest closed candles of a symbol, in columns, for a page that cannot ask an exchange."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from withearth.domain.times import Timeframe
from withearth.views.records import Bars, Chart

if TYPE_CHECKING:  # who reads a stored chart makes no candles
    from withearth.domain.candles import Candles, FloatArray

CHART_BARS: Final = 200


def chart(symbol: str, at: datetime, windows: Mapping[Timeframe, "Candles"]) -> Chart:
    """The chart of a symbol from the windows its decision looked at."""
    return {"symbol": symbol, "at": at, "frames": {frame.value: _bars(bars) for frame, bars in windows.items()}}


def _bars(candles: "Candles") -> Bars:
    open_, high, low, close, volume = (_newest(row) for row in candles.ohlcv)
    return {
        "open_ms": candles.open_ms[-CHART_BARS:].tolist(),
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
    }


def _newest(row: "FloatArray") -> list[float]:
    found: list[float] = row[-CHART_BARS:].tolist()
    return found
