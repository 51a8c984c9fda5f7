"""What every adapter of the documents port promises about documents and commits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.builders.documents import NOON, A, B, data, keep, version
from withearth.domain.errors import Contention
from withearth.store.port import (
    COMMIT_WRITES_MAX,
    AlreadyExists,
    Create,
    Delete,
    DocumentStore,
    Increment,
    InvalidDocument,
    Query,
    Ref,
    Replace,
    VersionMismatch,
    Write,
)

THREADS: Final = 8

# Documents


def test_a_document_that_was_never_written_is_none(store: DocumentStore) -> None:
    """Nothing is told apart from an empty document."""
    keep(store, b={})

    assert store.get(A) is None
    assert data(store, B) == {}


def test_every_type_is_read_back_as_it_was_written(store: DocumentStore) -> None:
    """The types the port names survive storage."""
    document = {
        "none": None,
        "bool": True,
        "int": -(2**63),
        "float": 0.1 + 0.2,
        "text": 'ㄱ "quoted" \x00',
        "bytes": b"\x00\xff",
        "at": NOON + timedelta(microseconds=1),
        "list": [1, 1.0, "x", {"deep": [NOON]}],
        "map": {"BTC.USDT": {"a b": 1}},
    }
    store.commit([Create(A, document)])

    assert document == data(store, A)
    assert [int, float, str, dict] == [type(item) for item in data(store, A)["list"]]


def test_create_takes_only_a_free_place(store: DocumentStore) -> None:
    """A document is created once, and the first one stays."""
    store.commit([Create(A, {"by": "first"})])

    with pytest.raises(AlreadyExists):
        store.commit([Create(A, {"by": "second"})])
    assert data(store, A) == {"by": "first"}


def test_a_deleted_document_can_be_created_again(store: DocumentStore) -> None:
    """Create asks about the present, not about the past."""
    store.commit([Create(A, {"n": 1})])
    store.commit([Delete(A)])
    store.commit([Create(A, {"n": 2})])

    assert data(store, A) == {"n": 2}


def test_replace_without_a_version_writes_whatever_is_there(store: DocumentStore) -> None:
    """The whole document is exchanged: no field of the old one stays."""
    store.commit([Replace(A, {"old": 1})])
    store.commit([Replace(A, {"new": 2})])

    assert data(store, A) == {"new": 2}


def test_replace_takes_the_version_that_was_read(store: DocumentStore) -> None:
    """A version is good for one write."""
    keep(store, a={"n": 1})
    read = version(store, A)
    store.commit([Replace(A, {"n": 2}, read)])

    with pytest.raises(VersionMismatch):
        store.commit([Replace(A, {"n": 3}, read)])
    assert data(store, A) == {"n": 2}


@pytest.mark.parametrize("write", [Replace(A, {}, "1"), Delete(A, "1")])
def test_a_version_of_nothing_does_not_match(store: DocumentStore, write: Write) -> None:
    """A conditional write to a document that is gone is refused, as contention."""
    with pytest.raises(Contention):
        store.commit([write])
    assert store.get(A) is None


def test_a_version_never_comes_back(store: DocumentStore) -> None:
    """Equal content after a deletion is another document."""
    keep(store, a={"n": 1})
    read = version(store, A)
    store.commit([Delete(A)])
    keep(store, a={"n": 1})

    with pytest.raises(VersionMismatch):
        store.commit([Replace(A, {"n": 2}, read)])


@pytest.mark.parametrize("again", [{"n": 1}, {"n": 2}], ids=["the same", "another"])
def test_the_version_of_a_commit_is_good_for_the_next_one(store: DocumentStore, again: Any) -> None:
    """Who wrote goes on without reading, also where the write changed nothing."""
    first = store.commit([Create(A, {"n": 1})])
    second = store.commit([Replace(A, again, first), Increment(B, {"n": 1})])
    store.commit([Replace(A, {"n": 3}, second)])

    assert data(store, A) == {"n": 3}


def test_increments_change_the_version(store: DocumentStore) -> None:
    """Who read before an increment cannot overwrite it."""
    keep(store, a={"n": 1})
    read = version(store, A)
    store.commit([Increment(A, {"n": 1})])

    with pytest.raises(VersionMismatch):
        store.commit([Replace(A, {"n": 2}, read)])


def test_delete_takes_the_version_that_was_read(store: DocumentStore) -> None:
    """A document that changed since is not deleted; deleting nothing is allowed when no version is asked."""
    keep(store, a={"n": 1})
    read = version(store, A)
    keep(store, a={"n": 2})

    with pytest.raises(VersionMismatch):
        store.commit([Delete(A, read)])
    store.commit([Delete(A, version(store, A))])
    store.commit([Delete(A)])
    assert store.get(A) is None


def test_increments_add_to_what_is_there(store: DocumentStore) -> None:
    """A missing document and a missing field count as 0; other fields stay."""
    store.commit([Increment(A, {"n": 2})])
    keep(store, b={"n": 5, "name": "b"})
    store.commit([Increment(B, {"n": -7, "m": 1})])

    assert data(store, A) == {"n": 2}
    assert data(store, B) == {"n": -2, "m": 1, "name": "b"}


def test_get_many_answers_in_the_order_asked(store: DocumentStore) -> None:
    """One answer for each ref, also for refs asked twice and for documents that are not there."""
    keep(store, a={"n": 1}, b={"n": 2})
    answers = store.get_many([B, Ref("things", "none"), A, B])

    assert [answer and answer.data for answer in answers] == [{"n": 2}, None, {"n": 1}, {"n": 2}]


# Commits


@pytest.mark.parametrize(
    "failing",
    [Create(B, {}), Replace(B, {}, "0"), Delete(B, "0"), Replace(B, {"n": [[]]}), Replace(Ref("things", "a/b"), {})],
)
def test_a_commit_applies_all_or_nothing(store: DocumentStore, failing: Write) -> None:
    """Whatever makes one write fail undoes the others."""
    keep(store, b={"n": 1})

    with pytest.raises((AlreadyExists, VersionMismatch, InvalidDocument)):
        store.commit([Create(A, {}), Increment(B, {"n": 1}), failing])
    assert store.get(A) is None
    assert data(store, B) == {"n": 1}


def test_a_commit_holds_500_writes_and_no_more(store: DocumentStore) -> None:
    """The limit is Firestore's."""
    writes = [Create(Ref("things", f"{number:03}"), {"n": number}) for number in range(COMMIT_WRITES_MAX)]
    store.commit(writes)

    assert store.count(Query("things")) == COMMIT_WRITES_MAX
    with pytest.raises(InvalidDocument):
        store.commit([*writes, Create(A, {})])


def test_an_empty_commit_changes_nothing(store: DocumentStore) -> None:
    """There may be nothing to write."""
    store.commit([])

    assert store.count(Query("things")) == 0


@pytest.mark.parametrize(
    "amounts", [{"n": 1.5}, {"n": True}, {"n": 2**63}, {"__n__": 1}], ids=["float", "bool", "65 bit", "reserved"]
)
def test_an_increment_by_no_integer_is_refused(store: DocumentStore, amounts: Any) -> None:
    """Counters stay integers."""
    with pytest.raises(InvalidDocument):
        store.commit([Increment(A, amounts)])
    assert store.get(A) is None


# Races


def test_one_of_many_creators_wins(store: DocumentStore) -> None:
    """A claim is taken once, however many try at the same moment."""

    def claim(number: int) -> bool:
        try:
            store.commit([Create(A, {"by": number})])
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        winners = [number for number, won in enumerate(pool.map(claim, range(THREADS))) if won]

    assert [data(store, A)["by"]] == winners


def test_no_compare_and_set_is_lost(store: DocumentStore) -> None:
    """Eight threads that read and write back count every step."""
    keep(store, a={"n": 0})

    def step(_: int) -> None:
        while True:
            stored = store.get(A)
            assert stored is not None
            try:
                store.commit([Replace(A, {"n": stored.data["n"] + 1}, stored.version)])
            except VersionMismatch:
                continue
            return

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(step, range(THREADS * 10)))

    assert data(store, A)["n"] == THREADS * 10


def test_no_increment_is_lost(store: DocumentStore) -> None:
    """Increments from eight threads add up."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: store.commit([Increment(A, {"n": 1})]), range(THREADS * 10)))

    assert data(store, A)["n"] == THREADS * 10


# Firestore's emulator reads one document after the other while commits go on; the service does not. What makes it read
# them together, one request, is held in `test_firestore_requests`.
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_get_many_reads_one_instant(store: DocumentStore) -> None:
    """Documents that change together are never seen apart."""
    keep(store, a={"n": 0}, b={"n": 0})

    def write(number: int) -> None:
        keep(store, a={"n": number}, b={"n": number})

    with ThreadPoolExecutor(2) as pool:
        writing = pool.map(write, range(100))
        seen = [store.get_many([A, B]) for _ in range(100)]
        list(writing)

    assert all(a is not None and b is not None and a.data == b.data for a, b in seen)
