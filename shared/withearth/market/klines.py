"""Candles from the bytes of a klines answer. The parser makes floats itself, out of the exchange's quoted numbers."""

from typing import Any, Final

import msgspec
import numpy as np

from withearth.domain.candles import Candles, normalise
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe

# Open time, open, high, low, close, volume, close time; then turnover, trades, taker volumes and a 0, read by nobody.
_Row = tuple[int, float, float, float, float, float, int, Any, Any, Any, Any, Any]
_ROWS: Final = msgspec.json.Decoder(list[_Row], strict=False)


def candles_from(body: bytes, timeframe: Timeframe) -> Candles:
    """The bars of an answer, the forming one included.

    Raises MarketFault: DATA_UNREADABLE for another shape, CANDLE_DISORDER for bars that do not follow one another in
    time, CANDLE_INVALID for bars of another interval and what else contradicts itself.
    """
    try:
        rows = _ROWS.decode(body)
        if not rows:
            return Candles(timeframe, np.empty(0, np.int64), np.empty((5, 0)))
        columns = list(zip(*rows, strict=True))
        open_ms, close_ms = np.array(columns[0], np.int64), np.array(columns[6], np.int64)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise MarketFault(Reason.DATA_UNREADABLE, f"{timeframe} candles: {error}") from error
    if np.any(np.diff(open_ms) <= 0):
        raise MarketFault(Reason.CANDLE_DISORDER, timeframe.value)
    if np.any(close_ms - open_ms != timeframe.ms - 1):
        raise MarketFault(Reason.CANDLE_INVALID, f"the bars are not of {timeframe}")
    return normalise(timeframe, open_ms, np.array(columns[1:6], np.float64))
