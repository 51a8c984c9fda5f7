"""What every adapter of the documents port promises about queries: Firestore's order, types and limits."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.documents import NOON, ids, keep
from withearth.store.port import Create, Delete, DocumentStore, InvalidDocument, Query, Ref


def test_without_an_order_documents_come_by_id(store: DocumentStore) -> None:
    """Ids sort by their bytes, and other collections stay out."""
    keep(store, b={}, a={}, B={}, 한={})
    store.commit([Create(Ref("others", "a"), {})])

    assert ids(store, Query("things")) == ["B", "a", "b", "한"]
    assert ids(store, Query("things", after=(None, "a"))) == ["b", "한"]
    assert ids(store, Query("things", limit=2)) == ["B", "a"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"kind": "x"}, ["a", "b"]),
        ({"kind": "x", "n": 1}, ["a"]),
        ({"n": 1}, ["a", "d"]),
        ({"n": True}, ["c"]),
        ({"kind": "1"}, []),
        ({"kind": ""}, []),
        ({"nothing": "x"}, []),
        ({"kind": '{"a":1}'}, []),
    ],
)
def test_equality_asks_for_value_and_type(store: DocumentStore, where: Any, expected: list[str]) -> None:
    """A boolean is no number, 1 is 1.0, and a missing field equals nothing."""
    keep(
        store,
        a={"kind": "x", "n": 1},
        b={"kind": "x", "n": 2},
        c={"n": True},
        d={"kind": 1, "n": 1.0},
        e={"kind": {"a": 1}},
    )

    assert expected == ids(store, Query("things", where))
    assert len(expected) == store.count(Query("things", where))


def test_an_order_leaves_out_what_lacks_the_field(store: DocumentStore) -> None:
    """A document without the field is not there; one whose field is null comes first."""
    keep(store, a={"at": NOON}, b={}, c={"at": None}, d={"at": NOON - timedelta(days=30_000)})

    assert ids(store, Query("things", order_by="at")) == ["c", "d", "a"]
    assert store.count(Query("things", order_by="at")) == 3


def test_instants_sort_as_instants(store: DocumentStore) -> None:
    """Neither their digits nor the time zone they were given in matter."""
    offsets = [0, 1, 999_999, 1_000_000, 10**15, -1, -(10**15)]
    keep(store, **{f"{at:+}": {"at": NOON + timedelta(microseconds=at)} for at in offsets})

    assert [f"{at:+}" for at in sorted(offsets)] == ids(store, Query("things", order_by="at"))


def test_types_sort_in_firestores_order(store: DocumentStore) -> None:
    """Null, booleans, numbers, instants, texts, bytes: a mixed field is sorted by type first."""
    values = [None, False, True, -1.5, 1, 2.5, 2**53, NOON, "", "a", b"", b"\x00", b"a"]
    keep(store, **{f"{place:02}": {"at": value} for place, value in enumerate(reversed(values))})

    ascending = store.query(Query("things", order_by="at"))
    descending = store.query(Query("things", order_by="at", direction="descending"))

    assert values == [stored.data["at"] for stored in ascending]
    assert values[::-1] == [stored.data["at"] for stored in descending]


def test_what_has_no_order_is_refused(store: DocumentStore) -> None:
    """Lists and maps in an ordered field are told, not sorted by guess."""
    keep(store, a={"at": 1}, b={"at": [1]})

    with pytest.raises(InvalidDocument, match=r"things\.at"):
        store.query(Query("things", order_by="at"))


def test_a_range_takes_its_start_and_leaves_its_end(store: DocumentStore) -> None:
    """at_least ≤ value < below, within the type of the bounds."""
    keep(
        store, a={"at": NOON}, b={"at": NOON + timedelta(1)}, c={"at": NOON + timedelta(2)}, d={"at": 5}, e={"at": "x"}
    )

    assert ids(store, Query("things", order_by="at", at_least=NOON, below=NOON + timedelta(2))) == ["a", "b"]
    assert ids(store, Query("things", order_by="at", at_least=NOON + timedelta(seconds=1))) == ["b", "c"]
    assert ids(store, Query("things", order_by="at", below=6)) == ["d"]
    assert store.count(Query("things", order_by="at", at_least=NOON, below=NOON + timedelta(2), limit=1)) == 2


def test_filters_order_and_limit_work_together(store: DocumentStore) -> None:
    """The newest of one kind come first, ties by id in the same direction."""
    keep(
        store,
        a={"kind": "x", "at": NOON},
        b={"kind": "x", "at": NOON},
        c={"kind": "y", "at": NOON},
        d={"kind": "x", "at": 1},
    )
    query = Query("things", {"kind": "x"}, "at", "descending", limit=2)

    assert ids(store, query) == ["b", "a"]
    assert store.count(query) == 3


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.sampled_from([None, True, 0, 0.1, 0.1 + 0.2, 1, NOON, NOON + timedelta(microseconds=1), "", "a", b"a"]),
        max_size=9,
    ),
    direction=st.sampled_from(["ascending", "descending"]),
    size=st.integers(1, 4),
)
def test_pages_cover_everything_once(store: DocumentStore, values: list[Any], direction: Any, size: int) -> None:
    """Page by page, each from the last document of the one before, equals the whole."""
    store.commit([Delete(stored.ref) for stored in store.query(Query("things"))])
    keep(store, **{f"{place}": {"kind": "x", "at": value} for place, value in enumerate(values)})
    whole = ids(store, Query("things", {"kind": "x"}, "at", direction))
    pages: list[str] = []
    after = None
    while page := store.query(Query("things", {"kind": "x"}, "at", direction, after=after, limit=size)):
        pages += [stored.ref.id for stored in page]
        after = (page[-1].data["at"], page[-1].ref.id)

    assert len(values) == len(whole)
    assert whole == pages


@pytest.mark.parametrize(
    "query",
    [
        Query(""),
        Query("a/b"),
        Query("things", {"a.b": 1}),
        Query("things", {"n": 1.5}),  # type: ignore[dict-item]
        Query("things", {"n": 2**63}),
        Query("things", {"__n__": 1}),
        Query("things", order_by=""),
        Query("things", order_by="at') --"),
        Query("things", at_least=1),
        Query("things", below=1),
        Query("things", direction="descending"),
        Query("things", order_by="at", at_least=1, below=NOON),
        Query("things", order_by="at", at_least=[1]),
        Query("things", order_by="at", at_least=datetime(2024, 1, 1)),  # noqa: DTZ001 - that is the fault
        Query("things", order_by="at", after=({}, "a")),
        Query("things", limit=0),
    ],
    ids=repr,
)
def test_a_query_no_adapter_can_answer_is_refused(store: DocumentStore, query: Query) -> None:
    """What one adapter cannot answer is refused by all, before anything is read."""
    with pytest.raises(InvalidDocument):
        store.query(query)


def test_a_query_without_its_index_is_refused(store: DocumentStore) -> None:
    """Equality with an order needs a composite index in Firestore: it is asked for locally too, by name."""
    with pytest.raises(InvalidDocument, match=r"index.*'things'.*'size'.*'at'"):
        store.query(Query("things", {"size": 1}, "at"))
