"""Answers that say nothing, or lie, at every call that changes the account."""

from pathlib import Path
from typing import Final

import pytest

from tests.builders.trading import Process, Trading, World, with_fault
from tests.builders.trading_stories import (
    REQUESTS,
    an_intent,
    assert_booked,
    assert_covered,
    assert_entered_once,
    assert_over,
    filled,
    partly_filled,
)
from withearth.flow.documents import trade_ref
from withearth.paper.faults import FaultKind

KINDS: Final = (
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.BACKEND_TIMEOUT_BEFORE,
    FaultKind.BACKEND_TIMEOUT_AFTER,
    FaultKind.UNKNOWN_BEFORE,
    FaultKind.UNKNOWN_AFTER,
    FaultKind.THROTTLED,
    FaultKind.RESET_BEFORE,
    FaultKind.RESET_AFTER,
    FaultKind.REPEATED_ANSWER,
)


def told(directory: Path, world: World, process: Process, **changes: str) -> None:
    """A trade up to its end, and what must hold of it whatever was answered."""
    intent = an_intent(horizon_min=3)
    with Trading(directory, world, process, **changes) as trading:
        document = trading.see_through(intent)

        assert "EXECUTED" == document["state"]
        assert_over(world, trading)
        assert_entered_once(world, intent)
        assert_covered(world, trading.settings)
        if trading.store.get(trade_ref(intent.intent_id)) is not None or world.earned():
            assert_booked(world, trading, intent)


@pytest.mark.parametrize("protection", ["before_entry", "after_fill"])
@pytest.mark.parametrize("entry_mode", ["LIMIT", "MARKET"])
def test_no_answer_is_ever_taken_for_a_no(tmp_path: Path, entry_mode: str, protection: str) -> None:
    """Whatever is answered to a change: no second entry, nothing naked beyond the bound, flat and clean by itself."""
    acts = partly_filled(None) if entry_mode == "LIMIT" else filled(None)
    calm, failures = Process(), ""
    told(tmp_path / "calm", World(*acts), calm, ENTRY_MODE=entry_mode, PROTECTION=protection)

    for call, (method, path) in REQUESTS.items():
        for skip in range(calm.deeds.count(call)):
            for kind in KINDS:
                world = with_fault(World(*acts), kind=kind, method=method, path=path, skip=skip)
                process = Process()
                try:
                    told(tmp_path / f"{call}{skip}{kind}", world, process, ENTRY_MODE=entry_mode, PROTECTION=protection)
                except AssertionError as error:
                    failures += f"{kind} at {call} {skip}: {error}\n"
                assert world.faults.fired, f"{kind} at {call} {skip} never happened"
    assert "" == failures
