"""The decisions of an earlier run, looked up in its books one by one."""

from collections.abc import Mapping
from typing import Any

from withearth.flow.documents import decision_ref
from withearth.store.port import DocumentStore


class DecisionsOfRun:
    """What a recorded predictor reads from: the books of a run, without loading them."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def get(self, decision_id: str, /) -> Mapping[str, Any] | None:
        """The decision's document, or None."""
        stored = self._store.get(decision_ref(decision_id))
        return None if stored is None else stored.data
