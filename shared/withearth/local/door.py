"""The door of the local server: who may ask it at all, and who may ask it to do something.

It listens on the loopback address, but so does a browser that shows a stranger's page. A name that is not this
machine's own is refused (a stranger's name may be made to point here), and so is what a browser sends on behalf of
another site. A control request also has to carry the token that only a page of this server can have read.
"""

from typing import Final
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Request

from withearth.settings.kinds import LOOPBACK

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES: Final = frozenset({"same-origin", "none"})
"""What Sec-Fetch-Site says of a page of ours, and of an address that somebody typed."""
PAGES: Final = ("/", "/dashboard")
TOKEN_HEADER: Final = "X-WithEarth-Token"  # noqa: S105 - the name of the header


def admit(request: Request) -> None:
    """Raise Forbidden for a request that no page and no person of this machine can have meant."""
    host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    if host not in LOOPBACK:
        raise Forbidden(f"This server answers to localhost only, not to {host}.")
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site not in OWN_SITES and not _is_visit(request):
        raise Forbidden("Another site asked for this, not you.")
    if request.method not in SAFE_METHODS and origin is not None and origin != f"http://{request.headers['Host']}":
        raise Forbidden(f"Another site asked for this, not you: {origin}.")


def _is_visit(request: Request) -> bool:
    """Whether somebody followed a link to a page, which changes nothing."""
    is_page = request.path in PAGES or request.path.startswith("/dashboard/")
    return is_page and request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
