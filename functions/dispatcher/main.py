"""Dispatcher: called by the scheduler every five minutes, publishes one message per symbol."""

import functions_framework
from flask import Request

from withearth import bootstrap
from withearth.flow.dispatch import dispatch
from withearth.handlers.schedule import Answer, handle_schedule


@functions_framework.http
def dispatcher(request: Request) -> Answer:
    """Publish the newest closed tick."""
    return handle_schedule(bootstrap.runtime_of(request.environ), dispatch)
