"""The README in English and in Korean tell the same commands and lead to the same pages."""

import re
from pathlib import Path
from typing import Final

import pytest
from typer.main import get_command

from withearth.cli.app import app

ROOT: Final = Path(__file__).resolve().parents[2]
ENGLISH, KOREAN = "README.md", "README.ko.md"


def text_of(name: str) -> str:
    """The page."""
    return (ROOT / name).read_text(encoding="utf-8")


def commands_of(name: str) -> list[str]:
    """What its blocks have somebody type, in order: without the comments, which are in the reader's language."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(name), re.DOTALL)
    return [line.partition(" # ")[0].rstrip() for block in blocks for line in block.splitlines()]


def pages_of(name: str) -> set[str]:
    """The files it links, without the places in them."""
    return {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text_of(name))}


def test_both_tell_the_same_commands() -> None:
    """In the same order."""
    assert commands_of(ENGLISH) == commands_of(KOREAN)
    assert "make demo" in commands_of(KOREAN)


def test_both_lead_to_the_same_pages_and_to_each_other() -> None:
    """Each begins with a link to the other."""
    assert pages_of(ENGLISH) - {KOREAN} == pages_of(KOREAN) - {ENGLISH}
    assert f"]({KOREAN})" in text_of(ENGLISH).partition("```")[0]
    assert f"]({ENGLISH})" in text_of(KOREAN).partition("```")[0]


@pytest.mark.parametrize("name", [ENGLISH, KOREAN])
def test_every_command_and_every_page_exists(name: str) -> None:
    """A newcomer's first steps lead somewhere."""
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"\$W ([a-z-]+)", "\n".join(commands_of(name))))

    assert named <= known
    assert [] == [page for page in sorted(pages_of(name)) if not (ROOT / page).is_file()]
