"""Twelve executors at once on the exchange: one of them trades."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier

from tests.builders.trading import SYMBOL, Process, Trading, World, a_long
from tests.builders.trading_stories import BEYOND_TARGET, assert_booked, assert_entered_once, assert_over, filled
from withearth.domain.times import TICK, decision_id, tick_id
from withearth.execution.lineage import Leg
from withearth.flow.documents import TRADES
from withearth.messaging.events import TradeIntent
from withearth.store.port import Query

RACERS = 12


def raced(directory: Path, world: World, intents: list[TradeIntent]) -> list[Process]:
    """Deliver every intent at once, each to an executor on a thread of its own. Returns what they did."""
    processes = [Process() for _ in intents]
    barrier = Barrier(len(intents))

    def deliver(intent: TradeIntent, process: Process) -> None:
        with Trading(directory, world, process) as trading:
            barrier.wait()
            trading.deliver(intent)

    with ThreadPoolExecutor(len(intents)) as pool:
        list(pool.map(deliver, intents, processes))
    return processes


def an_intent_of(number: int) -> TradeIntent:
    """One of several intents for the same symbol, from ticks that follow each other."""
    decided_at = a_long().decided_at - number * TICK
    return a_long(
        intent_id=decision_id(SYMBOL, tick_id(decided_at)),
        decided_at=decided_at,
        expires_at=a_long().decided_at + timedelta(minutes=9),
        horizon_min=7 + 5 * number,
    )


def test_r31_an_intent_is_worked_by_one_executor(tmp_path: Path) -> None:
    """The same message at twelve executors: one stop, one entry, one trade."""
    world, intent = World(*filled(BEYOND_TARGET)), a_long(horizon_min=7)
    processes = raced(tmp_path, world, [intent] * RACERS)

    assert 1 == sum(process.deeds.count("place") for process in processes)
    assert 1 == sum("arm" in process.deeds for process in processes)
    with Trading(tmp_path, world) as trading:
        trading.see_through(intent)
        assert_over(world, trading)
        assert_entered_once(world, intent)
        assert_booked(world, trading, intent)


def test_a_symbol_has_one_trade_at_a_time(tmp_path: Path) -> None:
    """Twelve intents for one symbol at twelve executors: one is traded, and the others are refused."""
    world, intents = World(*filled(BEYOND_TARGET)), [an_intent_of(number) for number in range(RACERS)]
    processes = raced(tmp_path, world, intents)

    assert 1 == sum(process.deeds.count("place") for process in processes)
    with Trading(tmp_path, world) as trading:
        for intent in intents:
            trading.see_through(intent)
        trades = trading.store.query(Query(TRADES))
        assert_over(world, trading)
        assert 1 == len([order for order in world.orders(Leg.ENTRY) if order.executed])
        assert [str(world.earned())] == [each.data["net_pnl"] for each in trades]
        assert [Decimal("0.010")] == [Decimal(each.data["qty"]) for each in trades]
