"""Places: what one trade takes for itself, a symbol, or in hedge mode one side of it. Nothing is traded there twice."""

from collections.abc import Mapping
from typing import Any

from withearth.domain.side import Side
from withearth.execution.orders import PositionSide, place_of
from withearth.settings import Settings


def position_side(settings: Settings, side: Side) -> PositionSide:
    """Which position of a symbol a trade of this side is held in."""
    return PositionSide(side.value.upper()) if settings.position_mode == "HEDGE" else PositionSide.BOTH


def position_sides(settings: Settings) -> tuple[PositionSide, ...]:
    """All positions that a symbol has."""
    return (PositionSide.LONG, PositionSide.SHORT) if settings.position_mode == "HEDGE" else (PositionSide.BOTH,)


def place_taken_by(settings: Settings, symbol: str, side: Side) -> str:
    """The place that a trade of this symbol and side takes."""
    return place_of(symbol, position_side(settings, side))


def place_of_trade(trade: Mapping[str, Any]) -> str:
    """The place that a trade of the journal takes, or took."""
    return place_of(trade["symbol"], PositionSide(trade.get("position_side", PositionSide.BOTH)))
