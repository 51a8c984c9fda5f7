from collections.abc import Callable

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorded import market_dir
from withearth.domain.candles import CLOSE, HIGH, LOW, VOLUME, FloatArray
from withearth.features.indicators import (
    HISTORY_BARS,
    Indicators,
    atr_series,
    relative_volume_series,
    resistance_series,
    rsi_series,
    sma_series,
    support_series,
    trend_series,
    volatility_series,
    window_indicators,
    window_resistance,
    window_support,
    window_trend,
)

RECORDED = "klines/usds-futures/5m/BTCUSDT_20230101_20250413.parquet"
RELATIVE = 1e-9

FromOhlcv = Callable[[FloatArray], FloatArray]

SERIES: dict[str, FromOhlcv] = {
    "rsi14": lambda ohlcv: rsi_series(ohlcv[CLOSE]),
    "atr14": lambda ohlcv: atr_series(ohlcv[HIGH], ohlcv[LOW], ohlcv[CLOSE]),
    "sma20": lambda ohlcv: sma_series(ohlcv[CLOSE]),
    "volatility20": lambda ohlcv: volatility_series(ohlcv[CLOSE]),
    "relative_volume20": lambda ohlcv: relative_volume_series(ohlcv[VOLUME]),
}
LOOK_BACK: dict[str, FromOhlcv] = {
    "support50": lambda ohlcv: support_series(ohlcv[LOW]),
    "resistance50": lambda ohlcv: resistance_series(ohlcv[HIGH]),
    "trend": lambda ohlcv: trend_series(ohlcv[CLOSE]),
}
TALIB: dict[str, FromOhlcv] = {
    "rsi14": lambda ohlcv: talib.RSI(ohlcv[CLOSE], timeperiod=14),
    "atr14": lambda ohlcv: talib.ATR(ohlcv[HIGH], ohlcv[LOW], ohlcv[CLOSE], timeperiod=14),
    "sma20": lambda ohlcv: talib.SMA(ohlcv[CLOSE], timeperiod=20),
    "volatility20": lambda ohlcv: talib.STDDEV(talib.ROCP(ohlcv[CLOSE], timeperiod=1), timeperiod=20, nbdev=1),
    "support50": lambda ohlcv: talib.MIN(ohlcv[LOW], timeperiod=50),
    "resistance50": lambda ohlcv: talib.MAX(ohlcv[HIGH], timeperiod=50),
    "trend": lambda ohlcv: talib.SMA(ohlcv[CLOSE], timeperiod=5) / talib.SMA(ohlcv[CLOSE], timeperiod=20) - 1,
}
# The index of the first bar at which each is defined.
FIRST = {
    "rsi14": 14,
    "atr14": 14,
    "sma20": 19,
    "volatility20": 20,
    "relative_volume20": 20,
    "support50": 49,
    "resistance50": 49,
    "trend": 19,
}


def _walk(seed: int, bars: int, still: float = 0.0) -> FloatArray:
    """A seeded walk on a grid of 0.1 near 100. `still` is the share of bars that neither move nor trade."""
    noise = np.random.default_rng(seed)
    moving = noise.random(bars) >= still
    closes = np.round(100 * np.exp(np.cumsum(moving * noise.normal(0, 0.003, bars))), 1)
    opens = np.concatenate([closes[:1], closes[:-1]])
    highs = np.maximum(opens, closes) + moving * np.round(noise.exponential(0.2, bars), 1)
    lows = np.minimum(opens, closes) - moving * np.round(noise.exponential(0.2, bars), 1)
    return np.array([opens, highs, lows, closes, moving * noise.lognormal(3, 1, bars)])


def _recorded() -> FloatArray:
    directory = market_dir()
    if directory is None:
        pytest.skip("no recorded market data: set WITHEARTH_DATA to the folder that holds market/")
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where there is something to read

    table = pq.read_table(directory / RECORDED, columns=["open", "high", "low", "close", "volume"])
    return np.array([column.to_numpy() for column in table.columns])


@pytest.fixture(scope="module", params=["synthetic", "recorded"])
def history(request: pytest.FixtureRequest) -> FloatArray:
    """Bars far longer than a window: seeded ones always, 5m bars of BTCUSDT where they are."""
    return _recorded() if request.param == "recorded" else _walk(7, 5000)


def _windows(ohlcv: FloatArray) -> list[FloatArray]:
    """What a decision would have seen at every bar."""
    return [ohlcv[:, max(0, end - HISTORY_BARS) : end] for end in range(1, ohlcv.shape[1] + 1)]


def _agree(expected: object, found: object, absolute: float = 0.0) -> None:
    np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=RELATIVE, atol=absolute)


@pytest.mark.parametrize("name", TALIB)
def test_series_are_those_of_talib(history: FloatArray, name: str) -> None:
    """Every bar of a long history gets TA-Lib's value, and none where TA-Lib has none."""
    # A difference of two averages is only as exact as they are.
    _agree(TALIB[name](history), (SERIES | LOOK_BACK)[name](history), absolute=1e-12 if name == "trend" else 0)


def test_windows_get_the_values_of_talib(history: FloatArray) -> None:
    """A decision's window gets what TA-Lib says of the same window."""
    ends = np.random.default_rng(3).integers(HISTORY_BARS, history.shape[1], 200)
    windows = [history[:, end - HISTORY_BARS : end] for end in ends]
    expected = [[TALIB[name](ohlcv)[-1] for name in ("rsi14", "atr14", "sma20", "volatility20")] for ohlcv in windows]

    _agree(expected, [indicators[:4] for indicators in window_indicators(windows)])


def test_relative_volume_is_over_the_median_of_the_bars_before(history: FloatArray) -> None:
    """The newest volume does not count in its own median."""
    newest = history[:, -HISTORY_BARS:]

    [indicators] = window_indicators([newest])

    _agree(newest[VOLUME, -1] / np.median(newest[VOLUME, -21:-1]), indicators.relative_volume20)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bars=st.integers(21, 620), still=st.floats(0, 1))
def test_window_form_is_the_series_form_at_every_bar(seed: int, bars: int, still: float) -> None:
    """A backtest over the whole history sees what each decision saw in its own window, still markets included."""
    ohlcv = _walk(seed, bars, still)

    found = window_indicators(_windows(ohlcv)[20:])

    # An RSI of nearly 0 is the difference of two nearly equal averages: there, 1e-9 of its scale of 100 points counts.
    for name, series in SERIES.items():
        absolute = 1e-7 if name == "rsi14" else 1e-15
        _agree(series(ohlcv)[20:], [getattr(each, name) for each in found], absolute=absolute)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bars=st.integers(50, 620), still=st.floats(0, 1))
def test_ranges_and_trend_are_their_series_at_every_bar(seed: int, bars: int, still: float) -> None:
    """Support, resistance and trend have one value at a bar, whichever form asks."""
    ohlcv = _walk(seed, bars, still)
    windows = _windows(ohlcv)[49:]

    _agree(support_series(ohlcv[LOW])[49:], [window_support(each[LOW]) for each in windows])
    _agree(resistance_series(ohlcv[HIGH])[49:], [window_resistance(each[HIGH]) for each in windows])
    _agree(trend_series(ohlcv[CLOSE])[49:], [window_trend(each[CLOSE]) for each in windows], absolute=1e-15)


def test_windows_of_one_call_do_not_touch() -> None:
    """A window has the same indicators alone and among windows of other lengths and prices."""
    windows = [_walk(1, 499), _walk(2, 51) * 1000, _walk(3, 21) / 1000, _walk(4, 300)]

    assert window_indicators(windows) == [window_indicators([ohlcv])[0] for ohlcv in windows]


def test_a_window_that_never_moved_is_neither_strong_nor_weak() -> None:
    """A flat market has RSI 50 by our convention, and no range and no volatility."""
    flat = np.full((5, HISTORY_BARS), 0.5)

    [indicators] = window_indicators([flat])

    assert Indicators(50.0, 0.0, 0.5, 0.0, 1.0) == indicators


def test_moves_before_the_window_are_forgotten() -> None:
    """Once a whole window is flat, the series says so too, whatever came before it."""
    flat = np.full(HISTORY_BARS, 90.0)

    assert rsi_series(np.concatenate([[100.0, 80.0], flat]))[-1] == 50


@pytest.mark.parametrize(("step", "expected"), [(0.1, 100.0), (-0.1, 0.0)])
@pytest.mark.parametrize("bars", [21, 499, 700])
def test_rsi_reaches_its_ends_exactly(step: float, expected: float, bars: int) -> None:
    """Only rises give exactly 100 and only falls exactly 0, in both forms."""
    closes = 200 + step * np.arange(bars, dtype=np.float64)

    [indicators] = window_indicators([np.tile(closes[-HISTORY_BARS:], (5, 1))])

    assert (expected, expected) == (indicators.rsi14, rsi_series(closes)[-1])


def test_relative_volume_is_unavailable_over_a_median_of_zero() -> None:
    """Half the bars before without a trade leave nothing to compare with."""
    ohlcv = _walk(5, 60)
    ohlcv[VOLUME, -12:-1] = 0

    [indicators] = window_indicators([ohlcv])

    assert indicators.relative_volume20 is None
    assert np.isnan(relative_volume_series(ohlcv[VOLUME])[-1])


@pytest.mark.parametrize("name", FIRST)
def test_series_are_undefined_until_their_look_back_is_full(name: str) -> None:
    """NaN stands before the first bar that has all its predecessors, and nowhere after."""
    defined = ~np.isnan((SERIES | LOOK_BACK)[name](_walk(6, 60)))

    assert FIRST[name] == np.argmax(defined)
    assert defined[FIRST[name] :].all()


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("bars", [0, 1, 2, 14])
def test_a_short_history_has_a_series_of_nothing(name: str, bars: int) -> None:
    """A history shorter than the look-back gives as many NaN as it has bars."""
    series = (SERIES | LOOK_BACK)[name](_walk(8, bars))

    assert bars == len(series)
    assert np.isnan(series).all()


@pytest.mark.parametrize(
    ("bars", "indicator"),
    [
        (20, lambda ohlcv: window_indicators([_walk(1, 100), ohlcv])),
        (49, lambda ohlcv: window_support(ohlcv[LOW])),
        (49, lambda ohlcv: window_resistance(ohlcv[HIGH])),
        (19, lambda ohlcv: window_trend(ohlcv[CLOSE])),
    ],
)
def test_a_window_too_short_has_no_value(bars: int, indicator: Callable[[FloatArray], object]) -> None:
    """One bar too few is refused, because a shorter look-back would be another indicator."""
    with pytest.raises(ValueError, match=f"was {bars}"):
        indicator(_walk(9, bars))
