"""Each function's zip, as it is deployed: what is in it, and that it answers with nothing but its requirements."""

import hashlib
import json
import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from tests.builders.environments import with_only
from withearth.local.functions import FUNCTIONS, REPOSITORY
from withearth.packaging.build import packages, write
from withearth.packaging.carried import CARRIED, pinned
from withearth.packaging.smoke import smoke
from withearth.packaging.sources import SHIPPED, Sources

FOREIGN = ("cli", "cost", "doctor", "history", "packaging")
"""Parts of the library that only a person at a terminal uses."""


@pytest.fixture(scope="module")
def made_of() -> Sources:
    """The project as it lies here."""
    files = (path for folder in SHIPPED for path in (REPOSITORY / folder).rglob("*") if path.is_file())
    kept = (path for path in files if "__pycache__" not in path.parts)
    return Sources("here", {PurePosixPath(path.relative_to(REPOSITORY).as_posix()): path.read_bytes() for path in kept})


@pytest.fixture(scope="module")
def dist(made_of: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every zip."""
    directory = tmp_path_factory.mktemp("dist")
    write(packages(made_of), made_of.commit, directory)
    return directory


def test_the_same_files_give_the_same_bytes(made_of: Sources, dist: Path) -> None:
    """In whatever order they are found; and the checksums beside the zips are theirs."""
    again = packages(Sources("elsewhere", dict(sorted(made_of.files.items(), reverse=True))))

    assert sorted(FUNCTIONS) == [each.function for each in again]
    for each in again:
        assert (dist / f"{each.function}.zip").read_bytes() == each.data
        assert f"{each.sha256}  {each.function}.zip" in (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        assert json.loads((dist / "manifest.json").read_bytes())["packages"][each.function]["sha256"] == each.sha256


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_holds_what_the_function_can_reach_and_nothing_else(dist: Path, made_of: Sources, function: str) -> None:
    """Its entry point, its requirements, its part of the library, and a list of it all; no times, no modes of here."""
    with ZipFile(dist / f"{function}.zip") as archive:
        names = archive.namelist()
        contents = json.loads(archive.read("CONTENTS.json"))
        for entry in archive.infolist():
            assert (entry.date_time, entry.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o100644)
            if entry.filename != "CONTENTS.json":
                assert hashlib.sha256(archive.read(entry)).hexdigest() == contents["sha256"][entry.filename]
        assert archive.read("main.py") == made_of.files[PurePosixPath("functions", function, "main.py")]

    assert names == sorted(names, key=PurePosixPath)
    assert {*contents["sha256"], "CONTENTS.json"} == set(names)
    assert {"main.py", "requirements.txt", "withearth/bootstrap.py", "withearth/market/synthetic.py"} <= set(names)
    assert not [name for name in names if name.startswith(tuple(f"withearth/{part}/" for part in FOREIGN))]
    assert not [name for name in names if name.startswith("tests/") or name.endswith(".pyc")]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_answers_with_nothing_but_its_requirements(dist: Path, tmp_path: Path, function: str) -> None:
    """Unpacked, and served by functions-framework in a process that can import its requirements only."""
    with ZipFile(dist / f"{function}.zip") as archive:
        requirements = archive.read("requirements.txt")
    assert not set(CARRIED) & pinned(requirements).keys()
    environment = with_only(requirements, tmp_path / "environment")

    answer = smoke(dist / f"{function}.zip", tmp_path, (sys.executable, "-S"), (str(environment),))

    assert function != "api" or json.loads(answer)["status"] == "ok"
