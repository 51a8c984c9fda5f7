"""Features of a whole recorded month by the live market's adapter: topped up, beside fetched in full, on every bar."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from benchmarks.soak import ADDRESS, LeanExchange
from tests.recorded import market_dir
from withearth.domain.book import Quote
from withearth.domain.candles import CLOSE
from withearth.domain.times import TICK, Timeframe
from withearth.features.snapshot import HISTORY_BARS, FeatureSnapshot, build_snapshot
from withearth.local.clocks import VirtualClock
from withearth.market.binance import BinanceMarket
from withearth.market.port import Market
from withearth.market.recorded import RecordedMarket
from withearth.market.routes import Access
from withearth.market.traffic import Limits, Traffic

SYMBOL: Final = "BTCUSDT"
BEGIN: Final = datetime(2024, 1, 1, 0, 5, tzinfo=UTC)
END: Final = datetime(2024, 2, 1, tzinfo=UTC)


def run() -> list[str]:
    """Print how many bars were compared, and return the bars whose features differ."""
    directory = market_dir()
    if directory is None:
        print("month: SKIPPED, there is no recorded data (set WITHEARTH_DATA)")
        return []
    clock = VirtualClock(BEGIN)
    recorded = RecordedMarket(directory, spread_bps=Decimal(1))
    exchange = LeanExchange(clock, recorded, (SYMBOL,), limit=10**9)
    warm, at, bars, differing = _market(clock, exchange), BEGIN, 0, []
    while at <= END:
        clock.set(max(clock.now(), at + timedelta(seconds=1)))
        bars += 1
        if _features(warm, at) != _features(_market(clock, exchange), at):
            differing.append(at)
        at += TICK
    print(f"\nmonth: {bars} bars of {SYMBOL} from {BEGIN:%Y-%m-%d}, {len(differing)} of them with other features warm")
    return [f"features of a warm worker differ at {at.isoformat()}" for at in differing[:5]]


def _market(clock: VirtualClock, exchange: LeanExchange) -> BinanceMarket:
    traffic = Traffic("lean", clock)
    traffic.limits = Limits(weight_1m=10**9)
    return BinanceMarket(Access(ADDRESS, transport=exchange, concurrency=1), clock, traffic)


def _features(market: Market, at: datetime) -> FeatureSnapshot:
    windows = market.windows(SYMBOL, at, HISTORY_BARS)
    close = Decimal(repr(float(windows[Timeframe.M5].ohlcv[CLOSE, -1])))
    quote = Quote(SYMBOL, close, close + 1, at, Decimal("0.0001"), at + timedelta(hours=1))
    return build_snapshot(SYMBOL, at, windows, quote)
