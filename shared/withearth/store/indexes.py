"""The indexes behind the queries this system makes, as data: SQLite and Firestore get theirs from this one list.

Firestore serves equality filters and single ordered fields by itself; equality together with an order needs a declared
composite index. Locally nothing would ask for one, so `missing` does: a query that works on a laptop has its index in
the cloud.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from withearth.store.port import Query


@dataclass(frozen=True, slots=True)
class Index:
    """One way to find documents of a collection: equal fields (sorted by name) first, then the ordered field."""

    collection: str
    equal: tuple[str, ...] = ()
    order_by: str | None = None
    direction: Literal["ascending", "descending"] = "ascending"

    @property
    def composite(self) -> bool:
        """Whether Firestore has to be told of it."""
        return bool(self.equal) and self.order_by is not None


INDEXES: Final = (
    Index("decisions", ("tick_id",)),
    Index("decisions", ("state",)),
    Index("decisions", ("symbol",), "decided_at", "descending"),
    Index("decisions", (), "decided_at", "descending"),
    Index("trades", ("status",)),
    Index("trades", ("status", "symbol")),
    Index("trades", ("status",), "closed_at"),
    Index("trades", ("status",), "closed_at", "descending"),
    Index("trades", (), "opened_at", "descending"),
    Index("labels", ("state",), "due_at"),
    Index("labels", ("state",), "as_of"),
    Index("events", (), "at", "descending"),
    Index("feed", (), "at", "descending"),
    Index("intents", ("state",)),
)


def needed(query: Query) -> Index:
    """The index that is made for `query`."""
    return Index(query.collection, tuple(sorted(query.where)), query.order_by, query.direction)


def missing(query: Query, indexes: Sequence[Index]) -> Index | None:
    """The composite index `query` needs in Firestore and `indexes` does not list, if there is one."""
    index = needed(query)
    return index if index.composite and index not in indexes else None
