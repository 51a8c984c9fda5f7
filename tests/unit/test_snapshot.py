import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withearth.domain.book import Level, OrderBook, Quote
from withearth.domain.candles import CLOSE, HIGH, LOW, VOLUME, Candles, normalise
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.features.indicators import window_indicators
from withearth.features.snapshot import (
    HISTORY_BARS,
    MIN_BARS,
    FeatureSnapshot,
    build_snapshot,
    from_document,
    to_document,
    with_depth,
)

AS_OF = datetime(2024, 3, 5, 10, 7, 30, tzinfo=UTC)
SYMBOL = "BTCUSDT"
QUOTE = Quote(
    SYMBOL,
    bid=Decimal("99.99"),
    ask=Decimal("100.01"),
    observed_at=AS_OF - timedelta(seconds=2),
    funding_rate=Decimal("-0.00012"),
    next_funding_at=datetime(2024, 3, 5, 16, tzinfo=UTC),
)

Windows = dict[Timeframe, Candles]


def _history(timeframe: Timeframe, seed: int, before: int, after: int = 0, as_of: datetime = AS_OF) -> Candles:
    """Seeded bars: `before` of them closed at `as_of`, and `after` that close later."""
    noise = np.random.default_rng([seed, timeframe.ms])
    closes = 100 * np.exp(np.cumsum(noise.normal(0, 0.003, before + after)))
    opens = np.concatenate([[100.0], closes])[:-1]
    highs, lows = np.maximum(opens, closes) * 1.001, np.minimum(opens, closes) * 0.999
    volumes = noise.lognormal(3, 1, before + after)
    end = to_ms(as_of) // timeframe.ms + after
    open_ms = np.arange(end - before - after, end, dtype=np.int64) * timeframe.ms
    return normalise(timeframe, open_ms, np.array([opens, highs, lows, closes, volumes]))


def _windows(before: int = 60) -> Windows:
    return {timeframe: _history(timeframe, 1, before) for timeframe in Timeframe}


def _without(window: Candles, index: int) -> Candles:
    return normalise(window.timeframe, np.delete(window.open_ms, index), np.delete(window.ohlcv, index, axis=1))


def _snapshot(windows: Windows | None = None, quote: Quote = QUOTE) -> FeatureSnapshot:
    return build_snapshot(SYMBOL, AS_OF, windows or _windows(), quote)


def _book(*, modelled: bool = False, observed_at: datetime = AS_OF + timedelta(milliseconds=250)) -> OrderBook:
    """Twelve levels a side. Of the ten best, the bids hold 30 and the asks 10; the two behind hold a lot."""
    tick = Decimal("0.01")
    quantities = [Decimal(1)] * 10 + [Decimal(1000)] * 2
    bids = tuple(Level(QUOTE.bid - tick * step, 3 * qty) for step, qty in enumerate(quantities))
    asks = tuple(Level(QUOTE.ask + tick * step, qty) for step, qty in enumerate(quantities))
    return OrderBook(bids, asks, observed_at, modelled=modelled)


def test_a_frame_tells_what_its_closed_bars_say() -> None:
    """Every number of a frame comes from the bars closed at the asked time, and its age from their end."""
    windows = _windows()
    ohlcv = windows[Timeframe.H1].ohlcv

    frame = _snapshot(windows).frames[Timeframe.H1]

    assert (Timeframe.H1, 60, datetime(2024, 3, 5, 10, tzinfo=UTC), 450_000) == (
        frame.timeframe,
        frame.bars,
        frame.closed_at,
        frame.age_ms,
    )
    assert window_indicators([ohlcv])[0] == (
        frame.rsi14,
        frame.atr14,
        frame.sma20,
        frame.volatility20,
        frame.relative_volume20,
    )
    assert (ohlcv[LOW, -50:].min(), ohlcv[HIGH, -50:].max()) == (frame.support50, frame.resistance50)
    assert tuple(ohlcv[CLOSE, -10:]) == frame.closes10
    assert frame.close == frame.closes10[-1]


def test_a_snapshot_tells_what_its_quote_says() -> None:
    """Price, spread, age and funding are those of the quote, in the units their names say."""
    snapshot = _snapshot()

    assert (
        snapshot.symbol,
        snapshot.as_of,
        snapshot.price,
        snapshot.spread_bps,
        snapshot.quote_age_ms,
    ) == (SYMBOL, AS_OF, 100.0, 2.0, 2000)
    assert (snapshot.funding_rate, snapshot.minutes_to_funding) == (-0.00012, 352.5)


def test_a_snapshot_has_every_timeframe() -> None:
    """No frame is left out."""
    assert list(Timeframe) == list(_snapshot().frames)


def test_the_day_trend_is_that_of_the_daily_closes() -> None:
    """SMA(5) over SMA(20) of the 1d frame, less one."""
    windows = _windows()
    closes = windows[Timeframe.D1].ohlcv[CLOSE]

    assert pytest.approx(closes[-5:].mean() / closes[-20:].mean() - 1, rel=1e-9) == _snapshot(windows).day_trend


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    as_of=st.datetimes(datetime(2023, 1, 1), datetime(2024, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - they want them bare
    before=st.integers(MIN_BARS, HISTORY_BARS + 20),
    after=st.integers(1, 60),
)
def test_later_bars_do_not_change_a_snapshot(seed: int, as_of: datetime, before: int, after: int) -> None:
    """The snapshot as of an instant is the same whether what came later is already recorded or not."""
    quote = dataclasses.replace(QUOTE, next_funding_at=as_of + timedelta(hours=1))
    histories = {each: _history(each, seed, before, after, as_of) for each in Timeframe}
    known = {each: whole.closed_at(to_ms(as_of), before) for each, whole in histories.items()}
    truncated = {each: normalise(each, window.open_ms, window.ohlcv.copy()) for each, window in known.items()}
    asked = {each: whole.closed_at(to_ms(as_of), HISTORY_BARS) for each, whole in histories.items()}

    assert build_snapshot(SYMBOL, as_of, truncated, quote) == build_snapshot(SYMBOL, as_of, asked, quote)


def test_no_more_than_the_history_is_looked_at() -> None:
    """A window longer than HISTORY_BARS gives what its newest HISTORY_BARS bars give."""
    long = _windows(before=600)
    cut = {each: window.closed_at(to_ms(AS_OF), HISTORY_BARS) for each, window in long.items()}

    assert _snapshot(cut) == _snapshot(long)
    assert _snapshot(long).frames[Timeframe.M5].bars == HISTORY_BARS


FAULTY_WINDOWS: list[tuple[Reason, Callable[[Candles], Candles]]] = [
    (Reason.NO_CANDLES, lambda window: window.closed_at(0, HISTORY_BARS)),
    (Reason.SHORT_HISTORY, lambda window: window.closed_at(to_ms(AS_OF), MIN_BARS - 1)),
    (Reason.CANDLE_GAP, lambda window: _without(window, 30)),
    (Reason.CANDLE_STALE, lambda window: _without(window, -1)),
    (Reason.CANDLE_STALE, lambda window: _history(window.timeframe, 1, before=60, after=1)),
]


@pytest.mark.parametrize("timeframe", Timeframe)
@pytest.mark.parametrize(("reason", "spoil"), FAULTY_WINDOWS)
def test_an_unsound_window_is_refused_by_name(
    timeframe: Timeframe, reason: Reason, spoil: Callable[[Candles], Candles]
) -> None:
    """A missing, short, holed or stale window, and one with a bar that is not closed yet, gives no snapshot."""
    windows = _windows()
    windows[timeframe] = spoil(windows[timeframe])

    with pytest.raises(MarketFault) as refused:
        _snapshot(windows)

    assert (reason, timeframe.value) == (refused.value.reason, refused.value.detail)


@pytest.mark.parametrize("timeframe", Timeframe)
def test_a_timeframe_that_was_not_given_is_refused(timeframe: Timeframe) -> None:
    """Neither an absent window nor one of another timeframe stands in for it."""
    other = Timeframe.M5 if timeframe is Timeframe.H1 else Timeframe.H1
    absent = {each: window for each, window in _windows().items() if each is not timeframe}
    mistaken = absent | {timeframe: _windows()[other]}

    for windows in (absent, mistaken):
        with pytest.raises(MarketFault) as refused:
            _snapshot(windows)

        assert (Reason.NO_CANDLES, timeframe.value) == (refused.value.reason, refused.value.detail)


def test_the_least_history_is_enough() -> None:
    """MIN_BARS bars give a snapshot."""
    assert _snapshot(_windows(before=MIN_BARS)).frames[Timeframe.D1].bars == MIN_BARS


@pytest.mark.parametrize(
    ("reason", "quote"),
    [
        (Reason.BOOK_CROSSED, dataclasses.replace(QUOTE, bid=QUOTE.ask)),
        (Reason.BOOK_EMPTY, dataclasses.replace(QUOTE, bid=Decimal(0))),
        (Reason.QUOTE_MISSING, dataclasses.replace(QUOTE, symbol="ETHUSDT")),
        (Reason.FUNDING_UNKNOWN, dataclasses.replace(QUOTE, funding_rate=None)),
        (Reason.FUNDING_UNKNOWN, dataclasses.replace(QUOTE, next_funding_at=None)),
        (Reason.FUNDING_UNKNOWN, dataclasses.replace(QUOTE, next_funding_at=AS_OF - timedelta(seconds=1))),
    ],
)
def test_an_unsound_quote_is_refused(reason: Reason, quote: Quote) -> None:
    """A crossed, empty or foreign quote, and one whose next settlement is not known, gives no snapshot."""
    with pytest.raises(MarketFault) as refused:
        _snapshot(quote=quote)

    assert reason == refused.value.reason


def test_a_market_that_did_not_move_or_trade_has_a_snapshot() -> None:
    """Flat prices and no volume are facts: no range, no volatility, RSI 50, no relative volume."""
    windows = _windows()
    flat = windows[Timeframe.M5].ohlcv.copy()
    flat[: CLOSE + 1], flat[VOLUME] = 100.0, 0.0
    windows[Timeframe.M5] = normalise(Timeframe.M5, windows[Timeframe.M5].open_ms, flat)

    frame = _snapshot(windows).frames[Timeframe.M5]

    assert (frame.rsi14, frame.atr14, frame.volatility20) == (50.0, 0.0, 0.0)
    assert frame.relative_volume20 is None


def test_depth_is_unknown_until_it_was_read() -> None:
    """A snapshot without a book assumes none."""
    snapshot = _snapshot()

    assert (snapshot.depth_imbalance, snapshot.depth_age_ms, snapshot.depth_modelled) == (None, None, None)


def test_depth_is_that_of_the_ten_best_levels() -> None:
    """Deeper levels do not count, and nothing else of the snapshot changes."""
    bare = _snapshot()

    deep = with_depth(bare, _book(modelled=True))

    assert dataclasses.replace(bare, depth_imbalance=0.5, depth_age_ms=-250, depth_modelled=True) == deep


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), deep=st.booleans(), traded=st.booleans())
def test_a_document_reads_back_exactly(seed: int, deep: bool, traded: bool) -> None:
    """Through JSON too, once the instants are written as text, no digit is lost."""
    windows = {each: _history(each, seed, MIN_BARS) for each in Timeframe}
    windows[Timeframe.H4].ohlcv[VOLUME] *= traded
    bare = _snapshot(windows)
    snapshot = with_depth(bare, _book()) if deep else bare

    document = to_document(snapshot)

    assert snapshot == from_document(document)
    assert snapshot == from_document(json.loads(json.dumps(document, default=_as_text), object_hook=_with_instants))


def _as_text(instant: datetime) -> str:
    return instant.isoformat()


def _with_instants(values: dict[str, object]) -> dict[str, object]:
    return {
        key: datetime.fromisoformat(str(value)) if key in {"as_of", "closed_at"} else value
        for key, value in values.items()
    }


def test_a_document_holds_plain_values_under_full_names() -> None:
    """What the audit stores and the model reads: the fields' own names, frames under the exchange's spelling."""
    document = to_document(_snapshot())

    assert list(document["frames"]) == ["5m", "1h", "4h", "1d"]
    assert {str} == {type(key) for key in document["frames"]}
    assert [field.name for field in dataclasses.fields(FeatureSnapshot)] == list(document)
    assert document["frames"]["5m"]["timeframe"] == "5m"
    assert from_ms(to_ms(AS_OF) // 300_000 * 300_000) == document["frames"]["5m"]["closed_at"]
    assert list(_snapshot().frames[Timeframe.M5].closes10) == document["frames"]["5m"]["closes10"]


@pytest.mark.parametrize("spoil", [lambda document: document.pop("price"), lambda document: document.update(more=1)])
def test_a_document_of_another_shape_is_refused(spoil: Callable[[dict[str, object]], object]) -> None:
    """Neither a missing nor an unknown field is passed over."""
    document = to_document(_snapshot())
    spoil(document)

    with pytest.raises(TypeError):
        from_document(document)
