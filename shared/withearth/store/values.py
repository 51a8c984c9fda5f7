"""What a document may hold, and its one text form.

The rules are the port's, which are Firestore's: every adapter asks here before it writes, so that a local run refuses
what the cloud would refuse. The text form is JSON with sorted names. Instants and bytes are maps of one reserved name,
which no document may use itself, so that everything comes back as the value it was. Instants are whole microseconds
and bytes are hexadecimal: both sort in their text form as they sort in Firestore.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from withearth.store.port import COMMIT_WRITES_MAX, DOCUMENT_BYTES_MAX, Document, InvalidDocument, Ref, Write

INSTANT_TAG: Final = "__instant__"
BYTES_TAG: Final = "__bytes__"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INT_MIN: Final = -(2**63)
_INT_MAX: Final = 2**63 - 1
_NAME_BYTES_MAX: Final = 1_500
_DEPTH_MAX: Final = 20
# Firestore's limit includes the names of collection and document, and 48 bytes of its own.
_WEIGHT_MAX: Final = DOCUMENT_BYTES_MAX - 2 * (_NAME_BYTES_MAX + 1) - 48
# A value weighs at most four times its JSON text (a small integer in a list: 2 characters, 8 bytes).
_SURELY_SMALL_CHARS: Final = DOCUMENT_BYTES_MAX // 4 - 4_096
_ALWAYS_FINE: Final = frozenset({bool, type(None)})


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The UTC instant `us` microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=us)


def check_ref(ref: Ref) -> None:
    """Raise InvalidDocument unless collection and id are names that every adapter takes."""
    check_id(ref.collection, "collection")
    check_id(ref.id, "id")


def check_id(text: str, what: str) -> None:
    """Raise InvalidDocument unless `text` can name a collection or a document."""
    if text in {"", ".", ".."} or "/" in text:
        raise InvalidDocument(f"{what}: a name is not empty, '.' or '..' and holds no '/', was {text!r}")
    _check_name(text, what)


def check_document(data: Document) -> None:
    """Raise InvalidDocument, naming the field, unless every adapter can keep `data`."""
    _check_map(data, "", 1)


def check_amounts(amounts: Mapping[str, Any]) -> None:
    """Raise InvalidDocument unless these can be added to the fields of a document: counters stay integers."""
    check_document(amounts)
    for name, amount in amounts.items():
        if type(amount) is not int:
            raise InvalidDocument(f"{name}: an increment is an integer, was {amount!r}")


def check_size(writes: Sequence[Write]) -> None:
    """Raise InvalidDocument when these are more writes than one commit can hold."""
    if len(writes) > COMMIT_WRITES_MAX:
        raise InvalidDocument(f"commit: at most {COMMIT_WRITES_MAX} writes, was {len(writes)}")


def encode(data: Document) -> str:
    """The text form of a document. Raises InvalidDocument, naming the field, when no adapter may keep it."""
    check_document(data)
    text = encode_value(data if type(data) is dict else dict(data))
    if len(text) > _SURELY_SMALL_CHARS:
        check_weight(data)
    return text


def decode(text: str) -> dict[str, Any]:
    """The document of a text form."""
    data: dict[str, Any] = _decode(text)
    return data


def _tagged(value: datetime | bytes) -> dict[str, Any]:
    return {INSTANT_TAG: to_us(value)} if isinstance(value, datetime) else {BYTES_TAG: value.hex()}


encode_value: Final = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
    default=_tagged,
).encode


def _untagged(fields: dict[str, Any]) -> Any:
    if len(fields) == 1:
        if INSTANT_TAG in fields:
            return from_us(fields[INSTANT_TAG])
        if BYTES_TAG in fields:
            return bytes.fromhex(fields[BYTES_TAG])
    return fields


_decode: Final = json.JSONDecoder(object_hook=_untagged).decode


def _check_map(fields: Mapping[str, Any], path: str, depth: int) -> None:
    if depth > _DEPTH_MAX:
        raise InvalidDocument(f"{path}: maps and lists nest at most {_DEPTH_MAX} deep")
    for name, value in fields.items():
        if type(name) is not str or name[:2] == "__" or not name or len(name) > _NAME_BYTES_MAX or not name.isascii():
            _check_field_name(name, path)
        kind = type(value)
        if kind is float and isfinite(value):
            continue
        if kind is str and value.isascii():
            continue
        if kind not in _ALWAYS_FINE:
            _check_value(value, f"{path}.{name}" if path else name, depth)


def _check_list(items: list[Any], path: str, depth: int) -> None:
    if depth > _DEPTH_MAX:
        raise InvalidDocument(f"{path}: maps and lists nest at most {_DEPTH_MAX} deep")
    for place, value in enumerate(items):
        kind = type(value)
        if kind is float and isfinite(value):
            continue
        if kind is str and value.isascii():
            continue
        if kind is list:
            raise InvalidDocument(f"{path}[{place}]: a list inside a list cannot be kept")
        if kind not in _ALWAYS_FINE:
            _check_value(value, f"{path}[{place}]", depth)


def _check_value(value: Any, path: str, depth: int) -> None:
    match value:
        case bool() | None | bytes():
            return
        case int():
            _check_int(value, path)
        case float():
            _check_float(value, path)
        case str():
            _check_text(value, path)
        case datetime():
            _check_instant(value, path)
        case dict():
            _check_map(value, path, depth + 1)
        case list():
            _check_list(value, path, depth + 1)
        case _:
            raise InvalidDocument(f"{path}: {type(value).__name__} is not a type a document can hold")


def _check_int(value: int, path: str) -> None:
    if not _INT_MIN <= value <= _INT_MAX:
        raise InvalidDocument(f"{path}: an integer has at most 64 bit, was {value}")


def _check_float(value: float, path: str) -> None:
    if not isfinite(value):
        raise InvalidDocument(f"{path}: a number is finite, was {value}")


def _check_instant(value: datetime, path: str) -> None:
    if value.utcoffset() is None:
        raise InvalidDocument(f"{path}: an instant carries its time zone, was {value.isoformat()}")


def _check_text(value: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(f"{path}: the text holds half a character (a lone surrogate)") from error


def _check_field_name(name: Any, path: str) -> None:
    where = path or "document"
    if not isinstance(name, str):
        raise InvalidDocument(f"{where}: a field name is text, was {name!r}")
    if not name:
        raise InvalidDocument(f"{where}: a field name is not empty")
    _check_name(name, f"{path}.{name[:40]}" if path else name[:40])


def _check_name(name: str, path: str) -> None:
    _check_text(name, path.encode(errors="replace").decode())
    if name.startswith("__") and name.endswith("__"):
        raise InvalidDocument(f"{path}: names like __x__ are reserved")
    if len(name.encode()) > _NAME_BYTES_MAX:
        raise InvalidDocument(f"{path}: a name has at most {_NAME_BYTES_MAX} bytes")


def check_weight(data: Document) -> None:
    """Raise InvalidDocument when the document is larger than Firestore keeps."""
    found = weight(data)
    if found > _WEIGHT_MAX:
        raise InvalidDocument(f"document: at most {_WEIGHT_MAX} bytes can be kept, was {found}")


def weight(value: Any) -> int:
    """The bytes by which Firestore measures a value: https://firebase.google.com/docs/firestore/storage-size."""
    match value:
        case bool() | None:
            return 1
        case str():
            return len(value.encode()) + 1
        case bytes():
            return len(value)
        case Mapping():
            return sum(len(name.encode()) + 1 + weight(item) for name, item in value.items())
        case list():
            return sum(map(weight, value))
        case _:
            return 8
