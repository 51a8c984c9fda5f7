"""API: health, the seed endpoints, and what a dashboard without Firestore reads."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from withearth import bootstrap
from withearth.handlers.api import answer


@functions_framework.http
def api(request: Request) -> Response:
    """Answer one request."""
    return answer(bootstrap.runtime_of(request.environ), request)
