"""An environment with a function's requirements and nothing else, made of links into the one the tests run in.

Installing would take minutes and a network. A distribution that is not among the requirements cannot be imported here.
"""

import sysconfig
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Final

from withearth.packaging.carried import pinned

SITE: Final = Path(sysconfig.get_paths()["purelib"])


def with_only(requirements: bytes, directory: Path) -> Path:
    """A directory to import from. What is required on other systems only is left out, as pip leaves it out."""
    directory.mkdir(parents=True)
    for name in pinned(requirements):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        _link(directory, [PurePosixPath(file) for file in found.files or ()])
    return directory


def _link(directory: Path, files: Iterable[PurePosixPath]) -> None:
    """Link each package as a whole, but a namespace that many distributions share package by package."""
    for path in {_whole(file) for file in files if file.parts[0] != ".."}:
        link = directory / path
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(SITE / path)


def _whole(file: PurePosixPath) -> PurePosixPath:
    for depth in range(1, len(file.parts)):
        path = PurePosixPath(*file.parts[:depth])
        if (SITE / path / "__init__.py").is_file() or path.suffix in {".dist-info", ".libs"}:
            return path
    return file
