"""One text for one document: what is hashed, exported and compared byte for byte."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any


def canonical_json(document: Any) -> str:
    """Compact JSON with sorted keys and instants as `2024-01-01T00:05:00Z`, with microseconds where there are any.

    Raises TypeError for a value a document cannot hold, and ValueError for a number that is not finite.
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=plain
    )


def digest(document: Any) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def plain(value: object) -> str:
    """An aware instant as text, for `json`'s `default`. Raises TypeError for anything else."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    message = f"{type(value).__name__} does not belong in a document"
    raise TypeError(message)
