"""R23: once a day the journal is held against the exchange's own income records."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import pytest

from tests.builders.trading import MINUTE, START, SYMBOL, Move, Trading, World, a_long
from tests.builders.trading_stories import AWAY, BEYOND_TARGET, SECOND, assert_booked, by_hand, filled, is_set
from withearth.domain.times import decision_id, floor_to_tick, tick_id
from withearth.execution.shown import FundingFee, Income
from withearth.execution.venue import Venue
from withearth.flow.documents import drift_ref, trade_ref
from withearth.messaging.events import TradeIntent
from withearth.paper.engine.kinds import OrderSide
from withearth.store.port import Replace

DAY = timedelta(hours=24)


def an_intent_at(world: World, minutes: int = 7) -> TradeIntent:
    """A long that is decided now."""
    at = floor_to_tick(world.now())
    intent_id = decision_id(SYMBOL, tick_id(at))
    return a_long(intent_id=intent_id, decided_at=at, expires_at=at + 5 * MINUTE, horizon_min=minutes)


def to_the_next_day(trading: Trading) -> None:
    """Past midnight, and the time that records may take."""
    midnight = trading.world.now().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    trading.world.sleep(midnight + 6 * MINUTE - trading.world.now())
    trading.reconcile()


def found(trading: Trading) -> dict[str, str]:
    """What differed at the last comparison, by symbol."""
    stored = trading.store.get(drift_ref("PAPER"))
    assert stored is not None
    return dict(stored.data["differences"])


def trades_by_hand(world: World) -> None:
    """The owner buys and sells on the same symbol."""
    for side in (OrderSide.BUY, OrderSide.SELL):
        by_hand(world, side, Decimal("0.020"))


def test_r23_books_that_agree_say_nothing(tmp_path: Path) -> None:
    """R23: fees and funding included, to the last digit, with a trade held over a settlement."""
    world = World(*filled(None))
    world.feed.set_funding(SYMBOL, "0.00012345")
    world.sleep(timedelta(hours=7, minutes=50))
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        intent = an_intent_at(world, minutes=15)
        trading.see_through(intent)
        assert_booked(world, trading, intent)
        to_the_next_day(trading)

        assert {} == found(trading)
        assert "DRIFT" not in trading.kinds()


def test_r23_what_differs_is_told_once(tmp_path: Path) -> None:
    """R23: somebody trades on our symbol: told the next day with both sums, and not the day after again."""
    world = World(*filled(BEYOND_TARGET))
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        world.sleep(MINUTE * 5)
        trading.see_through(an_intent_at(world))
        trades_by_hand(world)
        to_the_next_day(trading)
        told = found(trading)
        to_the_next_day(trading)

        assert told[SYMBOL].startswith(f"the exchange booked {world.earned()} USDT, the journal ")
        assert {} == found(trading)
        assert 1 == trading.kinds().count("DRIFT")


def test_r23_a_wrong_figure_in_the_journal_is_found(tmp_path: Path) -> None:
    """R23: the journal says something else than the exchange booked."""
    world = World(*filled(BEYOND_TARGET))
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        world.sleep(MINUTE * 5)
        intent = an_intent_at(world)
        trading.see_through(intent)
        row = trading.store.get(trade_ref(intent.intent_id))
        assert row is not None
        wrong = Decimal(row.data["net_pnl"]) + Decimal("0.00000001")
        trading.store.commit([Replace(row.ref, dict(row.data) | {"net_pnl": str(wrong)})])
        to_the_next_day(trading)

        assert [SYMBOL] == list(found(trading))


class LateFunding:
    """An exchange that charges funding some seconds after the hour."""

    LATE_MS: Final = 7_000

    def __init__(self, venue: Any) -> None:
        self._venue = venue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def funding_fees(self, *asked: Any) -> list[FundingFee]:
        """The payments, some seconds late."""
        return [replace(each, at_ms=each.at_ms + self.LATE_MS) for each in self._venue.funding_fees(*asked)]

    def income(self, since_ms: int) -> list[Income]:
        """The same in the records."""
        records = [
            replace(each, at_ms=each.at_ms + self.LATE_MS) if each.kind == "FUNDING_FEE" else each
            for each in self._venue.income(since_ms - self.LATE_MS)
        ]
        return [each for each in records if each.at_ms >= since_ms]


def test_r23_a_trade_that_ends_at_midnight_is_compared_with_its_funding(tmp_path: Path) -> None:
    """R23: the days change between its exit and the payment that is charged for it: it is compared when both are in."""
    world, midnight = World(*filled(None)), START.replace(hour=0, minute=0) + DAY
    world.feed.set_funding(SYMBOL, "0.00012345")
    world.sleep(midnight - 10 * MINUTE - world.now())
    with Trading(tmp_path, world) as trading:
        trading.runtime = replace(trading.runtime, venue=cast(Venue, LateFunding(trading.runtime.venue)))
        trading.reconcile()
        intent = an_intent_at(world, minutes=10)
        trading.deliver(intent)
        for at in (midnight, midnight + 3 * MINUTE, midnight + 5 * MINUTE + 4 * SECOND):
            world.sleep(at - world.now())
            trading.reconcile()
        assert midnight < trading.trade(intent)["closed_at"] < midnight + 4 * SECOND
        assert Decimal(trading.trade(intent)["funding"]) < 0
        assert {} == found(trading)
        to_the_next_day(trading)

        assert {} == found(trading)
        assert "DRIFT" not in trading.kinds()


@pytest.mark.parametrize("minutes_before", [5, 10, 20])
def test_r23_a_trade_over_midnight_belongs_to_the_day_after(tmp_path: Path, minutes_before: int) -> None:
    """R23: what is under way when the days change is compared when it is over, whole."""
    world = World(*filled(None))
    world.sleep(START.replace(hour=0, minute=0) + DAY - minutes_before * MINUTE - world.now())
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        intent = an_intent_at(world, minutes=40)
        trading.deliver(intent)
        assert is_set(world)
        world.sleep(15 * MINUTE)
        trading.reconcile()
        assert {} == found(trading)
        world.play([Move(SECOND, AWAY)])
        trading.see_through(intent, minutes=60)
        to_the_next_day(trading)

        assert_booked(world, trading, intent)
        assert {} == found(trading)
        assert "DRIFT" not in trading.kinds()
