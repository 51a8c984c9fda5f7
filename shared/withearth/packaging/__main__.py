"""`python -m withearth.packaging build|smoke|check`: make the functions' zips, and try them out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError, run
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile

from withearth.domain.errors import WithEarthError
from withearth.packaging.build import packages, write
from withearth.packaging.smoke import smoke
from withearth.packaging.sources import sources

OUT: Final = Path("dist")


def build(out: Path, *, changed: bool) -> None:
    """Make every zip, and say what was made."""
    made_of = sources(Path(), changed=changed)
    made = packages(made_of)
    write(made, made_of.commit, out)
    for each in made:
        sys.stdout.write(f"{out / each.function}.zip  {len(each.data):>9} bytes  sha256 {each.sha256}\n")
    sys.stdout.write(f"of commit {made_of.commit}\n")


def try_out(out: Path, functions: Sequence[str], install_with: str | None) -> None:
    """Start each zip and ask it; with `install_with` in an environment of that Python with only its requirements."""
    for package in [out / f"{name}.zip" for name in functions] or sorted(out.glob("*.zip")):
        with TemporaryDirectory(prefix="withearth-") as directory:
            python = _installed(package, Path(directory), install_with) if install_with else sys.executable
            answer = smoke(package, Path(directory), (python,))
        sys.stdout.write(f"{package.stem} answers {answer[:100]}\n")


def _installed(package: Path, directory: Path, base: str) -> str:
    """The Python of an environment into which pip installed the zip's requirements, resolving them as Google does."""
    sys.stdout.write(f"installing the requirements of {package.stem} ...\n")
    environment = directory / "venv"
    run((base, "-m", "venv", environment), check=True)  # noqa: S603
    python = str(environment / "bin" / "python")
    with ZipFile(package) as archive:
        archive.extract("requirements.txt", directory)
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run((*pip, "install", "--requirement", directory / "requirements.txt"), check=True)  # noqa: S603
    run((*pip, "check"), check=True)  # noqa: S603
    return python


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m withearth.packaging", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="make one zip for each function from the commit checked out")
    building.add_argument("--changed", action="store_true", help="take the files as they lie here, committed or not")
    smoking = commands.add_parser("smoke", help="start each zip with this Python and ask it")
    checking = commands.add_parser("check", help="the same, each with only its requirements, installed from scratch")
    for each in (smoking, checking):
        each.add_argument("function", nargs="*", help="without a name all")
    checking.add_argument("--python", default=sys.executable, help="whose environments; the platform runs python3.13")
    for each in (building, smoking, checking):
        each.add_argument("--out", type=Path, default=OUT, help="directory of the zips")
    given = parser.parse_args(arguments)
    try:
        if given.command == "build":
            build(given.out, changed=given.changed)
        else:
            try_out(given.out, given.function, given.python if given.command == "check" else None)
    except (WithEarthError, CalledProcessError) as error:
        sys.stderr.write(f"packaging: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
