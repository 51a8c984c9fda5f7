"""Server-sent events: which documents have changed, told to every open page within a second of their commit.

Each stream holds a thread of the server, so there is a bound. Beyond it a page is told to come back later; since it
reads everything again whenever it connects, it then polls, and shows the same.
"""

import time
from collections.abc import Callable, Iterator
from threading import BoundedSemaphore, Event
from typing import Final, Protocol, runtime_checkable

from werkzeug.wrappers import Request, Response

from withearth.domain.canonical import canonical_json
from withearth.flow.documents import CHARTS
from withearth.views.records import Changed

STREAMS_MAX: Final = 8
LOOK_EVERY_S: Final = 0.5
STILL_HERE_EVERY_S: Final = 15.0
COME_BACK_MS: Final = 1_000
COME_BACK_LATER_MS: Final = 15_000
VIEWS: Final = "views"
SHOWN: Final = frozenset({VIEWS, CHARTS, "feed", "trades", "events", "decisions", "intents", "labels"})


@runtime_checkable
class Watched(Protocol):
    """A store that can say what has changed."""

    def last_change(self) -> int:
        """The number of the newest commit."""
        ...

    def changed_since(self, number: int, by_id: tuple[str, ...] = ()) -> list[str]:
        """The collections that were written since, those of `by_id` with the document's id."""
        ...


class Streams:
    """The open streams of one server."""

    def __init__(self, store: Watched) -> None:
        self._store = store
        self._free = BoundedSemaphore(STREAMS_MAX)
        self._closing = Event()

    def open(self, request: Request) -> Response:
        """Answer with a stream, from where the page was when it was cut off."""
        if not self._free.acquire(blocking=False):
            return _response(iter([_line("retry", str(COME_BACK_LATER_MS))]))
        gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
        stream = _response(self._told(_since(request, self._store.last_change()), gone))
        stream.call_on_close(self._free.release)
        return stream

    def close(self) -> None:
        """End every stream within LOOK_EVERY_S."""
        self._closing.set()

    def _told(self, since: int, gone: Callable[[], bool]) -> Iterator[str]:
        yield _line("retry", str(COME_BACK_MS))
        told_at = time.monotonic()
        while not self._closing.wait(LOOK_EVERY_S) and not gone():
            last = self._store.last_change()
            topics = _shown(self._store.changed_since(since, (VIEWS, CHARTS))) if last > since else []
            since = last
            if topics:
                yield _event({"seq": last, "topics": topics})
            elif time.monotonic() - told_at > STILL_HERE_EVERY_S:
                yield ": still here\n\n"
            else:
                continue
            told_at = time.monotonic()


def _shown(changed: list[str]) -> list[str]:
    return [each for each in changed if each.partition("/")[0] in SHOWN]


def _since(request: Request, last: int) -> int:
    """Where to begin: what a page has seen, everything where that is of other books, and now for a new page."""
    text = request.headers.get("Last-Event-ID", "")
    if not text.isascii() or not text.isdigit():
        return last
    return int(text) if int(text) <= last else 0


def _event(changed: Changed) -> str:
    return f"id: {changed['seq']}\nevent: changed\ndata: {canonical_json(changed)}\n\n"


def _line(name: str, value: str) -> str:
    return f"{name}: {value}\n\n"


def _response(body: Iterator[str]) -> Response:
    return Response(body, mimetype="text/event-stream", headers={"Cache-Control": "no-store"})
