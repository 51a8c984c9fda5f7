from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.times import TICK, Timeframe, decision_id, floor_to_tick, from_ms, tick_id, tick_time, to_ms

SEOUL = timezone(timedelta(hours=9))

instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - gets its zone here
milliseconds = st.integers(-(10**12), 4 * 10**12)


@pytest.mark.parametrize(
    ("timeframe", "length"),
    [("5m", timedelta(minutes=5)), ("1h", timedelta(hours=1)), ("4h", timedelta(hours=4)), ("1d", timedelta(days=1))],
)
def test_a_timeframe_knows_its_length(timeframe: str, length: timedelta) -> None:
    """In milliseconds, under the exchange's own name."""
    assert timedelta(milliseconds=Timeframe(timeframe).ms) == length


def test_milliseconds_are_counted_as_the_exchange_does() -> None:
    """Since 1970 in UTC, whatever zone the instant is written in."""
    assert to_ms(datetime(2024, 1, 1, tzinfo=UTC)) == 1_704_067_200_000
    assert to_ms(datetime(2024, 1, 1, 9, tzinfo=SEOUL)) == 1_704_067_200_000


@given(milliseconds)
def test_milliseconds_survive_the_way_there_and_back(ms: int) -> None:
    """Before 1970 too, and always as UTC."""
    assert ms == to_ms(from_ms(ms))
    assert from_ms(ms).utcoffset() == timedelta(0)


@given(instants)
def test_what_is_finer_than_a_millisecond_is_cut_off(at: datetime) -> None:
    """Downwards, so that no instant ever counts as later than it is."""
    assert timedelta(0) <= at - from_ms(to_ms(at)) < timedelta(milliseconds=1)


@given(instants)
def test_the_newest_tick_is_never_in_the_future(at: datetime) -> None:
    """It closed less than five minutes ago, on a multiple of five minutes."""
    closed_at = floor_to_tick(at)

    assert timedelta(0) <= at - closed_at < TICK
    assert to_ms(closed_at) % Timeframe.M5.ms == 0


def test_a_bar_has_closed_at_the_very_instant_of_its_close() -> None:
    """Not a microsecond before."""
    close = datetime(2024, 1, 1, 0, 5, tzinfo=UTC)

    assert close == floor_to_tick(close)
    assert close - TICK == floor_to_tick(close - timedelta(microseconds=1))


@given(instants)
def test_a_tick_is_known_by_its_id(at: datetime) -> None:
    """The id leads back to the instant."""
    closed_at = floor_to_tick(at)

    assert closed_at == tick_time(tick_id(closed_at))


def test_a_tick_id_is_its_time_in_utc() -> None:
    """Sorted as text, ticks are sorted by time; 09:05 in Seoul is the tick of 00:05."""
    assert tick_id(datetime(2024, 1, 1, 0, 5, tzinfo=UTC)) == "20240101T0005Z"
    assert tick_id(datetime(2024, 1, 1, 9, 5, tzinfo=SEOUL)) == "20240101T0005Z"


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(seconds=1), timedelta(microseconds=1)])
def test_an_instant_between_two_ticks_has_no_id(late: timedelta) -> None:
    """It belongs to no bar's close."""
    with pytest.raises(ValueError, match="a tick closes on a multiple of five minutes"):
        tick_id(datetime(2024, 1, 1, 0, 5, tzinfo=UTC) + late)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "20240101T0003Z",
        "20240101T0005",
        "20240101T000500Z",
        "20240101T2400Z",
        "20240230T0005Z",
        "2024-01-01T00:05Z",
        "20240101t0005z",
        " 20240101T0005Z",
        "20240101T0005Z\n",
        "2024011T0005Z",
        "00990101T0005Z",
    ],
)
def test_what_is_no_tick_id_is_refused(text: str) -> None:
    """There is one way to write a tick, and it is on the grid."""
    with pytest.raises(ValueError, match=r".+"):
        tick_time(text)


@given(st.text(max_size=20))
def test_any_text_is_a_tick_id_or_a_value_error(text: str) -> None:
    """Nothing else escapes, and what is read is written back the same."""
    try:
        at = tick_time(text)
    except ValueError:
        return

    assert text == tick_id(at)


def test_a_decision_id_fits_a_client_order_id() -> None:
    """Symbol and tick, for the exchange's longest symbols within 32 characters."""
    assert decision_id("BTCUSDT", "20240101T0005Z") == "BTCUSDT-20240101T0005Z"
    assert len(decision_id("1000000BABYDOGEUS", "20240101T0005Z")) <= 32
