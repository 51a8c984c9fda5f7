"""What the features of one tick cost: 4 timeframes of 499 bars, for one symbol and for 550.

The peers compute RSI(14), ATR(14), SMA(20), volatility(20) and relative volume(20) and keep the newest value of each;
"our whole snapshot" computes everything a decision sees. All peers' values are checked against TA-Lib's first.
pandas is timed for one symbol only: 550 would take it seconds a round.
"""

import importlib.util
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Final

import numpy as np
import talib

from benchmarks import Comparison, Peer, take_turns
from withearth.domain.book import Level, OrderBook, Quote
from withearth.domain.candles import CLOSE, HIGH, LOW, VOLUME, Candles, FloatArray, normalise
from withearth.domain.times import Timeframe, to_ms
from withearth.features.indicators import Indicators, window_indicators
from withearth.features.snapshot import HISTORY_BARS, FeatureSnapshot, build_snapshot, with_depth

SYMBOLS: Final = 550
AS_OF: Final = datetime(2024, 6, 1, 12, 5, tzinfo=UTC)
FUNDING_AT: Final = datetime(2024, 6, 1, 16, tzinfo=UTC)
AGREEMENT: Final = 1e-9
DEPTH_LEVELS: Final = 10

OURS: Final = "our indicators"
WHOLE: Final = "our whole snapshot"
TALIB: Final = "TA-Lib"
PANDAS: Final = "pandas"
# The most a peer's CPU time may be, as a multiple of TA-Lib's.
TARGETS: Final = {OURS: 0.7, WHOLE: 2.0}

SymbolIndicators = Callable[[list[FloatArray]], list[Indicators]]


@dataclass(frozen=True, slots=True)
class SymbolInput:
    """What one symbol's decision starts from."""

    windows: Mapping[Timeframe, Candles]
    quote: Quote
    book: OrderBook


def run() -> list[str]:
    """Print both tables and return the targets that were missed."""
    inputs = [_random_input(seed) for seed in range(SYMBOLS)]
    indicators: dict[str, SymbolIndicators] = {OURS: window_indicators, TALIB: _window_by_window(_talib_indicators)}
    if importlib.util.find_spec("pandas") is None:
        print("pandas is not installed: its row is left out")
    else:
        indicators[PANDAS] = _window_by_window(pandas_indicators)
    _check_agreement(indicators, inputs[:3])
    one = _compare(indicators, inputs[:1], rounds=31, calls=100)
    many = _compare({name: indicators[name] for name in (OURS, TALIB)}, inputs, rounds=31, calls=1)
    return [*_report("one symbol", one, 1), *_report(f"{SYMBOLS} symbols", many, SYMBOLS)]


def _compare(
    indicators: Mapping[str, SymbolIndicators], inputs: list[SymbolInput], rounds: int, calls: int
) -> Comparison:
    peers = [
        Peer(name, partial(_over_windows, compute, inputs), 1 if name == PANDAS else calls)
        for name, compute in indicators.items()
    ]
    return take_turns([*peers, Peer(WHOLE, partial(_over_symbols, inputs), calls)], rounds)


def _over_windows(compute: SymbolIndicators, inputs: list[SymbolInput]) -> list[Indicators]:
    return [indicators for each in inputs for indicators in compute([window.ohlcv for window in each.windows.values()])]


def _over_symbols(inputs: list[SymbolInput]) -> list[FeatureSnapshot]:
    return [
        with_depth(build_snapshot(each.quote.symbol, AS_OF, each.windows, each.quote), each.book) for each in inputs
    ]


def _report(title: str, comparison: Comparison, symbols: int) -> Iterator[str]:
    """Print one table and yield the targets it misses."""
    print(f"\nFeatures, {title}: 4 timeframes × {HISTORY_BARS} bars, one thread")
    print(f"{'peer':<20}{'CPU µs a symbol':>18}{'÷ TA-Lib':>12}{'target':>10}")
    for name in comparison.rounds:
        ratio, target = comparison.ratio(name, TALIB), TARGETS.get(name)
        shown = "" if target is None else f"≤ {target:.2f}"
        print(f"{name:<20}{comparison.cpu_us(name) / symbols:>18.1f}{ratio:>12.2f}{shown:>10}")
        if target is not None and ratio > target:
            yield f"{name} for {title} took {ratio:.2f} × TA-Lib, the target is {target:.2f}"


def _window_by_window(compute: Callable[[FloatArray], Indicators]) -> SymbolIndicators:
    return lambda windows: [compute(ohlcv) for ohlcv in windows]


def _check_agreement(indicators: Mapping[str, SymbolIndicators], inputs: list[SymbolInput]) -> None:
    """Raise ArithmeticError when a peer's value is not TA-Lib's."""
    expected = _over_windows(indicators[TALIB], inputs)
    for name, compute in indicators.items():
        found = _over_windows(compute, inputs)
        if not np.allclose(np.array(found, float), np.array(expected, float), rtol=AGREEMENT, atol=0):
            raise ArithmeticError(f"{name} does not agree with {TALIB} to {AGREEMENT}")


def _talib_indicators(ohlcv: FloatArray) -> Indicators:
    """TA-Lib's functions over the whole window; it has no median, so that is the cheapest one found in Python."""
    closes, volumes = ohlcv[CLOSE], ohlcv[VOLUME]
    before = sorted(volumes[-21:-1].tolist())
    return Indicators(
        talib.RSI(closes, 14)[-1],
        talib.ATR(ohlcv[HIGH], ohlcv[LOW], closes, 14)[-1],
        talib.SMA(closes, 20)[-1],
        talib.STDDEV(talib.ROCP(closes, 1), 20)[-1],
        volumes[-1] / ((before[9] + before[10]) / 2),
    )


def pandas_indicators(ohlcv: FloatArray) -> Indicators:
    """The five indicators as most bots compute them."""
    import pandas as pd  # noqa: PLC0415 - optional, and the benchmark runs without it

    def wilder(values: pd.Series) -> float:
        seeded = values.iloc[14:].copy()
        seeded.iloc[0] = values.iloc[1:15].mean()
        return float(seeded.ewm(alpha=1 / 14, adjust=False).mean().iloc[-1])

    bars = pd.DataFrame(ohlcv[HIGH : VOLUME + 1].T, columns=["high", "low", "close", "volume"])
    previous, changes = bars["close"].shift(1), bars["close"].diff()
    ranges = pd.concat([bars["high"], previous], axis=1).max(axis=1) - pd.concat([bars["low"], previous], axis=1).min(
        axis=1
    )
    rise, fall = wilder(changes.clip(lower=0)), wilder(-changes.clip(upper=0))
    return Indicators(
        100 * rise / (rise + fall),
        wilder(ranges),
        bars["close"].rolling(20).mean().iloc[-1],
        bars["close"].pct_change().rolling(20).std(ddof=0).iloc[-1],
        bars["volume"].iloc[-1] / bars["volume"].rolling(20).median().iloc[-2],
    )


def _random_input(seed: int) -> SymbolInput:
    noise = np.random.default_rng(seed)
    windows = {timeframe: _random_walk(timeframe, noise) for timeframe in Timeframe}
    price = Decimal(str(round(float(windows[Timeframe.M5].ohlcv[CLOSE, -1]), 2)))
    tick = Decimal("0.01")
    quantities = [Decimal(str(round(quantity, 3))) for quantity in noise.uniform(0.1, 9, 2 * DEPTH_LEVELS).tolist()]
    bids = tuple(Level(price - tick * step, quantities[step]) for step in range(1, DEPTH_LEVELS + 1))
    asks = tuple(Level(price + tick * step, quantities[-step]) for step in range(1, DEPTH_LEVELS + 1))
    quote = Quote(f"S{seed}USDT", bids[0].price, asks[0].price, AS_OF, Decimal("0.0001"), FUNDING_AT)
    return SymbolInput(windows, quote, OrderBook(bids, asks, AS_OF))


def _random_walk(timeframe: Timeframe, noise: np.random.Generator) -> Candles:
    """A seeded walk whose volatility changes slowly and whose bars open where the last one closed."""
    deviation = 0.001 * math.sqrt(timeframe.ms / Timeframe.M5.ms)
    deviations = deviation * np.exp(0.5 * np.sin(np.arange(HISTORY_BARS) / 40))
    closes = 100 * np.exp(np.cumsum(noise.normal(0, deviations)))
    opens = np.concatenate([[100.0], closes[:-1]])
    wicks = np.exp(np.abs(noise.normal(0, deviations, (2, HISTORY_BARS))))
    highs, lows = np.maximum(opens, closes) * wicks[0], np.minimum(opens, closes) / wicks[1]
    volumes = noise.lognormal(5, 1, HISTORY_BARS)
    last_open = to_ms(AS_OF) // timeframe.ms - 1
    open_ms = np.arange(last_open - HISTORY_BARS + 1, last_open + 1, dtype=np.int64) * timeframe.ms
    return normalise(timeframe, open_ms, np.array([opens, highs, lows, closes, volumes]))
