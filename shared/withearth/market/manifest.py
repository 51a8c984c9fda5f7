"""The manifest of a directory of recorded market data: which files there are, and what each of them holds.

Only USDⓈ-M futures are listed. Spot recordings may lie in the same directory; they are another market.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from withearth.domain.errors import Misconfigured

MANIFEST: Final = "MANIFEST.json"
_FUTURES: Final = "usds-futures"


class RecordedFile(BaseModel):
    """One file of the directory. `file` is its path relative to the manifest."""

    model_config = ConfigDict(frozen=True)

    file: str
    kind: str
    market: str | None = None
    symbol: str | None = None
    interval: str | None = None
    rows: int | None = None


class _Manifest(BaseModel):
    files: tuple[RecordedFile, ...]


def read_manifest(directory: Path) -> tuple[RecordedFile, ...]:
    """The futures files of a directory. Raises Misconfigured when there is no readable manifest."""
    try:
        manifest = _Manifest.model_validate_json((directory / MANIFEST).read_bytes())
    except OSError as error:
        raise Misconfigured(
            f"No recorded market data in {directory}: expected a {MANIFEST} there ({error.strerror}); "
            "name the directory that holds it, or choose the synthetic market."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise Misconfigured(
            f"{directory / MANIFEST} is not a manifest of recorded market data: {first['msg']} at {place}; "
            "restore the file, or name another directory."
        ) from error
    return tuple(file for file in manifest.files if file.market == _FUTURES)
