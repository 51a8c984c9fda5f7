"""The project's files as they were committed, which are the same on every machine; or as they lie here.

Git is asked, not the directory: neither a checkout's line ends nor its times or permissions get into a package.
"""

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from withearth.domain.errors import Misconfigured

SHIPPED: Final = ("functions", "shared/withearth")
_AS_COMMITTED: Final = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")


@dataclass(frozen=True, slots=True)
class Sources:
    """What packages are made of: files by their path in the project. `commit` ends in `+` where they differ from it."""

    commit: str
    files: dict[PurePosixPath, bytes]

    def below(self, folder: str) -> dict[PurePosixPath, bytes]:
        """The files of a folder, by their path in it."""
        return {path.relative_to(folder): data for path, data in self.files.items() if path.is_relative_to(folder)}


def sources(root: Path, *, changed: bool = False) -> Sources:
    """The files of the commit that is checked out; with `changed` those that lie here, committed or not.

    Raises Misconfigured where there is no commit, and for a changed tree without `changed`.
    """
    commit = _git(root, "rev-parse", "HEAD").decode().strip()
    differences = _git(root, "status", "--porcelain", "--", *SHIPPED).decode().splitlines()
    if not differences:
        return Sources(commit, _committed(root))
    if not changed:
        raise Misconfigured(
            f"{len(differences)} files differ from the commit, such as {differences[0][3:]}: commit them, so that a "
            "package can be told by its commit, or build with --changed."
        )
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SHIPPED)
    paths = [path for path in listed.decode().split("\0") if path and (root / path).is_file()]
    return Sources(f"{commit}+", {PurePosixPath(path): (root / path).read_bytes() for path in paths})


def _committed(root: Path) -> dict[PurePosixPath, bytes]:
    archive = _git(root, *_AS_COMMITTED, "archive", "--format=tar", "HEAD", "--", *SHIPPED)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        read = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
        return {PurePosixPath(name): file.read() for name, file in read if file is not None}


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(("git", *arguments), cwd=root, capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError as error:
        raise Misconfigured("There is no git on the path, and packages are made from a commit: install git.") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise Misconfigured(f"git {arguments[0]} fails in {root}: {told[-1] if told else 'no reason given'}")
    return done.stdout
