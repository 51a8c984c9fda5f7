"""One HTTP server for a local run: the API at its own paths, each function at /fn/NAME, the page at /dashboard.

It listens on the loopback address only: whoever can reach it can start work.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from werkzeug.middleware.shared_data import SharedDataMiddleware

from withearth.bootstrap import ENVIRON_KEY
from withearth.flow.runtime import Runtime
from withearth.handlers.loopback import serving_on_loopback
from withearth.local.functions import FUNCTIONS, REPOSITORY, function_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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


def serving(runtime: Runtime, port: int) -> AbstractContextManager[str]:
    """Serve the site on a thread, and give its address. Raises Misconfigured when the port is taken."""
    return serving_on_loopback(LocalSite(runtime), port, "PORT")
