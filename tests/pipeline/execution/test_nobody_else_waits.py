"""An execution that cannot be gone on with waits, and keeps nobody else waiting."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.builders.stand_ins import Unlisted
from tests.builders.trading import MINUTE, OTHER, SYMBOL, Process, Trading, World, a_long
from tests.builders.trading_stories import an_intent, is_set
from withearth.flow.documents import CLAIM_LEASE, intent_ref
from withearth.market.port import Market
from withearth.messaging.events import TradeIntent
from withearth.store.port import Replace

AT_MARKET = {"ENTRY_MODE": "MARKET", "MAX_TOTAL_NOTIONAL_USDT": "0"}


def lose_sight_of(trading: Trading, *symbols: str) -> None:
    """From now on the listing lacks these symbols."""
    trading.runtime = replace(trading.runtime, market=cast(Market, Unlisted(trading.runtime.market, *symbols)))


def test_what_is_held_is_covered_and_closed_without_the_listing(tmp_path: Path) -> None:
    """A stop that was lost is armed again, and the trade leaves at its horizon: all of it was planned on the grid."""
    world = World()
    with Trading(tmp_path, world, **AT_MARKET) as trading:
        trading.deliver(an_intent())
        assert is_set(world)
        lose_sight_of(trading, SYMBOL)
        stop = next(iter(world.account.algos_of(SYMBOL)))
        world.exchange.cancel_algo(world.account, stop.algo_id, None)
        world.sleep(MINUTE)
        trading.reconcile()
        assert is_set(world)
        trading.see_through(an_intent())

        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]


def two_trades(directory: Path) -> tuple[World, Trading, TradeIntent]:
    """A trade, and beside it an execution on another symbol that died before its first order."""
    world, calm = World(symbols=(SYMBOL, OTHER)), Process()
    other = a_long(symbol=OTHER, intent_id=a_long().intent_id.replace(SYMBOL, OTHER), horizon_min=7)
    with Trading(directory / "calm", World(), calm, **AT_MARKET) as trading:
        trading.deliver(an_intent())
    trading = Trading(directory, world, Process(calm.deeds.index("arm")), **AT_MARKET)
    trading.deliver(other)
    assert trading.deaths
    trading.deliver(an_intent())
    return world, trading, other


def test_an_entry_that_cannot_be_priced_keeps_no_other_trade_waiting(tmp_path: Path) -> None:
    """Taken up by the reconciler, it waits and expires; the trade beside it is closed in the same passes."""
    _, trading, other = two_trades(tmp_path)
    with trading:
        lose_sight_of(trading, OTHER)
        trading.see_through(an_intent())
        waiting = trading.store.get(intent_ref(other.intent_id))

        assert waiting is not None
        assert "CLAIMED" == waiting.data["state"]
        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]


def test_a_record_that_nobody_foresaw_keeps_no_other_trade_waiting(tmp_path: Path) -> None:
    """The pass ends in its error, once the trade beside it has been protected and closed."""
    world, trading, other = two_trades(tmp_path)
    with trading:
        damaged = trading.store.get(intent_ref(other.intent_id))
        assert damaged is not None
        execution = dict(damaged.data["execution"]) | {"phase": "CLOSING", "terms": {}}
        trading.store.commit([Replace(damaged.ref, dict(damaged.data) | {"execution": execution})])
        world.sleep(CLAIM_LEASE + 7 * MINUTE)
        with pytest.raises(KeyError):
            trading.reconcile()

        assert "HORIZON" == trading.trade(an_intent())["exit_reason"]
