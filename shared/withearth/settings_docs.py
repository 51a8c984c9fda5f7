"""What people read about the settings, written from the model: .env.example and the table in the docs.

`python -m withearth.settings_docs` writes the files below the current directory, and with `--check` only
tells which of them differ from the model. README.md takes part as soon as it has the two markers.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from withearth.settings import Row, describe, load_settings

BEGIN: Final = "<!-- settings:begin -->"
END: Final = "<!-- settings:end -->"
DOCS: Final = Path("docs/settings.md")
README: Final = Path("README.md")
EXAMPLE: Final = Path(".env.example")

_EXAMPLE_HEAD: Final = """\
# Copy this file to .env and change what you want: every line below holds its default.
# A variable of the environment beats the line here. Written by `python -m withearth.settings_docs`.
"""


def defaults() -> list[Row]:
    """List every setting at its default."""
    return describe(load_settings({}, env_file=None))


def table() -> str:
    """Return all settings as Markdown, one table for each group."""
    return "\n\n".join(
        "\n".join(_group_table(group, rows)) for group, rows in groupby(defaults(), lambda row: row.group)
    )


def _group_table(group: str, rows: Iterator[Row]) -> Iterator[str]:
    yield f"**{group}**\n"
    yield "| Key | Default | Allowed | Meaning |"
    yield "|---|---|---|---|"
    for row in rows:
        default = f"`{row.default}`" if row.default else "empty"
        yield f"| `{row.key}` | {default} | {_cell(row.allowed)} | {_cell(row.description)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def example() -> str:
    """Return the text of .env.example."""
    groups = ("\n".join(_group_lines(group, rows)) for group, rows in groupby(defaults(), lambda row: row.group))
    return "\n".join([_EXAMPLE_HEAD, *groups])


def _group_lines(group: str, rows: Iterator[Row]) -> Iterator[str]:
    yield f"# ---- {group} ----\n"
    for row in rows:
        yield f"# {row.description}\n# Allowed: {row.allowed}.\n{row.key}={row.default}\n"


def replace_block(text: str, table: str) -> str:
    """Put the table between the markers; a text without them stays as it is."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else text


def stale(root: Path) -> dict[Path, str]:
    """Return the files below this directory that differ from the model, each with the text it should have."""
    wanted = {EXAMPLE: example()} | {page: replace_block(_read(root / page), table()) for page in (DOCS, README)}
    return {path: text for path, text in wanted.items() if text != _read(root / path)}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or check them; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m withearth.settings_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file is out of date")
    check = parser.parse_args(arguments).check
    outdated = stale(Path.cwd())
    for path, text in outdated.items():
        sys.stdout.write(f"{path} is out of date\n" if check else f"{path} written\n")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
