"""Logs of a function: one JSON object a line on standard output, as Cloud Logging reads it.

Severity, time and trace go into Google's own fields, so that all lines of one request are shown together; whatever a
line is about (a signal, a decision's id) stands in a field of its own, to be searched and counted. No secret reaches a
line. https://cloud.google.com/logging/docs/structured-logging
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any, Final

from withearth import log_context
from withearth.settings import Settings, redact

TRACE: Final = "logging.googleapis.com/trace"
SPAN: Final = "logging.googleapis.com/spanId"
SAMPLED: Final = "logging.googleapis.com/trace_sampled"
TEXT_CHARACTERS_MAX: Final = 50_000
"""Cloud Logging cuts a line above 256 KB, and what is cut is no JSON any more: a character has up to four bytes."""

_GOOGLES: Final = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]))?")
_W3C: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_OF_EVERY_RECORD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def trace_fields(environ: Mapping[str, Any], project: str) -> dict[str, Any]:
    """Google's fields for the trace of a WSGI request, nothing where it carries none that can be read."""
    googles = _GOOGLES.fullmatch(str(environ.get("HTTP_X_CLOUD_TRACE_CONTEXT", "")))
    if googles is not None:
        trace, number, sampled = googles.groups()
        return _fields(project, trace, f"{int(number):016x}" if number else None, sampled=sampled == "1")
    w3c = _W3C.fullmatch(str(environ.get("HTTP_TRACEPARENT", "")))
    if w3c is not None:
        trace, span, flags = w3c.groups()
        return _fields(project, trace, span, sampled=bool(int(flags, 16) & 1))
    return {}


def _fields(project: str, trace: str, span: str | None, *, sampled: bool) -> dict[str, Any]:
    found = {TRACE: f"projects/{project}/traces/{trace}", SAMPLED: sampled}
    return found if span is None else found | {SPAN: span}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON, traceback included, with every secret in it starred."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line without secrets."""
        extras = {name: each for name, each in record.__dict__.items() if name not in _OF_EVERY_RECORD}
        line = {
            **log_context.fields(),
            **extras,
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
            "message": super().format(record)[:TEXT_CHARACTERS_MAX],
        }
        # Before it becomes JSON, which would write some characters of a secret otherwise.
        safe = {name: self._safe(each) for name, each in line.items()}
        return json.dumps(safe, ensure_ascii=False)

    def _safe(self, value: Any) -> Any:
        match value:
            case bool() | int() | float():
                return value
            case dict():
                return {str(name): self._safe(each) for name, each in value.items()}
            case list() | tuple():
                return [self._safe(each) for each in value]
            case _:
                return redact(str(value), self._settings)


def configure_cloud_logging(settings: Settings, stream: IO[str] | None = None) -> None:
    """Send the process's log to standard output, or to `stream`, as Cloud Logging reads it."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(settings))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
