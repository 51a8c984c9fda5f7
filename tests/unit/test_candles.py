from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.candles import HIGH, LOW, Candles, aggregate, normalise, union, window_fault
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, to_ms

MIDNIGHT = to_ms(datetime(2024, 1, 1, tzinfo=UTC))
M5 = Timeframe.M5.ms

indices = st.lists(st.integers(0, 600), max_size=80, unique=True)


def _bars(of: Sequence[int], timeframe: Timeframe = Timeframe.M5) -> Candles:
    """Sound bars at the given places of the grid after midnight. What a bar says depends only on its place."""
    place = np.array(of, dtype=np.int64)
    opens = 100 + place % 7 + 0.5
    closes = 100 + (place + 1) % 7 + 0.5
    highs, lows = np.maximum(opens, closes) + place % 3, np.minimum(opens, closes) - place % 5
    ohlcv = np.array([opens, highs, lows, closes, 1.0 + place % 11])
    return normalise(timeframe, MIDNIGHT + place * timeframe.ms, ohlcv)


def _rows(candles: Candles) -> tuple[list[int], list[list[float]]]:
    return candles.open_ms.tolist(), candles.ohlcv.tolist()


def _normalised(open_ms: Sequence[int], *columns: Sequence[float]) -> Candles:
    rows = np.array(columns, dtype=float).reshape(len(open_ms), 5)
    return normalise(Timeframe.M5, np.array(open_ms, dtype=np.int64), rows.T)


SOUND = (100.0, 102.0, 99.0, 101.0, 5.0)


@given(indices, st.randoms())
def test_rows_in_any_order_become_the_same_candles(places: list[int], random: Random) -> None:
    """Order and exact repetition of the rows do not matter."""
    repeated = places + places[::2]
    random.shuffle(repeated)

    assert _rows(_bars(sorted(places))) == _rows(_bars(repeated))


def test_a_bar_told_twice_in_the_same_words_is_one() -> None:
    """Also three equal rows are one bar."""
    assert len(_normalised([0, M5, 0, 0], SOUND, SOUND, SOUND, SOUND)) == 2


def test_a_bar_told_in_two_ways_is_a_conflict() -> None:
    """Also when only the third repetition differs."""
    with pytest.raises(MarketFault) as fault:
        _normalised([0, 0, 0], SOUND, SOUND, (*SOUND[:4], 6.0))

    assert Reason.CANDLE_CONFLICT is fault.value.reason


@pytest.mark.parametrize(
    "row",
    [
        (100.0, 98.0, 99.0, 101.0, 5.0),
        (100.0, 100.5, 99.0, 101.0, 5.0),
        (100.0, 102.0, 100.5, 101.0, 5.0),
        (100.0, 102.0, 99.0, 98.0, 5.0),
        (0.0, 102.0, 0.0, 101.0, 5.0),
        (100.0, 102.0, -1.0, 101.0, 5.0),
        (100.0, 102.0, 99.0, 101.0, -0.1),
        (100.0, float("inf"), 99.0, 101.0, 5.0),
        (100.0, 102.0, 99.0, float("nan"), 5.0),
        (100.0, 102.0, 99.0, 101.0, float("nan")),
    ],
)
def test_a_bar_that_contradicts_itself_is_refused(row: tuple[float, ...]) -> None:
    """High and low bound open and close, prices are positive and volume is not negative, all of them finite."""
    with pytest.raises(MarketFault) as fault:
        _normalised([0, M5, 2 * M5], SOUND, row, SOUND)

    assert Reason.CANDLE_INVALID is fault.value.reason
    assert str(M5) in fault.value.detail


def test_a_bar_off_the_grid_is_refused() -> None:
    """Bars open on multiples of their timeframe."""
    with pytest.raises(MarketFault) as fault:
        _normalised([M5 + 1], SOUND)

    assert Reason.CANDLE_INVALID is fault.value.reason


def test_a_flat_bar_without_volume_is_sound() -> None:
    """An outage of the exchange is told by such bars, and they are true."""
    assert len(_normalised([0], (100.0, 100.0, 100.0, 100.0, 0.0))) == 1


@given(indices, st.integers(-10, 700 * M5), st.integers(1, 100))
def test_closed_at_shows_the_newest_closed_bars(places: list[int], after_ms: int, limit: int) -> None:
    """Exactly the bars whose close is not later than asked, the newest `limit` of them."""
    as_of_ms = MIDNIGHT + after_ms
    expected = [place for place in sorted(places) if (place + 1) * M5 <= after_ms][-limit:]

    assert _rows(_bars(expected)) == _rows(_bars(places).closed_at(as_of_ms, limit))


def test_a_bar_is_closed_at_its_close_and_not_a_millisecond_before() -> None:
    """The boundary belongs to the bar that ends there."""
    bars = _bars([0])

    assert len(bars.closed_at(MIDNIGHT + M5 - 1, 5)) == 0
    assert len(bars.closed_at(MIDNIGHT + M5, 5)) == 1
    assert bars.close_ms.tolist() == [bars.last_close_ms] == [MIDNIGHT + M5]


@given(indices, st.integers(0, 600))
def test_opened_since_shows_the_rest(places: list[int], since: int) -> None:
    """The bars from an open time on, that one included."""
    expected = [place for place in sorted(places) if place >= since]

    assert _rows(_bars(expected)) == _rows(_bars(places).opened_since(MIDNIGHT + since * M5))


@given(st.sets(st.integers(0, 600), min_size=1).map(sorted), st.sampled_from([Timeframe.H1, Timeframe.H4]))
def test_a_longer_bar_is_built_from_all_its_parts_or_not_at_all(places: list[int], timeframe: Timeframe) -> None:
    """First open, highest high, lowest low, last close, summed volume; a bar with a part missing is left out."""
    bars, per_bar = _bars(places), timeframe.ms // M5
    whole = [number for number in range(601 // per_bar + 1) if _parts(number, per_bar) <= set(places)]
    expected = [_folded(bars, places.index(number * per_bar), per_bar) for number in whole]
    built = aggregate(bars, timeframe)

    assert [MIDNIGHT + number * timeframe.ms for number in whole] == built.open_ms.tolist()
    assert expected == built.ohlcv.T.tolist()


def _parts(number: int, per_bar: int) -> set[int]:
    return set(range(number * per_bar, (number + 1) * per_bar))


def _folded(bars: Candles, start: int, count: int) -> list[float]:
    opens, highs, lows, closes, volumes = bars.ohlcv[:, start : start + count]
    return [opens[0], max(highs), min(lows), closes[-1], sum(volumes)]


@given(st.integers(0, 300), st.integers(1, 300))
def test_building_a_day_by_way_of_hours_changes_nothing(first: int, days: int) -> None:
    """5m to 1h to 1d gives the bars that 5m to 1d gives."""
    bars = _bars(range(first, first + days))
    direct, by_hours = aggregate(bars, Timeframe.D1), aggregate(aggregate(bars, Timeframe.H1), Timeframe.D1)

    assert _rows(direct) == _rows(by_hours)


def test_nothing_is_built_from_nothing() -> None:
    """No bars, or too few for one, give an empty series of the longer timeframe."""
    for bars in (_bars([]), _bars([1, 2, 3])):
        built = aggregate(bars, Timeframe.H1)
        assert (built.timeframe, len(built), built.ohlcv.shape) == (Timeframe.H1, 0, (5, 0))


@given(indices, indices)
def test_union_prefers_and_completes(preferred: list[int], other: list[int]) -> None:
    """Every bar of both is there once, in order, and the preferred one speaks where both have it."""
    louder = _bars(preferred)
    louder = Candles(louder.timeframe, louder.open_ms, louder.ohlcv + np.array([[0], [1], [0], [0], [1]]))
    joined = union(louder, _bars(other))
    theirs = np.isin(joined.open_ms, louder.open_ms)

    assert _bars(sorted({*preferred, *other})).open_ms.tolist() == joined.open_ms.tolist()
    assert louder.ohlcv.tolist() == joined.ohlcv[:, theirs].tolist()
    assert _bars(sorted({*other} - {*preferred})).ohlcv.tolist() == joined.ohlcv[:, ~theirs].tolist()


def test_a_complete_window_has_no_fault() -> None:
    """Unbroken bars up to the last that should be closed, as many as needed; also in the middle of a bar."""
    for late_ms in (0, 1, M5 - 1):
        assert window_fault(_bars(range(10)), MIDNIGHT + 10 * M5 + late_ms, 10) is None


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ([], Reason.NO_CANDLES),
        ([*range(9)], Reason.CANDLE_STALE),
        ([*range(11)], Reason.CANDLE_STALE),
        ([*range(1, 10)], Reason.SHORT_HISTORY),
        ([9], Reason.SHORT_HISTORY),
        ([0, *range(1, 4), *range(5, 10)], Reason.SHORT_HISTORY),
    ],
)
def test_a_window_with_a_fault_says_which(places: list[int], reason: Reason) -> None:
    """Nothing, too old an end, an end that is not closed yet, or too few bars."""
    assert reason is window_fault(_bars(places), MIDNIGHT + 10 * M5, 10)


@given(st.integers(1, 58))
def test_a_missing_bar_anywhere_inside_is_a_gap(missing: int) -> None:
    """The newest bar is there and so are enough others, yet one between them is not."""
    window = _bars([place for place in range(60) if place != missing])

    assert Reason.CANDLE_GAP is window_fault(window, MIDNIGHT + 60 * M5, 50)


def test_high_and_low_bound_every_bar() -> None:
    """The rows of `ohlcv` are named by the module's constants."""
    bars = _bars(range(50))

    assert (bars.ohlcv[HIGH] >= bars.ohlcv).all(where=np.array([[True]] * 4 + [[False]]))
    assert (bars.ohlcv[LOW] <= bars.ohlcv[:4]).all()
