"""Which queries every adapter can answer, and the order of the types in a field that is ordered by."""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from withearth.store.indexes import Index, missing
from withearth.store.port import InvalidDocument, Query
from withearth.store.values import check_document, check_id

_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Kind(IntEnum):
    """The types that have an order, in Firestore's: https://firebase.google.com/docs/firestore/manage-data/data-types."""

    NULL = 0
    BOOL = 1
    NUMBER = 2
    INSTANT = 3
    TEXT = 4
    BYTES = 5


def check_query(query: Query, indexes: Sequence[Index]) -> None:
    """Raise InvalidDocument unless every adapter can answer `query`, with these indexes declared."""
    check_id(query.collection, "collection")
    for name in [*query.where, *([query.order_by] if query.order_by is not None else [])]:
        if not _FIELD.fullmatch(name):
            raise InvalidDocument(f"query: a field is a top-level name of letters, digits and '_', was {name!r}")
    for name, value in query.where.items():
        if not isinstance(value, str | int):
            raise InvalidDocument(f"query: {name} can equal a text, an integer or a boolean, was {value!r}")
    check_document(query.where)
    if query.limit is not None and query.limit < 1:
        raise InvalidDocument(f"query: limit is at least 1, was {query.limit}")
    _check_order(query)
    _check_index(query, indexes)


def kind(value: Any) -> Kind:
    """The type of a value that has an order. Raises InvalidDocument for one that has none, or cannot be kept."""
    check_document({"query": value})
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOL
        case int() | float():
            return Kind.NUMBER
        case datetime():
            return Kind.INSTANT
        case str():
            return Kind.TEXT
        case bytes():
            return Kind.BYTES
        case _:
            raise InvalidDocument(f"query: {type(value).__name__} has no order")


def unordered(query: Query) -> InvalidDocument:
    """The refusal of a query that met a list or a map in the field it orders by."""
    return InvalidDocument(f"query: {query.collection}.{query.order_by} holds a list or a map, which have no order")


def _check_order(query: Query) -> None:
    ranged = query.at_least is not None or query.below is not None
    if query.order_by is None and (ranged or query.direction != "ascending"):
        raise InvalidDocument("query: without order_by there is no range, and ids come in ascending order")
    bounds = {kind(value) for value in (query.at_least, query.below) if value is not None}
    if len(bounds) > 1:
        raise InvalidDocument("query: at_least and below are values of one type")
    if query.after is not None and query.order_by is not None:
        kind(query.after[0])


def _check_index(query: Query, indexes: Sequence[Index]) -> None:
    index = missing(query, indexes)
    if index is not None:
        raise InvalidDocument(f"query: Firestore needs an index for it that store/indexes.py does not list: {index}")
