"""The documents port over Firestore, in Native mode.

Nothing here is a transaction that reads: a commit is atomic by itself, and creates, increments and update-time
preconditions say all that the port promises, without locks that wait for each other.

A commit whose answer is lost may have been applied. It is made again: with a create or a version that was read in it,
it cannot be applied twice, and when the second try meets its own work, the documents say so. Only increments that stand
alone are never repeated.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from grpc import StatusCode

from withearth.cloud.channel import line_to
from withearth.cloud.faults import FAULTS, Service, detail_of, status_of, told
from withearth.cloud.patience import PATIENCE, Patience
from withearth.domain.errors import Contention, Misconfigured, Unavailable
from withearth.store import firestore_wire as wire
from withearth.store.indexes import INDEXES, Index
from withearth.store.port import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    InvalidDocument,
    Query,
    Ref,
    Replace,
    Stored,
    VersionMismatch,
    Write,
)
from withearth.store.query_rules import check_query, unordered
from withearth.store.values import check_amounts, check_document, check_ref, check_size, check_weight

DATABASE: Final = "(default)"
_NOT_APPLIED: Final = frozenset({StatusCode.ABORTED, StatusCode.RESOURCE_EXHAUSTED})
"""What says for sure that a commit changed nothing, and that it may be tried again."""
_CONFLICT: Final = frozenset({StatusCode.ALREADY_EXISTS, StatusCode.FAILED_PRECONDITION})

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class FirestoreStore:
    """Documents of one project's Firestore. `emulator` is its host:port, or empty for the service itself."""

    def __init__(
        self,
        project: str,
        *,
        emulator: str = "",
        indexes: Sequence[Index] = INDEXES,
        patience: Patience = PATIENCE,
    ) -> None:
        """Raises Misconfigured when this machine has no Google credentials. Nothing is sent yet."""
        self._database = f"projects/{project}/databases/{DATABASE}"
        self._indexes = indexes
        self._patience = patience
        self._service = Service(
            name="Firestore",
            api="firestore.googleapis.com",
            role="roles/datastore.user",
            project=project,
            missing=f"The project {project} has no Firestore database: correct PROJECT_ID, or make it with "
            "`terraform apply`.",
        )
        try:
            self._channel, along = line_to(emulator, FirestoreGrpcTransport.create_channel)
        except FAULTS as error:
            raise told(error, self._service) from error
        self._metadata = (*along, ("google-cloud-resource-prefix", self._database))
        self._client = FirestoreClient(transport=FirestoreGrpcTransport(channel=self._channel))

    def close(self) -> None:
        """Close the line."""
        self._channel.close()

    def get(self, ref: Ref) -> Stored | None:
        """The document, or None."""
        return self.get_many([ref])[0]

    def get_many(self, refs: Sequence[Ref]) -> list[Stored | None]:
        """One answer for each ref, in their order, read at one instant."""
        for ref in refs:
            check_ref(ref)
        if not refs:
            return []
        names = list(dict.fromkeys(wire.document_name(self._database, ref) for ref in refs))
        request = types.BatchGetDocumentsRequest(database=self._database, documents=names)
        answers = self._read(lambda: self._streamed(self._client.batch_get_documents, request))
        found = [wire.stored(each.found) for each in answers if each.HasField("found")]
        by_ref = {each.ref: each for each in found}
        return [by_ref.get(ref) for ref in refs]

    def commit(self, writes: Sequence[Write]) -> str:
        """Apply all writes or none, and return the version that the document of the first write now has.

        Raises AlreadyExists, VersionMismatch or InvalidDocument, and Unavailable when it is not known whether the
        writes were applied.
        """
        check_size(writes)
        for write in writes:
            _check(write)
        protos = [wire.write_proto(self._database, write) for write in writes]
        request = types.CommitRequest.wrap(types.CommitRequest.pb()(database=self._database, writes=protos))
        return self._committed(request, writes)

    def query(self, query: Query) -> list[Stored]:
        """The documents that match, in order."""
        check_query(query, self._indexes)
        asked = wire.structured_query(self._database, query)
        request = types.RunQueryRequest.wrap(
            types.RunQueryRequest.pb()(parent=f"{self._database}/documents", structured_query=asked)
        )
        answers = self._read(lambda: self._streamed(self._client.run_query, request))
        found = [wire.stored(each.document) for each in answers if each.HasField("document")]
        if query.order_by is not None and any(isinstance(each.data[query.order_by], list | dict) for each in found):
            raise unordered(query)
        return found

    def count(self, query: Query) -> int:
        """How many documents match, ignoring `limit` and `after`."""
        check_query(query, self._indexes)
        counted = Query(query.collection, query.where, query.order_by, query.direction, query.at_least, query.below)
        aggregation = types.StructuredAggregationQuery.pb()
        asked = aggregation(
            structured_query=wire.structured_query(self._database, counted),
            aggregations=[aggregation.Aggregation(count=aggregation.Aggregation.Count(), alias=wire.COUNTED)],
        )
        request = types.RunAggregationQueryRequest.wrap(
            types.RunAggregationQueryRequest.pb()(
                parent=f"{self._database}/documents", structured_aggregation_query=asked
            )
        )
        answers = self._read(lambda: self._streamed(self._client.run_aggregation_query, request))
        return sum(int(each.result.aggregate_fields[wire.COUNTED].integer_value) for each in answers)

    def _committed(self, request: types.CommitRequest, writes: Sequence[Write]) -> str:
        in_doubt = False
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._commit_once(request)
            except GoogleAPICallError as error:
                status, fault = status_of(error), error
            if in_doubt and _conflicts(status) and (ours := self._version_of_ours(writes)) is not None:
                return ours
            refused = self._refusal(status, fault, writes)
            if refused is not None:
                raise refused from fault
            in_doubt = in_doubt or status not in _NOT_APPLIED
            if in_doubt and not _may_be_repeated(writes):
                raise told(fault, self._service) from fault
            log.info("commit_repeated %s", status)
            if attempt < self._patience.attempts:
                self._patience.pause(attempt)
        if status is StatusCode.ABORTED and not in_doubt:
            raise Contention(f"{writes[0].ref} is being written by too many at once") from fault
        raise told(fault, self._service) from fault

    def _commit_once(self, request: types.CommitRequest) -> str:
        try:
            answer = types.CommitResponse.pb(
                self._client.commit(request, retry=None, timeout=self._patience.attempt_s, metadata=self._metadata)
            )
        except GoogleAuthError as error:
            raise told(error, self._service) from error
        # A write that changed nothing leaves the version as it was, so the commit's own time is not the answer.
        first = answer.write_results[0].update_time if answer.write_results else None
        return wire.version(first if first is not None and first.seconds else answer.commit_time)

    def _refusal(self, status: Any, fault: GoogleAPICallError, writes: Sequence[Write]) -> Exception | None:
        """What a commit is refused with for good, or None where it may be tried again."""
        where = ", ".join(str(write.ref) for write in writes if _is_guarded(write))
        if status is StatusCode.ALREADY_EXISTS:
            return AlreadyExists(f"{where} exists already")
        if _conflicts(status) or (status is StatusCode.NOT_FOUND and "database" not in detail_of(fault)):
            return VersionMismatch(f"{where} is not the version that was read")
        if status is StatusCode.INVALID_ARGUMENT:
            return InvalidDocument(f"Firestore refuses the documents: {detail_of(fault)}")
        final = told(fault, self._service)
        return None if isinstance(final, Unavailable) else final

    def _version_of_ours(self, writes: Sequence[Write]) -> str | None:
        """The version the first document has from a commit of ours whose answer was lost, None when it is not there.

        Every document that a guard let us write is as we wrote it: then it was us. A lease, an id or an instant in it
        makes what two processes write at once differ.
        """
        guarded = [write for write in writes if _is_guarded(write)]
        first, *found = self.get_many([writes[0].ref, *(write.ref for write in guarded)])
        if not all(map(_is_as_written, guarded, found)):
            return None
        return "" if first is None else first.version

    def _streamed(self, call: Callable[..., Any], request: Any) -> list[Any]:
        answers = call(request, retry=None, timeout=self._patience.attempt_s, metadata=self._metadata)
        return [type(each).pb(each) for each in answers]

    def _read(self, call: Callable[[], Result]) -> Result:
        """What a reading returns; it changes nothing, so it is repeated whatever became of it."""

        def once() -> Result:
            try:
                return call()
            except FAULTS as error:
                raise self._reading_fault(error) from error

        return self._patience.repeat(once)

    def _reading_fault(self, error: Exception) -> Exception:
        match status_of(error):
            case StatusCode.FAILED_PRECONDITION:
                return Misconfigured(
                    f"Firestore lacks an index in the project {self._service.project}, or is still building it: "
                    "`terraform apply` makes it, which may take some minutes."
                )
            case StatusCode.INVALID_ARGUMENT:
                return InvalidDocument(f"Firestore refuses the request: {detail_of(error)}")
            case _:
                return told(error, self._service)


def _check(write: Write) -> None:
    check_ref(write.ref)
    match write:
        case Create() | Replace():
            check_document(write.data)
            check_weight(write.data)
        case Increment():
            check_amounts(write.amounts)


def _conflicts(status: Any) -> bool:
    return status in _CONFLICT


def _is_guarded(write: Write) -> bool:
    """Whether the write cannot be applied twice."""
    match write:
        case Create():
            return True
        case Replace() | Delete():
            return write.if_version is not None
        case _:
            return False


def _may_be_repeated(writes: Sequence[Write]) -> bool:
    """Whether a second time changes nothing more: it is refused as a whole, or says the same again."""
    return any(map(_is_guarded, writes)) or not any(isinstance(write, Increment) for write in writes)


def _is_as_written(write: Write, found: Stored | None) -> bool:
    match write:
        case Create() | Replace():
            return found is not None and found.data == write.data
        case _:
            return found is None
