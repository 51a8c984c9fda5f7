"""A call of the scheduler, and the status that answers it: 200, or 503 for "call again"."""

from collections.abc import Callable, Mapping
from typing import Any

from withearth.domain.canonical import canonical_json
from withearth.domain.errors import Retryable
from withearth.flow.runtime import Runtime

Answer = tuple[str, int]


def handle_schedule(runtime: Runtime, use_case: Callable[[Runtime], Mapping[str, Any]]) -> Answer:
    """Run the use case and answer with what it did."""
    try:
        return canonical_json(use_case(runtime)), 200
    except Retryable as error:
        return str(error), 503
