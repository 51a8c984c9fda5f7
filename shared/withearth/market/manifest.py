"""The manifest of a directory of recorded market data: which files there are, and what each of them holds.

Only USDⓈ-M futures are listed. Spot recordings may lie in the same directory; they are another market.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from withearth.domain.errors import Misconfigured

MANIFEST: Final = "MANIFEST.json"
FUTURES: Final = "usds-futures"
KLINES: Final = "klines"
FUNDING: Final = "funding_rate_history"
RECORDED_ANSWER: Final = "recorded_api_response"


class RecordedFile(BaseModel):
    """One file of the directory. `file` is its path relative to the manifest; times are in milliseconds since 1970.

    What a download wrote says which time it `covers`, first and end, and whether it is `archived`: what the exchange's
    archive did not have yet is fetched again when it has.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    kind: str
    market: str | None = None
    symbol: str | None = None
    interval: str | None = None
    rows: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    missing_bars: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    covers: tuple[int, int] | None = None
    archived: bool | None = None


class Download(BaseModel):
    """What was asked for: a series, and the time of it. Without an interval it is funding."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    interval: str | None
    from_ms: int
    until_ms: int


class Manifest(BaseModel):
    """A manifest whole."""

    files: tuple[RecordedFile, ...]
    downloads: tuple[Download, ...] = ()

    def futures(self) -> tuple[RecordedFile, ...]:
        """The files of USDⓈ-M futures."""
        return tuple(file for file in self.files if file.market == FUTURES)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a directory. Raises Misconfigured when there is no readable one."""
    try:
        return Manifest.model_validate_json((directory / MANIFEST).read_bytes())
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
