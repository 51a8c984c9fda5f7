"""The random process behind the synthetic market, one UTC day of one symbol at a time.

A day is a pure function of (seed, symbol, day, state at its start). Days are chained, so prices are continuous and
never depend on what was asked for, in which order, or beside which other symbols.

A return is a mix of two drivers of the same kind, one that all symbols share and one of the symbol's own. A driver is
at any time in a trend up, a trend down or a range; its volatility clusters and breathes with the hour; it jumps now
and then. A weak pull towards the price of the listing keeps years of simulated time in a credible region.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zlib import crc32

import numpy as np

from withearth.domain.candles import Candles, FloatArray, normalise
from withearth.domain.times import Timeframe
from withearth.market.synthetic_listing import Listing

BARS: Final = 288
_HOURS: Final = 24
_STEPS: Final = 10  # prices inside one bar: high and low come from a path, not from a formula

# In units of the symbol's 5m move
_TREND: Final = 0.06  # too weak for a simple rule to beat the fees: an invented profit would only mislead
_RANGE_PULL: Final = 0.06
_JUMP: Final = 5.0

_REGIME_LEAVE: Final = 1 / 7  # per hour
_JUMP_PROBABILITY: Final = 1 / 400  # per bar
_VOL_MEMORY: Final = 0.97
_VOL_STD: Final = 0.4
_SHARED: Final = 0.65  # correlation of a symbol with the common driver
_PULL_PER_DAY: Final = 1 / 60


@dataclass(frozen=True, slots=True)
class _Driver:
    """State of one driver. `level` and `anchor` are cumulative returns, in 5m moves."""

    key: int
    regime: int = 0
    level: float = 0.0
    anchor: float = 0.0
    log_vol: float = 0.0


@dataclass(frozen=True, slots=True)
class Prices:
    """State of one symbol at the start of a day."""

    common: _Driver
    own: _Driver
    log_price: float

    @classmethod
    def of(cls, listing: Listing) -> "Prices":
        """The state before the first day."""
        symbol = listing.instrument.symbol
        return cls(_Driver(0), _Driver(crc32(symbol.encode())), math.log(listing.price))


def next_day(seed: int, listing: Listing, day: int, prices: Prices) -> tuple[Candles, Prices]:
    """The 5m bars of the day that starts `day` days after 1970, and the state at its end."""
    common_returns, common = _drive(seed, day, prices.common)
    own_returns, own = _drive(seed, day, prices.own)
    mixed = _SHARED * common_returns + math.sqrt(1 - _SHARED**2) * own_returns
    pull = (math.log(listing.price) - prices.log_price) * _PULL_PER_DAY / mixed.size
    path = prices.log_price + np.cumsum(mixed * listing.move_frac + pull)
    noise = np.random.default_rng([seed, own.key, day, 1]).standard_normal(BARS)
    bars = _bars(listing, day, np.exp(np.append(prices.log_price, path)), noise)
    return bars, Prices(common, own, float(path[-1]))


def _drive(seed: int, day: int, driver: _Driver) -> tuple[FloatArray, _Driver]:
    """The driver's returns of a day, shaped (bars × steps), and its state at the end."""
    rng = np.random.default_rng([seed, driver.key, day])
    log_vol = _log_volatility(rng, driver.log_vol)
    shocks = rng.standard_normal((BARS, _STEPS)) / math.sqrt(_STEPS) * np.exp(log_vol - _VOL_STD**2)[:, None]
    shocks *= _DAILY_RHYTHM[:, None]
    jumps = rng.random(BARS) < _JUMP_PROBABILITY
    shocks[jumps, rng.integers(_STEPS)] += rng.standard_normal(BARS)[jumps] * _JUMP
    leaves, regimes = rng.random(_HOURS) < _REGIME_LEAVE, rng.integers(-1, 2, _HOURS)
    drift, regime, level, anchor = _drift(driver, shocks.sum(axis=1).tolist(), leaves.tolist(), regimes.tolist())
    returns = shocks + np.array(drift)[:, None] / _STEPS
    return returns.ravel(), _Driver(driver.key, regime, level, anchor, float(log_vol[-1]))


def _drift(
    driver: _Driver, shocks: list[float], leaves: list[bool], regimes: list[int]
) -> tuple[list[float], int, float, float]:
    """What the regime adds to each bar's shock, and the regime, level and anchor at the end."""
    drifts, regime, level, anchor = [], driver.regime, driver.level, driver.anchor
    for bar, shock in enumerate(shocks):
        hour, minute = divmod(bar, BARS // _HOURS)
        if minute == 0 and leaves[hour]:
            regime, anchor = regimes[hour], level
        drift = _TREND * regime if regime else _RANGE_PULL * (anchor - level)
        level += drift + shock
        drifts.append(drift)
    return drifts, regime, level, anchor


def _log_volatility(rng: np.random.Generator, before: float) -> FloatArray:
    """A mean-reverting walk: each bar keeps `_VOL_MEMORY` of the bar before."""
    memory = _VOL_MEMORY ** np.arange(1, BARS + 1)
    shocks = rng.standard_normal(BARS) * _VOL_STD * math.sqrt(1 - _VOL_MEMORY**2)
    walked: FloatArray = memory * (before + np.cumsum(shocks / memory))
    return walked


def _bars(listing: Listing, day: int, path: FloatArray, noise: FloatArray) -> Candles:
    ticks = np.maximum(1, np.rint(path / float(listing.instrument.tick_size)))
    # A bar opens at the price the one before closed with.
    within = np.lib.stride_tricks.sliding_window_view(ticks, _STEPS + 1)[::_STEPS]
    opens, highs, lows, closes = within[:, 0], within.max(axis=1), within.min(axis=1), within[:, -1]
    activity = 0.3 + 0.45 * (highs - lows) / (closes * listing.move_frac)
    volumes = listing.turnover / path[_STEPS::_STEPS] * activity * np.exp(0.4 * noise)
    prices = _on_grid(np.array([opens, highs, lows, closes]), listing.instrument.tick_size)
    steps = np.maximum(1, np.rint(volumes / float(listing.instrument.step_size)))
    open_ms = day * Timeframe.D1.ms + np.arange(BARS, dtype=np.int64) * Timeframe.M5.ms
    return normalise(Timeframe.M5, open_ms, np.vstack([prices, _on_grid(steps, listing.instrument.step_size)]))


def _on_grid(counts: FloatArray, unit: Decimal) -> FloatArray:
    """Counts times unit, as the floats nearest to those decimals: their shortest form is on the grid."""
    numerator, denominator = unit.as_integer_ratio()
    on_grid: FloatArray = counts * numerator / denominator
    return on_grid


_DAILY_RHYTHM: Final = 1 + 0.3 * np.sin((np.arange(BARS) / BARS - 0.4) * 2 * math.pi)
