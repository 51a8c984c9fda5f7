"""The paper exchange over HTTP: a WSGI application under waitress, on the loopback address only.

An answer that a fault loses is lost on the wire too: the connection is held open for a while, or closed, and no byte
is written.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from withearth.handlers.loopback import LOOPBACK, serving_on_loopback
from withearth.paper.admin import PREFIX, Admin
from withearth.paper.line import Line, Lost
from withearth.paper.wire.request import JSON, WireAnswer, WireRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

THREADS: Final = 8
LONGEST_BODY: Final = 1_000_000
SILENCE_S: Final = 60.0
"""How long a connection stays silent after a timeout whose fault does not say it."""


class PaperSite:
    """The WSGI application. With an admin face, it also answers under /admin/."""

    def __init__(self, line: Line, admin: Admin | None = None) -> None:
        self._line = line
        self._admin = admin
        self._closing = threading.Event()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request. Raises ConnectionResetError to have the connection closed without an answer."""
        request = _wire_request(environ)
        answer = self._answer(request)
        headers = [("Content-Type", JSON), ("Content-Length", str(len(answer.body)))]
        headers += [(name, value) for name, value in answer.headers.items() if name != "Content-Type"]
        start_response(f"{answer.status} {responses.get(answer.status, 'Unknown')}", headers)
        return (answer.body,)

    def close(self) -> None:
        """Let go of the connections that are held in silence."""
        self._closing.set()

    def _answer(self, request: WireRequest) -> WireAnswer:
        if self._admin is not None and request.path.startswith(PREFIX) and request.address == LOOPBACK:
            return self._admin.answer(request)
        delivery = self._line.deliver(request)
        if delivery.late_ms:
            self._closing.wait(delivery.late_ms / 1000)
        if delivery.lost is Lost.ANSWER and not delivery.late_ms:
            self._closing.wait(SILENCE_S)
        if delivery.answer is None:
            raise ConnectionResetError("lost on purpose")
        return delivery.answer


def _wire_request(environ: "WSGIEnvironment") -> WireRequest:
    length = environ.get("CONTENT_LENGTH")
    body: Any = environ["wsgi.input"].read(int(length)) if length and length != "0" else b""
    return WireRequest(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query=environ.get("QUERY_STRING", ""),
        body=body.decode("utf-8", "replace"),
        api_key=environ.get("HTTP_X_MBX_APIKEY"),
        address=environ.get("REMOTE_ADDR", LOOPBACK),
    )


@contextmanager
def serving(line: Line, port: int, *, admin: Admin | None = None) -> Iterator[str]:
    """Serve the exchange on a thread, and give its address. Port 0 takes any free one.

    Raises Misconfigured when the port is taken.
    """
    site = PaperSite(line, admin)
    # A connection that a fault breaks is told by an OSError, which is no news.
    options = {"threads": THREADS, "max_request_body_size": LONGEST_BODY, "log_socket_errors": False}
    with serving_on_loopback(site, port, "--port", **options) as address:
        try:
            yield address
        finally:
            site.close()
