"""A publisher that is opened by the first message: executor, reconciler and API never send one."""

import threading
from collections.abc import Callable

from withearth.messaging.port import Message, Publisher


class DeferredPublisher:
    """The publisher that `open_it` makes, once, when it is needed. Safe for many threads."""

    def __init__(self, open_it: Callable[[], Publisher]) -> None:
        self._open_it = open_it
        self._lock = threading.Lock()
        self._opened: Publisher | None = None

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """Publish in order and return one message id each. They are durable on return. Raises Unavailable."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open_it()
        return self._opened.publish(topic, messages)
