"""Candles from the bytes of a klines answer.

pydantic's parser makes the numbers itself: it is in the process already, for every event is read by it, while a faster
parser would have to be imported first and would save a worker nothing, which reads three rows most of the time.
"""

from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from withearth.domain.candles import Candles, normalise
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe

# Open time, open, high, low, close, volume, close time; then turnover, trades, taker volumes and a 0, read by nobody.
_Row = tuple[int, float, float, float, float, float, int, Any, Any, Any, Any, Any]
_ROWS: Final = TypeAdapter(list[_Row])


def candles_from(body: bytes, timeframe: Timeframe) -> Candles:
    """The bars of an answer, the forming one included.

    Raises MarketFault: DATA_UNREADABLE for another shape, CANDLE_DISORDER for bars that do not follow one another in
    time, CANDLE_INVALID for bars of another interval and what else contradicts itself.
    """
    try:
        rows = _ROWS.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise MarketFault(Reason.DATA_UNREADABLE, f"{timeframe} candles: {first['msg']}") from error
    if not rows:
        return Candles(timeframe, np.empty(0, np.int64), np.empty((5, 0)))
    columns = list(zip(*rows, strict=True))
    open_ms, close_ms = np.array(columns[0], np.int64), np.array(columns[6], np.int64)
    if np.any(np.diff(open_ms) <= 0):
        raise MarketFault(Reason.CANDLE_DISORDER, timeframe.value)
    if np.any(close_ms - open_ms != timeframe.ms - 1):
        raise MarketFault(Reason.CANDLE_INVALID, f"the bars are not of {timeframe}")
    return normalise(timeframe, open_ms, np.array(columns[1:6], np.float64))
