"""On an exchange outside this process: equity, free margin and the day's loss are what the account says."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.builders.stand_ins import LateFunding
from tests.builders.trading import MINUTE, START, SYMBOL, Move, Trading, World, a_long, with_fault
from tests.builders.trading_stories import (
    AWAY,
    BEYOND_STOP,
    SECOND,
    an_intent,
    assert_booked,
    assert_over,
    by_hand,
    filled,
)
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.domain.times import decision_id, tick_id
from withearth.execution.venue import Venue
from withearth.flow.account import free_margin, sheet_of
from withearth.flow.documents import account_ref, book_ref, intent_ref, trading_ref, view_ref
from withearth.flow.limits import limits_document
from withearth.flow.trading_state import TradingState, standing
from withearth.paper.engine.kinds import OrderSide
from withearth.paper.faults import FaultKind
from withearth.risk.account import Sheet
from withearth.risk.book import Book
from withearth.store.port import Replace


def demo(directory: Path, world: World, **changes: str) -> Trading:
    """An installation on an account that is not ours alone."""
    world.kind = "DEMO"
    return Trading(directory, world, **changes)


def blocked_by(trading: Trading, intent: Any) -> str | None:
    """What an intent that is delivered now is refused for."""
    trading.deliver(intent)
    stored = trading.store.get(intent_ref(intent.intent_id))
    assert stored is not None
    reason: str | None = stored.data["blocked_by"]
    return reason


def sheet(trading: Trading) -> Sheet:
    """The account as it was read last."""
    found = sheet_of(trading.store.get(account_ref("DEMO")))
    assert found is not None
    return found


def used(trading: Trading, limit: str) -> Decimal:
    """How far a limit is used, as it is shown."""
    shown = limits_document(trading.store, trading.settings, "DEMO", trading.world.now())
    return next(Decimal(row["used"] or 0) for row in shown["limits"] if row["limit"] == limit)


def money(trading: Trading) -> dict[str, Any]:
    """The money as it is shown."""
    found = trading.store.get(view_ref("money"))
    assert found is not None
    return dict(found.data)


def lose_by_hand(world: World) -> None:
    """The owner buys, and sells lower."""
    by_hand(world, OrderSide.BUY, Decimal(1))
    world.play([Move(SECOND, BEYOND_STOP)])
    world.sleep(2 * SECOND)
    by_hand(world, OrderSide.SELL, Decimal(1))


def test_equity_is_the_accounts(tmp_path: Path) -> None:
    """Not the deposit of a setting: what is in the wallet, in every view."""
    with demo(tmp_path, World()) as trading:
        trading.reconcile()
        overview = trading.store.get(view_ref("overview"))

        assert Decimal(10_000) == sheet(trading).equity
        assert overview is not None
        assert Decimal(10_000) == Decimal(overview.data["equity"])


def test_nothing_is_entered_before_the_account_was_read(tmp_path: Path) -> None:
    """Nobody knows the equity: no entry, no halt on a number that nobody has read, and none is shown."""
    world = World()
    with_fault(world, kind=FaultKind.UNAVAILABLE, method="GET", path="/v3/account", times=1)
    with demo(tmp_path, world) as trading:
        book = Book(net=Decimal(-900)).to_document()
        trading.store.commit([Replace(book_ref("DEMO"), book)])
        trading.reconcile()

        assert Reason.EQUITY_UNKNOWN == blocked_by(trading, a_long())
        assert world.is_untouched()
        assert standing(trading.store.get(trading_ref())).state is TradingState.ACTIVE
        shown = limits_document(trading.store, trading.settings, "DEMO", world.now())
        assert (False, []) == (shown["readable"], shown["limits"])
        overview = trading.store.get(view_ref("overview"))
        assert overview is not None
        assert overview.data["equity"] is None
        assert trading.store.get(view_ref("money")) is None


def test_nothing_is_entered_on_an_old_reading(tmp_path: Path) -> None:
    """The account cannot be read any more: entries wait, also the one that rests."""
    world = World()
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        with_fault(world, kind=FaultKind.UNAVAILABLE, method="GET", path="/v3/account", times=100)
        for _ in range(6):
            world.sleep(MINUTE)
            trading.reconcile()

        assert Reason.EQUITY_UNKNOWN == blocked_by(trading, a_long())
        assert world.is_untouched()


def test_a_withdrawal_is_no_drawdown(tmp_path: Path) -> None:
    """Nine tenths taken out, some put in again: neither loss nor halt, and entries go on."""
    world = World()
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        for amount in (-9_000, 500):
            world.exchange.transfer(world.account, "USDT", Decimal(amount))
            world.sleep(MINUTE)
            trading.reconcile()

        assert Decimal(1_500) == sheet(trading).equity
        assert Decimal(0) == used(trading, "MAX_DRAWDOWN_PCT") == used(trading, "MAX_DAILY_LOSS_USDT")
        assert standing(trading.store.get(trading_ref())).state is TradingState.ACTIVE
        assert blocked_by(trading, a_long()) in {None, "ENTRY_NOT_FILLED"}
        assert not world.is_untouched()


def test_a_withdrawal_makes_no_loss_of_the_past_larger(tmp_path: Path) -> None:
    """The owner loses a trade, then takes out nearly everything: the money shown is less, the drawdown is the same."""
    world = World(*filled(BEYOND_STOP))
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        trading.see_through(an_intent())
        before = money(trading)
        world.exchange.transfer(world.account, "USDT", Decimal(-9_900))
        world.sleep(timedelta(hours=1))
        trading.reconcile()
        after = money(trading)

        assert 0 < before["max_drawdown_pct"] == after["max_drawdown_pct"]
        assert before["points"] == after["points"]
        assert Decimal(before["equity"]) - 9_900 == Decimal(after["equity"]) == sheet(trading).equity


def test_r28_a_loss_by_the_owners_hand_counts_for_the_day(tmp_path: Path) -> None:
    """R28: the account lost it, whoever traded: the limit stops the next entry."""
    world = World()
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        lose_by_hand(world)
        world.play([Move(SECOND, AWAY)])
        world.sleep(MINUTE)
        trading.reconcile()

        assert used(trading, "MAX_DAILY_LOSS_USDT") > 300
        assert Reason.DAILY_LOSS_REACHED == blocked_by(trading, a_long())


def test_r28_a_drawdown_of_the_account_halts_until_a_person_resumes(tmp_path: Path) -> None:
    """R28: reached by what the exchange says; who resumes begins at what is left."""
    world = World()
    with demo(tmp_path, world, MAX_DRAWDOWN_PCT="3", MAX_DAILY_LOSS_USDT="0") as trading:
        trading.reconcile()
        lose_by_hand(world)
        world.sleep(MINUTE)
        trading.reconcile()
        halted = standing(trading.store.get(trading_ref()))
        trading.store.commit([Replace(trading_ref(), {"state": "ACTIVE"})])
        world.sleep(MINUTE)
        trading.reconcile()

        assert TradingState.HALTED is halted.state
        assert halted.why.startswith("the drawdown is 3.")
        assert standing(trading.store.get(trading_ref())).state is TradingState.ACTIVE
        assert Decimal(0) == used(trading, "MAX_DRAWDOWN_PCT")


def test_a_damaged_account_document_halts_and_is_kept(tmp_path: Path) -> None:
    """It says what the highest value was: nobody writes over it."""
    with demo(tmp_path, World()) as trading:
        trading.store.commit([Replace(account_ref("DEMO"), {"wallet": "?"})])
        trading.reconcile()
        kept = trading.store.get(account_ref("DEMO"))

        assert TradingState.HALTED is standing(trading.store.get(trading_ref())).state
        assert kept is not None
        assert {"wallet": "?"} == kept.data


def test_r17_an_order_is_held_against_the_margin_that_is_free_now(tmp_path: Path) -> None:
    """R17: what was free when it was sized is not: refused before anything is sent, instead of -2019 at the entry."""
    world = World()
    world.exchange.transfer(world.account, "USDT", Decimal(-9_900))
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        assert Decimal(100) == sheet(trading).available

        # 500 at a leverage of 5 need 100, and the fee.
        assert Reason.MARGIN_TOO_SMALL == blocked_by(trading, a_long())
        assert world.is_untouched()


def test_what_we_trade_explains_the_wallet(tmp_path: Path) -> None:
    """Profit, commission and funding of our own trades leave nothing unexplained, and are the account's own."""
    world = World(*filled(BEYOND_STOP))
    world.feed.set_funding(SYMBOL, "0.0001")
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        trading.see_through(an_intent())
        world.sleep(MINUTE)
        trading.reconcile()

        assert_over(world, trading)
        assert world.account.wallet["USDT"] == sheet(trading).equity
        assert -world.earned() == sheet(trading).lost(world.now())
        assert "ACCOUNT_UNEXPLAINED" not in trading.kinds()


class Late:
    """An exchange that shows new records of income a moment late."""

    def __init__(self, venue: Any) -> None:
        self._venue = venue
        self._late = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def income(self, since_ms: int) -> Any:
        """Nothing at first, then all of it."""
        if self._late:
            self._late -= 1
            return ()
        return self._venue.income(since_ms)


def test_a_record_that_comes_a_moment_late_stops_nothing(tmp_path: Path) -> None:
    """What has just happened is looked up again within the same pass."""
    world = World()
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        world.exchange.transfer(world.account, "USDT", Decimal(-500))
        world.sleep(MINUTE)
        trading.runtime = replace(trading.runtime, venue=cast(Venue, Late(trading.runtime.venue)))
        trading.reconcile()

        assert sheet(trading).is_known(world.now())
        assert (Decimal(9_500), Decimal(0)) == (sheet(trading).equity, sheet(trading).drawdown_pct)


@pytest.mark.parametrize("position_mode", ["ONEWAY", "HEDGE"])
def test_funding_is_waited_for_when_a_trade_ends_on_the_hour(tmp_path: Path, position_mode: str) -> None:
    """Its horizon and the settlement are one instant: the trade ends with the payment that is charged after it."""
    world = World(*filled(None), hedge_mode=position_mode == "HEDGE")
    world.feed.set_funding(SYMBOL, "0.00012345")
    at = START + timedelta(hours=7, minutes=50)
    world.sleep(at - world.now())
    intent = a_long(
        intent_id=decision_id(SYMBOL, tick_id(at)), decided_at=at, expires_at=at + 4 * MINUTE, horizon_min=5
    )
    with demo(tmp_path, world, POSITION_MODE=position_mode) as trading:
        trading.runtime = replace(trading.runtime, venue=cast(Venue, LateFunding(trading.runtime.venue, world)))
        trading.reconcile()
        trading.deliver(intent)
        assert world.held()
        world.sleep(at + 5 * MINUTE - world.now())
        trading.reconcile()
        assert not world.held()
        assert world.now() < at + 5 * MINUTE + LateFunding.LATE
        trading.see_through(intent)

        assert Decimal(trading.trade(intent)["funding"]) < 0
        assert_booked(world, trading, intent)


def test_what_no_record_explains_is_told(tmp_path: Path) -> None:
    """Money vanishes from the wallet without a record: no entry meanwhile, then it counts as lost, and is told."""
    world = World()
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        world.account.wallet["USDT"] -= 70
        world.sleep(MINUTE)
        trading.reconcile()
        assert Reason.EQUITY_UNKNOWN == blocked_by(trading, a_long())
        for _ in range(10):
            world.sleep(MINUTE)
            trading.reconcile()

        assert "ACCOUNT_UNEXPLAINED" in trading.kinds()
        assert Decimal(70) == sheet(trading).lost(world.now())


@pytest.mark.parametrize("age", [timedelta(), timedelta(minutes=6)])
def test_r17_a_decision_is_sized_against_the_accounts_free_margin(tmp_path: Path, age: timedelta) -> None:
    """R17: the worker has no keys: it takes what the reconciler read, and decides nothing on an old reading."""
    world = World()
    with demo(tmp_path, world) as trading:
        trading.reconcile()
        world.sleep(age)
        runtime = trading.runtime
        if age:
            with pytest.raises(Refused, match="EQUITY_UNKNOWN"):
                free_margin(runtime)
        else:
            assert Decimal(10_000) == free_margin(runtime)
