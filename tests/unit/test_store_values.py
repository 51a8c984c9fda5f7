from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.store.port import DOCUMENT_BYTES_MAX, InvalidDocument, Ref
from withearth.store.values import check_ref, decode, encode

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: not name.startswith("__"))
# What names of 1500 bytes, and Firestore's own 50 bytes for them, leave for the fields.
FIELDS_BYTES = DOCUMENT_BYTES_MAX - 3_050
# Fixed offsets: Python holds two instants of a named zone for unequal around its clock changes, whatever we do.
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.binary(max_size=12)
    | st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001
)
MAPS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=4),
    lambda inner: st.dictionaries(NAMES, SCALARS | inner | st.lists(SCALARS | inner, max_size=3), max_size=4),
    max_leaves=8,
)


class Colour(StrEnum):
    """A code as the domain enumerates it."""

    RED = "red"


def nested(levels: int, innermost: Any = None) -> dict[str, Any]:
    """Maps inside maps, `levels` of them."""
    document: dict[str, Any] = {"innermost": innermost}
    for _ in range(levels - 1):
        document = {"deeper": document}
    return document


@given(MAPS)
def test_a_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    """Every value that can be kept is read back equal and of the same type."""
    text = encode(document)

    assert document == decode(text)
    assert text == encode(decode(text))


@given(MAPS)
def test_equal_documents_have_one_text_form(document: dict[str, Any]) -> None:
    """The order in which fields were set leaves no trace."""
    assert encode(document) == encode(dict(reversed(document.items())))


def test_an_instant_comes_back_in_utc() -> None:
    """Instants are kept to the microsecond, whatever zone they were given in."""
    seoul = datetime(2024, 1, 1, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))

    assert (
        datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=UTC).isoformat() == decode(encode({"at": seoul}))["at"].isoformat()
    )


def test_an_enumerated_code_is_kept_as_its_text() -> None:
    """A text that is also a member of an enumeration is read back as the text."""
    colour = decode(encode({"colour": Colour.RED}))["colour"]

    assert str is type(colour)
    assert colour == "red"


@pytest.mark.parametrize(
    ("document", "path", "why"),
    [
        ({"a": {"b": [1, [2]]}}, "a.b[1]", "list inside a list"),
        ({"a": [{"b": [[]]}]}, "a[0].b[0]", "list inside a list"),
        ({"a": {"__b__": 1}}, "a.__b__", "reserved"),
        ({"__bytes__": "00"}, "__bytes__", "reserved"),
        ({"a": {1: 2}}, "a", "field name is text, was 1"),
        ({"a": {"": 2}}, "a", "not empty"),
        ({"n" * 1501: 2}, "n" * 40, "1500 bytes"),
        ({"한" * 501: 2}, "한" * 40, "1500 bytes"),
        ({"a": float("nan")}, "a", "finite"),
        ({"a": [1.0, float("-inf")]}, "a[1]", "finite"),
        ({"a": 2**63}, "a", "64 bit"),
        ({"a": -(2**63) - 1}, "a", "64 bit"),
        ({"a": datetime(2024, 1, 1)}, "a", "time zone"),  # noqa: DTZ001 - that is the fault
        ({"a": {"b": Decimal("1.5")}}, "a.b", "Decimal is not a type"),
        ({"a": (1, 2)}, "a", "tuple is not a type"),
        ({"a": {1, 2}}, "a", "set is not a type"),
        ({"a": "\ud800"}, "a", "half a character"),
        ({"a": {"\ud800": 1}}, "a.?", "half a character"),
        (nested(21), "deeper.deeper", "20 deep"),
        (nested(20, [1]), "deeper.deeper", "20 deep"),
        ({"a": "x" * (FIELDS_BYTES - 2)}, "document", "bytes can be kept"),
        ({"a": [0] * (FIELDS_BYTES // 8 + 1)}, "document", "bytes can be kept"),
    ],
)
def test_what_no_adapter_can_keep_is_refused_by_its_path(document: Any, path: str, why: str) -> None:
    """A refusal names the field, so that its writer can find it."""
    with pytest.raises(InvalidDocument) as refusal:
        encode(document)

    assert str(refusal.value).startswith(path)
    assert why in str(refusal.value)


@pytest.mark.parametrize(
    "document",
    [
        {"a": "x" * (FIELDS_BYTES - 3)},
        {"a": [True] * (FIELDS_BYTES - 2)},
        {"a": b"x" * (FIELDS_BYTES - 2)},
        nested(20),
        {"__a": 1, "a__": 2},
    ],
    ids=["long text", "weight counts, not JSON", "nor hexadecimals", "20 deep", "half-reserved names"],
)
def test_the_limits_themselves_are_allowed(document: dict[str, Any]) -> None:
    """What lies just inside a limit is kept."""
    assert document == decode(encode(document))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "__a__", "a" * 1501, "한" * 501, "\ud800"])
@pytest.mark.parametrize(
    "ref", [lambda name: Ref("things", name), lambda name: Ref(name, "one")], ids=["id", "collection"]
)
def test_a_name_no_adapter_takes_is_refused(ref: Callable[[str], Ref], name: str) -> None:
    """Ids and collections are names that Firestore takes."""
    with pytest.raises(InvalidDocument):
        check_ref(ref(name))


@pytest.mark.parametrize("name", ["BTCUSDT-20240101T0005Z", "...", "a.b", "한글", "a" * 1500, "__a"])
def test_a_name_every_adapter_takes_is_accepted(name: str) -> None:
    """What Firestore takes as a name is taken."""
    check_ref(Ref(name, name))
