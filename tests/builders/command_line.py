"""The command line as a process of its own, and the books it leaves."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from withearth.bootstrap import open_store
from withearth.cli.books import documents
from withearth.domain.canonical import canonical_json
from withearth.local.state import latest_books


def command(*arguments: str) -> list[str]:
    """The command line of a `withearth` process."""
    return [sys.executable, "-c", "from withearth.cli.app import main; main()", *arguments]


def environment(**changes: str) -> dict[str, str]:
    """The machine's environment without settings of ours."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), "COLUMNS": "200", **changes}


def withearth(cwd: Path, *arguments: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a directory of its own, with these settings."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**settings),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def exported(cwd: Path, collection: str) -> str:
    """A collection of the newest books, as `withearth export` writes it."""
    with closing(open_store(latest_books(cwd / ".withearth"))) as store:
        return "".join(f"{canonical_json(each)}\n" for each in documents(store, collection))
