"""What the work of this thread is about: fields that every line logged on the way carries, where the log has fields."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_request: ContextVar[Mapping[str, Any] | None] = ContextVar("request", default=None)
_about: ContextVar[Mapping[str, Any] | None] = ContextVar("about", default=None)


def begin_request(fields: Mapping[str, Any]) -> None:
    """Name the request that this thread answers from here on, in place of the one before."""
    _request.set(fields)


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Add fields for as long as the context lasts."""
    token = _about.set({**(_about.get() or {}), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def fields() -> dict[str, Any]:
    """Everything that is known about the present work."""
    return {**(_request.get() or {}), **(_about.get() or {})}
