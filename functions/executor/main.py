"""Executor: one trade intent pushed in, one trade at most."""

import functions_framework
from flask import Request

from withearth import bootstrap
from withearth.flow.execute import execute
from withearth.handlers.push import Answer, handle_push
from withearth.messaging.events import TradeIntent


@functions_framework.http
def executor(request: Request) -> Answer:
    """Bring the pushed intent to its end."""
    return handle_push(bootstrap.runtime_of(request.environ), request.get_data(), TradeIntent, execute)
