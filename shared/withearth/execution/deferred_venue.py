"""A venue that is opened by the first call to it: of the functions in the cloud only executor and reconciler make one.

The others say the same mode beside their numbers, and have neither the exchange's client nor the right to read a key.
"""

import threading
from collections.abc import Callable
from typing import Any

from withearth.execution.venue import Venue


class DeferredVenue:
    """The venue that `open_it` makes, once, when it is needed. Safe for many threads."""

    def __init__(self, kind: str, open_it: Callable[[], Venue]) -> None:
        """`kind` is what the venue will say it is. Calls raise what opening it raises, until it is open."""
        self.kind = kind
        self._open_it = open_it
        self._lock = threading.Lock()
        self._opened: Venue | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._open(), name)

    def _open(self) -> Venue:
        with self._lock:
            if self._opened is None:
                self._opened = self._open_it()
            return self._opened
