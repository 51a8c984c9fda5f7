from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorded import market_dir
from tests.unit.paper_engine.paper_stage import HOUR_MS, OTHER, START_MS, SYMBOL, instrument
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market.recorded import RecordedMarket
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.engine.instruments import made_up_instrument
from withearth.paper.feed_market import MarketFeed
from withearth.paper.feed_path import BAR_MS, Bar, path_of
from withearth.paper.feed_series import LiveFeed, LiveRows, ScriptedFeed

TICK = Decimal("0.1")
MARKET = SyntheticMarket(4, [SYMBOL], start=from_ms(START_MS), spread_bps=Decimal(1))


def _feed(*, seed: int = 4, step_ms: int = 10_000) -> MarketFeed:
    return MarketFeed(MARKET, {SYMBOL: made_up_instrument(MARKET.instrument(SYMBOL))}, seed=seed, step_ms=step_ms)


@given(
    st.lists(st.integers(1, 10_000), min_size=4, max_size=4),
    st.integers(4, 60),
    st.integers(0, 2**63),
)
def test_a_path_says_what_its_bar_says(prices: list[int], points: int, seed: int) -> None:
    """From open to close over both extremes, never outside, always on the tick."""
    low, first, second, high = (price * TICK for price in sorted(prices))
    bar = Bar(0, first, high, low, second, Decimal(1))
    path = path_of(bar, SYMBOL, TICK, seed=seed, points=points)

    assert points == len(path)
    assert (bar.open, bar.close) == (path[0], path[-1])
    assert (bar.low, bar.high) == (min(path), max(path))
    assert all(price % TICK == 0 for price in path)
    assert path == path_of(bar, SYMBOL, TICK, seed=seed, points=points)


def test_another_seed_takes_another_way() -> None:
    """The seed shapes the path inside the bar, not the bar."""
    bar = Bar(0, Decimal(100), Decimal(120), Decimal(90), Decimal(110), Decimal(1))

    assert path_of(bar, SYMBOL, TICK, seed=1, points=30) != path_of(bar, SYMBOL, TICK, seed=2, points=30)


def test_a_market_feed_walks_its_candles() -> None:
    """Over a day, each bar's ticks start at its open, end at its close and touch its range."""
    feed = _feed()
    bars = MARKET.candles(SYMBOL, Timeframe.M5, from_ms(START_MS + 24 * HOUR_MS), 288)
    for open_ms, ohlcv in zip(bars.open_ms.tolist(), bars.ohlcv.T.tolist(), strict=True):
        prices = [tick.last for tick in feed.steps(SYMBOL, open_ms - 1, open_ms + BAR_MS - 1)]
        seen = (prices[0], max(prices), min(prices), prices[-1])

        assert tuple(Decimal(repr(each)) for each in ohlcv[:4]) == seen


@settings(deadline=None)
@given(st.integers(0, 3_000_000), st.integers(1, 2_000_000))
def test_a_span_bounds_every_tick_in_it(after: int, length: int) -> None:
    """Neither last nor mark leaves it, so time may be skipped by it."""
    feed, start = _feed(), START_MS + after
    span, ticks = feed.span(SYMBOL, start, start + length), feed.steps(SYMBOL, start, start + length)

    assert (span is None) is (not ticks)
    if span is not None:
        assert all(span.low <= price <= span.high for tick in ticks for price in (tick.last, tick.mark))
        assert all(start < tick.time_ms <= start + length for tick in ticks)


@settings(deadline=None)
@given(st.integers(0, 10_000_000))
def test_a_book_is_believable(offset: int) -> None:
    """Sorted, on the tick, not crossed, around the last price, and the same whenever it is asked for."""
    feed, at_ms = _feed(), START_MS + offset
    tick = feed.tick(SYMBOL, at_ms)
    bids = [level for _, level in zip(range(50), feed.levels(SYMBOL, at_ms, asks=False), strict=False)]
    asks = [level for _, level in zip(range(50), feed.levels(SYMBOL, at_ms, asks=True), strict=False)]

    assert (tick.bid, tick.ask) == (bids[0].price, asks[0].price)
    assert tick.bid <= tick.last <= tick.ask
    assert tick.bid < tick.ask
    assert bids == sorted(bids, key=lambda level: -level.price)
    assert asks == sorted(asks, key=lambda level: level.price)
    assert all(level.price % TICK == 0 and level.quantity > 0 for level in bids + asks)
    assert asks[0] == next(_feed().levels(SYMBOL, at_ms, asks=True))


def test_a_step_has_to_fit_the_bar() -> None:
    """Otherwise ticks would drift over bars."""
    with pytest.raises(ValueError, match="step"):
        _feed(step_ms=7_000)


def test_funding_of_a_market_feed_is_the_markets() -> None:
    """The announced time is always ahead, and what is settled is what the market settled."""
    feed = _feed()
    for offset in (0, 1, 8 * HOUR_MS - 1, 8 * HOUR_MS):
        terms = feed.funding(SYMBOL, START_MS + offset)

        assert START_MS + offset < terms.next_ms <= START_MS + offset + 8 * HOUR_MS
    settled = MARKET.settlements(SYMBOL, from_ms(START_MS), from_ms(START_MS + 8 * HOUR_MS))
    assert [(to_ms(row.at), row.rate) for row in settled] == list(
        feed.settlements(SYMBOL, START_MS, START_MS + 8 * HOUR_MS)
    )


def test_recorded_days_run_with_their_gaps() -> None:
    """Real bars, real funding stamps on their minute; where nothing was recorded the price stands still."""
    directory = market_dir()
    if directory is None:
        pytest.skip("no recorded market data on this machine")
    market = RecordedMarket(directory, spread_bps=Decimal(1))
    listed = {"SOLUSDT": made_up_instrument(market.instrument("SOLUSDT"))}
    feed = MarketFeed(market, listed)
    first, last = (to_ms(at) for at in market.span("SOLUSDT"))
    after = last + HOUR_MS

    assert feed.tick("SOLUSDT", first).last > 0
    assert feed.tick("SOLUSDT", last - 1).last == feed.tick("SOLUSDT", after).last
    assert 0 == feed.tick("SOLUSDT", after).volume
    assert feed.funding("SOLUSDT", after).next_ms > after
    with pytest.raises(KeyError):
        feed.tick("SOLUSDT", first - 40 * 24 * HOUR_MS)
    with pytest.raises(KeyError):
        feed.tick("NOSUCHUSDT", first)
    settlements = feed.settlements(
        "SOLUSDT",
        to_ms(datetime.fromisoformat("2024-02-01T00:00:00+00:00")) - 1,
        to_ms(datetime.fromisoformat("2024-02-01T08:01:00+00:00")),
    )
    assert [0, 0] == [at_ms % (8 * HOUR_MS) for at_ms, _ in settlements]


def test_a_script_sets_prices_in_any_order() -> None:
    """A price stands until the next one; the newest word for an instant counts."""
    feed = ScriptedFeed({SYMBOL: instrument()})
    feed.set_path(SYMBOL, 1_000, 10, [100, 101, 102])
    feed.set_price(SYMBOL, 1_005, "99.5", mark="99")
    feed.set_price(SYMBOL, 1_010, "101.5")

    assert ["99.5", "101.5", "102"] == [str(tick.last) for tick in feed.steps(SYMBOL, 1_000, 1_020)]
    assert (Decimal(99), Decimal(102)) == ((span := feed.span(SYMBOL, 1_000, 1_020)) and (span.low, span.high))
    assert feed.span(SYMBOL, 1_020, 2_000) is None
    assert [SYMBOL] == list(feed.symbols())
    with pytest.raises(KeyError):
        feed.set_price("NOSUCHUSDT", 0, 1)


def test_a_live_feed_reads_the_exchanges_two_lists() -> None:
    """Bid, ask, mark, index and funding as they came; a row that is missing or empty leaves the price as it was."""
    quotes = [
        {"symbol": SYMBOL, "bidPrice": "50000.0", "bidQty": "3", "askPrice": "50000.3", "askQty": "1"},
        {"symbol": OTHER, "bidPrice": "0", "bidQty": "0", "askPrice": "0", "askQty": "0"},
        {"symbol": "NOSUCHUSDT", "bidPrice": "1", "bidQty": "1", "askPrice": "2", "askQty": "1"},
    ]
    marks = [
        {"symbol": symbol, "markPrice": "50001.5", "indexPrice": "50000", "lastFundingRate": "0.0002"}
        for symbol in (SYMBOL, OTHER)
    ]
    feed = LiveFeed(
        {SYMBOL: instrument(), OTHER: instrument(symbol=OTHER)}, lambda: LiveRows(tuple(quotes), tuple(marks))
    )
    feed.poll(START_MS)
    quotes.pop(0)
    feed.poll(START_MS + 1_000)
    tick = feed.tick(SYMBOL, START_MS + 1_500)

    assert [SYMBOL] == list(feed.symbols())
    assert (Decimal("50000.0"), Decimal("50000.3"), Decimal("50001.5")) == (tick.bid, tick.ask, tick.mark)
    assert (START_MS, Decimal("50000.2")) == (tick.time_ms, tick.last)
    assert Decimal("0.0002") == feed.funding(SYMBOL, START_MS).rate
    assert Decimal(50_000) == next(feed.levels(SYMBOL, START_MS, asks=False)).price


def test_a_live_feed_settles_what_was_announced_last() -> None:
    """After a settlement the list announces the next one; what settled is the rate from before."""
    quotes = [{"symbol": SYMBOL, "bidPrice": "50000.0", "bidQty": "3", "askPrice": "50000.3", "askQty": "3"}]
    mark = {"symbol": SYMBOL, "markPrice": "50001.5", "indexPrice": "50000"}
    announced = {"lastFundingRate": "0.0002", "nextFundingTime": START_MS + 8 * HOUR_MS}
    feed = LiveFeed({SYMBOL: instrument()}, lambda: LiveRows(quotes, ({**mark, **announced},)))
    feed.poll(START_MS)
    announced = {"lastFundingRate": "-0.0007", "nextFundingTime": START_MS + 16 * HOUR_MS}
    feed.poll(START_MS + 8 * HOUR_MS + 2_000)

    settled = feed.settlements(SYMBOL, START_MS, START_MS + 8 * HOUR_MS)
    assert [(START_MS + 8 * HOUR_MS, Decimal("0.0002"))] == list(settled)
    assert Decimal("-0.0007") == feed.funding(SYMBOL, START_MS + 8 * HOUR_MS + 2_000).rate
