"""The settings as Markdown, and as the text of .env.example."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from withearth.settings.loading import load_settings
from withearth.settings.table import Row, describe

_EXAMPLE_HEAD: Final = """\
# Copy this file to .env and change what you want: every line below holds its default.
# A variable of the environment beats the line here. Written by `python -m withearth.generated_docs`.
"""


def defaults() -> list[Row]:
    """List every setting at its default."""
    return describe(load_settings({}, env_file=None))


def settings_table() -> str:
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
