"""The guides tell commands and variables that exist."""

import re
from pathlib import Path
from typing import Final

import pytest
from typer.main import get_command

from withearth.cli.app import app

ROOT: Final = Path(__file__).resolve().parents[2]
GUIDES: Final = ("deploy.md", "runbook.md", "cost.md")
VARIABLES: Final = set(
    re.findall(r'^variable "(\w+)"', (ROOT / "terraform" / "variables.tf").read_text(encoding="utf-8"), re.MULTILINE)
)
OUTPUTS: Final = set(
    re.findall(r'^output "(\w+)"', (ROOT / "terraform" / "outputs.tf").read_text(encoding="utf-8"), re.MULTILINE)
)


def text_of(guide: str) -> str:
    """The page."""
    return (ROOT / "docs" / guide).read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_ours_exists(guide: str) -> None:
    """A guide that names a command which is gone is worse than none, at night."""
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"withearth ([a-z][a-z-]+)", text_of(guide)))

    assert named <= known


def test_every_variable_of_the_guide_exists() -> None:
    """In the blocks that show choices."""
    blocks = re.findall(r"```hcl\n(.*?)```", text_of("deploy.md"), re.DOTALL)
    named = set(re.findall(r"^(\w+) *=", "\n".join(blocks), re.MULTILINE))
    named |= set(re.findall(r"-var (\w+)=", text_of("deploy.md")))

    assert named
    assert named <= VARIABLES


def test_every_output_of_the_guide_exists() -> None:
    """What the guide has Terraform print."""
    named = set(re.findall(r"terraform output (\w+)", text_of("deploy.md")))

    assert named
    assert named <= OUTPUTS


def test_every_variable_of_the_runbook_exists() -> None:
    """What an alert has the owner change."""
    named = set(re.findall(r"`(\w+) = ", text_of("runbook.md")))

    assert named <= VARIABLES


def test_every_secret_that_is_stored_is_one_that_terraform_makes() -> None:
    """A secret stored under another name would be read by nobody."""
    named = set(re.findall(r"secrets versions add ([\w-]+)", text_of("deploy.md")))
    made = (ROOT / "terraform" / "main.tf").read_text(encoding="utf-8")

    assert named
    assert all(f'"{name}"' in made for name in named)
