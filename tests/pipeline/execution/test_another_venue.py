"""VENUE or EXECUTE_TRADES changed over the same books: each trade is gone on with where it began, and nowhere else."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.trading import MINUTE, START, SYMBOL, Trading, World, a_long
from tests.builders.trading_stories import an_intent, assert_booked, assert_over, by_hand, filled, is_set
from withearth.domain.times import TICK, decision_id, tick_id
from withearth.flow.documents import intent_ref, stop_needs_position_ref
from withearth.flow.execute import execute
from withearth.flow.reconcile import reconcile
from withearth.flow.trading_state import Standing, TradingState, set_state
from withearth.messaging.events import TradeIntent
from withearth.paper.engine.kinds import MarginType, OrderSide
from withearth.paper.engine.venue import Switches


def another(ticks: int) -> TradeIntent:
    """The same intent some ticks later."""
    at = a_long().decided_at + ticks * TICK
    return a_long(intent_id=decision_id(SYMBOL, tick_id(at)), decided_at=at, expires_at=at + 6 * MINUTE)


def later(world: World) -> TradeIntent:
    """An intent of now, for the same symbol."""
    at = START + (world.now() - START) // TICK * TICK
    return a_long(intent_id=decision_id(SYMBOL, tick_id(at)), decided_at=at, expires_at=at + 9 * MINUTE)


def blocked_by(trading: Trading, intent: TradeIntent) -> str | None:
    """What an intent came to."""
    stored = trading.store.get(intent_ref(intent.intent_id))
    assert stored is not None
    return str(stored.data["blocked_by"])


def test_a_shadow_trade_ends_though_orders_are_sent_now(tmp_path: Path) -> None:
    """EXECUTE_TRADES switched on over an open shadow trade: it comes to its end, and its symbol is traded again."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        execute(replace(trading.runtime, venue=None), an_intent())
        trading.reconcile()
        assert "OPEN" == trading.trade(an_intent())["status"]
        world.sleep(2 * TICK)
        trading.reconcile()
        row = trading.trade(an_intent())
        trading.deliver(another(2))

        assert ("SHADOW", "CLOSED") == (row["mode"], row["status"])
        assert is_set(world)


def test_a_trade_of_another_venue_is_left_alone(tmp_path: Path) -> None:
    """Begun on the paper exchange, then VENUE is changed: the owner's own position there is not taken for it."""
    paper, demo = World(*filled(None)), World()
    demo.kind = "DEMO"
    by_hand(demo, OrderSide.BUY, Decimal("0.020"))
    with Trading(tmp_path, paper) as trading:
        trading.deliver(an_intent())
        assert is_set(paper)
    with Trading(tmp_path, demo) as trading:
        for _ in range(12):
            trading.reconcile()
            trading.deliver(an_intent())
            demo.sleep(MINUTE)
        trading.deliver(another(2))

        assert Decimal("0.020") == demo.held()
        assert (1, 0) == (len(demo.account.orders), len(demo.account.algos))
        assert "POSITION_OPEN" == blocked_by(trading, another(2))
        assert "OPEN" == trading.trade(an_intent())["status"]
        assert {"LEFT_OPEN", "FOREIGN"} <= set(trading.kinds())
    with Trading(tmp_path, paper) as trading:
        trading.see_through(an_intent())

        assert_over(paper, trading)
        assert_booked(paper, trading, an_intent())


def test_a_trade_with_orders_is_never_told_by_candles(tmp_path: Path) -> None:
    """EXECUTE_TRADES switched off over an open trade: its record and its row stay as they are until it is on again."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        off = replace(trading.runtime, venue=None)
        before = trading.trade(an_intent())
        for _ in range(12):
            world.sleep(MINUTE)
            reconcile(off)
            execute(off, an_intent())

        assert before == trading.trade(an_intent())
        trading.see_through(an_intent())
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


@pytest.mark.parametrize("kind", ["DEMO", "LIVE"])
def test_what_was_learnt_on_one_venue_is_not_taken_for_another(tmp_path: Path, kind: str) -> None:
    """Leverage and margin type are set up again within the hour; whether bare stops are taken is asked again."""
    paper, other = World(switches=Switches(reduce_only_without_position=False)), World()
    other.kind = kind
    with Trading(tmp_path, paper, ENTRY_MODE="MARKET") as trading:
        trading.see_through(an_intent())
        assert trading.store.get(stop_needs_position_ref()) is not None
    other.sleep(paper.now() - other.now())
    with Trading(tmp_path, other, ENTRY_MODE="MARKET", MAX_DAILY_LOSS_USDT="0") as trading:
        trading.reconcile()
        set_state(trading.store, Standing(TradingState.ACTIVE, "me", "looked at it"), other.now())
        trading.deliver(later(other))

        assert is_set(other)
        assert [] == other.watch.stretches
        set_up = (other.account.leverage(SYMBOL), other.account.margin_type(SYMBOL))
        assert (trading.settings.leverage, MarginType.ISOLATED) == set_up
