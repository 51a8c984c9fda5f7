"""What a person reads after `--help`."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from withearth.cli.app import app


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from _commands(each, (*path, name))
    else:
        yield path, command


@pytest.mark.parametrize(
    ("path", "command"), [pytest.param(*each, id=" ".join(each[0])) for each in _commands(get_command(app))]
)
def test_a_help_says_what_was_written(path: tuple[str, ...], command: Any) -> None:
    """Word for word: a text with colons in it is no emoji, and one in brackets no colour."""
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "160"}).output
    texts = [command.help or "", *(getattr(each, "help", None) or "" for each in command.params)]
    texts += [each.metavar or "" for each in command.params]

    assert [] == [word for text in texts for word in text.split() if word not in shown]
