"""Histories that grow at the end, and are thrown away when they are contradicted."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tests.builders.market_files import some_bars
from withearth.domain.candles import CLOSE, Candles, normalise
from withearth.domain.times import Timeframe
from withearth.market.candle_cache import KEPT_BARS, OVERLAP, CandleCache, Kept

ALL: Candles = normalise(Timeframe.M5, *some_bars(datetime(2026, 1, 1, tzinfo=UTC), 600))


def first(count: int) -> Candles:
    """The first bars there are."""
    return Candles(Timeframe.M5, ALL.open_ms[:count].copy(), ALL.ohlcv[:, :count].copy())


def between(start: int, end: int) -> Candles:
    """Some of the bars."""
    return Candles(Timeframe.M5, ALL.open_ms[start:end].copy(), ALL.ohlcv[:, start:end].copy())


@pytest.mark.parametrize("newer", [1, 2, 90])
def test_a_topped_up_history_is_the_fetched_one(newer: int) -> None:
    """The same bars, the oldest of which has made room for the newest."""
    end = KEPT_BARS + newer
    topped = Kept(first(KEPT_BARS), whole=False).with_newer(between(KEPT_BARS - OVERLAP, end))

    assert topped is not None
    assert topped.bars.open_ms.tolist() == ALL.open_ms[end - KEPT_BARS : end].tolist()
    assert np.array_equal(topped.bars.ohlcv, ALL.ohlcv[:, end - KEPT_BARS : end])


def test_a_young_symbol_is_whole_until_it_has_more_bars_than_are_kept() -> None:
    """Once the first bar is gone, a window that reaches back to it is no longer all there is."""
    young = Kept(first(KEPT_BARS - 1), whole=True)
    once, twice = young.with_newer(between(490, KEPT_BARS)), young.with_newer(between(490, KEPT_BARS + 1))

    assert once is not None
    assert once.whole
    assert twice is not None
    assert not twice.whole


def _other_close(bars: Candles) -> Candles:
    bars.ohlcv[CLOSE, 0] += 0.01
    return bars


@pytest.mark.parametrize(
    "newest",
    [
        _other_close(between(97, 101)),
        between(100, 102),
        between(101, 104),
        Candles(Timeframe.M5, ALL.open_ms[[98, 99, 101]], ALL.ohlcv[:, [98, 99, 101]]),
        Candles(Timeframe.M5, ALL.open_ms[[97, 99, 100]], ALL.ohlcv[:, [97, 99, 100]]),
        between(0, 0),
        first(101 + KEPT_BARS),
    ],
)
def test_what_does_not_continue_a_history_is_refused(newest: Candles) -> None:
    """Another close, no shared bar, a hole, or nothing at all: only a full fetch helps."""
    assert Kept(between(1, 100), whole=True).with_newer(newest) is None


@pytest.mark.parametrize(
    ("closed", "limit", "whole", "bars"),
    [(100, 10, False, 10), (100, 100, False, 100), (101, 10, False, None), (90, 95, False, None), (90, 95, True, 90)],
)
def test_a_window_is_given_where_all_of_it_is_kept(closed: int, limit: int, whole: Any, bars: int | None) -> None:
    """Never a shorter one, unless the symbol has no older bars; never one that lacks the newest."""
    closed_ms = int(ALL.open_ms[closed - 1]) + Timeframe.M5.ms
    window = Kept(first(100), whole=whole).window(closed_ms, limit)

    assert bars == (None if window is None else len(window))
    assert window is None or window.last_close_ms == closed_ms


def test_a_history_holds_on_to_no_answer() -> None:
    """Its arrays are its own, or every top-up would keep the one before alive."""
    topped = Kept(first(KEPT_BARS), whole=False).with_newer(between(KEPT_BARS - 2, KEPT_BARS + 1))

    assert topped is not None
    assert topped.bars.open_ms.base is None
    assert topped.bars.ohlcv.base is None


def test_a_forgotten_symbol_is_forgotten_whole() -> None:
    """All timeframes of it, and nobody else's."""
    cache = CandleCache()
    cache.put("BTCUSDT", Kept(first(3), whole=True))
    cache.put("ETHUSDT", Kept(first(3), whole=True))
    cache.forget("BTCUSDT")

    assert cache.get("BTCUSDT", Timeframe.M5) is None
    assert cache.get("ETHUSDT", Timeframe.M5) is not None
