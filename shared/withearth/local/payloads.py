"""Payloads on disk: what was asked and answered, one JSON file a decision, as the original bot wrote them."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class FileBlobs:
    """The blobs port over a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, name: str, text: str) -> None:
        """Write the file, making its directory."""
        path = self._directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            log.warning("payload %s was not written: %s", name, error.strerror)
