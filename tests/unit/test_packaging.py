"""How packages are made: from the commit, of what can be reached, with what is carried."""

import os
import shutil
import subprocess
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

import pytest

from withearth.domain.errors import Misconfigured
from withearth.packaging import carried
from withearth.packaging.__main__ import main
from withearth.packaging.build import packages
from withearth.packaging.carried import carry, pinned
from withearth.packaging.reach import reached
from withearth.packaging.sources import sources

LIBRARY = {
    "withearth/__init__.py": "",
    "withearth/py.typed": "",
    "withearth/flow/__init__.py": "",
    "withearth/flow/decide.py": "from withearth.flow import late\ndef f():\n    import withearth.store.sqlite\n",
    "withearth/flow/late.py": "if TYPE_CHECKING:\n    from withearth.cli.app import main\n",
    "withearth/flow/unused.py": "",
    "withearth/store/__init__.py": "",
    "withearth/store/sqlite.py": "import sqlite3\n",
    "withearth/store/indexes.toml": "",
    "withearth/cli/__init__.py": "",
    "withearth/cli/app.py": "",
}


def git(root: Path, *arguments: str) -> None:
    """A git command, as nobody in particular."""
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid")
    subprocess.run(("git", *who, *arguments), cwd=root, check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A committed project with one function."""
    if shutil.which("git") is None:
        pytest.skip("SKIPPED without git")
    files = {"functions/tick/main.py": "from withearth.flow.decide import f\n", "functions/tick/requirements.txt": ""}
    root = tmp_path / "project"
    for path, text in (files | {f"shared/{path}": text for path, text in LIBRARY.items()}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    git(root.parent, "init", "-q", str(root))
    git(root, "add", "--all")
    git(root, "commit", "-qm", "one")
    return root


def test_what_is_imported_now_or_late_is_reached() -> None:
    """Also inside a function, and with the packages around it and what lies there; not what a type checker looks at."""
    library = {PurePosixPath(path): text.encode() for path, text in LIBRARY.items()}
    found = {str(path) for path in reached(b"from withearth.flow.decide import f", library)}

    assert set(LIBRARY) - found == {"withearth/flow/unused.py", "withearth/cli/__init__.py", "withearth/cli/app.py"}


def test_two_checkouts_of_a_commit_give_the_same_zip(project: Path, tmp_path: Path) -> None:
    """Whatever the path, the permissions, the times and the line ends of the checkout."""
    (first,) = packages(sources(project))
    elsewhere = tmp_path / "elsewhere"
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "-q", str(project), str(elsewhere))
    git(elsewhere, "config", "core.autocrlf", "true")
    for path in (elsewhere / "functions").rglob("*.py"):
        path.chmod(0o777)
        os.utime(path, (0, 0))
    git(elsewhere, "config", "core.fileMode", "false")

    (second,) = packages(sources(elsewhere))

    assert first.data == second.data


def test_a_changed_tree_is_refused_unless_it_is_asked_for(project: Path) -> None:
    """A package is told by its commit; one that is not says so."""
    (project / "shared/withearth/flow/late.py").write_text("x = 1\n", encoding="utf-8")

    with pytest.raises(Misconfigured, match=r"1 files differ from the commit, such as shared/withearth/flow/late\.py"):
        sources(project)
    changed = sources(project, changed=True)
    assert changed.commit.endswith("+")
    assert changed.below("shared")[PurePosixPath("withearth/flow/late.py")] == b"x = 1\n"


def test_a_directory_without_a_commit_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And exit code 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert main(["build"]) == 2
    assert "packaging: git rev-parse fails in ." in capsys.readouterr().err


def test_a_zip_that_was_not_built_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which says how to build it."""
    assert main(["smoke", "api", "--out", str(tmp_path)]) == 2
    assert "run make packages" in capsys.readouterr().err


def test_what_pip_cannot_resolve_is_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files, with metadata that ask for nothing; everything else stays required, with its hashes."""
    monkeypatch.setattr(carried, "CARRIED", ("iniconfig",))
    version = distribution("iniconfig").version
    other = b"zlib-ng==1.0 ; python_version < '4' \\\n    --hash=sha256:ab\n    # via iniconfig\n"
    kept, files = carry(f"iniconfig=={version} \\\n    --hash=sha256:cd\n    # via pytest\n".encode() + other)

    assert kept == other
    assert pinned(kept) == {"zlib-ng": "1.0"}
    assert files[PurePosixPath("iniconfig/__init__.py")]
    (metadata,) = (data for path, data in files.items() if path.name == "METADATA")
    assert metadata == f"Metadata-Version: 2.1\nName: iniconfig\nVersion: {version}\n".encode()


def test_another_version_than_required_is_not_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here and what is deployed are one."""
    monkeypatch.setattr(carried, "CARRIED", ("iniconfig", "not-there"))

    with pytest.raises(Misconfigured, match=r"required is 0\.0\.1: run make packages"):
        carry(b"iniconfig==0.0.1 \\\n    --hash=sha256:cd\n")
    with pytest.raises(Misconfigured, match="not-there is not installed here"):
        carry(b"not-there==0.0.1 \\\n    --hash=sha256:cd\n")
