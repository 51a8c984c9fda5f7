"""Hedge mode: a long and a short of one symbol side by side, each protected, closed and booked for itself."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.builders.installation import Installation
from tests.builders.trading import MINUTE, PRICE, START, SYMBOL, Act, Move, Process, Trading, World, a_long, with_fault
from tests.builders.trading_stories import (
    AWAY,
    BEYOND_STOP,
    BEYOND_TARGET,
    PARTIAL,
    SECOND,
    an_intent,
    assert_booked,
    assert_covered,
    assert_entered_once,
    by_hand,
    entry_waits,
    filled,
    is_set,
    partly_filled,
)
from withearth.domain.side import Side
from withearth.domain.times import TICK, decision_id, tick_id
from withearth.execution.lineage import Leg
from withearth.flow.documents import POSITIONS, TRADES, intent_ref, position_ref
from withearth.messaging.events import TradeIntent
from withearth.paper.engine.kinds import AlgoType, IncomeType, MarginType, OrderSide, PositionSide
from withearth.paper.faults import FaultKind
from withearth.store.port import Query

HEDGE: Final = {"POSITION_MODE": "HEDGE"}
AT_MARKET: Final = HEDGE | {"ENTRY_MODE": "MARKET", "MAX_TOTAL_NOTIONAL_USDT": "0"}
EXITS: Final[dict[str, Decimal | None]] = {"STOP": BEYOND_STOP, "TARGET": BEYOND_TARGET, "HORIZON": None}


def earlier(ticks: int, now: datetime = START, **changed: Any) -> TradeIntent:
    """An intent from some ticks ago that is good for six minutes from now, and over in seven, or later."""
    at = now - ticks * TICK
    fields: dict[str, Any] = {
        "intent_id": decision_id(SYMBOL, tick_id(at)),
        "decided_at": at,
        "expires_at": now + 6 * MINUTE,
        "horizon_min": 7 + 5 * ticks,
    }
    return a_long(**fields | changed)


def a_short(now: datetime = START, **changed: Any) -> TradeIntent:
    """The mirror image of the long, decided one tick before it."""
    return earlier(1, now, **{"side": Side.SHORT, "tp": Decimal(49_550), "sl": Decimal(50_250)} | changed)


def assert_over(world: World, trading: Trading) -> None:
    """Nothing is held on either side, no order is left, every place and slot is free."""
    assert [] == world.account.held()
    assert [] == [*world.account.open_orders.values(), *world.account.open_algos.values()]
    assert [] == world.strangers()
    assert [] == trading.store.query(Query(POSITIONS))
    assert {} == trading.book().slots


def told(directory: Path, protection: str, leave: str, process: Process) -> dict[str, Any]:
    """The journal of a limit entry that is repriced once and partly filled, in hedge mode."""
    world, intent = World(*partly_filled(EXITS[leave]), hedge_mode=True), an_intent()
    with Trading(directory, world, process, PROTECTION=protection, **HEDGE) as trading:
        document = trading.see_through(intent)

        assert "EXECUTED" == document["state"]
        assert_over(world, trading)
        assert_entered_once(world, intent)
        assert_booked(world, trading, intent)
        assert_covered(world, trading.settings)
        return trading.journal(intent)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("protection", "leave"), [("before_entry", "STOP"), ("after_fill", "HORIZON")])
def test_a_kill_at_any_change_changes_nothing(tmp_path: Path, protection: str, leave: str, *, after: bool) -> None:
    """The matrix of one-way mode, reduced: each change of the account, every fourth of the books, and no reading."""
    calm, differences = Process(), ""
    expected = told(tmp_path / "calm", protection, leave, calm)
    assert (leave, str(PARTIAL)) == (expected["exit_reason"], expected["qty"])

    for kill_at, deed in enumerate(calm.deeds, 1):
        is_due = deed != "commit" or kill_at % 4 == 0
        if is_due and deed in {"commit", "place", "arm", "modify", "cancel", "disarm"}:
            process = Process(kill_at, after=after)
            try:
                journal = told(tmp_path / str(kill_at), protection, leave, process)
            except AssertionError as error:
                differences += f"killed at {deed} {kill_at}: {error}\n"
            else:
                differences += "" if journal == expected else f"killed at {deed} {kill_at}: {journal}\n"
    assert "" == differences


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_AFTER, FaultKind.UNKNOWN_BEFORE, FaultKind.EXECUTED_TWICE])
def test_no_answer_is_ever_taken_for_a_no(tmp_path: Path, kind: FaultKind) -> None:
    """Unknown answers in hedge mode, reduced: at every change, flat, clean and booked by itself."""
    requests = {"place": ("POST", "/order"), "arm": ("POST", "/algoOrder"), "disarm": ("DELETE", "/algoOrder")}
    calm, intent = Process(), an_intent(horizon_min=3)
    with Trading(tmp_path / "calm", World(hedge_mode=True), calm, **AT_MARKET) as trading:
        trading.see_through(intent)
    for call, (method, path) in requests.items():
        for skip in range(calm.deeds.count(call)):
            world = with_fault(World(hedge_mode=True), kind=kind, method=method, path=path, skip=skip)
            with Trading(tmp_path / f"{call}{skip}", world, **AT_MARKET) as trading:
                trading.see_through(intent)

                assert world.faults.fired
                assert_over(world, trading)
                if world.earned():
                    assert_booked(world, trading, intent)


def test_r16_orders_say_their_side_and_never_reduce_only(tmp_path: Path) -> None:
    """R16: in hedge mode every order carries its position side; reduceOnly, which is refused there, none does."""
    world, asked = World(hedge_mode=True), list[tuple[str, str]]()
    answer = world.face.answer

    def heard(request: Any) -> Any:
        asked.append((request.method, request.query))
        return answer(request)

    world.face.answer = heard  # type: ignore[method-assign]
    with Trading(tmp_path, world, **AT_MARKET) as trading:
        trading.see_through(a_short())

    placed = [query for method, query in asked if method == "POST" and "type=" in query and "marginType" not in query]
    assert 4 == len(placed)
    assert all("positionSide=SHORT" in query and "reduceOnly" not in query for query in placed)


@pytest.mark.parametrize(("hedge_mode", "mode"), [(True, "ONEWAY"), (False, "HEDGE")])
def test_r16_an_account_in_the_other_mode_is_refused_with_a_sentence(
    tmp_path: Path, mode: str, *, hedge_mode: bool
) -> None:
    """R16: the position mode belongs to the whole account: a conflict is told, both ways, and nothing is sent."""
    world = World(hedge_mode=hedge_mode)
    with Trading(tmp_path, world, POSITION_MODE=mode) as trading:
        document = trading.see_through(an_intent())

        assert "ACCOUNT_NOT_READY" == document["blocked_by"]
        assert world.is_untouched()
        texts = [each.data["text"] for each in trading.store.query(Query("events"))]
        assert any(f"POSITION_MODE is {mode}" in text for text in texts)


def test_a_long_and_a_short_stand_side_by_side(tmp_path: Path) -> None:
    """Both sides of one symbol: each its entry, its stop, its target and its end; each booked to the last digit."""
    world, long, short = World(hedge_mode=True), an_intent(), a_short()
    with Trading(tmp_path, world, **AT_MARKET) as trading:
        for intent in (long, short):
            trading.deliver(intent)
        held = {each.side: each.quantity for each in world.account.held(SYMBOL)}
        guards = {(each.position_side, each.type): each.quantity for each in world.account.algos_of(SYMBOL)}
        assert {PositionSide.LONG: long.qty, PositionSide.SHORT: -short.qty} == held
        assert {(side, kind) for side in held for kind in (AlgoType.STOP_MARKET, AlgoType.TAKE_PROFIT_MARKET)} == set(
            guards
        )
        assert {"BTCUSDT-LONG", "BTCUSDT-SHORT"} == set(trading.book().slots)
        # The price goes beyond the long's stop, which is the short's way to its target.
        world.play([Move(30 * SECOND, BEYOND_STOP), Move(SECOND, Decimal(49_500))])
        for intent in (long, short):
            trading.see_through(intent)

        assert_over(world, trading)
        assert [] == world.watch.stretches
        rows = {each.data["side"]: each.data for each in trading.store.query(Query(TRADES))}
        assert ("STOP", "TARGET") == (rows["long"]["exit_reason"], rows["short"]["exit_reason"])
        assert world.earned() == sum(Decimal(each["net_pnl"]) for each in rows.values())


def test_one_side_has_one_trade(tmp_path: Path) -> None:
    """A second long is refused while the first is open; a short is not."""
    world = World(hedge_mode=True)
    with Trading(tmp_path, world, **AT_MARKET) as trading:
        trading.deliver(an_intent())
        again = earlier(2)
        trading.deliver(again)
        trading.deliver(a_short())
        refused = trading.store.get(intent_ref(again.intent_id))

        assert refused is not None
        assert "POSITION_OPEN" == refused.data["blocked_by"]
        assert trading.store.get(position_ref("BTCUSDT-SHORT")) is not None
        assert 2 == len([order for order in world.orders(Leg.ENTRY) if order.executed])


def test_each_side_takes_a_slot(tmp_path: Path) -> None:
    """MAX_OPEN_POSITIONS counts sides: with one slot the other side is refused."""
    world = World(hedge_mode=True)
    with Trading(tmp_path, world, MAX_OPEN_POSITIONS="1", **AT_MARKET) as trading:
        trading.deliver(an_intent())
        trading.deliver(a_short())
        refused = trading.store.get(intent_ref(a_short().intent_id))

        assert refused is not None
        assert "POSITIONS_FULL" == refused.data["blocked_by"]


@pytest.mark.parametrize("rate", ["0.00012345", "-0.0002"])
def test_funding_belongs_to_the_side_that_paid_or_received_it(tmp_path: Path, rate: str) -> None:
    """No record of a funding payment says its side: the sign of the rate does. Each trade is booked its own."""
    world = World(hedge_mode=True)
    world.feed.set_funding(SYMBOL, rate)
    world.sleep(timedelta(hours=7, minutes=50))
    at = START + timedelta(hours=7, minutes=50)
    long, short = earlier(0, at, horizon_min=15), a_short(at, horizon_min=20, qty=Decimal("0.004"))
    with Trading(tmp_path, world, **AT_MARKET) as trading:
        for intent in (long, short):
            trading.deliver(intent)
        world.sleep(6 * MINUTE)
        assert 2 == len([row for row in world.account.income if row.type is IncomeType.FUNDING_FEE])
        for intent in (long, short):
            trading.see_through(intent)

        sign = 1 if Decimal(rate) > 0 else -1
        assert -sign * Decimal(trading.trade(long)["funding"]) > 0
        assert sign * Decimal(trading.trade(short)["funding"]) > 0
        assert world.earned() == sum(Decimal(trading.trade(each)["net_pnl"]) for each in (long, short))
        assert_over(world, trading)


def test_the_short_of_another_is_none_of_the_long_s(tmp_path: Path) -> None:
    """A position of the owner's on the other side keeps no long from its trade, is reported, and left alone."""
    both_stand = Act(lambda world: 2 == len(world.account.open_algos), (Move(30 * SECOND, BEYOND_TARGET),))
    world = World(*filled(None), both_stand, hedge_mode=True)
    foreign = a_foreign_short(world)
    with Trading(tmp_path, world, **HEDGE) as trading:
        trading.see_through(an_intent())
        for _ in range(5):
            world.sleep(MINUTE)
            trading.reconcile()

        assert "TARGET" == trading.trade(an_intent())["exit_reason"]
        assert foreign == world.held()
        assert "FOREIGN" in trading.kinds()


def a_foreign_short(world: World) -> Decimal:
    """Sell by hand, with the symbol set up as our settings want it."""
    world.exchange.set_margin_type(world.account, SYMBOL, MarginType.ISOLATED)
    world.exchange.set_leverage(world.account, SYMBOL, 5)
    by_hand(world, OrderSide.SELL, PARTIAL, position_side=PositionSide.SHORT)
    return -PARTIAL


def test_a_limit_entry_of_each_side_is_chased_for_itself(tmp_path: Path) -> None:
    """A short limit entry in hedge mode, filled after the price came to it."""
    world = World(Act(entry_waits, [Move(SECOND, PRICE + 10)]), Act(is_set, [Move(30 * SECOND, AWAY)]), hedge_mode=True)
    with Trading(tmp_path, world, **HEDGE) as trading:
        trading.see_through(a_short())

        assert "HORIZON" == trading.trade(a_short())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, a_short())


def test_the_paper_exchange_is_in_the_mode_of_the_settings(tmp_path: Path) -> None:
    """POSITION_MODE=HEDGE on the paper exchange needs no hand: its account is set up so, and trades both sides."""
    installation = Installation(tmp_path, EXECUTE_TRADES="true", POSITION_MODE="HEDGE")

    assert installation.runtime.venue is not None
    assert installation.runtime.venue.modes().hedge_mode
