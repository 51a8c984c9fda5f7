"""Queries of the documents port as SQL over the text form, in Firestore's order.

Firestore sorts by type first, then by value. Each ordered field therefore becomes two expressions: the rank of its
type, and a value that sorts within the type. The same expressions, letter for letter, make the indexes: SQLite uses an
expression index only for the expression it was built from.
"""

from collections.abc import Container
from datetime import datetime
from typing import Any, Final

from withearth.store.indexes import Index, needed
from withearth.store.port import Query
from withearth.store.query_rules import Kind, kind
from withearth.store.values import BYTES_TAG, INSTANT_TAG, encode_value, to_us

UNORDERED_RANK: Final = len(Kind)
Sql = tuple[str, list[Any]]


def select(query: Query, names: Container[str]) -> Sql:
    """The statement that returns id, version, body and the rank of the ordered field's type, in order.

    `names` are the indexes the file has.
    """
    source, parameters = _matching(query, names)
    cursor, position = _cursor(query)
    rank = _rank(query.order_by) if query.order_by else "0"
    way = "ASC" if query.direction == "ascending" else "DESC"
    order = ", ".join(f"{key} {way}" for key in [*_sort_keys(query.order_by), "id"])
    limit = -1 if query.limit is None else query.limit
    return f"SELECT id, version, body, {rank} {source} {cursor} ORDER BY {order} LIMIT ?", [
        *parameters,
        *position,
        limit,
    ]


def count(query: Query, names: Container[str]) -> Sql:
    """The statement that returns how many documents match. `names` are the indexes the file has."""
    source, parameters = _matching(query, names)
    return f"SELECT count(*) {source}", parameters


def index_name(index: Index) -> str:
    """The name of `index` in the file, the same for both directions: SQLite reads an index either way."""
    return f"{index.collection}:{'+'.join(index.equal)}:{index.order_by or ''}"


def create_index(index: Index) -> str:
    """The statement that makes `index`."""
    keys = ", ".join([*map(_json, index.equal), *_sort_keys(index.order_by), "id"])
    where = _in(index.collection)
    return f'CREATE INDEX "{index_name(index)}" ON documents ({keys}) WHERE {where}'


def _matching(query: Query, names: Container[str]) -> Sql:
    source, parameters = _source(query, names)
    condition = [source]
    for name, value in query.where.items():
        # Firestore holds 1 and 1.0 for equal, and true for neither.
        forms = [encode_value(value)] if isinstance(value, str | bool) else [str(int(value)), f"{int(value)}.0"]
        condition.append("(" + " OR ".join(f"{_json(name)} = ?" for _ in forms) + ")")
        parameters += forms
    if query.order_by is not None:
        condition.append(f"{_rank(query.order_by)} >= 0")
        for sign, bound in ((">=", query.at_least), ("<", query.below)):
            if bound is not None:
                condition.append(f"{_rank(query.order_by)} = ? AND {_value(query.order_by)} {sign} {_BOUND}")
                parameters += [kind(bound), _bound(bound)]
    return " AND ".join(condition), parameters


def _source(query: Query, names: Container[str]) -> Sql:
    name = index_name(needed(query))
    if name not in names:
        return "FROM documents WHERE collection = ?", [query.collection]
    # Told by name: without statistics SQLite holds the primary key for the narrowest way, and sorts the collection.
    return f'FROM documents INDEXED BY "{name}" WHERE {_in(query.collection)}', []


def _cursor(query: Query) -> Sql:
    if query.after is None:
        return "", []
    value, last_id = query.after
    if query.order_by is None:
        return "AND id > ?", [last_id]
    beyond = ">" if query.direction == "ascending" else "<"
    rank, sorts = _rank(query.order_by), _value(query.order_by)
    same_type = f"{sorts} {beyond} {_BOUND} OR ({sorts} IS {_BOUND} AND id {beyond} ?)"
    position = [kind(value), kind(value), _bound(value), _bound(value), last_id]
    return f"AND ({rank} {beyond} ? OR ({rank} = ? AND ({same_type})))", position


# A bound takes the same way through SQLite's JSON as the field it is compared with: its reading of a decimal fraction
# can differ from Python's in the last bit.
_BOUND: Final = "json_extract(?, '$')"


def _bound(value: Any) -> str:
    match value:
        case datetime():
            return str(to_us(value))
        case bytes():
            return encode_value(value.hex())
        case bool():
            return str(int(value))
        case _:
            return str(encode_value(value))


def _sort_keys(field: str | None) -> list[str]:
    return [] if field is None else [_rank(field), _value(field)]


def _in(collection: str) -> str:
    # A literal, because SQLite takes a partial index only where it can see its condition. Only declared names get here.
    return f"collection = '{collection}'"


def _json(field: str) -> str:
    return f"body -> '$.{field}'"


def _value(field: str) -> str:
    return (
        f"coalesce(json_extract(body, '$.{field}.{INSTANT_TAG}'), json_extract(body, '$.{field}.{BYTES_TAG}'), "
        f"json_extract(body, '$.{field}'))"
    )


def _rank(field: str) -> str:
    return (
        f"CASE json_type(body, '$.{field}') WHEN 'null' THEN {Kind.NULL} "
        f"WHEN 'true' THEN {Kind.BOOL} WHEN 'false' THEN {Kind.BOOL} "
        f"WHEN 'integer' THEN {Kind.NUMBER} WHEN 'real' THEN {Kind.NUMBER} WHEN 'text' THEN {Kind.TEXT} "
        f"WHEN 'array' THEN {UNORDERED_RANK} WHEN 'object' THEN "
        f"CASE WHEN json_type(body, '$.{field}.{INSTANT_TAG}') IS NOT NULL THEN {Kind.INSTANT} "
        f"WHEN json_type(body, '$.{field}.{BYTES_TAG}') IS NOT NULL THEN {Kind.BYTES} ELSE {UNORDERED_RANK} END END"
    )
