"""Features from topped-up candles are those of candles fetched in full, on recorded prices.

Here three days, across the end of a month; `python -m benchmarks month` compares every bar of a whole one.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import pytest

from tests.builders.outside import ADDRESS
from tests.fakes.clock import ManualClock
from tests.recorded import market_dir
from withearth.domain.book import Quote
from withearth.domain.candles import CLOSE
from withearth.domain.times import TICK, Timeframe
from withearth.features.snapshot import HISTORY_BARS, build_snapshot, to_document
from withearth.market.binance import BinanceMarket
from withearth.market.port import Market
from withearth.market.recorded import RecordedMarket
from withearth.market.routes import Access
from withearth.paper.assembly import assemble_exchange, recorded_listing
from withearth.paper.transport import PaperTransport

SYMBOL: Final = "BTCUSDT"
BEGIN: Final = datetime(2024, 1, 30, tzinfo=UTC)
TICKS: Final = 3 * 288
FETCHED_IN_FULL: Final = 37
"""Every how many bars everything is fetched anew, to be compared to the last digit."""
MIDNIGHT: Final = 288


def features(market: Market, at: datetime) -> dict[str, object]:
    """What a decision sees, around the last close."""
    windows = market.windows(SYMBOL, at, HISTORY_BARS)
    close = Decimal(str(windows[Timeframe.M5].ohlcv[CLOSE, -1]))
    quote = Quote(SYMBOL, close, close + 1, at, Decimal("0.0001"), at + timedelta(hours=1))
    return to_document(build_snapshot(SYMBOL, at, windows, quote))


def test_features_of_a_warm_worker_are_those_of_a_cold_one() -> None:
    """Candles are the recorded ones on every bar, features the same to the last digit wherever all is fetched anew."""
    directory = market_dir()
    if directory is None:
        pytest.skip("there are no recorded prices (set WITHEARTH_DATA)")
    recorded = RecordedMarket(directory, spread_bps=Decimal(1))
    clock = ManualClock(BEGIN)
    exchange = assemble_exchange(recorded, recorded_listing(directory, [SYMBOL]), clock, [])
    access = Access(ADDRESS, transport=PaperTransport(exchange.face))
    warm = BinanceMarket(access, clock)
    for number in range(TICKS):
        at = BEGIN + number * TICK
        clock.set(at + timedelta(seconds=2))
        windows = warm.windows(SYMBOL, at, HISTORY_BARS)

        for timeframe, truth in recorded.windows(SYMBOL, at, HISTORY_BARS).items():
            assert np.array_equal(truth.open_ms, windows[timeframe].open_ms)
            assert np.allclose(truth.ohlcv, windows[timeframe].ohlcv, rtol=1e-12)
        if number % FETCHED_IN_FULL == 0 or number % MIDNIGHT == 0:
            assert features(warm, at) == features(BinanceMarket(access, clock), at)
