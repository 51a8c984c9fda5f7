"""One HTTP server for a local run: the API at its own paths, each function at /fn/NAME, the page at /dashboard.

It listens on the loopback address only: whoever can reach it can start work. What a page needs that the cloud's API
function does not have, the stream and the desk, stands here.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from withearth.bootstrap import ENVIRON_KEY
from withearth.flow.runtime import Runtime
from withearth.handlers.api import json_answer
from withearth.handlers.loopback import serving_on_loopback
from withearth.local.desk import Desk
from withearth.local.door import admit
from withearth.local.functions import FUNCTIONS, REPOSITORY, function_app
from withearth.local.stream import STREAMS_MAX, Streams, Watched

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGE: Final = "/dashboard"
BUILT_PAGE: Final = REPOSITORY / "dashboard" / "dist"
NOT_BUILT: Final = "The dashboard is not built: install Node.js 20.19 or newer and run `make dashboard/dist`."
THREADS: Final = STREAMS_MAX + 4
"""One for each stream, and some for everything else. A request of lookahead is how the server sees that one is gone."""
SECURITY_HEADERS: Final = [
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


class LocalSite:
    """The WSGI application of a local run."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._pages = SharedDataMiddleware(self._functions, {PAGE: str(BUILT_PAGE)}, cache=False)
        self._desk = Desk(runtime)
        self._streams = Streams(runtime.store) if isinstance(runtime.store, Watched) else None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, headers + SECURITY_HEADERS, exc_info)

        return self._application(environ)(environ, start)

    def close(self) -> None:
        """End the streams, so that the server can stop."""
        if self._streams is not None:
            self._streams.close()

    def _application(self, environ: "WSGIEnvironment") -> "WSGIApplication":
        """Who answers this request."""
        request = Request(environ)
        try:
            admit(request)
            match request.method, request.path:
                case "GET", "/api/stream":
                    return self._stream(request)
                case "GET", "/api/session":
                    return json_answer(self._desk.session())
                case "POST", "/api/control":
                    return json_answer(self._desk.control(request))
        except HTTPException as error:
            return json_answer({"status": "error", "message": error.description}, error.code or 500)
        if request.path in (PAGE, f"{PAGE}/"):
            return self._page(request)
        return self._pages

    def _page(self, request: Request) -> "WSGIApplication":
        """The page, under an address that ends in a slash: its files are addressed from there."""
        if not (BUILT_PAGE / "index.html").is_file():
            return Response(NOT_BUILT, 503, mimetype="text/plain")
        if request.path == PAGE:
            return redirect(request.url.replace(PAGE, f"{PAGE}/", 1), 308)
        request.environ["PATH_INFO"] = f"{PAGE}/index.html"
        return self._pages

    def _stream(self, request: Request) -> Response:
        if self._streams is None:
            raise NotFound("These books cannot tell what changes in them: read them again from time to time.")
        return self._streams.open(request)

    def _functions(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[ENVIRON_KEY] = self._runtime
        _, _, name = environ["PATH_INFO"].partition("/fn/")
        if name not in FUNCTIONS:
            return self._app("api")(environ, start_response)
        environ["PATH_INFO"] = "/"
        return self._app(name)(environ, start_response)

    def _app(self, name: str) -> "WSGIApplication":
        return function_app(name).wsgi_app


@contextmanager
def serving(runtime: Runtime, port: int) -> Iterator[str]:
    """Serve the site on a thread, and give its address. Raises Misconfigured when the port is taken."""
    site = LocalSite(runtime)
    with serving_on_loopback(site, port, "PORT", threads=THREADS, channel_request_lookahead=1) as address:
        try:
            yield address
        finally:
            site.close()
