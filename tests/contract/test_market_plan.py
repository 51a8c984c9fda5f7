"""The cheap plan: what a tick costs a warm process, and that caching changes no window."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pytest
import requests
from requests.adapters import BaseAdapter

from tests.builders.outside import ADDRESS, DEPTH, KLINES, LISTING, Mishap, Outside, rows
from tests.fakes.clock import ManualClock
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import TICK, Timeframe
from withearth.features.indicators import HISTORY_BARS
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.traffic import Limits, Traffic

SYMBOLS = ("BTCUSDT", "ETHUSDT")
FIRST = datetime(2026, 1, 5, 20, 0, tzinfo=UTC)


class Stage(NamedTuple):
    """A market, what it asks, and the time."""

    outside: Outside
    market: BinanceMarket
    clock: ManualClock

    def tick(self, at: datetime) -> None:
        """Go to two seconds after a bar's close."""
        self.clock.set(at + timedelta(seconds=2))
        self.outside.network.asked.clear()


@pytest.fixture
def stage() -> Stage:
    """A live market over a paper exchange."""
    clock = ManualClock(FIRST)
    outside = Outside.with_symbols(SYMBOLS, clock)
    return Stage(outside, outside.market(clock, Traffic("outside", clock)), clock)


@pytest.mark.parametrize(
    ("minutes", "frames"),
    [(5, ["5m"]), (55, ["5m"]), (60, ["1h", "5m"]), (125, ["1h", "5m"]), (240, ["1d", "1h", "4h", "5m"])],
)
def test_a_warm_worker_asks_for_what_can_have_changed(stage: Stage, minutes: int, frames: list[str]) -> None:
    """Only timeframes of which a bar has closed, and of these the newest bars at the lowest weight."""
    stage.tick(FIRST)
    stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)
    at = FIRST + timedelta(minutes=minutes)
    stage.tick(at)
    stage.market.windows("BTCUSDT", at, HISTORY_BARS)

    asked = [query for path, query in stage.outside.network.asked if path == KLINES]
    assert sorted(query["interval"] for query in asked) == frames
    assert all(int(query["limit"]) <= 99 for query in asked)
    assert stage.outside.used_weight == len(frames) + stage.outside.network.count("/fapi/v1/time")


def test_the_same_tick_asked_twice_costs_nothing(stage: Stage) -> None:
    """A redelivered message finds everything there."""
    stage.tick(FIRST)
    stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)
    stage.tick(FIRST)
    stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)

    assert stage.outside.network.asked == []


def test_a_cold_worker_stays_below_the_dear_answers(stage: Stage) -> None:
    """Four histories weigh two each."""
    stage.tick(FIRST)
    stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)

    limits = [int(query["limit"]) for path, query in stage.outside.network.asked if path == KLINES]
    assert limits == [HISTORY_BARS] * 4
    assert HISTORY_BARS < 500


@pytest.mark.parametrize("steps", [(1, 1, 10, 1, 1), (98, 2), (300, 1)])
def test_cached_windows_are_the_fetched_ones(stage: Stage, steps: tuple[int, ...]) -> None:
    """Whatever ticks were missed in between, the windows are those of the market itself."""
    at = FIRST
    for step in steps:
        at += step * TICK
        stage.tick(at)
        windows = stage.market.windows("BTCUSDT", at, HISTORY_BARS)
        for timeframe, window in windows.items():
            truth = stage.outside.truth.candles("BTCUSDT", timeframe, at, HISTORY_BARS)
            assert truth.open_ms.tolist() == window.open_ms.tolist()
            assert np.allclose(truth.ohlcv, window.ohlcv, rtol=1e-12)


def test_a_top_up_that_contradicts_the_history_fetches_it_anew(stage: Stage) -> None:
    """A bar that was not final when it was fetched is noticed by the next tick."""
    stage.tick(FIRST)
    stage.outside.network.mishap = Mishap(KLINES, "BTCUSDT", spoil=rows(lambda bars: [*bars[:-1], _moved(bars[-1])]))
    with pytest.raises(MarketFault) as fault:
        stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)
    stage.outside.network.mishap = None
    stage.tick(FIRST + TICK)
    window = stage.market.windows("BTCUSDT", FIRST + TICK, HISTORY_BARS)[Timeframe.M5]
    truth = stage.outside.truth.candles("BTCUSDT", Timeframe.M5, FIRST + TICK, HISTORY_BARS)

    assert fault.value.reason is Reason.DATA_MISMATCH
    assert np.allclose(truth.ohlcv, window.ohlcv, rtol=1e-12)


def _moved(bar: list[object]) -> list[object]:
    """The bar with another close, each time another one."""
    _moved.by += 1  # type: ignore[attr-defined]
    high = f"{float(str(bar[2])) + _moved.by:.2f}"  # type: ignore[attr-defined]
    return [*bar[:2], high, bar[3], high, *bar[5:]]


_moved.by = 0  # type: ignore[attr-defined]


def test_a_bar_is_not_asked_for_before_it_has_settled(stage: Stage) -> None:
    """By the exchange's clock a second after its close, however early the message comes."""
    stage.tick(FIRST)
    stage.clock.set(FIRST + timedelta(milliseconds=100))
    stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)

    assert stage.clock.now() >= FIRST + timedelta(seconds=1)


def test_a_late_bar_is_waited_for_and_then_told(stage: Stage) -> None:
    """CANDLE_LATE, at most CANDLE_WAIT_SEC after the close; a bar that comes in time is used."""
    without_newest = rows(lambda bars: bars[:-1])
    stage.tick(FIRST)
    stage.market.windows("BTCUSDT", FIRST, HISTORY_BARS)
    at = FIRST + TICK
    stage.tick(at)
    stage.outside.network.mishap = Mishap(KLINES, "BTCUSDT", spoil=without_newest)
    with pytest.raises(MarketFault) as fault:
        stage.market.windows("BTCUSDT", at, HISTORY_BARS)

    assert fault.value.reason is Reason.CANDLE_LATE
    assert stage.clock.now() <= at + timedelta(seconds=5)
    assert 2 <= stage.outside.network.count(KLINES) <= 10
    stage.outside.network.mishap = None
    assert len(stage.market.windows("BTCUSDT", at, HISTORY_BARS)[Timeframe.M5]) == HISTORY_BARS


def test_when_all_symbols_are_late_none_waits_for_the_others(stage: Stage) -> None:
    """The wait ends at an instant, so five hundred late symbols take no longer than one."""
    for symbol in SYMBOLS:
        stage.tick(FIRST)
        stage.market.windows(symbol, FIRST, HISTORY_BARS)
    at = FIRST + TICK
    stage.tick(at)
    stage.outside.network.mishap = Mishap(KLINES, spoil=rows(lambda bars: bars[:-1]))
    for symbol in SYMBOLS:
        with pytest.raises(MarketFault):
            stage.market.windows(symbol, at, HISTORY_BARS)

    assert stage.clock.now() <= at + timedelta(seconds=5)


def test_a_clock_that_is_ahead_uses_no_forming_bar(stage: Stage) -> None:
    """Ours says the bar is closed, the exchange's says it is not: CANDLE_LATE, and nothing is asked for."""
    stage.tick(FIRST)
    slow = ManualClock(FIRST - timedelta(seconds=20))
    outside = Outside.with_symbols(SYMBOLS, slow)
    market = outside.market(stage.clock, Traffic("outside", stage.clock))
    with pytest.raises(MarketFault) as fault:
        market.windows("BTCUSDT", FIRST, HISTORY_BARS)

    assert fault.value.reason is Reason.CANDLE_LATE
    assert outside.network.count(KLINES) == 0


def test_the_clocks_are_compared_by_the_quickest_of_several_answers(stage: Stage) -> None:
    """The difference is that of the exchange's clock to the middle of the request."""
    ahead = ManualClock(FIRST + timedelta(milliseconds=700))
    outside = Outside.with_symbols(SYMBOLS, ahead)
    traffic = Traffic("outside", stage.clock)
    outside.market(stage.clock, traffic).candles("BTCUSDT", Timeframe.M5, FIRST, 10)

    assert traffic.offset == timedelta(milliseconds=700)
    assert outside.network.count("/fapi/v1/time") == 3


def test_a_time_that_comes_late_is_no_measurement(stage: Stage) -> None:
    """It was told at the end of its way, not in the middle: the clocks stay as they were measured before."""
    access = Access(ADDRESS, retries=3, backoff_ms=1_100, transport=EverySecond(stage.outside.network))
    traffic = Traffic("outside", stage.clock)
    market = BinanceMarket(access, stage.clock, traffic)
    with pytest.raises(MarketFault) as fault:
        market.windows("BTCUSDT", FIRST, HISTORY_BARS)
    assert (fault.value.reason, traffic.offset) == (Reason.MARKET_UNREACHABLE, None)

    traffic.measured(timedelta(milliseconds=20))
    with pytest.raises(MarketFault):
        market.windows("BTCUSDT", FIRST, HISTORY_BARS)
    assert traffic.offset == timedelta(milliseconds=20)


class EverySecond(BaseAdapter):
    """A line on which every other request is answered by 503."""

    def __init__(self, inner: BaseAdapter) -> None:
        super().__init__()
        self._inner, self._sent = inner, 0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """The answer, or a refusal."""
        response, self._sent = self._inner.send(request, **options), self._sent + 1
        response.status_code = 503 if self._sent % 2 else response.status_code
        return response

    def close(self) -> None:
        """Nothing is open."""


def test_depth_is_asked_for_at_its_lowest_weight(stage: Stage) -> None:
    """Twenty levels weigh two."""
    stage.tick(FIRST)
    stage.market.depth("BTCUSDT", FIRST)

    assert [query["limit"] for path, query in stage.outside.network.asked if path == DEPTH] == ["20"]
    assert stage.outside.used_weight == 2


def test_a_cold_start_that_a_minute_has_not_weight_for_goes_on_where_it_was(stage: Stage) -> None:
    """What came is kept, of a symbol that is not whole yet too: every tick begins warmer, until all are decided."""
    traffic = Traffic("outside", stage.clock, reserved_pct=0)
    market = stage.outside.market(stage.clock, traffic)
    traffic.limits = Limits(weight_1m=10)
    seen = []
    for number in range(4):
        stage.tick(FIRST + number * TICK)
        seen.append([_refusal(market, symbol, FIRST + number * TICK) for symbol in SYMBOLS])

    spent = Reason.WEIGHT_SPENT
    assert seen == [[spent, spent], [None, spent], [None, None], [None, None]]


def _refusal(market: BinanceMarket, symbol: str, at: datetime) -> Reason | None:
    try:
        market.windows(symbol, at, HISTORY_BARS)
    except MarketFault as fault:
        return fault.reason
    return None


def test_a_listing_that_does_not_come_holds_up_nobody(stage: Stage) -> None:
    """The kept one is used, and a newer one asked for once a minute, not once a symbol."""
    stage.market.listed()
    stage.tick(FIRST + timedelta(hours=1))
    stage.outside.network.mishap = Mishap(LISTING, status=503)
    stage.market.instrument("BTCUSDT")
    stage.outside.network.asked.clear()
    stage.market.instrument("ETHUSDT")
    assert stage.outside.network.asked == []

    stage.outside.network.mishap = None
    stage.clock.advance(timedelta(minutes=1))
    stage.market.instrument("BTCUSDT")
    assert stage.outside.network.count(LISTING) == 1
