"""Documents, writes and queries of the port as Firestore's protocol buffers, and back.

Made of the raw messages below the client's types: the wrappers cost ten times as much for a decision's audit.
Version tokens are update times to the nanosecond, which is what Firestore compares.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, assert_never

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import Int32Value

from withearth.store.port import (
    Create,
    Delete,
    Document,
    Increment,
    InvalidDocument,
    Query,
    Ref,
    Replace,
    Stored,
    Write,
)
from withearth.store.values import from_us, to_us

ID: Final = "__name__"
COUNTED: Final = "n"
_MICRO: Final = 10**6
_NANOS_IN_MICRO: Final = 1_000
_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_Document: Final[Any] = types.Document.pb()
_Mask: Final[Any] = types.DocumentMask.pb()
_Precondition: Final[Any] = types.Precondition.pb()
_Structured: Final[Any] = types.StructuredQuery.pb()
_Cursor: Final[Any] = types.Cursor.pb()
_Transform: Final[Any] = types.DocumentTransform.pb().FieldTransform
_Value: Final[Any] = types.Value.pb()
_Write: Final[Any] = types.Write.pb()


def document_name(database: str, ref: Ref) -> str:
    """The full name of a document."""
    return f"{database}/documents/{ref.collection}/{ref.id}"


def write_proto(database: str, write: Write) -> Any:
    """One write, with the precondition that makes it a create, or a compare-and-set."""
    name = document_name(database, write.ref)
    match write:
        case Create():
            return _Write(update=_document(name, write.data), current_document=_Precondition(exists=False))
        case Replace():
            return _Write(update=_document(name, write.data), current_document=_read_as(write.if_version))
        case Delete():
            return _Write(delete=name, current_document=_read_as(write.if_version))
        case Increment():
            # An empty mask leaves every other field as it is, and makes the document where there is none.
            added = [_Transform(field_path=path_of(key), increment=value(n)) for key, n in write.amounts.items()]
            return _Write(update=_Document(name=name), update_mask=_Mask(), update_transforms=added)
        case _:
            assert_never(write)


def stored(document: Any) -> Stored:
    """A document as it was read. Raises InvalidDocument when it holds what the port does not know."""
    _, collection, id_ = document.name.rsplit("/", 2)
    ref = Ref(collection, id_)
    return Stored(ref, _read_map(document.fields, str(ref)), version(document.update_time))


def version(updated: Timestamp) -> str:
    """An update time as a version token."""
    return f"{updated.seconds}.{updated.nanos:09}"


def structured_query(database: str, query: Query) -> Any:
    """A query of the port, which `query_rules` has accepted."""
    order = [] if query.order_by is None else [query.order_by]
    way = _Structured.Direction.Value("ASCENDING" if query.direction == "ascending" else "DESCENDING")
    asked = _Structured(
        from_=[_Structured.CollectionSelector(collection_id=query.collection)],
        order_by=[_Structured.Order(field=_field(name), direction=way) for name in [*order, ID]],
    )
    if filters := _filters(query):
        asked.where.composite_filter.op = _Structured.CompositeFilter.Operator.Value("AND")
        asked.where.composite_filter.filters.extend(filters)
    if query.after is not None:
        last, last_id = query.after
        name = _Value(reference_value=document_name(database, Ref(query.collection, last_id)))
        asked.start_at.CopyFrom(_Cursor(values=[*(value(last) for _ in order), name], before=False))
    if query.limit is not None:
        asked.limit.CopyFrom(Int32Value(value=query.limit))
    return asked


def value(of: Any) -> Any:
    """One value, which `values` has accepted."""
    made = _Value()
    _fill(made, of)
    return made


def path_of(name: str) -> str:
    """A top-level field's name as a field path: in back quotes where it is not a plain word."""
    if _SIMPLE.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _document(name: str, data: Document) -> Any:
    made = _Document(name=name)
    _fill_map(made.fields, data)
    return made


def _read_as(token: str | None) -> Any:
    """The condition that the document is the version that was read; none where no version is asked for."""
    if token is None:
        return None
    seconds, _, nanos = token.partition(".")
    return _Precondition(update_time=Timestamp(seconds=int(seconds), nanos=int(nanos or 0)))


def _filters(query: Query) -> list[Any]:
    bounds = (("GREATER_THAN_OR_EQUAL", query.at_least), ("LESS_THAN", query.below))
    compared = [(name, "EQUAL", equal) for name, equal in query.where.items()]
    compared += [(str(query.order_by), sign, bound) for sign, bound in bounds if bound is not None]
    return [
        _Structured.Filter(
            field_filter=_Structured.FieldFilter(
                field=_field(name), op=_Structured.FieldFilter.Operator.Value(sign), value=value(operand)
            )
        )
        for name, sign, operand in compared
    ]


def _field(path: str) -> Any:
    return _Structured.FieldReference(field_path=path)


def _fill_map(fields: Any, data: Mapping[str, Any]) -> None:
    for name, each in data.items():
        _fill(fields[name], each)


def _fill(made: Any, of: Any) -> None:  # noqa: C901 - one case a type
    match of:
        case None:
            made.null_value = 0
        case bool():
            made.boolean_value = of
        case int():
            made.integer_value = of
        case float():
            made.double_value = of
        case str():
            made.string_value = of
        case bytes():
            made.bytes_value = of
        case datetime():
            made.timestamp_value.CopyFrom(_timestamp(of))
        case Mapping():
            made.map_value.SetInParent()
            _fill_map(made.map_value.fields, of)
        case _:
            made.array_value.SetInParent()
            for each in of:
                _fill(made.array_value.values.add(), each)


def _timestamp(at: datetime) -> Timestamp:
    seconds, micros = divmod(to_us(at), _MICRO)
    return Timestamp(seconds=seconds, nanos=micros * _NANOS_IN_MICRO)


def _read_map(fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    return {name: _read(each, f"{where}.{name}") for name, each in fields.items()}


def _read(held: Any, where: str) -> Any:
    kind = held.WhichOneof("value_type")
    match kind:
        case "null_value":
            return None
        case "timestamp_value":
            at = held.timestamp_value
            return from_us(at.seconds * _MICRO + at.nanos // _NANOS_IN_MICRO)
        case "map_value":
            return _read_map(held.map_value.fields, where)
        case "array_value":
            return _read_list(held.array_value.values, where)
        case "boolean_value" | "integer_value" | "double_value" | "string_value" | "bytes_value":
            return getattr(held, kind)
        case _:
            raise InvalidDocument(f"{where}: {kind} is not a type a document can hold")


def _read_list(held: Sequence[Any], where: str) -> list[Any]:
    return [_read(each, f"{where}[{place}]") for place, each in enumerate(held)]
