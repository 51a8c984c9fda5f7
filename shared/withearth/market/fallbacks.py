"""Which calls for market data another way had to make, told to whoever works with what they brought.

They are made deep below a port that hands back prices only, and partly in threads of its own. So the telling goes with
the context of the work, as the fields of a log line do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_heard: ContextVar[set[str] | None] = ContextVar("fallbacks", default=None)


@contextmanager
def listening() -> Iterator[set[str]]:
    """What is told while the context lasts, each sentence once."""
    heard: set[str] = set()
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def tell(sentence: str) -> None:
    """Tell of a call that another way had to make."""
    heard = _heard.get()
    if heard is not None:
        heard.add(sentence)
