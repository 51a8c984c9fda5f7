"""What users of such systems complain about, as stories on the paper exchange. Numbered as the requirements are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.builders.stand_ins import LateFunding, Unlisted
from tests.builders.trading import DEPTH, MINUTE, OTHER, SYMBOL, Act, Move, Process, Trading, World, a_long, with_fault
from tests.builders.trading_stories import (
    AWAY,
    BEYOND_STOP,
    BEYOND_TARGET,
    BID,
    LOOKS,
    PARTIAL,
    SECOND,
    an_intent,
    assert_booked,
    assert_covered,
    assert_entered_once,
    assert_over,
    by_hand,
    entry_waits,
    filled,
    is_set,
    partly_filled,
)
from withearth.domain.side import Side
from withearth.domain.times import TICK, decision_id, tick_id
from withearth.execution.lineage import Leg, client_id
from withearth.execution.record import Outcome, execution_from
from withearth.execution.venue import Venue
from withearth.flow.documents import CLAIM_LEASE, IntentState, intent_ref, position_ref
from withearth.market.port import Market
from withearth.paper.engine.kinds import AlgoType, IncomeType, OrderSide, OrderType, TimeInForce
from withearth.paper.engine.orders import PlaceAlgo, PlaceOrder
from withearth.paper.engine.venue import Switches
from withearth.paper.faults import FaultKind

STOP_TYPE, TARGET_TYPE = AlgoType.STOP_MARKET, AlgoType.TAKE_PROFIT_MARKET
NEVER_LATE = {"PROTECTION": "before_entry"}
LATER = {"PROTECTION": "after_fill"}


def a_short() -> Any:
    """The mirror image of the long."""
    return a_long(side=Side.SHORT, tp=Decimal(49_550), sl=Decimal(50_250), horizon_min=7)


@pytest.mark.parametrize("changes", [NEVER_LATE, LATER], ids=["before_entry", "after_fill"])
@pytest.mark.parametrize(("leaves_at", "reason"), [(50_300, "STOP"), (49_500, "TARGET"), (None, "HORIZON")])
def test_a_short_is_traded_like_a_long(
    tmp_path: Path, leaves_at: int | None, reason: str, changes: dict[str, str]
) -> None:
    """Entry, protection and every exit of a short: covered, flat, booked to the last digit."""
    acts = [Act(entry_waits, [Move(SECOND, Decimal(50_010))])]
    acts += [Act(is_set, [Move(30 * SECOND, Decimal(leaves_at))])] if leaves_at else []
    world, intent = World(*acts), a_short()
    with Trading(tmp_path, world, **changes) as trading:
        trading.see_through(intent)

        assert (reason, "0.010") == (trading.trade(intent)["exit_reason"], trading.trade(intent)["qty"])
        assert_over(world, trading)
        assert_entered_once(world, intent)
        assert_booked(world, trading, intent)
        assert_covered(world, trading.settings)


def test_r02_a_fill_without_a_stop_is_left_within_the_bound(tmp_path: Path) -> None:
    """With protection after the fill: no stop within PROTECT_WITHIN_SEC, so the quantity is closed at the market."""
    world = World(*filled(None))
    with_fault(world, kind=FaultKind.RESET_BEFORE, method="POST", path="/algoOrder", times=50)
    with Trading(tmp_path, world, **LATER) as trading:
        trading.see_through(an_intent())

        assert "UNPROTECTED" == trading.trade(an_intent())["exit_reason"]
        assert 1 == len(world.watch.stretches)
        assert world.watch.longest_at_work <= trading.settings.protect_within_sec * SECOND + LOOKS
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_r02_without_a_stop_nothing_is_entered(tmp_path: Path) -> None:
    """With the stop before the entry: none on the exchange, no entry order."""
    world = with_fault(World(), kind=FaultKind.RESET_BEFORE, method="POST", path="/algoOrder", times=50)
    with Trading(tmp_path, world, **NEVER_LATE) as trading:
        document = trading.see_through(an_intent())

        assert ("EXECUTED", "STOP_REFUSED") == (document["state"], document["blocked_by"])
        assert [] == world.orders(Leg.ENTRY)
        assert_over(world, trading)


def test_r02_a_venue_that_wants_a_position_first_gets_its_stop_after_the_fill(tmp_path: Path) -> None:
    """-2022 for a stop without a position: the trade is entered, and protected within the bound."""
    world = World(*filled(BEYOND_TARGET), switches=Switches(reduce_only_without_position=False))
    with Trading(tmp_path, world, **NEVER_LATE) as trading:
        trading.see_through(an_intent())

        assert "TARGET" == trading.trade(an_intent())["exit_reason"]
        assert timedelta() < world.watch.longest_at_work <= trading.settings.protect_within_sec * SECOND
        assert_over(world, trading)


def test_r03_an_orphan_is_swept_from_both_books(tmp_path: Path) -> None:
    """An order of ours that no execution explains is taken away, ordinary or conditional; a stranger's is not."""
    world = World()
    ours = decision_id(SYMBOL, tick_id(a_long().decided_at - TICK))
    for id_ in (client_id(ours, Leg.STOP, 0), "by-hand"):
        world.exchange.place_algo(
            world.account,
            PlaceAlgo(
                symbol=SYMBOL,
                side=OrderSide.SELL,
                type=STOP_TYPE,
                quantity=PARTIAL,
                trigger_price=Decimal(40_000),
                reduce_only=True,
                client_algo_id=id_,
            ),
        )
    entry = PlaceOrder(
        symbol=SYMBOL,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        quantity=PARTIAL,
        price=Decimal(40_000),
        time_in_force=TimeInForce.GTC,
        client_order_id=client_id(ours, Leg.ENTRY, 0),
    )
    world.exchange.place(world.account, entry)
    with Trading(tmp_path, world) as trading:
        for _ in range(11):
            trading.reconcile()
            world.sleep(MINUTE)

        assert ["by-hand"] == [each.client_algo_id for each in world.account.open_algos.values()]
        assert {} == world.account.open_orders
        assert {"ORPHAN_REMOVED", "FOREIGN"} <= set(trading.kinds())


@pytest.mark.parametrize("hedge_mode", [False, True])
def test_r03_what_protects_a_position_of_lost_books_stays_until_it_is_gone(tmp_path: Path, *, hedge_mode: bool) -> None:
    """R3: books are begun anew while a trade is open: its stop and target stay as long as it does, and no longer."""
    world, mode = World(*filled(None), hedge_mode=hedge_mode), "HEDGE" if hedge_mode else "ONEWAY"
    with Trading(tmp_path / "lost", world, POSITION_MODE=mode) as trading:
        trading.deliver(an_intent())
        guards = world.guards()
        assert is_set(world)
    with Trading(tmp_path / "new", world, POSITION_MODE=mode) as trading:
        for _ in range(16):
            trading.reconcile()
            world.sleep(MINUTE)
        assert guards == world.guards()
        assert "FOREIGN" in trading.kinds()
        world.play([Move(SECOND, BEYOND_TARGET)])
        for _ in range(16):
            trading.reconcile()
            world.sleep(MINUTE)

        assert (Decimal(0), {}) == (world.held(), world.guards())
        assert "ORPHAN_REMOVED" in trading.kinds()


def test_r04_what_is_closed_by_hand_leaves_the_rest_covered(tmp_path: Path) -> None:
    """Half of the position is closed by hand: the stop stays, and takes the rest out."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        by_hand(world, OrderSide.SELL, Decimal("0.005"), reduce_only=True)
        for _ in range(2):
            trading.reconcile()
            assert not world.uncovered()
            world.sleep(MINUTE)
        world.play([Move(SECOND, BEYOND_STOP)])
        trading.see_through(an_intent())

        assert_over_but_for_strangers(world)
        assert_covered(world, trading.settings)


def test_r04_a_position_that_is_turned_round_by_hand_is_left_to_its_owner(tmp_path: Path) -> None:
    """Sold by hand, and more: the trade is over, its orders go, and what is held on the other side stays."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        by_hand(world, OrderSide.SELL, Decimal("0.030"))
        trading.see_through(an_intent())

        assert "UNEXPLAINED" == trading.trade(an_intent())["exit_reason"]
        assert Decimal("-0.020") == world.held()
        assert [] == [*world.orders(Leg.EXIT), *world.account.open_algos.values()]
        assert "TRADING_HALTED" not in trading.kinds()


def test_r23_what_others_closed_is_not_booked_as_ours(tmp_path: Path) -> None:
    """The whole position is closed by hand: the trade ends UNEXPLAINED, without an exit that nobody knows."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        by_hand(world, OrderSide.SELL, an_intent().qty, reduce_only=True)
        trading.see_through(an_intent())
        row = trading.trade(an_intent())

        assert ("UNEXPLAINED", None, "CLOSED") == (row["exit_reason"], row["exit"], row["status"])
        assert_over_but_for_strangers(world)


@pytest.mark.parametrize("changes", [{}, {"POSITION_MODE": "HEDGE"}], ids=["one-way", "hedge"])
def test_r23_what_the_exchange_liquidates_is_booked(tmp_path: Path, changes: dict[str, str]) -> None:
    """The stop is taken away by hand and the position liquidated: its loss is in the journal, to the last digit."""
    world = World(*filled(None), hedge_mode=bool(changes))
    with Trading(tmp_path, world, LEVERAGE="50", **changes) as trading:
        trading.deliver(an_intent())
        assert is_set(world)
        for algo in list(world.account.open_algos.values()):
            world.exchange.cancel_algo(world.account, algo.algo_id, None)
        world.play([Move(SECOND, Decimal(49_000))])
        world.sleep(2 * SECOND)
        assert ["autoclose"] == [each.split("-")[0] for each in world.strangers()]
        trading.see_through(an_intent())
        row = trading.trade(an_intent())
        lost = sum(each.amount for each in world.account.income if each.type is not IncomeType.TRANSFER)

        assert ("UNEXPLAINED", lost) == (row["exit_reason"], Decimal(row["net_pnl"]))
        assert [lost] == [each.net for each in trading.book().closed]
        assert row["exit"] is not None
        assert_over_but_for_strangers(world)


def test_r05_the_way_out_is_not_blocked_by_our_own_orders(tmp_path: Path) -> None:
    """At the horizon, with a stop and a target of the full size in place: closed, and both taken away."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.see_through(an_intent())

        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_r05_an_exchange_that_takes_no_order_for_hours_is_left_in_the_end(tmp_path: Path) -> None:
    """The horizon is over and every exit fails for two hours: the stop stays, and one goes out in the end."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        with_fault(world, kind=FaultKind.UNAVAILABLE, method="POST", path="/order", times=9_999)
        for _ in range(130):
            trading.reconcile()
            world.sleep(MINUTE)
        assert [] == world.watch.stretches
        world.faults.clear()
        trading.see_through(an_intent())

        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_r07_fills_belong_to_a_trade_by_lineage(tmp_path: Path) -> None:
    """What the owner trades by hand on the same symbol meanwhile is none of the trade's money."""
    calm, busy = World(*filled(BEYOND_TARGET)), World(*filled(BEYOND_TARGET))
    with Trading(tmp_path / "calm", calm) as trading:
        trading.see_through(an_intent())
        expected = trading.journal(an_intent())
    with Trading(tmp_path / "busy", busy) as trading:
        trading.deliver(an_intent())
        for side in (OrderSide.BUY, OrderSide.SELL):
            by_hand(busy, side, Decimal("0.020"))
        trading.see_through(an_intent())

        # The exchange realises the mixed position's profit at its mean price, so only ours can be compared.
        row = trading.journal(an_intent())
        assert [expected[name] for name in ("qty", "entry", "exit", "fees")] == [
            row[name] for name in ("qty", "entry", "exit", "fees")
        ]
        assert_over_but_for_strangers(busy)


def assert_over_but_for_strangers(world: World) -> None:
    """Nothing is held, and no order is left."""
    assert Decimal(0) == world.held()
    assert [] == [*world.account.open_orders.values(), *world.account.open_algos.values()]


@pytest.mark.parametrize("hidden_s", [3, 20, 90])
def test_r08_r10_an_answer_that_is_lost_never_buys_twice(tmp_path: Path, hidden_s: int) -> None:
    """A market order whose answer is lost, and which the exchange denies for a while: one entry, adopted, protected."""
    world = with_fault(World(), kind=FaultKind.TIMEOUT_AFTER, method="POST", path="/order")
    hidden: list[int] = []

    def hides(world: World) -> bool:
        if world.account.orders and not hidden:
            hidden.extend(world.account.orders)
            until_ms = int(world.now().timestamp() * 1000) + hidden_s * 1000
            world.face.desk.hidden.update(dict.fromkeys(hidden, until_ms))
        return False

    world._acts.append(Act(hides, []))
    with Trading(tmp_path, world, ENTRY_MODE="MARKET") as trading:
        trading.deliver(an_intent())
        world.play([Move(2 * MINUTE + 30 * SECOND, BEYOND_TARGET)])
        trading.see_through(an_intent())

        assert hidden
        assert_over(world, trading)
        assert_entered_once(world, an_intent())
        assert_booked(world, trading, an_intent())
        assert [] == world.watch.stretches


def test_r09_a_process_that_died_over_its_entry_finds_the_position(tmp_path: Path) -> None:
    """Killed when the entry was bought and nobody knew it yet: taken up, protected, closed, booked."""
    world = World()
    calm = Process()
    with Trading(tmp_path / "calm", World(), calm, ENTRY_MODE="MARKET") as trading:
        trading.deliver(an_intent())
    process = Process(calm.deeds.index("place") + 1, after=True)
    with Trading(tmp_path / "killed", world, process, ENTRY_MODE="MARKET") as trading:
        trading.deliver(an_intent())
        assert (1, an_intent().qty) == (trading.deaths, world.held())
        stored = trading.store.get(intent_ref(an_intent().intent_id))
        assert stored is not None
        (entry,) = execution_from(stored.data["execution"]).legs(Leg.ENTRY)
        assert Outcome.PENDING is entry[1].outcome

        trading.see_through(an_intent())

        assert_over(world, trading)
        assert_entered_once(world, an_intent())
        assert_booked(world, trading, an_intent())


@pytest.mark.parametrize("side", list(OrderSide))
def test_r09_beside_a_foreign_position_nothing_is_entered(tmp_path: Path, side: OrderSide) -> None:
    """A position that is not ours is reported and left alone, and no order is added to it."""
    world = World()
    by_hand(world, side, PARTIAL)
    with Trading(tmp_path, world) as trading:
        document = trading.see_through(an_intent())
        for _ in range(5):
            world.sleep(MINUTE)
            trading.reconcile()

        assert document["blocked_by"] in {"FOREIGN_POSITION", "ACCOUNT_NOT_READY"}
        assert PARTIAL * side.sign == world.held()
        assert [] == world.orders(Leg.ENTRY)
        assert "FOREIGN" in trading.kinds()


def test_r09_a_foreign_position_gets_no_stop_of_ours(tmp_path: Path) -> None:
    """With protection after the fill, and the symbol set up already: not even for a moment."""
    world = World(*filled(BEYOND_TARGET))
    with Trading(tmp_path, world, **LATER) as trading:
        trading.see_through(an_intent())
        world.play([Move(SECOND, a_long().entry)])
        world.sleep(6 * MINUTE)
        by_hand(world, OrderSide.BUY, PARTIAL)
        guards, at = len(world.account.algos), a_long().decided_at + TICK
        document = trading.see_through(
            a_long(intent_id=decision_id(SYMBOL, tick_id(at)), decided_at=at, expires_at=at + 6 * MINUTE)
        )

        assert "FOREIGN_POSITION" == document["blocked_by"]
        assert len(world.account.algos) == guards
        assert PARTIAL == world.held()


def test_r23_what_others_buy_beside_a_resting_entry_is_no_trade_of_ours(tmp_path: Path) -> None:
    """The owner buys while our entry waits, and no stop can be had: nothing is sold, and no row is left open."""

    def buys(world: World) -> bool:
        if entry_waits(world) and not world.held():
            by_hand(world, OrderSide.BUY, Decimal("0.020"))
            world.play([Move(SECOND, AWAY)])
        return False

    world = with_fault(World(Act(buys, [])), kind=FaultKind.RESET_BEFORE, method="POST", path="/algoOrder", times=50)
    with Trading(tmp_path, world, **LATER) as trading:
        document = trading.see_through(an_intent())

        assert ("EXECUTED", "STOP_REFUSED") == (document["state"], document["blocked_by"])
        assert Decimal("0.020") == world.held()
        assert ("VOID", "UNEXPLAINED") == tuple(trading.trade(an_intent())[name] for name in ("status", "exit_reason"))
        assert {} == trading.book().slots
        assert trading.store.get(position_ref(SYMBOL)) is None


def test_r11_a_stop_that_is_only_partly_filled_escalates(tmp_path: Path) -> None:
    """A thin book fills a part of the stop: the rest is left at the market, at once."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        world.feed.depth = Decimal("0.00004")
        world.play([Move(SECOND, BEYOND_STOP)])
        world.sleep(2 * SECOND)
        assert Decimal(0) < world.held() < an_intent().qty
        world.feed.depth = DEPTH
        world.play([Move(SECOND, BEYOND_STOP)])
        trading.see_through(an_intent())

        assert "STOP" == trading.trade(an_intent())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_r16_an_account_in_hedge_mode_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """The position mode belongs to the whole account: a conflict is told, and nothing is sent."""
    world = World()
    world.exchange.set_position_mode(world.account, dual_side=True)
    with Trading(tmp_path, world) as trading:
        document = trading.see_through(an_intent())

        assert ("REFUSED", "ACCOUNT_NOT_READY") == (document["state"], document["blocked_by"])
        assert [] == [*world.account.orders, *world.account.algos]


def test_r23_an_account_that_pays_its_fees_in_bnb_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """R23: fees in another asset would stand in the journal as if they were USDT."""
    world = World()
    world.face.desk.fee_burn.add(world.account.key)
    with Trading(tmp_path, world) as trading:
        document = trading.see_through(an_intent())

        assert "ACCOUNT_NOT_READY" == document["blocked_by"]
        assert world.is_untouched()


def test_r23_a_fee_in_another_asset_counts_at_its_price(tmp_path: Path) -> None:
    """R23: switched on while a trade is open: the trade ends, and its fees are not another coin's taken for USDT."""
    world = World(*filled(None), symbols=(SYMBOL, OTHER))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        for number, fill in enumerate(world.account.fills):
            world.account.fills[number] = replace(fill, commission=Decimal("0.001"), commission_asset="ETH")
        trading.see_through(an_intent())
        paid = sum(fill.commission for fill in world.account.fills if fill.commission_asset == "USDT")
        tick = world.exchange.tick(OTHER)

        assert paid + Decimal("0.001") * (tick.bid + tick.ask) / 2 == Decimal(trading.trade(an_intent())["fees"])


def test_r31_an_intent_that_is_delivered_again_is_not_traded_again(tmp_path: Path) -> None:
    """Delivered while it is held, and after it has ended: one trade."""
    world = World(*filled(BEYOND_TARGET))
    with Trading(tmp_path, world) as trading:
        assert trading.deliver(an_intent())
        assert trading.deliver(an_intent())
        trading.see_through(an_intent())
        assert trading.deliver(an_intent())

        assert 1 == len(world.orders(Leg.ENTRY))
        assert_over(world, trading)


def test_r32_a_partial_fill_is_protected_for_what_it_is(tmp_path: Path) -> None:
    """A part is filled and the rest given up: stop and target have the size of the part."""
    world = World(*partly_filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())

        assert PARTIAL == world.held()
        assert {STOP_TYPE: PARTIAL, TARGET_TYPE: PARTIAL} == world.guards()


def test_r32_parts_that_fill_one_after_the_other_are_each_protected(tmp_path: Path) -> None:
    """With protection after the fill: every further part gets its stop, also long after the first."""
    parts = [
        Move(2 * SECOND, BID, through=PARTIAL),
        Move(SECOND, BID + 3),
        Move(13 * SECOND, BID, through=PARTIAL),
        Move(SECOND, BID + 3),
    ]
    world = World(Act(entry_waits, parts))
    with Trading(tmp_path, world, LIMIT_TTL_SEC="30", **LATER) as trading:
        trading.deliver(an_intent())

        assert 2 <= len(world.watch.stretches)
        assert world.watch.longest_at_work <= LOOKS
        assert an_intent().qty == world.held()
        trading.see_through(an_intent())
        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_an_entry_that_fills_on_while_it_is_given_up_is_booked_whole(tmp_path: Path) -> None:
    """The journal's quantity is what was bought in the end, not what was bought when the row was opened."""
    world = World(Act(entry_waits, [Move(SECOND, BID, through=PARTIAL), Move(SECOND, AWAY)]))
    with_fault(world, kind=FaultKind.RESET_BEFORE, method="POST", path="/algoOrder", times=50)
    with_fault(world, kind=FaultKind.UNKNOWN_BEFORE, method="DELETE", path="/order")
    world._acts.append(Act(lambda world: bool(world.faults.fired) and _gives_up(world), [Move(SECOND / 2, BID - 10)]))
    with Trading(tmp_path, world, LIMIT_TTL_SEC="60", **LATER) as trading:
        trading.see_through(an_intent())
        row = trading.trade(an_intent())

        assert an_intent().qty == Decimal(row["qty"])
        assert "UNPROTECTED" == row["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def _gives_up(world: World) -> bool:
    return any(fired.method == "DELETE" for fired in world.faults.fired)


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.RESET_BEFORE, FaultKind.UNAVAILABLE])
def test_a_reading_that_fails_once_does_not_leave_a_fill_naked(tmp_path: Path, kind: FaultKind) -> None:
    """The process keeps its lease and looks again: it does not leave a fresh fill to the next pass."""
    world = World(*filled(None))
    calm = Process()
    with Trading(tmp_path / "calm", World(*filled(None)), calm, **LATER) as trading:
        trading.deliver(an_intent())
    readings = 1 + calm.deeds[: calm.deeds.index("place")].count("truth")
    with_fault(world, kind=kind, method="GET", path="/positionRisk", skip=readings)
    with Trading(tmp_path / "blind", world, **LATER) as trading:
        trading.deliver(an_intent())

        assert world.faults.fired
        assert not world.uncovered()
        assert timedelta() == world.watch.longest_unattended
        assert_covered(world, trading.settings)


def test_no_entry_rests_unguarded_while_nobody_watches(tmp_path: Path) -> None:
    """With protection after the fill, an entry is given up before its process ends, not left to a fill in between."""
    world = World(Act(entry_waits, [Move(95 * SECOND, BID - 10)]))
    with Trading(tmp_path, world, LIMIT_TTL_SEC="300", **LATER) as trading:
        trading.see_through(an_intent())

        assert timedelta() == world.watch.longest_unattended
        assert [Decimal(0)] == [order.executed for order in world.orders(Leg.ENTRY)]
        assert_over(world, trading)


def test_a_process_that_wakes_up_after_its_lease_changes_nothing(tmp_path: Path) -> None:
    """Held up for longer than its lease before any change, or after any commit, while another one does the work.

    What it had written down does not go out beside the other's: the exchange refuses a request of an old lease.
    """
    calm = Process()
    with Trading(tmp_path / "calm", World(*filled(BEYOND_TARGET)), calm) as trading:
        trading.see_through(an_intent())
        expected = trading.journal(an_intent())

    for number, deed in enumerate(calm.deeds, 1):
        if deed not in {"commit", "place", "arm", "modify", "cancel", "disarm"}:
            continue
        world = World(*filled(BEYOND_TARGET))
        directory = tmp_path / str(number)
        with Trading(directory, world, HeldUp(number, directory, world)) as sleeper:
            sleeper.see_through(an_intent())

            assert_over(world, sleeper)
            assert_entered_once(world, an_intent())
            assert_booked(world, sleeper, an_intent())
            assert [] == world.watch.stretches
            assert expected == sleeper.journal(an_intent())


class HeldUp(Process):
    """A process that stands still at a deed for longer than its lease, while another one does the work."""

    def __init__(self, at: int, directory: Path, world: World) -> None:
        super().__init__()
        self._at = at
        self._directory = directory
        self._world = world

    @contextmanager
    def deed(self, name: str) -> Iterator[None]:
        """Stand still before the deed of the number chosen, or after it when it is a commit."""
        with super().deed(name):
            is_mine = len(self.deeds) == self._at
            if is_mine and name != "commit":
                self._stand_still()
            yield
        if is_mine and name == "commit":
            self._stand_still()

    def _stand_still(self) -> None:
        self._world.sleep(CLAIM_LEASE + SECOND)
        with Trading(self._directory, self._world) as other:
            other.reconcile()


def test_lists_that_lag_do_not_make_us_send_and_cancel_without_end(tmp_path: Path) -> None:
    """New orders are invisible for some seconds, cancelled ones stay visible: the requests stay few."""
    world, process = World(*filled(None)), Process()
    with_fault(world, kind=FaultKind.HIDDEN_ORDER, method="POST", times=10, duration_ms=3_000)
    with_fault(world, kind=FaultKind.STALE_READS, method="DELETE", times=10, duration_ms=3_000)
    with Trading(tmp_path, world, process) as trading:
        trading.see_through(an_intent())

        assert_over(world, trading)
        assert_entered_once(world, an_intent())
        assert_booked(world, trading, an_intent())
        assert process.deeds.count("arm") <= 5
        assert process.deeds.count("disarm") <= 10
        assert process.deeds.count("place") <= 3


def test_a_late_intent_never_trades(tmp_path: Path) -> None:
    """An intent that is delivered after its expiry is refused, and nothing is sent."""
    world = World()
    with Trading(tmp_path, world) as trading:
        world.sleep(10 * MINUTE)
        document = trading.see_through(an_intent())

        assert (IntentState.REFUSED, "INTENT_EXPIRED") == (document["state"], document["blocked_by"])
        assert [] == [*world.account.orders, *world.account.algos]


def test_funding_is_booked_to_the_last_digit(tmp_path: Path) -> None:
    """A trade that is held over a settlement: its journal has the funding that the exchange's income has."""
    world = World(*filled(None))
    world.feed.set_funding(SYMBOL, "0.00012345")
    world.sleep(timedelta(hours=7, minutes=50))
    intent = a_long(
        intent_id=decision_id(SYMBOL, tick_id(a_long().decided_at + timedelta(hours=7, minutes=50))),
        decided_at=a_long().decided_at + timedelta(hours=7, minutes=50),
        expires_at=a_long().decided_at + timedelta(hours=7, minutes=59),
    )
    with Trading(tmp_path, world) as trading:
        trading.see_through(intent)

        funding = [row.amount for row in world.account.income if row.type is IncomeType.FUNDING_FEE]
        assert 1 == len(funding)
        assert sum(funding) == Decimal(trading.trade(intent)["funding"])
        assert_booked(world, trading, intent)


@pytest.mark.parametrize("price", [Decimal("49747.5"), BEYOND_STOP])
def test_an_entry_that_is_filled_at_its_stop_or_beyond_is_booked(tmp_path: Path, price: Decimal) -> None:
    """A gap while the request is under way: nothing was risked at that price, the multiple is of the plan."""
    process, intent = Process(), an_intent()
    world = World(Act(lambda _world: "place" in process.deeds, [Move(timedelta(), price)]))
    with Trading(tmp_path, world, process, ENTRY_MODE="MARKET") as trading:
        trading.see_through(intent)
        row = trading.trade(intent)
        planned = (intent.entry - intent.sl) * intent.qty

        assert Decimal(row["entry"]) <= intent.sl
        assert round(Decimal(row["net_pnl"]) / planned, 4) == Decimal(row["r_multiple"])
        assert_over(world, trading)
        assert_booked(world, trading, intent)


@pytest.mark.parametrize(("horizon_min", "payments"), [(9, 0), (10, 1)])
def test_funding_that_is_booked_after_the_end_is_the_trade_s(tmp_path: Path, horizon_min: int, payments: int) -> None:
    """Held until a settlement, and closed right after it: the payment shows when nothing is held any more."""
    world = World(*filled(None), symbols=(SYMBOL, OTHER))
    world.kind = "DEMO"
    world.feed.set_funding(SYMBOL, "0.00012345")
    world.sleep(timedelta(hours=7, minutes=45))
    at = a_long().decided_at + timedelta(hours=7, minutes=45)
    intent = a_long(
        intent_id=decision_id(SYMBOL, tick_id(at)),
        decided_at=at,
        expires_at=at + 5 * MINUTE,
        horizon_min=horizon_min,
    )
    with Trading(tmp_path, world) as trading:
        trading.runtime = replace(
            trading.runtime, venue=cast(Venue, LateFunding(world.connect(Process()), world, 20 * SECOND))
        )
        trading.reconcile()
        trading.see_through(intent)

        assert payments == len([row for row in world.account.income if row.type is IncomeType.FUNDING_FEE])
        assert_over(world, trading)
        assert_booked(world, trading, intent)


def test_what_is_held_is_left_though_the_market_does_not_list_it(tmp_path: Path) -> None:
    """Protection and exits never wait for the market's list."""
    world, intent = World(*filled(None)), an_intent()
    with Trading(tmp_path, world) as trading:
        trading.deliver(intent)
        assert is_set(world)
        trading.runtime = replace(trading.runtime, market=cast(Market, Unlisted(trading.runtime.market, SYMBOL)))
        trading.see_through(intent)

        assert_over(world, trading)
        assert_booked(world, trading, intent)
        assert "HORIZON" == trading.trade(intent)["exit_reason"]


def test_an_entry_that_the_market_does_not_list_keeps_nobody_waiting(tmp_path: Path) -> None:
    """It is looked at again with each pass, which comes to its end, and goes on once the list is there."""
    world, intent = World(*filled(None)), an_intent()
    with Trading(tmp_path, world) as trading:
        listed = trading.runtime
        trading.runtime = replace(listed, market=cast(Market, Unlisted(listed.market, SYMBOL)))
        assert trading.deliver(intent)
        assert trading.reconcile()
        assert world.is_untouched()

        trading.runtime = listed
        trading.see_through(intent)
        assert_booked(world, trading, intent)


def test_the_price_falls_through_entry_and_stop_at_once(tmp_path: Path) -> None:
    """A gap through the entry and its stop: whatever was bought is left at once, and nothing stays behind."""
    world = World(Act(entry_waits, [Move(SECOND, BEYOND_STOP)]))
    with Trading(tmp_path, world) as trading:
        trading.see_through(an_intent())

        assert world.watch.longest_at_work <= LOOKS
        assert_over(world, trading)
        assert_entered_once(world, an_intent())
        if world.earned():
            assert_booked(world, trading, an_intent())


class Falls:
    """An exchange on which the price falls while the first order is on its way."""

    def __init__(self, venue: Any, world: World, price: Decimal) -> None:
        self._venue = venue
        self._world = world
        self._price = price

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def place(self, *asked: Any) -> Any:
        """Send an order, at the price of then."""
        self._world.play([Move(timedelta(), self._price)])
        self._world.sleep(timedelta())
        return self._venue.place(*asked)


def test_an_entry_that_is_filled_at_its_stop_is_booked(tmp_path: Path) -> None:
    """Nothing was at risk from the price that was paid: R is what was planned, and the trade ends."""
    world, stop = World(), a_long().sl
    with Trading(tmp_path, world, ENTRY_MODE="MARKET") as trading:
        falls = Falls(trading.runtime.venue, world, stop - Decimal("2.5"))
        trading.runtime = replace(trading.runtime, venue=cast(Venue, falls))
        trading.see_through(an_intent())
        row = trading.trade(an_intent())

        assert stop == Decimal(row["entry"])
        assert Decimal(row["net_pnl"]) / Decimal("2.5") == pytest.approx(
            Decimal(row["r_multiple"]), abs=Decimal("0.001")
        )
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())
