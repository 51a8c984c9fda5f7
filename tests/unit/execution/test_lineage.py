import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.times import TICK, decision_id, floor_to_tick, tick_id
from withearth.execution.lineage import ATTEMPTS_MAX, Leg, Lineage, client_id, is_marked, lineage, mark_of

ALLOWED = set(string.ascii_letters + string.digits + ".:/_-")
SYMBOLS = st.text(st.sampled_from(string.ascii_uppercase + string.digits + "_币安人生"), min_size=2, max_size=20)
TICKS = st.datetimes(datetime(2019, 9, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001 - made aware at once
    lambda at: tick_id(floor_to_tick(at.replace(tzinfo=UTC)))
)
LEGS = st.sampled_from(Leg)
MARKS = st.one_of(st.just(""), st.text().map(mark_of))
ATTEMPTS = st.integers(0, ATTEMPTS_MAX - 1)


@given(symbol=SYMBOLS, tick=TICKS, leg=LEGS, attempt=ATTEMPTS, mark=MARKS)
def test_an_id_leads_back_to_its_intent(symbol: str, tick: str, leg: Leg, attempt: int, mark: str) -> None:
    """Every client id of ours names intent, leg, attempt and mark, in 36 characters that the exchange takes."""
    intent_id = decision_id(symbol, tick)
    made = client_id(intent_id, leg, attempt, mark)

    assert Lineage(intent_id, leg, attempt, mark) == lineage(symbol, made)
    assert len(made) <= 36
    assert set(made) <= ALLOWED


@given(symbol=SYMBOLS, other=SYMBOLS, tick=TICKS, leg=LEGS, attempt=ATTEMPTS)
def test_an_id_of_another_symbol_is_not_ours(symbol: str, other: str, tick: str, leg: Leg, attempt: int) -> None:
    """An order never counts for an intent of another symbol, also where both stand as digests."""
    if symbol != other:
        assert lineage(other, client_id(decision_id(symbol, tick), leg, attempt)) is None


@given(one=st.tuples(TICKS, LEGS, ATTEMPTS), other=st.tuples(TICKS, LEGS, ATTEMPTS))
def test_no_two_orders_share_an_id(one: tuple[str, Leg, int], other: tuple[str, Leg, int]) -> None:
    """Another intent, leg or attempt is another id."""
    ids = [client_id(decision_id("BTCUSDT", tick), leg, attempt) for tick, leg, attempt in (one, other)]

    assert (one == other) == (ids[0] == ids[1])


@given(one=MARKS, other=MARKS)
def test_an_order_is_of_one_installation(one: str, other: str) -> None:
    """Its mark is its own alone; who has none does not take one that bears it."""
    made = client_id("BTCUSDT-20260105T0005Z", Leg.STOP, 0, one)

    assert is_marked("BTCUSDT", made, other) == (one == other)


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "web_Xy81mKlz0",
        "autoclose-1670000000",
        "adl_autoclose",
        "BTCUSDT-20260105T0005Z-e",
        "BTCUSDT-20260105T0005Z-z0",
        "BTCUSDT-20260105T0005Z-eA",
        "BTCUSDT-20260105T0005Z-e0x",
        "xBTCUSDT-20260105T0005Z-e0",
        "BTCUSDT-2026010T0005Z-e0",
    ],
)
def test_what_others_sent_is_not_ours(foreign: str) -> None:
    """An id that is not exactly of our form is foreign."""
    assert lineage("BTCUSDT", foreign) is None


@pytest.mark.parametrize("attempt", [-1, ATTEMPTS_MAX])
def test_attempts_are_bounded(attempt: int) -> None:
    """There is no id for an attempt beyond the last one, rather than one that another attempt has."""
    with pytest.raises(ValueError, match="attempt"):
        client_id("BTCUSDT-20260105T0005Z", Leg.STOP, attempt)


def test_a_digest_does_not_tell_a_tick_from_another() -> None:
    """Two ticks of a symbol with Chinese letters are two ids, each leading back to its own."""
    at = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
    for tick in (tick_id(at), tick_id(at + TICK)):
        made = client_id(decision_id("币安人生USDT", tick), Leg.ENTRY, 0)
        assert Lineage(decision_id("币安人生USDT", tick), Leg.ENTRY, 0) == lineage("币安人生USDT", made)
