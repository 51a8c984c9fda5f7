"""Heat map: for each symbol and timeframe, how far the price has gone from its mean, in its own ranges."""

from collections.abc import Mapping
from typing import Any, Final

from withearth.views.contract import Cell, HeatRow, Trend

STRONGEST: Final = 3.0
"""Distance from SMA(20), in ATR(14), that is drawn at full strength."""
FLAT_BELOW: Final = 0.25


def heat_row(decision: Mapping[str, Any]) -> HeatRow:
    """A decision's symbol in a row. Without a snapshot it has no cells."""
    snapshot = decision["snapshot"]
    if snapshot is None:
        return {"symbol": decision["symbol"], "price": None, "cells": {}}
    cells = {name: _cell(frame) for name, frame in snapshot["frames"].items()}
    return {"symbol": decision["symbol"], "price": snapshot["price"], "cells": cells}


def _cell(frame: Mapping[str, Any]) -> Cell:
    value = (frame["close"] - frame["sma20"]) / frame["atr14"] if frame["atr14"] else 0.0
    direction: Trend = "flat" if abs(value) < FLAT_BELOW else "up" if value > 0 else "down"
    return {
        "direction": direction,
        "strength": round(min(abs(value) / STRONGEST, 1.0), 3),
        "value": round(value, 2),
        "rsi": round(frame["rsi14"], 1),
    }
