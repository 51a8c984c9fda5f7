"""Reconciler: called by the scheduler every minute, brings records and views to the present."""

import functions_framework
from flask import Request

from withearth import bootstrap
from withearth.flow.reconcile import reconcile
from withearth.handlers.schedule import Answer, handle_schedule


@functions_framework.http
def reconciler(request: Request) -> Answer:
    """Follow open trades and write the views."""
    return handle_schedule(bootstrap.runtime_of(request.environ), reconcile)
