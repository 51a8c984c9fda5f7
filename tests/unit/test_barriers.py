from datetime import timedelta
from decimal import Decimal

import pytest

from tests.builders.trades import OPENED_AT, QUIET, Bar, bars_since_entry
from withearth.decision.barriers import Barrier, Barriers, first_barrier
from withearth.domain.side import Side

UP: Bar = (100.0, 102.0, 99.5, 101.0)
DOWN: Bar = (100.0, 100.5, 99.0, 99.5)
BOTH: Bar = (100.0, 102.0, 99.0, 100.0)


def barriers(side: Side = Side.LONG, horizon_min: int = 15) -> Barriers:
    """Target two away, stop one away from 100, over three bars."""
    return Barriers(side, Decimal(100 + 2 * side.sign), Decimal(100 - side.sign), OPENED_AT, horizon_min)


@pytest.mark.parametrize(
    ("bars", "barrier", "after_min"),
    [
        ([UP], Barrier.TARGET, 5),
        ([QUIET, UP], Barrier.TARGET, 10),
        ([DOWN], Barrier.STOP, 5),
        ([UP, DOWN], Barrier.TARGET, 5),
        ([DOWN, UP], Barrier.STOP, 5),
        ([BOTH], Barrier.STOP, 5),
        ([QUIET, QUIET, QUIET], Barrier.HORIZON, 15),
        ([QUIET, None, UP], Barrier.UNKNOWN, 15),
        ([UP, None, QUIET], Barrier.TARGET, 5),
        ([None, UP, UP], Barrier.UNKNOWN, 15),
        ([QUIET, QUIET], Barrier.UNKNOWN, 15),
        ([], Barrier.UNKNOWN, 15),
    ],
)
def test_the_first_barrier_of_a_long(bars: list[Bar | None], barrier: Barrier, after_min: int) -> None:
    """The stop wins a bar that touches both; a gap before the first touch leaves it unknown."""
    found = first_barrier(barriers(), bars_since_entry(*bars, before=3))

    assert found == (barrier, OPENED_AT + timedelta(minutes=after_min))


def test_a_short_is_the_mirror_of_a_long() -> None:
    """Down is its target, up its stop."""
    down: Bar = (100.0, 100.5, 98.0, 99.0)
    up: Bar = (100.0, 101.0, 99.5, 100.0)

    assert first_barrier(barriers(Side.SHORT), bars_since_entry(down))[0] is Barrier.TARGET
    assert first_barrier(barriers(Side.SHORT), bars_since_entry(up))[0] is Barrier.STOP


def test_a_horizon_ends_with_a_bar() -> None:
    """Twelve minutes are three bars."""
    assert barriers(horizon_min=12).until == OPENED_AT + timedelta(minutes=15)
