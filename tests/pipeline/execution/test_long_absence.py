"""A machine that was away for days: the exchange shows a week at once, and forgets what ended without a fill."""

from datetime import timedelta
from pathlib import Path

from tests.builders.trading import Trading, World
from tests.builders.trading_stories import an_intent, assert_booked, assert_over, filled, is_set

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
