"""Logs of a local run: warnings to the terminal, everything to a file in LOG_DIR. No secret ever reaches either."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from withearth.domain.errors import Misconfigured
from withearth.settings import Settings, redact

FILE_BYTES_MAX: Final = 10_000_000
FILES_KEPT: Final = 5
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and stars every secret in what came out."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(_FORMAT)
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        """The record as one text without secrets."""
        return redact(super().format(record), self._settings)


def log_file(settings: Settings) -> Path:
    """The newest file; older ones stand beside it, numbered."""
    return settings.log_dir / "withearth.log"


def configure_logging(settings: Settings) -> None:
    """Send the process's log where the settings say. Raises Misconfigured when LOG_DIR cannot be written."""
    try:
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(
            log_file(settings), maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8"
        )
    except OSError as error:
        raise Misconfigured(
            f"LOG_DIR {settings.log_dir} cannot be written ({error.strerror}): choose another."
        ) from error
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    for handler in (file, terminal):
        handler.setFormatter(RedactingFormatter(settings))
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
