"""A machine that was away for days: the exchange shows a week at once, and forgets what ended without a fill."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from tests.builders.trading import SYMBOL, Process, Trading, World
from tests.builders.trading_stories import (
    BEYOND_STOP,
    an_intent,
    assert_booked,
    assert_over,
    entry_waits,
    filled,
    is_set,
)
from withearth.execution.lineage import Leg
from withearth.execution.venue import Venue

DAY = timedelta(days=1)


def test_a_trade_is_closed_and_booked_after_more_than_a_week(tmp_path: Path) -> None:
    """Held for eight days without anybody at work: closed at the market, and booked from both of its ends."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        assert is_set(world)
        world.sleep(8 * DAY)
        trading.see_through(an_intent())

        assert_over(world, trading)
        assert_booked(world, trading, an_intent())


def test_an_entry_that_the_exchange_has_forgotten_is_over(tmp_path: Path) -> None:
    """It rested when the machine went away, and its owner cancelled it by hand: the symbol is free again."""
    calm, world = Process(), World()
    with Trading(tmp_path / "calm", World(), calm) as trading:
        trading.deliver(an_intent())
    placed_and_noted = Process(calm.deeds.index("place") + 2, after=True)
    with Trading(tmp_path, world, placed_and_noted) as trading:
        trading.deliver(an_intent())
        assert entry_waits(world)
        (entry,) = world.orders(Leg.ENTRY)
        world.exchange.cancel(world.account, SYMBOL, entry.order_id, None)
        world.sleep(4 * DAY)
        document = trading.see_through(an_intent())

        assert ("EXECUTED", "ENTRY_NOT_FILLED") == (document["state"], document["blocked_by"])
        assert_over(world, trading)


class ForgetsConditionals:
    """An exchange that does not know conditional orders any more that have ended."""

    def __init__(self, venue: Any) -> None:
        self._venue = venue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def conditional(self, _symbol: str, _client_id: str) -> None:
        """None of them."""


def test_a_stop_that_is_forgotten_is_told_by_the_order_it_became(tmp_path: Path) -> None:
    """It went off meanwhile: what it filled is known for longer, and is booked."""
    world = World(*filled(BEYOND_STOP))
    with Trading(tmp_path, world) as trading:
        trading.deliver(an_intent())
        world.sleep(8 * DAY)
        trading.runtime = replace(trading.runtime, venue=cast(Venue, ForgetsConditionals(trading.runtime.venue)))
        trading.see_through(an_intent())

        assert "STOP" == trading.trade(an_intent())["exit_reason"]
        assert_over(world, trading)
        assert_booked(world, trading, an_intent())
