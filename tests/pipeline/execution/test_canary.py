"""R1: stops are tried every day, and an exchange that does not know them any more is not entered on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.trading import MINUTE, Process, Trading, World, a_long, with_fault
from tests.builders.trading_stories import an_intent, assert_over, filled
from withearth.flow.documents import canary_ref, intent_ref, trading_ref
from withearth.flow.trading_state import Standing, TradingState, standing
from withearth.paper.engine.kinds import AlgoStatus, OrderSide, PositionSide
from withearth.paper.engine.venue import Switches
from withearth.paper.faults import FaultKind

DAY = timedelta(hours=24)


def demo(directory: Path, world: World, process: Process | None = None) -> Trading:
    """An installation on an exchange outside this process."""
    world.kind = "DEMO"
    return Trading(directory, world, process)


def refusing(world: World, code: int, is_meant: Callable[[Any], bool]) -> World:
    """The world with an exchange that refuses some requests under a code."""
    answer = world.face.answer

    def refused(request: Any) -> Any:
        if is_meant(request):
            return world.face.refused(request, 400, {"code": code, "msg": "Order type not supported."})
        return answer(request)

    world.face.answer = refused  # type: ignore[method-assign]
    return world


def places_a_stop(request: Any) -> bool:
    """A conditional order at the only endpoint that takes it."""
    return bool(request.method == "POST" and request.path.endswith("/algoOrder"))


def trading_state(trading: Trading) -> Standing:
    """The trading state as it stands."""
    return standing(trading.store.get(trading_ref()))


def test_r01_a_stop_is_tried_every_day(tmp_path: Path) -> None:
    """R1: placed, seen, taken away and seen gone, once in 24 hours; it reduces only, and nothing is left."""
    world = World()
    with demo(tmp_path, world) as trading:
        for _ in range(3):
            trading.reconcile()
            world.sleep(MINUTE)
        first = list(world.account.algos.values())
        world.sleep(DAY)
        trading.reconcile()
        both = list(world.account.algos.values())

        assert (1, 2) == (len(first), len(both))
        assert {AlgoStatus.CANCELED} == {each.status for each in both}
        assert all(each.reduce_only and each.trigger_price * 100 < 98 * 50_000 for each in both)
        assert TradingState.ACTIVE is trading_state(trading).state
        assert "FOREIGN" not in trading.kinds()


def test_r01_a_stop_is_tried_in_hedge_mode_too(tmp_path: Path) -> None:
    """R1: for one side, which makes it reduce without a flag; nothing is left."""
    world = World(hedge_mode=True)
    world.kind = "DEMO"
    with Trading(tmp_path, world, POSITION_MODE="HEDGE") as trading:
        trading.reconcile()

        (tried,) = world.account.algos.values()
        assert (AlgoStatus.CANCELED, PositionSide.LONG, OrderSide.SELL) == (
            tried.status,
            tried.position_side,
            tried.side,
        )
        assert TradingState.ACTIVE is trading_state(trading).state


@pytest.mark.parametrize("code", [-4120, -1116, -1020])
def test_r01_a_stop_that_the_exchange_does_not_know_halts_entries(tmp_path: Path, code: int) -> None:
    """R1: an unknown order type is told, and nothing is entered from then on."""
    world = refusing(World(), code, places_a_stop)
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        trading.deliver(a_long())
        refused = trading.store.get(intent_ref(a_long().intent_id))

        assert TradingState.HALTED is trading_state(trading).state
        assert str(code) in trading_state(trading).why
        assert "CANARY_FAILED" in trading.kinds()
        assert refused is not None
        assert "TRADING_HALTED" == refused.data["blocked_by"]
        assert not world.account.orders


def test_r01_an_entry_whose_stop_is_not_known_halts_too(tmp_path: Path) -> None:
    """R1: met first by an execution, on whatever venue: not entered, and halted."""
    world = refusing(World(), -4120, places_a_stop)
    with Trading(tmp_path, world) as trading:
        document = trading.see_through(an_intent())

        assert "TRADING_HALTED" == document["blocked_by"]
        assert TradingState.HALTED is trading_state(trading).state
        assert not world.account.orders


def test_r01_a_target_that_is_not_known_halts_and_the_stop_stays(tmp_path: Path) -> None:
    """R1: the position keeps its stop, and ends at its horizon; the next one is not entered."""
    world = World(*filled(None))
    refusing(world, -4120, lambda request: places_a_stop(request) and "TAKE_PROFIT" in request.query)
    with Trading(tmp_path, world) as trading:
        trading.see_through(an_intent())

        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]
        assert [] == world.watch.stretches
        assert TradingState.HALTED is trading_state(trading).state
        assert_over(world, trading)


def test_r01_a_venue_without_bare_stops_has_understood(tmp_path: Path) -> None:
    """R1: refused for want of a position is an answer of an endpoint that works."""
    world = World(switches=Switches(reduce_only_without_position=False))
    with demo(tmp_path, world) as trading:
        trading.reconcile()

        assert TradingState.ACTIVE is trading_state(trading).state
        note = trading.store.get(canary_ref())
        assert note is not None
        assert note.data["due_at"] > world.now() + DAY - MINUTE


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.UNKNOWN_BEFORE, FaultKind.UNAVAILABLE])
def test_r01_what_failed_once_is_tried_again(tmp_path: Path, kind: FaultKind) -> None:
    """R1: a bad line proves nothing; three failures in a row do."""
    for times, state in ((2, TradingState.ACTIVE), (3, TradingState.HALTED)):
        world = with_fault(World(), kind=kind, method="POST", path="/algoOrder", times=times)
        with demo(tmp_path / str(times), world) as trading:
            for _ in range(4):
                trading.reconcile()
                world.sleep(MINUTE)

            assert state is trading_state(trading).state
            assert not world.account.open_algos


def test_r01_a_canary_whose_process_dies_is_taken_away(tmp_path: Path) -> None:
    """R1: killed at any deed: the next pass clears away what the dead one placed."""
    calm = Process()
    with demo(tmp_path / "calm", World(), calm) as trading:
        trading.reconcile()

    for kill_at in range(1, len(calm.deeds) + 1):
        for after in (False, True):
            world = World()
            with demo(tmp_path / f"{kill_at}-{after}", world, Process(kill_at, after=after)) as trading:
                for _ in range(3):
                    trading.reconcile()
                    world.sleep(MINUTE)

                assert not world.account.open_algos
                assert TradingState.ACTIVE is trading_state(trading).state
