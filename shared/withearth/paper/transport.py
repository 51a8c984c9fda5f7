"""The paper exchange without a socket: a transport for any `requests.Session`, the official SDK's included.

    session.mount("https://", PaperTransport(face))

Every host then answers as the exchange, so a client can keep the base URL it has. What a fault loses on the way is
raised as `requests` would raise it: a lost answer as ReadTimeout, a broken connection as ConnectionError.
"""

from collections.abc import Callable, Mapping
from http.client import RemoteDisconnected, responses
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as BrokenConnection
from requests.exceptions import ReadTimeout
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

from withearth.paper.face import Face
from withearth.paper.faults import FaultQueue
from withearth.paper.line import Delivery, Line, Lost
from withearth.paper.wire.request import LOCAL_ADDRESS, WireAnswer, WireRequest


class PaperTransport(BaseAdapter):
    """Answers requests in process. `address` is whom request weight is charged to.

    `faults` and `pause` are those of the line (see `line.py`).
    """

    def __init__(
        self,
        face: Face,
        *,
        faults: FaultQueue | None = None,
        pause: Callable[[int], None] = lambda _: None,
        address: str = LOCAL_ADDRESS,
    ) -> None:
        super().__init__()
        self.line = Line(face, faults, pause)
        self._address = address

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002  the adapter's interface
        timeout: Any = None,
        verify: Any = True,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """Answer one request. Raises ReadTimeout or ConnectionError where a fault says so."""
        delivery = self.line.deliver(wire_request(request, self._address))
        answer = self._arrived(delivery, request, timeout)
        return _response(answer, request, self)

    def close(self) -> None:
        """Nothing is held open."""

    def _arrived(self, delivery: Delivery, request: PreparedRequest, timeout: Any) -> WireAnswer:
        if delivery.lost is Lost.CONNECTION:
            gone = RemoteDisconnected("Remote end closed connection without response")
            raise BrokenConnection(ProtocolError("Connection aborted.", gone), request=request)
        patience_s = timeout[1] if isinstance(timeout, tuple) else timeout
        too_late = patience_s is not None and delivery.late_ms > patience_s * 1000
        if delivery.answer is None or too_late:
            self.line.pause(delivery.late_ms if patience_s is None else int(patience_s * 1000))
            raise ReadTimeout(f"Read timed out. (read timeout={patience_s})", request=request)
        if delivery.late_ms:
            self.line.pause(delivery.late_ms)
        return delivery.answer


def wire_request(request: PreparedRequest, address: str = LOCAL_ADDRESS) -> WireRequest:
    """A prepared request as the exchange sees it."""
    path, _, query = (request.url or "").partition("?")
    path = path[path.find("/", path.find("//") + 2) :]
    return WireRequest(
        method=request.method or "GET",
        path=unquote(path) if "%" in path else path,
        query=query.partition("#")[0],
        body=_text(request.body) or "",
        api_key=_text(request.headers.get("X-MBX-APIKEY")),
        address=address,
    )


def _text(sent: Any) -> str | None:
    return sent.decode() if isinstance(sent, bytes) else sent


def _response(answer: WireAnswer, request: PreparedRequest, adapter: BaseAdapter) -> Response:
    response: Any = Response()
    response.status_code = answer.status
    response.reason = responses.get(answer.status, "")
    response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = "utf-8"
    response.url = request.url
    response.request = request
    response.connection = adapter
    response.raw = BytesIO(answer.body)
    # Set here, or `requests` would read the bytes through a generator.
    response._content = answer.body  # noqa: SLF001
    done: Response = response
    return done
