"""A directory of recorded market data that is added to: files first, then the manifest that tells of them.

A file is written beside its place, synced and renamed, so that a crash leaves the old one, the new one, or none; and
what stands in the manifest is on the disk. What others recorded in the directory stays as it is.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from withearth.domain.errors import Misconfigured
from withearth.domain.times import from_ms, to_ms
from withearth.history.periods import DAY, Period, Series, Span, joined
from withearth.history.tables import SCHEMA
from withearth.market.manifest import FUTURES, MANIFEST, Download, Manifest, RecordedFile, read_manifest

SAVE_EVERY_S: Final = 1.0
"""Most work, in seconds, that a kill can make undone."""
ANSWERS: Final = "api/recorded"
"""Folder of the exchange's answers, in a folder each that is named after the instant."""
_BESIDE: Final = ".withearth-part"
_HEAD: Final[Mapping[str, Any]] = {
    "title": "Recorded Binance market data",
    "timezone": "UTC",
    "timestamps": "milliseconds since 1970-01-01",
    "kline_columns": SCHEMA.names,
}


class Shelf:
    """The files of a directory and their manifest. May be added to from any thread, of one process."""

    def __init__(self, directory: Path) -> None:
        """Raises Misconfigured when the directory has a manifest that cannot be read."""
        self.directory = directory
        there = (directory / MANIFEST).exists()
        manifest = read_manifest(directory) if there else Manifest(files=())
        self._document: dict[str, Any] = json.loads((directory / MANIFEST).read_bytes()) if there else dict(_HEAD)
        self._rows = {each["file"]: each for each in self._document.get("files", ())}
        self._files = {each.file: each for each in manifest.files}
        self._downloads = list(manifest.downloads)
        self._lock = threading.Lock()
        self._saved_at = time.monotonic()
        for left_over in directory.rglob(f"*{_BESIDE}"):
            left_over.unlink()

    def files(self, series: Series) -> list[RecordedFile]:
        """What the manifest has of a series."""
        return [each for each in self._files.values() if each.market == FUTURES and _is_of(each, series)]

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def newest_answer(self, name: str, day: str = "") -> Any:
        """The newest recorded answer of this name, of one day if it is given; None where none is there whole."""
        named = (each for each in self._files if each.startswith(f"{ANSWERS}/{day}") and each.endswith(f"/{name}"))
        names = [each for each in named if is_whole(self.directory, self._files[each])]
        return json.loads((self.directory / max(names)).read_bytes()) if names else None

    def put(self, name: str, content: bytes, about: Mapping[str, Any]) -> None:
        """Write a file in one step and list it. Raises Misconfigured when the disk does not take it."""
        write_whole(self.directory / name, content)
        row = {"file": name, **about, "market": FUTURES, "bytes": len(content), "sha256": _digest(content)}
        with self._lock:
            self._rows[name] = row
            self._files[name] = RecordedFile.model_validate(row)
            if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
                self._save()

    def note(self, series: Series, asked: Sequence[Span]) -> None:
        """Remember what was asked for, so that what is missing of it can be told later."""
        mine = [each for each in self._downloads if (each.symbol, each.interval) == (series.symbol, series.timeframe)]
        known = [Span(from_ms(each.from_ms), from_ms(each.until_ms)) for each in mine]
        with self._lock:
            self._downloads = [each for each in self._downloads if each not in mine] + [
                Download(
                    symbol=series.symbol,
                    interval=series.timeframe,
                    from_ms=to_ms(span.start),
                    until_ms=to_ms(span.end),
                )
                for span in joined([*known, *asked])
            ]

    def save(self) -> None:
        """Write the manifest. Raises Misconfigured when the disk does not take it."""
        with self._lock:
            self._save()

    def _save(self) -> None:
        downloads = [each.model_dump() for each in self._downloads]
        document = self._document | {"files": list(self._rows.values()), "downloads": downloads}
        write_whole(self.directory / MANIFEST, json.dumps(document, indent=1, ensure_ascii=False).encode())
        self._saved_at = time.monotonic()


def is_whole(directory: Path, file: RecordedFile) -> bool:
    """Whether a file is there, with the size and the SHA-256 that the manifest says, where it says them."""
    try:
        content = (directory / file.file).read_bytes()
    except OSError:
        return False
    return file.bytes in {None, len(content)} and file.sha256 in {None, _digest(content)}


def name_of(series: Series, period: Period) -> str:
    """Where a piece lies in the directory."""
    folder = "funding/usds-futures" if series.timeframe is None else f"klines/usds-futures/{series.timeframe}"
    ending = "csv" if series.timeframe is None else "parquet"
    return f"{folder}/{series.symbol}_{period.start:%Y%m%d}_{period.end - DAY:%Y%m%d}.{ending}"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step. Raises Misconfigured, with nothing left behind, when that does not work."""
    beside = path.with_name(path.name + _BESIDE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise Misconfigured(
            f"{path} cannot be written ({error.strerror}): free some space or make its folder writable, then start "
            "again; what is complete stays."
        ) from error


def _is_of(file: RecordedFile, series: Series) -> bool:
    return (file.kind, file.symbol, file.interval) == (series.kind, series.symbol, series.timeframe)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
