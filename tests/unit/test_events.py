import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.events import CLOSED_AT, a_tick_event, an_intent
from withearth.domain.errors import InvalidEvent
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.messaging.events import MarketTick, TradeIntent, decode, encode

DECIMALS = ["qty", "entry", "tp", "sl"]
INTENT_FIELDS = [
    "symbol",
    "intent_id",
    "side",
    *DECIMALS,
    "prob",
    "horizon_min",
    "decided_at",
    "expires_at",
]

STRANGE_TEXTS = ["", "much", "NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1E-999999", "1" * 40]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
amounts = st.decimals("0.0000000001", "9999999999", places=10)


def _intent_json(**changed: Any) -> bytes:
    return json.dumps(json.loads(encode(an_intent())) | changed).encode()


def _tick_json(**changed: Any) -> bytes:
    return json.dumps(json.loads(encode(a_tick_event())) | changed).encode()


def _quote_json(**changed: Any) -> bytes:
    return _tick_json(quote=json.loads(encode(a_tick_event()))["quote"] | changed)


def _detail(model: type[MarketTick] | type[TradeIntent], data: bytes) -> str:
    """What is said about a message that is refused as malformed."""
    with pytest.raises(InvalidEvent) as refused:
        decode(model, data)
    assert Reason.EVENT_MALFORMED is refused.value.reason
    return refused.value.detail


@pytest.mark.parametrize("tick", [a_tick_event(), a_tick_event(quoted=False), a_tick_event("1000PEPEUSDT_240927")])
def test_a_tick_comes_back_as_it_was_sent(tick: MarketTick) -> None:
    """With and without a quote."""
    assert tick == decode(MarketTick, encode(tick))


@given(st.sampled_from(Side), amounts, st.lists(amounts, min_size=3, max_size=3, unique=True), st.floats(0, 1))
def test_an_intent_comes_back_to_the_last_digit(side: Side, qty: Decimal, prices: list[Decimal], prob: float) -> None:
    """No price and no quantity loses a place, and the probability stays the same float."""
    sl, entry, tp = sorted(prices)[:: side.sign]
    sent = an_intent(side=side, prob=prob, qty=qty, sl=sl, entry=entry, tp=tp)
    read = decode(TradeIntent, encode(sent))

    assert sent == read
    assert [str(getattr(sent, name)) for name in DECIMALS] == [str(getattr(read, name)) for name in DECIMALS]


def test_what_travels_is_text_where_digits_count() -> None:
    """Decimals are strings, instants end in Z, and a field without a value is left out."""
    sent = json.loads(encode(an_intent()))

    assert ("42000.1", "42500.0", "0.002") == (sent["entry"], sent["tp"], sent["qty"])
    assert sent["decided_at"] == "2024-01-01T00:05:00Z"
    assert "quote" not in json.loads(encode(a_tick_event(quoted=False)))


def test_what_the_books_keep_of_an_intent_can_be_read_back() -> None:
    """The decision document holds the intent in the same words."""
    intent = an_intent()

    assert intent == TradeIntent.model_validate(intent.model_dump(mode="json"))


@pytest.mark.parametrize("name", DECIMALS)
@pytest.mark.parametrize("number", ["42000.1", "42000.123456789012345678901", "4.2e4", "1e2"])
def test_a_float_is_refused_where_a_decimal_belongs(name: str, number: str) -> None:
    """On its way through a float a price loses digits, and nobody would notice."""
    data = _intent_json(**{name: "PLACE"}).replace(b'"PLACE"', number.encode())

    assert _detail(TradeIntent, data).startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["bid", "ask", "funding_rate"])
def test_a_float_is_refused_in_a_quote(name: str) -> None:
    """As in an intent."""
    assert _detail(MarketTick, _quote_json(**{name: 0.1})).startswith(f"quote.{name}: ")


def test_a_whole_number_is_taken_for_a_decimal() -> None:
    """It has no digits to lose."""
    assert decode(TradeIntent, _intent_json(entry=42000)).entry == Decimal(42000)


@pytest.mark.parametrize("name", DECIMALS)
@pytest.mark.parametrize(
    "value",
    [*STRANGE_TEXTS, "0", "-0.1", 0, -1, 10**40, True, None, [], {}, float("nan"), float("inf"), float("-inf")],
)
def test_a_price_or_quantity_is_a_positive_number(name: str, value: object) -> None:
    """Neither zero nor infinite, and no larger or finer than money can be counted."""
    assert _detail(TradeIntent, _intent_json(**{name: value})).startswith(f"{name}: ")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-0.1", "1E+999999", float("nan"), float("inf"), None])
@pytest.mark.parametrize("name", ["bid", "ask"])
def test_a_quote_has_two_numbers(name: str, value: object) -> None:
    """Anything else cannot have come from our dispatcher."""
    assert _detail(MarketTick, _quote_json(**{name: value})).startswith(f"quote.{name}: ")


def test_an_empty_side_of_the_quote_travels_as_zero() -> None:
    """So the exchange says it; the worker refuses it under its own reason."""
    quote = decode(MarketTick, _quote_json(bid="0")).quote

    assert quote is not None
    assert quote.bid == 0


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "1E+999999", float("nan"), True])
def test_a_funding_rate_is_a_number(rate: object) -> None:
    """Of either sign, but finite."""
    assert _detail(MarketTick, _quote_json(funding_rate=rate)).startswith("quote.funding_rate: ")


def test_unknown_funding_travels_as_nothing() -> None:
    """The worker then says FUNDING_UNKNOWN."""
    quote = decode(MarketTick, _quote_json(funding_rate=None, next_funding_at=None)).quote

    assert quote is not None
    assert (None, None) == (quote.funding_rate, quote.next_funding_at)


@pytest.mark.parametrize("prob", [-0.01, 1.01, float("nan"), float("inf"), "high", "NaN", True, None, []])
def test_a_probability_lies_between_0_and_1(prob: object) -> None:
    """And is a number."""
    assert _detail(TradeIntent, _intent_json(prob=prob)).startswith("prob: ")


@pytest.mark.parametrize("horizon", [0, -5, 2.5, "60", True, None])
def test_a_horizon_is_a_positive_count_of_minutes(horizon: object) -> None:
    """`true` is not one minute."""
    assert _detail(TradeIntent, _intent_json(horizon_min=horizon)).startswith("horizon_min: ")


@pytest.mark.parametrize("name", ["decided_at", "expires_at"])
@pytest.mark.parametrize(
    "value", ["2024-01-01T00:05:00", "2024-01-01", "yesterday", "", 1704067500, 1704067500000, 1704067500.5, True, None]
)
def test_an_instant_is_text_with_its_offset(name: str, value: object) -> None:
    """Without an offset, or as a count of who knows what, it would have to be guessed."""
    assert _detail(TradeIntent, _intent_json(**{name: value})).startswith(f"{name}: ")


@pytest.mark.parametrize("name", INTENT_FIELDS)
def test_every_field_of_an_intent_is_needed(name: str) -> None:
    """None has a default."""
    fields = json.loads(_intent_json())
    del fields[name]

    assert _detail(TradeIntent, json.dumps(fields).encode()) == f"{name}: Field required"


@pytest.mark.parametrize(
    ("model", "data", "where"),
    [
        (TradeIntent, _intent_json(leverage=20), "leverage"),
        (MarketTick, _tick_json(price="1"), "price"),
        (MarketTick, _quote_json(mid="1"), "quote.mid"),
    ],
)
def test_an_unknown_field_is_refused(model: type[MarketTick] | type[TradeIntent], data: bytes, where: str) -> None:
    """A sender who says more than we understand is not one of ours."""
    assert _detail(model, data).startswith(f"{where}: ")


@pytest.mark.parametrize("version", [0, 2, "1", None, [1]])
def test_another_version_is_refused(version: object) -> None:
    """Even when all its fields look familiar."""
    assert _detail(TradeIntent, _intent_json(version=version)).startswith("version: ")
    assert _detail(MarketTick, _tick_json(version=version)).startswith("version: ")


@pytest.mark.parametrize("symbol", ["", "B", "BTC-USDT", "BTCUSDT\n", "B" * 21, 7, None, ["BTCUSDT"]])
def test_a_symbol_is_two_to_twenty_letters_and_digits(symbol: object) -> None:
    """It becomes part of ids and addresses."""
    assert _detail(MarketTick, _tick_json(symbol=symbol)).startswith("symbol: ")


@pytest.mark.parametrize(
    "tick_id", ["", "20240101T0003Z", "20240101T0005", "20241301T0005Z", "20240101T0005Z\n", 7, None]
)
def test_a_tick_id_names_a_close_of_a_5m_bar(tick_id: object) -> None:
    """Anything else is no tick."""
    assert _detail(MarketTick, _tick_json(tick_id=tick_id)).startswith("tick_id: ")


@pytest.mark.parametrize(
    "intent_id", ["", "BTCUSDT", "20240101T0005Z", "BTCUSDT-20240101T0005Z/../x", "BTCUSDT-2024Z", 7]
)
def test_an_intent_id_is_a_symbol_and_a_tick(intent_id: object) -> None:
    """It becomes the key of the intent's document."""
    assert _detail(TradeIntent, _intent_json(intent_id=intent_id)).startswith("intent_id: ")


@pytest.mark.parametrize("side", ["LONG", "hold", "buy", "", 1, None])
def test_a_side_is_long_or_short(side: object) -> None:
    """Exactly so."""
    assert _detail(TradeIntent, _intent_json(side=side)).startswith("side: ")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"null", b"[]", b"7", b'"x"', b"NaN", b"{}", b"[" * 60_000, encode(an_intent())[:-1]],
)
@pytest.mark.parametrize("model", [MarketTick, TradeIntent])
def test_what_is_no_event_at_all_is_refused(model: type[MarketTick] | type[TradeIntent], data: bytes) -> None:
    """Damaged JSON, JSON of another shape, and JSON nested to do harm."""
    assert _detail(model, data)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sl": "42000.1"}, "stop, entry and target do not stand in order"),
        ({"tp": "41999.9"}, "stop, entry and target do not stand in order"),
        ({"side": "short"}, "stop, entry and target do not stand in order"),
        ({"expires_at": "2024-01-01T00:05:00Z"}, "it expires before it was decided"),
        ({"intent_id": "ETHUSDT-20240101T0005Z"}, "the id is not that of its symbol and tick"),
        ({"intent_id": "BTCUSDT-20240101T0010Z"}, "the id is not that of its symbol and tick"),
        ({"decided_at": "2024-01-01T00:05:01Z"}, "a tick closes on a multiple of five minutes"),
    ],
)
def test_the_fields_of_an_intent_belong_to_one_trade(changed: dict[str, str], told: str) -> None:
    """Levels in order, a life that has a length, and the id of its own symbol and tick."""
    assert told in _detail(TradeIntent, _intent_json(**changed))


def test_one_event_is_not_the_other() -> None:
    """Each function only reads its own."""
    assert _detail(MarketTick, encode(an_intent()))
    assert _detail(TradeIntent, encode(a_tick_event()))


def test_an_event_cannot_be_changed() -> None:
    """What was decided stays what was decided."""
    with pytest.raises(ValueError, match="frozen"):
        an_intent().qty = Decimal(9)  # type: ignore[misc]


def test_an_offset_other_than_utc_is_the_same_instant() -> None:
    """09:05 in Seoul is 00:05 UTC."""
    read = decode(TradeIntent, _intent_json(decided_at="2024-01-01T09:05:00+09:00"))

    assert (CLOSED_AT, timedelta(seconds=180)) == (read.decided_at, read.expires_at - read.decided_at)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_an_event_or_refused(data: bytes) -> None:
    """Nothing but InvalidEvent ever escapes."""
    with pytest.raises(InvalidEvent):
        decode(TradeIntent, data)


@given(st.sampled_from(INTENT_FIELDS), json_values)
def test_a_field_of_any_kind_is_taken_or_refused(name: str, value: object) -> None:
    """One strange value in a sound intent never raises anything but InvalidEvent."""
    with suppress(InvalidEvent):
        assert isinstance(decode(TradeIntent, _intent_json(**{name: value})), TradeIntent)


@given(json_values, json_values)
def test_a_tick_of_any_kind_is_taken_or_refused(tick_id: object, quote: object) -> None:
    """As for an intent."""
    with suppress(InvalidEvent):
        assert isinstance(decode(MarketTick, _tick_json(tick_id=tick_id, quote=quote)), MarketTick)
