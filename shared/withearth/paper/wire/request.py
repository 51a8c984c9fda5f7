"""A request as it came over the wire, and the answer that goes back: the one seam between every face and the exchange.

The raw texts are kept, because a signature covers the payload as it was sent and not what it means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from withearth.paper.engine.errors import Refusal, VenueError

JSON: Final = "application/json"
LOCAL_ADDRESS: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request. `query` and `body` are percent-encoded text, `path` is not.

    `address` is whom request weight is charged to; over HTTP it is the client's IP address.
    """

    method: str
    path: str
    query: str = ""
    body: str = ""
    api_key: str | None = None
    address: str = LOCAL_ADDRESS


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """One HTTP response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def read_parameters(query: str, body: str) -> dict[str, str]:
    """The parameters of both parts by name. Where both parts have one, the query's counts, as documented.

    Raises VenueError when one part names a parameter twice.
    """
    if not body:
        return _parse(query)
    return _parse(body) | _parse(query) if query else _parse(body)


def _parse(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in text.split("&") if text else ():
        name, _, value = pair.partition("=")
        if not name:
            continue
        if name in found:
            raise VenueError(Refusal.DUPLICATED_PARAMETER)
        found[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return found
