"""One HTTP server for a local run: the API at its own paths, each function at /fn/NAME, the page at /dashboard.

It listens on the loopback address only: whoever can reach it can start work.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from waitress.server import create_server
from werkzeug.middleware.shared_data import SharedDataMiddleware

from withearth.bootstrap import ENVIRON_KEY
from withearth.domain.errors import Misconfigured
from withearth.flow.runtime import Runtime
from withearth.local.functions import FUNCTIONS, REPOSITORY, function_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK: Final = "127.0.0.1"
PAGE: Final = "/dashboard"
SECURITY_HEADERS: Final = [
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]


class LocalSite:
    """The WSGI application of a local run."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._pages = SharedDataMiddleware(self._functions, {PAGE: str(REPOSITORY / "dashboard")}, cache=False)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, headers + SECURITY_HEADERS, exc_info)

        if environ["PATH_INFO"] in (PAGE, f"{PAGE}/"):
            environ["PATH_INFO"] = f"{PAGE}/index.html"
        return self._pages(environ, start)

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
    """Serve the site on a thread, and give its address. Port 0 takes any free one.

    Raises Misconfigured when the port is taken.
    """
    try:
        server = create_server(LocalSite(runtime), host=LOOPBACK, port=port, ident=None)
    except OSError as error:
        raise Misconfigured(f"PORT {port} is taken by another program: set PORT to a free one.") from error
    thread = threading.Thread(target=server.run, name="http")
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.effective_port}"
    finally:
        server.close()
        thread.join()
