"""The two sides of a trade, and the prediction that may be neither."""

from enum import StrEnum


class Side(StrEnum):
    """Long gains when the price rises, short when it falls."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, −1 for short: multiplies a price change into a profit."""
        return 1 if self is Side.LONG else -1


class Direction(StrEnum):
    """What a predictor answers."""

    LONG = "long"
    SHORT = "short"
    HOLD = "hold"

    @property
    def side(self) -> Side | None:
        """The side to trade, None for hold."""
        return None if self is Direction.HOLD else Side(self.value)
