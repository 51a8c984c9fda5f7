"""The documents port: what the system keeps, in the shape Firestore and SQLite can both promise.

A document is a mapping of field names to values. Values are None, bool, int (64 bit), finite float, str, bytes,
aware datetime (microseconds), list and dict with str keys. Refused by every adapter, because one of them would:
lists inside lists, field names like `__x__`, ids that are empty or hold `/`, documents above 1 MiB.

Single documents change by `Create`, `Increment`, or `Replace` with the version that was read. Several writes of one
`commit` succeed or fail together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from withearth.domain.errors import Contention, WithEarthError

Document = Mapping[str, Any]

COMMIT_WRITES_MAX: Final = 500
DOCUMENT_BYTES_MAX: Final = 1_048_576


class AlreadyExists(WithEarthError):
    """A `Create` met a document that is there already."""


class VersionMismatch(Contention):
    """A `Replace` or `Delete` met another version than the one that was read, or no document."""


class InvalidDocument(WithEarthError, ValueError):
    """A document, an id or a query that no adapter may accept."""


@dataclass(frozen=True, slots=True)
class Ref:
    """The address of a document."""

    collection: str
    id: str

    def __str__(self) -> str:
        return f"{self.collection}/{self.id}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it was read. `version` is opaque: hand it back to write only what was read."""

    ref: Ref
    data: Document
    version: str


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist yet."""

    ref: Ref
    data: Document


@dataclass(frozen=True, slots=True)
class Replace:
    """Write the whole document: over the given version only, or whatever is there when `if_version` is None."""

    ref: Ref
    data: Document
    if_version: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document: the given version only, or whatever is there (also nothing) when `if_version` is None."""

    ref: Ref
    if_version: str | None = None


@dataclass(frozen=True, slots=True)
class Increment:
    """Add integers to top-level fields. A missing document or field counts as 0; other fields stay as they are.

    A commit whose answer is lost is made again where another write of it is guarded. That one changes its document, or
    the increment could be added twice: a version outlives a write that says what is there already.
    """

    ref: Ref
    amounts: Mapping[str, int]


Write = Create | Replace | Delete | Increment


def write_over(ref: Ref, data: Document, version: str | None) -> Create | Replace:
    """Write over the version that was read, or as the first word where nothing was there (`version` is None)."""
    return Create(ref, data) if version is None else Replace(ref, data, version)


def version_of(stored: Stored | None) -> str | None:
    """The version that was read, None where nothing was there."""
    return None if stored is None else stored.version


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection: equality filters, at most one range field, one order, a limit, a cursor.

    `order_by` is a top-level field; documents that lack it are left out, ties follow the document id in the same
    direction. `at_least`, `below` and `after` apply to `order_by`: at_least ≤ value < below; `after` is the
    (value, id) of the last document of the page before. Without `order_by`, documents come in id order.
    """

    collection: str
    where: Mapping[str, str | int | bool] = field(default_factory=dict)
    order_by: str | None = None
    direction: Literal["ascending", "descending"] = "ascending"
    at_least: Any = None
    below: Any = None
    after: tuple[Any, str] | None = None
    limit: int | None = None


class DocumentStore(Protocol):
    """Durable documents. Raises Unavailable when the backend does not answer; the call may then be repeated."""

    def get(self, ref: Ref) -> Stored | None:
        """The document, or None."""
        ...

    def get_many(self, refs: Sequence[Ref]) -> list[Stored | None]:
        """One answer for each ref, in their order, read at one instant."""
        ...

    def commit(self, writes: Sequence[Write]) -> str:
        """Apply all writes or none, and return the version that the document of the first write now has.

        Raises AlreadyExists, VersionMismatch or InvalidDocument, and Unavailable when it is not known whether the
        writes were applied: what must not happen twice is created, or replaces a version that was read.
        """
        ...

    def query(self, query: Query) -> list[Stored]:
        """The documents that match, in order."""
        ...

    def count(self, query: Query) -> int:
        """How many documents match, ignoring `limit` and `after`."""
        ...
