"""One zip for each function: its entry point, its requirements, and the part of the library that it can reach.

The same commit gives the same bytes on every machine: entries are sorted, have one time and one mode, and are stored as
they are, because what a compressor makes of them changes with its version. The commit is not in the zip but beside it,
so a commit that changes nothing about a function leaves its zip, and what is deployed of it, as it was.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from withearth import __version__
from withearth.domain.errors import Misconfigured
from withearth.packaging.carried import carry
from withearth.packaging.reach import reached
from withearth.packaging.sources import Sources

ENTRY: Final = PurePosixPath("main.py")
REQUIREMENTS: Final = PurePosixPath("requirements.txt")
CONTENTS: Final = PurePosixPath("CONTENTS.json")
_FIRST_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell."""
_PLAIN_FILE: Final = 0o100644 << 16
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class Package:
    """A function's zip."""

    function: str
    data: bytes

    @property
    def sha256(self) -> str:
        """What it is known by."""
        return hashlib.sha256(self.data).hexdigest()


def packages(of: Sources) -> list[Package]:
    """The packages of all functions, by name. Raises Misconfigured."""
    functions = sorted({path.parts[1] for path in of.files if path.parts[0] == "functions"})
    return [package(of, name) for name in functions]


def package(of: Sources, function: str) -> Package:
    """The package of one function. Raises Misconfigured for one that is not there."""
    own, library = of.below(f"functions/{function}"), of.below("shared")
    if not {ENTRY, REQUIREMENTS} <= own.keys():
        raise Misconfigured(
            f"There is no function {function}: functions/{function} needs main.py and requirements.txt."
        )
    requirements, carried = carry(own[REQUIREMENTS])
    shipped = {path: library[path] for path in reached(own[ENTRY], library)}
    files = {ENTRY: own[ENTRY], REQUIREMENTS: requirements} | shipped | carried
    return Package(function, _zipped(files | {CONTENTS: _contents(function, files)}))


def _contents(function: str, files: Mapping[PurePosixPath, bytes]) -> bytes:
    sums = {str(path): hashlib.sha256(files[path]).hexdigest() for path in sorted(files)}
    return _json({"function": function, "version": __version__, "sha256": sums})


def _zipped(files: Mapping[PurePosixPath, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(str(path), _FIRST_TIME)
            entry.create_system, entry.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def write(made: list[Package], commit: str, directory: Path) -> None:
    """Put the zips into a directory, with a manifest and the checksums in the form that `sha256sum --check` reads."""
    directory.mkdir(parents=True, exist_ok=True)
    for each in made:
        (directory / f"{each.function}.zip").write_bytes(each.data)
    listed = {each.function: {"bytes": len(each.data), "sha256": each.sha256} for each in made}
    manifest = {"commit": commit, "packages": listed, "version": __version__}
    (directory / "manifest.json").write_bytes(_json(manifest))
    sums = "".join(f"{each.sha256}  {each.function}.zip\n" for each in made)
    (directory / "SHA256SUMS").write_text(sums, encoding="utf-8")


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
