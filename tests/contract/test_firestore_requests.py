"""What goes over the wire to Firestore, through Google's own client, and what becomes of every fault there."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from tests.builders.documents import NOON, A, B
from tests.contract.conftest import INDEXES
from tests.fakes.google_server import FIRESTORE, Failure, GoogleServer, Method, serving
from withearth.cloud.patience import Patience
from withearth.domain.errors import Contention, Misconfigured, Unavailable
from withearth.messaging.pubsub import PubSubPublisher
from withearth.store.firestore import FirestoreStore
from withearth.store.firestore_wire import stored, version, write_proto
from withearth.store.port import (
    AlreadyExists,
    Create,
    Delete,
    Document,
    Increment,
    InvalidDocument,
    Query,
    Ref,
    Replace,
    VersionMismatch,
    Write,
)
from withearth.store.values import to_us

COMMIT: Final = f"{FIRESTORE}Commit"
GET: Final = f"{FIRESTORE}BatchGetDocuments"
QUERY: Final = f"{FIRESTORE}RunQuery"
COUNT: Final = f"{FIRESTORE}RunAggregationQuery"
DATABASE: Final = "projects/demo/databases/(default)"
ATTEMPTS: Final = 6
COMMITTED: Final = Timestamp(seconds=to_us(NOON) // 10**6, nanos=5_000)
VERSION: Final = version(COMMITTED)


@dataclass
class Line:
    """A store on a recording server, whose documents are `documents`; it waits without waiting."""

    server: GoogleServer
    store: FirestoreStore
    documents: dict[str, Document]
    pauses: list[float] = field(default_factory=list)

    def sent(self, write: Write) -> Any:
        """The one write of the one commit that goes out for `write`."""
        self.store.commit([write])
        (request,) = self.server.requests(COMMIT)
        (found,) = types.CommitRequest.pb(request).writes
        return found


@pytest.fixture
def line() -> Iterator[Line]:
    """A store on a recording server."""
    documents: dict[str, Document] = {}

    def get(request: Any) -> Iterator[Any]:
        for name in request.documents:
            ref = Ref(*name.rsplit("/", 2)[1:])
            if str(ref) in documents:
                made = write_proto(DATABASE, Create(ref, documents[str(ref)])).update
                made.update_time.CopyFrom(COMMITTED)
                found = types.Document.wrap(made)
                yield types.BatchGetDocumentsResponse(found=found, read_time=NOON)
            else:
                yield types.BatchGetDocumentsResponse(missing=name, read_time=NOON)

    def commit(request: Any) -> Any:
        reply = types.CommitResponse.pb()(commit_time=COMMITTED)
        for _ in request.writes:
            reply.write_results.add().update_time.CopyFrom(COMMITTED)
        return types.CommitResponse.wrap(reply)

    def query(_: Any) -> Iterator[Any]:
        yield types.RunQueryResponse(read_time=NOON)

    def count(_: Any) -> Iterator[Any]:
        result = types.AggregationResult(aggregate_fields={"n": types.Value(integer_value=3)})
        yield types.RunAggregationQueryResponse(result=result)

    server = GoogleServer(
        {
            COMMIT: Method(types.CommitRequest, types.CommitResponse, commit),
            GET: Method(types.BatchGetDocumentsRequest, types.BatchGetDocumentsResponse, get),
            QUERY: Method(types.RunQueryRequest, types.RunQueryResponse, query),
            COUNT: Method(types.RunAggregationQueryRequest, types.RunAggregationQueryResponse, count),
        }
    )
    pauses: list[float] = []
    patience = Patience(attempts=ATTEMPTS, sleep=pauses.append, chance=lambda: 1.0)
    with (
        serving(server) as address,
        closing(FirestoreStore("demo", emulator=address, indexes=INDEXES, patience=patience)) as store,
    ):
        yield Line(server, store, documents, pauses)


# Requests


def test_a_create_asks_that_nothing_is_there(line: Line) -> None:
    """The whole document, under the condition that it does not exist."""
    write = line.sent(Create(A, {"n": 1}))

    assert f"{DATABASE}/documents/things/a" == write.update.name
    assert not write.current_document.exists
    assert write.current_document.WhichOneof("condition_type") == "exists"
    assert not write.HasField("update_mask")


def test_a_version_is_an_update_time(line: Line) -> None:
    """Compare-and-set, to the nanosecond, over the whole document."""
    replaced = line.sent(Replace(A, {"n": 1}, "1704110400.000005001"))

    assert Timestamp(seconds=1704110400, nanos=5_001) == replaced.current_document.update_time
    assert not replaced.HasField("update_mask")


def test_a_write_without_a_version_has_no_condition(line: Line) -> None:
    """Whatever is there."""
    assert not line.sent(Replace(A, {})).HasField("current_document")


def test_a_delete_takes_its_version(line: Line) -> None:
    """The document that was read, and no other."""
    write = line.sent(Delete(A, "7.000000000"))

    assert f"{DATABASE}/documents/things/a" == write.delete
    assert Timestamp(seconds=7) == write.current_document.update_time


def test_an_increment_is_a_transform_that_touches_nothing_else(line: Line) -> None:
    """An empty mask, and the fields' names as paths, in quotes where they are no plain words."""
    write = line.sent(Increment(A, {"n": 2, "BTC.USDT": -1, "a`b": 1}))

    assert write.HasField("update_mask")
    assert [] == list(write.update_mask.field_paths)
    assert {} == dict(write.update.fields)
    assert [("n", 2), ("`BTC.USDT`", -1), ("`a\\`b`", 1)] == [
        (each.field_path, each.increment.integer_value) for each in write.update_transforms
    ]


def test_a_query_is_one_structured_query(line: Line) -> None:
    """Filters, range, order with the id as the last key, cursor and limit."""
    after = (NOON, "x")
    line.store.query(Query("things", {"kind": "x"}, "at", "descending", at_least=NOON, after=after, limit=5))

    (request,) = line.server.requests(QUERY)
    asked = types.RunQueryRequest.pb(request).structured_query
    compared = [
        (each.field_filter.field.field_path, each.field_filter.op) for each in asked.where.composite_filter.filters
    ]
    assert [("kind", types.StructuredQuery.FieldFilter.Operator.EQUAL), ("at", 4)] == compared
    assert [("at", 2), ("__name__", 2)] == [(each.field.field_path, each.direction) for each in asked.order_by]
    assert f"{DATABASE}/documents/things/x" == asked.start_at.values[1].reference_value
    assert not asked.start_at.before
    assert 5 == asked.limit.value


def test_documents_that_are_read_together_are_one_request(line: Line) -> None:
    """Each name once: of one answer the API says that what came first has not changed when the last was read."""
    line.store.get_many([A, B, A])

    (request,) = line.server.requests(GET)
    names = [f"{DATABASE}/documents/things/{each}" for each in "ab"]
    assert names == list(types.BatchGetDocumentsRequest.pb(request).documents)


def test_a_count_ignores_page_and_limit(line: Line) -> None:
    """Firestore counts, and sends the number only."""
    assert 3 == line.store.count(Query("things", {"kind": "x"}, after=(None, "x"), limit=1))
    (request,) = line.server.requests(COUNT)
    asked = types.RunAggregationQueryRequest.pb(request).structured_aggregation_query.structured_query
    assert not asked.HasField("limit")
    assert not asked.HasField("start_at")


def test_every_call_names_its_database(line: Line) -> None:
    """By which Google routes it, and by which an emulator lets it pass its rules."""
    line.store.get(A)

    (sent,) = line.server.metadata
    assert (DATABASE, "Bearer owner") == (sent["google-cloud-resource-prefix"], sent["authorization"])


def test_what_the_port_does_not_know_is_told() -> None:
    """A place on the map, put in by hand in the console, is not read as something else."""
    document = types.Document(name=f"{DATABASE}/documents/things/a", fields={"at": types.Value(geo_point_value={})})

    with pytest.raises(InvalidDocument, match=r"things/a\.at: geo_point_value"):
        stored(types.Document.pb(document))


# Faults of a commit


def test_an_aborted_commit_is_tried_again_with_longer_waits(line: Line) -> None:
    """ABORTED has changed nothing."""
    line.server.fail(COMMIT, *[StatusCode.ABORTED] * 3)

    assert VERSION == line.store.commit([Increment(A, {"n": 1})])
    assert 4 == len(line.server.requests(COMMIT))
    assert [0.05, 0.1, 0.2] == line.pauses


def test_contention_without_end_is_contention(line: Line) -> None:
    """The caller delivers again; nobody waits for ever."""
    line.server.fail(COMMIT, *[StatusCode.ABORTED] * ATTEMPTS)

    with pytest.raises(Contention, match="things/a is being written"):
        line.store.commit([Create(A, {})])
    assert ATTEMPTS == len(line.server.requests(COMMIT))


@pytest.mark.parametrize("status", [StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.INTERNAL])
def test_a_commit_whose_answer_was_lost_knows_its_own_work(line: Line, status: StatusCode) -> None:
    """The second try meets the document of the first: it is as we wrote it, so it was us."""
    line.documents["things/a"] = {"lease_until": NOON}
    line.server.fail(COMMIT, status, StatusCode.ALREADY_EXISTS)

    assert VERSION == line.store.commit([Create(A, {"lease_until": NOON}), Increment(B, {"n": 1})])


@pytest.mark.parametrize(
    ("write", "conflict", "error"),
    [
        (Create(A, {"by": "us"}), StatusCode.ALREADY_EXISTS, AlreadyExists),
        (Replace(A, {"by": "us"}, "1.0"), StatusCode.FAILED_PRECONDITION, VersionMismatch),
        (Replace(A, {"by": "us"}, "1.0"), StatusCode.NOT_FOUND, VersionMismatch),
        (Delete(A, "1.0"), StatusCode.FAILED_PRECONDITION, VersionMismatch),
    ],
    ids=["create", "replace", "gone", "delete"],
)
@pytest.mark.parametrize("before", [[], [StatusCode.UNAVAILABLE]], ids=["at once", "after a lost answer"])
def test_another_ones_work_is_not_taken_for_ours(
    line: Line, write: Write, conflict: StatusCode, error: type[Exception], before: list[StatusCode]
) -> None:
    """A document that is not what we wrote is a refusal, first or second try."""
    line.documents["things/a"] = {"by": "them"}
    line.server.fail(COMMIT, *before, conflict)

    with pytest.raises(error, match="things/a"):
        line.store.commit([write])


def test_without_a_lost_answer_nothing_is_taken_for_ours(line: Line) -> None:
    """The same content, written by another: the first try that is refused was not us."""
    line.documents["things/a"] = {"n": 1}
    line.server.fail(COMMIT, StatusCode.ALREADY_EXISTS)

    with pytest.raises(AlreadyExists):
        line.store.commit([Create(A, {"n": 1})])
    assert [] == line.server.requests(GET)


def test_a_bare_increment_is_never_sent_twice(line: Line) -> None:
    """It may have been added: the caller hears that nobody knows."""
    line.server.fail(COMMIT, StatusCode.UNAVAILABLE)

    with pytest.raises(Unavailable, match="UNAVAILABLE"):
        line.store.commit([Increment(A, {"n": 1}), Replace(B, {})])
    assert 1 == len(line.server.requests(COMMIT))


def test_what_may_be_said_twice_is_said_again(line: Line) -> None:
    """A replacement of whatever is there, a thing deleted: the second time changes nothing more."""
    line.server.fail(COMMIT, StatusCode.UNAVAILABLE)
    line.store.commit([Replace(A, {}), Delete(B)])

    assert 2 == len(line.server.requests(COMMIT))


@pytest.mark.parametrize("status", [StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED])
def test_patience_ends(line: Line, status: StatusCode) -> None:
    """After six calls the caller hears of it, as something that may succeed later."""
    line.server.fail(COMMIT, *[status] * ATTEMPTS)

    with pytest.raises(Unavailable):
        line.store.commit([Create(A, {})])
    assert ATTEMPTS == len(line.server.requests(COMMIT))


# Faults of a reading


def test_a_reading_is_repeated(line: Line) -> None:
    """It changes nothing."""
    line.documents["things/a"] = {"n": 1}
    line.server.fail(GET, StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.ABORTED)

    found = line.store.get(A)

    assert found is not None
    assert {"n": 1} == found.data


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        (Failure(StatusCode.PERMISSION_DENIED), Misconfigured, r"demo.*roles/datastore\.user"),
        (
            Failure(StatusCode.PERMISSION_DENIED, reason="SERVICE_DISABLED"),
            Misconfigured,
            r"gcloud services enable firestore\.googleapis\.com --project demo",
        ),
        (Failure(StatusCode.UNAUTHENTICATED), Misconfigured, r"gcloud auth application-default login"),
        (
            Failure(StatusCode.NOT_FOUND, "The database (default) does not exist"),
            Misconfigured,
            r"project demo has no Firestore database: correct PROJECT_ID, or make it with `terraform apply`",
        ),
        (Failure(StatusCode.FAILED_PRECONDITION, "The query requires an index."), Misconfigured, "lacks an index"),
        (Failure(StatusCode.INVALID_ARGUMENT, "no"), InvalidDocument, "refuses the request: no"),
        *((Failure(status), Unavailable, "Firestore") for status in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED)),
        (Failure(StatusCode.RESOURCE_EXHAUSTED, "reads per day"), Unavailable, r"quota.*demo.*reads per day"),
        (Failure(StatusCode.DEADLINE_EXCEEDED), Unavailable, "did not answer"),
    ],
    ids=str,
)
def test_a_fault_is_a_sentence_with_its_remedy(
    line: Line, failure: Failure, error: type[Exception], words: str
) -> None:
    """Retryable where it may pass by itself, and a person's business where not."""
    line.server.fail(QUERY, *[failure] * ATTEMPTS)

    with pytest.raises(error, match=words) as told:
        line.store.query(Query("things"))
    assert "\n" not in str(told.value)
    assert (ATTEMPTS if error is Unavailable else 1) == len(line.server.requests(QUERY))


def test_a_commit_to_a_missing_database_is_a_setting(line: Line) -> None:
    """Not contention, which would be delivered again and again."""
    line.server.fail(COMMIT, Failure(StatusCode.NOT_FOUND, "The database (default) does not exist for project demo"))

    with pytest.raises(Misconfigured, match="PROJECT_ID"):
        line.store.commit([Replace(A, {}, "1.0")])


def test_a_store_that_is_gone_is_unavailable() -> None:
    """Nobody listens there: told after the last try, as something that may be mended by itself."""
    patience = Patience(attempts=2, sleep=lambda _: None)
    with closing(FirestoreStore("demo", emulator="127.0.0.1:9", patience=patience)) as store:
        with pytest.raises(Unavailable, match="Firestore did not answer"):
            store.get(A)
        with pytest.raises(Unavailable, match="Firestore did not answer"):
            store.commit([Create(A, {})])


@pytest.mark.parametrize("adapter", [FirestoreStore, PubSubPublisher])
def test_a_machine_without_credentials_is_told(monkeypatch: pytest.MonkeyPatch, adapter: Any) -> None:
    """Before anything is sent, with the command that makes some."""

    def none(*_: Any, **__: Any) -> None:
        raise DefaultCredentialsError("none")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(Misconfigured, match="gcloud auth application-default login"):
        adapter("demo")
