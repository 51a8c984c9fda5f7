"""R13 on the trading line: what 429 and 418 stop, and what goes on."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.trading import MINUTE, SYMBOL, Act, Trading, World, a_long
from tests.builders.trading_stories import an_intent, assert_over, filled, is_set
from withearth.domain.reasons import Reason
from withearth.flow.execute import execute
from withearth.market.traffic import Traffic
from withearth.paper.faults import Fault, FaultKind
from withearth.paper.wire.request import WireAnswer, WireRequest


def counted_world(*acts: Act) -> World:
    """A world in which processes keep the account of the exchange's limits."""
    world = World(*acts)
    world.counted = True
    return world


def elsewhere(trading: Trading) -> Traffic:
    """The account of another process, such as a worker's, over the same documents."""
    return Traffic("paper", trading.world, trading.store)


@pytest.mark.parametrize(("status", "reason"), [(429, Reason.EXCHANGE_LIMITED), (418, Reason.EXCHANGE_BANNED)])
def test_r13_nothing_is_entered_while_any_process_is_stopped(tmp_path: Path, status: int, reason: Reason) -> None:
    """R13: the intent is refused under its reason, and not one request is made for it."""
    with Trading(tmp_path, counted_world()) as trading:
        elsewhere(trading).heard(status, {"Retry-After": "60"})
        document = execute(trading.runtime, a_long())

        assert (document["state"], document["blocked_by"]) == ("REFUSED", reason)
        assert trading.world.account.orders == {}
        assert trading.world.account.algos == {}


def test_r13_nothing_is_entered_when_only_the_reserved_share_is_left(tmp_path: Path) -> None:
    """R13: the last quarter of the minute's weight belongs to protecting and closing."""
    with Trading(tmp_path, counted_world()) as trading:
        elsewhere(trading).heard(200, {"X-MBX-USED-WEIGHT-1M": "1800"})
        document = execute(trading.runtime, a_long())

        assert (document["state"], document["blocked_by"]) == ("REFUSED", Reason.WEIGHT_SPENT)


def overheard(world: World) -> list[str]:
    """The paths of all requests that reach the exchange from now on."""
    asked: list[str] = []
    answer = world.face.answer

    def listening(request: WireRequest) -> WireAnswer:
        asked.append(request.path)
        return answer(request)

    world.face.answer = listening  # type: ignore[method-assign]
    return asked


def protected(trading: Trading) -> None:
    """Enter a trade, and see it protected."""
    trading.deliver(an_intent(horizon_min=9))
    trading.reconcile()
    assert is_set(trading.world)


def test_protection_and_closing_go_on_when_limited(tmp_path: Path) -> None:
    """A stop that was lost is armed again, and the trade leaves at its horizon, though every worker is told 429."""
    world = counted_world(*filled(None))
    with Trading(tmp_path, world) as trading:
        protected(trading)
        elsewhere(trading).heard(429, {"Retry-After": "3600"})
        world.exchange.cancel_all_algo(world.account, SYMBOL)
        world.look()
        trading.reconcile()
        assert is_set(world)
        for _ in range(12):
            world.sleep(MINUTE)
            trading.reconcile()

        assert_over(world, trading)


@pytest.mark.parametrize("status", [429, 418])
def test_while_stopped_nothing_is_asked_that_protects_nobody(tmp_path: Path, status: int) -> None:
    """Neither the account, nor what stands on it, nor the daily trial of a stop."""
    world = counted_world()
    with Trading(tmp_path, world) as trading:
        elsewhere(trading).heard(status, {"Retry-After": "3600"})
        asked = overheard(world)
        for _ in range(10):
            world.sleep(MINUTE)
            trading.reconcile()

        assert asked == []


def test_everything_stops_until_a_ban_is_over(tmp_path: Path) -> None:
    """Not one request leaves, the stop on the exchange protects meanwhile, and afterwards the trade is closed."""
    world = counted_world(*filled(None))
    with Trading(tmp_path, world) as trading:
        protected(trading)
        elsewhere(trading).heard(418, {"Retry-After": "1200"})
        asked = overheard(world)
        for _ in range(15):
            world.sleep(MINUTE)
            trading.reconcile()
        assert asked == []
        assert world.guards()
        for _ in range(10):
            world.sleep(MINUTE)
            trading.reconcile()

        assert asked
        assert_over(world, trading)


def test_a_ban_that_the_trading_line_meets_is_everybody_s(tmp_path: Path) -> None:
    """The executor hears 418, and a worker asks nothing from then on."""
    world = counted_world()
    world.faults.add(Fault(FaultKind.BANNED, path="/positionRisk"))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        other = elsewhere(trading)

        assert other.banned() is not None
        assert other.no_entry() is Reason.EXCHANGE_BANNED
        assert world.held() == Decimal(0)
