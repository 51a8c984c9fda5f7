"""The executor killed before and after every call to the exchange and every commit: nothing comes of it."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders.trading import Process, Trading, World
from tests.builders.trading_stories import (
    BEYOND_STOP,
    BEYOND_TARGET,
    an_intent,
    assert_booked,
    assert_covered,
    assert_entered_once,
    assert_over,
    partly_filled,
)
from withearth.flow.reconcile import reconcile

CHANGES = {"commit", "place", "arm", "modify", "cancel", "disarm", "set_margin_type", "set_leverage"}
EXITS: dict[str, Decimal | None] = {"STOP": BEYOND_STOP, "TARGET": BEYOND_TARGET, "HORIZON": None}


def told(directory: Path, protection: str, leave: str, process: Process) -> tuple[dict[str, Any], int]:
    """The journal of a limit entry that is repriced once and partly filled, and how many deeds lead up to its exit."""
    world, intent = World(*partly_filled(EXITS[leave])), an_intent()
    with Trading(directory, world, process, PROTECTION=protection) as trading:
        trading.deliver(intent)
        entered = len(process.deeds)
        document = trading.see_through(intent)

        assert "EXECUTED" == document["state"]
        assert_over(world, trading)
        assert_entered_once(world, intent)
        assert_booked(world, trading, intent)
        assert_covered(world, trading.settings)
        return trading.journal(intent), entered


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("leave", EXITS)
@pytest.mark.parametrize("protection", ["before_entry", "after_fill"])
def test_a_kill_at_any_deed_changes_nothing(tmp_path: Path, protection: str, leave: str, *, after: bool) -> None:
    """Killed at any deed and delivered again: the same position, protection and journal, and nothing uncovered.

    Until the price comes to the exit the three stories are one, so the deeds up to there take turns between them. A
    reading changes nothing, and a dead process remembers nothing: who dies before one dies after the deed before it.
    """
    turn, differences, calm = list(EXITS).index(leave), "", Process()
    expected, entered = told(tmp_path / "calm", protection, leave, calm)
    assert leave == expected["exit_reason"]
    assert "0.004" == expected["qty"]

    for kill_at, deed in enumerate(calm.deeds, 1):
        is_due = kill_at > entered or kill_at % len(EXITS) == turn
        if is_due and (after or deed in CHANGES):
            process = Process(kill_at, after=after)
            differences += difference(tmp_path / str(kill_at), protection, leave, process, expected)
    assert "" == differences


def difference(directory: Path, protection: str, leave: str, process: Process, expected: dict[str, Any]) -> str:
    """Let the process die on its way. Returns what ended otherwise than without that, empty when nothing did."""
    try:
        journal, _ = told(directory, protection, leave, process)
    except AssertionError as error:
        return f"killed at {process.deeds[-1]} {len(process.deeds)} of {leave}: {error}\n"
    return "" if expected == journal else f"killed at {process.deeds[-1]} {len(process.deeds)} of {leave}: {journal}\n"


def test_a_pass_that_enters_a_trade_counts_none_as_ended(tmp_path: Path) -> None:
    """The executor dies before its entry order; the reconciler enters the trade, and follows it to its end.

    It tells of one that is open, then of one that has ended; a trade that a pass itself began has not ended in it.
    """
    world, intent = World(*partly_filled(BEYOND_TARGET)), an_intent()
    with Trading(tmp_path, world, Process(24)) as trading:
        assert not trading.deliver(intent)
        assert 0 == world.held()
        passes = []
        for _ in range(30):
            found = reconcile(trading.runtime)
            passes.append((found["open"], found["ended"]))
            world.sleep(timedelta(minutes=1))

    assert {(0, 0), (1, 0), (0, 1)} == set(passes)
    assert 1 == passes.count((0, 1))
