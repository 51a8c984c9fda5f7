"""Google's smaller services over loopback HTTP: they keep what they are asked, and answer from a script."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from werkzeug import Request, Response

from withearth.handlers.loopback import serving_on_loopback


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str


@dataclass
class RestServer:
    """Answers with `replies` in turn, and with the last one ever after; each a status and a JSON body."""

    replies: list[tuple[int, Any]] = field(default_factory=lambda: [(200, {})])
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        request = Request(environ)
        arguments = dict(request.args.items())
        asked = Asked(request.method, request.path, arguments, request.get_data(), request.content_type or "")
        self.asked.append(asked)
        status, body = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(text, HTTPStatus(status), content_type="application/json")(environ, start_response)


@contextmanager
def serving(server: RestServer) -> Iterator[str]:
    """The address under which it answers."""
    with serving_on_loopback(server, 0, "PORT") as address:
        yield address
