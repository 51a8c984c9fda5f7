"""A call of the scheduler, and the status that answers it: 200, 503 for "call again", 500 for "mend this first"."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from withearth.domain.canonical import canonical_json
from withearth.domain.errors import Misconfigured, Retryable
from withearth.flow.runtime import Runtime

Answer = tuple[str, int]

log = logging.getLogger(__name__)


def handle_schedule(runtime: Runtime, use_case: Callable[[Runtime], Mapping[str, Any]]) -> Answer:
    """Run the use case and answer with what it did."""
    try:
        return canonical_json(use_case(runtime)), 200
    except Retryable as error:
        log.warning("call_again %s", error)
        return str(error), 503
    except Misconfigured as error:
        log.error("misconfigured %s", error)  # noqa: TRY400 - the sentence says it all
        return str(error), 500
