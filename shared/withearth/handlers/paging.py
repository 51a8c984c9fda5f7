"""Pages of a collection, newest first, with a cursor that a client hands back as it got it."""

from datetime import datetime
from typing import Any, Final

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request

from withearth.domain.canonical import plain
from withearth.store.port import DocumentStore, Query, Stored

ROWS_MAX: Final = 500
DEFAULT_ROWS: Final = 100


def page(
    store: DocumentStore, collection: str, order_by: str, request: Request, name: str = "limit"
) -> tuple[list[Stored], str | None]:
    """One page and the cursor of the next, None where this one was not full. Raises BadRequest."""
    limit = rows_asked(request, name)
    query = Query(collection, order_by=order_by, direction="descending", limit=limit, after=_after(request))
    found = store.query(query)
    last = found[-1] if len(found) == limit else None
    return found, None if last is None else f"{plain(last.data[order_by])}~{last.ref.id}"


def rows_asked(request: Request, name: str) -> int:
    """How many rows a request asks for. Raises BadRequest."""
    text = request.args.get(name, str(DEFAULT_ROWS))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= ROWS_MAX:
        raise BadRequest(f"{name} is {text!r}, allowed is a whole number from 1 to {ROWS_MAX}.")
    return int(text)


def _after(request: Request) -> tuple[Any, str] | None:
    text = request.args.get("after")
    if text is None:
        return None
    at, _, id_ = text.partition("~")
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not id_ or "/" in id_:
        raise BadRequest(f"after is {text!r}, allowed is the `next` of the page before.")
    return instant, id_
