"""The desk of the local server: the owner's control requests, as the cloud's page writes them, answered at once.

Whoever can run a program on this machine as this user can also run `withearth halt`; the token keeps everybody else's
pages out.
"""

import getpass
import hmac
import json
import secrets
from typing import Any, Final

from werkzeug.exceptions import BadRequest, Forbidden
from werkzeug.wrappers import Request

from withearth.flow.control import answer_request
from withearth.flow.documents import control_request_ref
from withearth.flow.runtime import Runtime
from withearth.local.door import TOKEN_HEADER
from withearth.local.logs import log_file
from withearth.store.port import Replace
from withearth.views.contract import ID_CHARS_MAX, TEXT_CHARS_MAX, ControlAnswer, ControlRequest
from withearth.views.records import Session

BODY_BYTES_MAX: Final = 4_096
ACTIONS: Final = ("halt", "reduce", "resume", "flatten")


def user() -> str:
    """Who sits at this machine, as far as it knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"


class Desk:
    """Takes control requests for one installation. Its token lasts as long as the process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._token = secrets.token_urlsafe(32)

    def session(self) -> Session:
        """Who asks here, the token of a control request, and where the log of this run is."""
        return {"who": user(), "token": self._token, "log": str(log_file(self._runtime.settings).resolve())}

    def control(self, request: Request) -> ControlAnswer:
        """Write the request, and answer it. Raises Forbidden without the token, and BadRequest."""
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, ""), self._token):
            raise Forbidden(f"A control request carries the {TOKEN_HEADER} of GET /api/session.")
        asked = _asked(request)
        document: ControlRequest = {
            "id": _text(asked, "id", 1, ID_CHARS_MAX),
            "action": _action(asked),
            "word": None if asked.get("word") is None else _text(asked, "word"),
            "why": _text(asked, "why"),
            "who": user(),
            "at": self._runtime.clock.now(),
        }
        self._runtime.store.commit([Replace(control_request_ref(), document)])
        answer = answer_request(self._runtime)
        if answer is None or answer["id"] != document["id"]:
            raise BadRequest("Another control request came in between: look at its answer, then ask again.")
        return answer


def _asked(request: Request) -> dict[str, Any]:
    body = request.get_data(cache=False) if (request.content_length or 0) <= BODY_BYTES_MAX else b""
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise BadRequest("A control request is JSON with id, action, why and, for flatten, word.")
    return asked


def _action(asked: dict[str, Any]) -> Any:
    if asked.get("action") not in ACTIONS:
        raise BadRequest(f"action is {asked.get('action')!r}, allowed are {', '.join(ACTIONS)}.")
    return asked["action"]


def _text(asked: dict[str, Any], name: str, least: int = 0, most: int = TEXT_CHARS_MAX) -> str:
    text = asked.get(name, "")
    if not isinstance(text, str) or not least <= len(text) <= most:
        raise BadRequest(f"{name} is text of {least} to {most} characters.")
    return text
