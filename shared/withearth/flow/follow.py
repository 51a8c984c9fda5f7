"""Follow: bring an open shadow trade up to date with the candles.

Whoever needs to know whether a symbol is free calls this: the reconciler for every open trade, the executor for the
symbol it is about to enter. So the answer never depends on which of them happened to run first.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.candles import Candles
from withearth.domain.times import TICK, Timeframe
from withearth.execution.outcome import Exit, ExitReason, OpenTrade, Result
from withearth.execution.shadow import Costs, follow, funding_payments, result
from withearth.flow.documents import ledger_ref
from withearth.flow.journal import closing, open_trade
from withearth.flow.runtime import SHADOW, Runtime
from withearth.settings import Settings
from withearth.store.port import Stored

GIVE_UP_AFTER: Final = timedelta(days=1)
"""How long after its horizon a trade waits for missing candles before it is void."""


def bring_up_to_date(runtime: Runtime, stored: Stored) -> bool:
    """Close the trade if the candles so far end it. Returns whether it is still open.

    Raises Contention when another call closed it first, and MarketFault when the candles cannot be read.
    """
    trade, symbol = open_trade(stored.data), stored.data["symbol"]
    last_look = trade.ends_at + GIVE_UP_AFTER
    as_of = min(runtime.clock.now(), last_look)
    bars = runtime.market.candles(symbol, Timeframe.M5, as_of, 1 + (as_of - trade.opened_at) // TICK)
    ended = follow(trade, bars, costs(runtime.settings))
    if ended is None and as_of == last_look:
        ended = Exit(ExitReason.DATA_GAP, as_of, None)
    if ended is None:
        return True
    booked = None if ended.price is None else _book(runtime, symbol, trade, ended.at, ended.price, bars)
    runtime.store.commit(closing(stored, ended, booked, runtime.store.get(ledger_ref(SHADOW))))
    return False


def _book(
    runtime: Runtime,
    symbol: str,
    trade: OpenTrade,
    ended_at: datetime,
    price: Decimal,
    bars: Candles,
) -> Result:
    """The result with fees and funding. A trade that ends in a bar is not there for the settlement at its close."""
    until = ended_at - timedelta(milliseconds=1)
    settlements = runtime.market.settlements(symbol, trade.opened_at, until)
    return result(trade, price, funding_payments(settlements, bars), costs(runtime.settings))


def costs(settings: Settings) -> Costs:
    """What the settings say trading costs."""
    return Costs(fee_bps=settings.taker_fee_bps, slippage_bps=settings.shadow_slippage_bps)
