"""The blobs port: texts too large or too private for the books, kept under a name that says what they are."""

from typing import Protocol


class Blobs(Protocol):
    """Keeps texts. What cannot be kept is logged by the adapter and lost: no decision waits for it."""

    def put(self, name: str, text: str) -> None:
        """Keep a text under a name such as `20240101/BTCUSDT-20240101T0005Z.json`, over what was there."""
        ...
