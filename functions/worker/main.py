"""Worker: one market tick pushed in, one decision made."""

import functions_framework
from flask import Request

from withearth import bootstrap
from withearth.flow.decide import decide
from withearth.handlers.push import Answer, handle_push
from withearth.messaging.events import MarketTick


@functions_framework.http
def worker(request: Request) -> Answer:
    """Decide on the pushed tick."""
    return handle_push(bootstrap.runtime_of(request.environ), request.get_data(), MarketTick, decide)
