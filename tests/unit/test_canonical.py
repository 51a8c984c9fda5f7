import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.canonical import canonical_json, digest
from withearth.domain.side import Side

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.dictionaries(
    texts,
    st.recursive(scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=10),
)


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    """At every depth."""
    assert canonical_json({"b": [1, {"d": None, "c": True}], "a": "x"}) == '{"a":"x","b":[1,{"c":true,"d":null}]}'


def test_text_stays_readable() -> None:
    """Letters of any script stand as themselves."""
    assert canonical_json({"지구": "흙"}) == '{"지구":"흙"}'


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2024, 1, 1, 0, 5, tzinfo=UTC), "2024-01-01T00:05:00Z"),
        (datetime(2024, 1, 1, 0, 5, 0, 250_000, tzinfo=UTC), "2024-01-01T00:05:00.250000Z"),
        (datetime(2024, 1, 1, 9, 5, tzinfo=timezone(timedelta(hours=9))), "2024-01-01T00:05:00Z"),
    ],
)
def test_an_instant_is_written_in_utc(at: datetime, text: str) -> None:
    """One instant has one text, whatever zone it came in."""
    assert f'"{text}"' == canonical_json(at)


def test_a_word_of_ours_is_its_code() -> None:
    """An enumeration is written as the text it is."""
    assert canonical_json([Side.LONG]) == '["long"]'


@pytest.mark.parametrize("value", [Decimal("1.0"), b"x", {1, 2}, object(), timedelta(1), 1j])
def test_what_a_document_cannot_hold_is_refused(value: object) -> None:
    """A decimal too: documents hold decimals as text that somebody wrote on purpose."""
    with pytest.raises(TypeError, match="does not belong in a document"):
        canonical_json({"value": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_know_is_refused(value: float) -> None:
    """NaN has no text that others could read."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([value])


@given(documents)
def test_what_was_written_reads_back_and_writes_the_same(document: dict[str, object]) -> None:
    """Export and import change nothing."""
    text = canonical_json(document)

    assert document == json.loads(text)
    assert text == canonical_json(json.loads(text))


@given(documents)
def test_the_order_of_keys_does_not_change_the_digest(document: dict[str, object]) -> None:
    """Two stores that return fields in their own order agree."""
    assert digest(document) == digest(dict(reversed(document.items())))


def test_the_digest_is_sha256_of_the_text() -> None:
    """Anybody can check it with a common tool."""
    assert hashlib.sha256(b'{"a":1}').hexdigest() == digest({"a": 1})


def test_another_document_has_another_digest() -> None:
    """1 and "1" are two things."""
    assert digest({"a": 1}) != digest({"a": "1"})
