"""A network that repeats requests: what was executed twice is found by lineage, shed at once, booked, and told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import pytest

from tests.builders.trading import Act, Move, Process, Trading, World, with_fault
from tests.builders.trading_stories import (
    AWAY,
    BEYOND_STOP,
    BEYOND_TARGET,
    BID,
    HALF,
    LOOKS,
    REQUESTS,
    SECOND,
    an_intent,
    assert_booked,
    assert_over,
    by_hand,
    entry_waits,
    filled,
    is_set,
    partly_filled,
)
from withearth.execution.lineage import Leg
from withearth.execution.shown import Truth
from withearth.execution.venue import Venue
from withearth.flow.documents import trading_ref
from withearth.flow.trading_state import TradingState, standing
from withearth.paper.engine.kinds import OrderSide
from withearth.paper.faults import FaultKind

TWICE: Final = FaultKind.EXECUTED_TWICE


def doubled(*acts: Act) -> World:
    """A world in which the first ordinary order is executed twice."""
    return with_fault(World(*acts), kind=TWICE, method="POST", path="/order")


def state(trading: Trading) -> TradingState:
    """The trading state."""
    return standing(trading.store.get(trading_ref())).state


@pytest.mark.parametrize("protection", ["before_entry", "after_fill"])
@pytest.mark.parametrize(("leaves_at", "reason"), [(BEYOND_STOP, "STOP"), (BEYOND_TARGET, "TARGET"), (None, "HORIZON")])
def test_an_entry_that_was_executed_twice_is_shed_at_once(
    tmp_path: Path, protection: str, leaves_at: Decimal | None, reason: str
) -> None:
    """Twice the quantity is bought: half of it leaves in seconds, the rest ends as planned, and entries are halted."""
    acts = () if leaves_at is None else (Act(is_set, (Move(30 * SECOND, leaves_at),)),)
    world, intent = doubled(*acts), an_intent()
    with Trading(tmp_path, world, ENTRY_MODE="MARKET", PROTECTION=protection) as trading:
        trading.deliver(intent)
        assert world.faults.fired
        assert intent.qty == world.held()
        assert {intent.qty} == set(world.guards().values())
        assert world.watch.longest_at_work <= 2 * LOOKS
        assert TradingState.HALTED is state(trading)
        trading.see_through(intent)

        assert_over(world, trading)
        assert_booked(world, trading, intent)
        assert (reason, 2 * intent.qty) == (trading.trade(intent)["exit_reason"], Decimal(trading.trade(intent)["qty"]))
        assert 1 == trading.kinds().count("SURPLUS")


def test_a_kill_at_any_deed_leaves_no_surplus(tmp_path: Path) -> None:
    """Whoever dies over it: the surplus goes, the rest is protected, closed and booked."""
    calm = Process()
    with Trading(tmp_path / "calm", doubled(), calm, ENTRY_MODE="MARKET") as trading:
        trading.deliver(an_intent(horizon_min=3))
    for kill_at in range(calm.deeds.index("place") + 1, len(calm.deeds) + 1):
        world = doubled()
        with Trading(tmp_path / str(kill_at), world, Process(kill_at, after=True), ENTRY_MODE="MARKET") as trading:
            trading.see_through(an_intent(horizon_min=3))

            assert_over(world, trading)
            assert_booked(world, trading, an_intent(horizon_min=3))
            assert TradingState.HALTED is state(trading)


@pytest.mark.parametrize("entry_mode", ["LIMIT", "MARKET"])
def test_whatever_is_executed_twice_ends_flat_and_booked(tmp_path: Path, entry_mode: str) -> None:
    """Each request in turn is repeated by the network: flat, clean and booked to the last digit in the end."""
    acts = partly_filled(None) if entry_mode == "LIMIT" else filled(None)
    intent, calm = an_intent(horizon_min=3), Process()
    with Trading(tmp_path / "calm", World(*acts), calm, ENTRY_MODE=entry_mode) as trading:
        trading.see_through(intent)

    for call, (method, path) in REQUESTS.items():
        for skip in range(calm.deeds.count(call)):
            world = with_fault(World(*acts), kind=TWICE, method=method, path=path, skip=skip)
            with Trading(tmp_path / f"{call}{skip}", world, ENTRY_MODE=entry_mode) as trading:
                trading.see_through(intent)

                assert world.faults.fired
                assert_over(world, trading)
                assert_booked(world, trading, intent)


def test_a_surplus_that_leaves_twice_is_booked_too(tmp_path: Path) -> None:
    """The way out of the surplus is repeated as well: nothing is held any more, and all of it is in the journal."""
    world = doubled()
    with_fault(world, kind=TWICE, method="POST", path="/order")
    with Trading(tmp_path, world, ENTRY_MODE="MARKET") as trading:
        trading.see_through(an_intent())

        assert 2 == len(world.faults.fired)
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())
        assert 2 == len([order for order in world.orders(Leg.EXIT) if order.executed])


@pytest.mark.parametrize("protection", ["before_entry", "after_fill"])
def test_an_entry_behind_the_refusal_of_its_double_is_found(tmp_path: Path, protection: str) -> None:
    """The first is executed, the second is refused for want of margin, and that is the answer: protected and booked."""
    world = doubled()
    world.exchange.transfer(world.account, "USDT", Decimal(-9_850))
    with Trading(tmp_path, world, ENTRY_MODE="MARKET", PROTECTION=protection) as trading:
        trading.deliver(an_intent())
        assert world.faults.fired
        assert an_intent().qty == world.held()
        assert not world.uncovered()
        trading.see_through(an_intent())

        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


class LateToShow:
    """An exchange whose position lags behind its fills for some seconds after the first order."""

    def __init__(self, venue: Any, world: World, lag_s: float) -> None:
        self._venue = venue
        self._world = world
        self._lag = timedelta(seconds=lag_s)
        self._shown_at = datetime.min.replace(tzinfo=UTC)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def place(self, *asked: Any) -> Any:
        """Send an order; what it fills is held back."""
        if not self._world.account.orders:
            self._shown_at = self._world.now() + self._lag
        return self._venue.place(*asked)

    def truth(self, *asked: Any) -> Truth:
        """What is shown; nothing is held at first."""
        found: Truth = self._venue.truth(*asked)
        held_back = replace(found, position=replace(found.position, qty=Decimal(0)))
        return held_back if self._world.now() < self._shown_at else found


@pytest.mark.parametrize("lag_s", [0.5, 3])
@pytest.mark.parametrize("protection", ["before_entry", "after_fill"])
def test_a_refusal_is_not_believed_before_the_position_can_be_shown(
    tmp_path: Path, protection: str, lag_s: float
) -> None:
    """The first of two was executed, the answer is the second's no, and the position comes late: never left naked."""
    world = doubled()
    world.exchange.transfer(world.account, "USDT", Decimal(-9_850))
    with Trading(tmp_path, world, ENTRY_MODE="MARKET", PROTECTION=protection) as trading:
        late = LateToShow(trading.runtime.venue, world, lag_s)
        trading.runtime = replace(trading.runtime, venue=cast(Venue, late))
        trading.deliver(an_intent())
        assert an_intent().qty == world.held()
        assert not world.uncovered()
        trading.see_through(an_intent())

        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_a_limit_entry_that_crosses_twice_is_shed(tmp_path: Path) -> None:
    """Refused as a duplicate while the first one rests (-4116); executed twice where the first one filled at once."""
    world = doubled(Act(entry_waits, (Move(HALF, BID - 10), Move(SECOND, AWAY))))
    with Trading(tmp_path, world) as trading:
        trading.see_through(an_intent())

        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_what_the_owner_adds_by_hand_is_not_shed(tmp_path: Path) -> None:
    """More is held, and no order of ours explains it: left alone, and no halt."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        by_hand(world, OrderSide.BUY, Decimal("0.020"))
        for _ in range(2):
            trading.reconcile()
            world.sleep(60 * SECOND)

        assert an_intent().qty + Decimal("0.020") == world.held()
        assert [] == world.orders(Leg.EXIT)
        assert TradingState.ACTIVE is state(trading)
