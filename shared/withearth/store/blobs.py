"""The ports of what is kept beside the books, under a name that says what it is: payloads, and archives."""

from typing import Protocol


class Blobs(Protocol):
    """Keeps texts. What cannot be kept is logged by the adapter and lost: no decision waits for it."""

    def put(self, name: str, text: str) -> None:
        """Keep a text under a name such as `20240101/BTCUSDT-20240101T0005Z.json`, over what was there."""
        ...


class Archive(Protocol):
    """Keeps texts that somebody counts on."""

    def keep(self, name: str, text: str) -> None:
        """Keep a text under a name, over what was there. Raises Misconfigured or Unavailable."""
        ...
