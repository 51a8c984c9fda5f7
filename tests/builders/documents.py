"""Documents of the collection `things`, written and read in few words."""

from datetime import UTC, datetime
from typing import Any, Final

from withearth.store.port import DocumentStore, Query, Ref, Replace

A: Final = Ref("things", "a")
B: Final = Ref("things", "b")
NOON: Final = datetime(2024, 1, 1, 12, tzinfo=UTC)


def data(store: DocumentStore, ref: Ref) -> Any:
    """The document's fields, or None."""
    stored = store.get(ref)
    return None if stored is None else stored.data


def version(store: DocumentStore, ref: Ref) -> str:
    """The version of a document that is there."""
    stored = store.get(ref)
    assert stored is not None
    return stored.version


def keep(store: DocumentStore, **documents: Any) -> None:
    """Write documents of `things` by their ids."""
    store.commit([Replace(Ref("things", name), document) for name, document in documents.items()])


def ids(store: DocumentStore, query: Query) -> list[str]:
    """The ids a query answers, in order."""
    return [stored.ref.id for stored in store.query(query)]
