"""Views as they were written before, perhaps by an older version, or by a hand: one that is none counts as absent."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

View = TypeVar("View")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def as_written(kind: type[View], data: Mapping[str, Any] | None) -> View | None:
    """The document as a view of this type, None where it is not one."""
    known: Any = kind
    try:
        found: View = _adapter(known).validate_python(data, strict=True)
    except ValidationError:
        return None
    return found
