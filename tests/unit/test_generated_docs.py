from pathlib import Path

import pytest

from withearth import generated_docs
from withearth.domain.reasons import Reason
from withearth.requirements_docs import REQUIREMENTS, modules_by_requirement

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_files_are_up_to_date() -> None:
    """`.env.example` and every block in the docs are what the code says."""
    assert list(generated_docs.stale(ROOT)) == []


@pytest.mark.parametrize("name", generated_docs.BLOCKS)
def test_every_block_stands_somewhere(name: str) -> None:
    """A block that no page shows would be kept up to date for nobody."""
    begin, end = generated_docs.markers(name)
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]

    assert any(begin in page and end in page for page in pages)


def test_only_the_block_between_the_markers_is_replaced() -> None:
    """The text around a block is somebody else's, and a text without both markers stays as it is."""
    begin, end = generated_docs.markers("reasons")
    text = f"before\n{begin}\nold\n{end}\nafter\n"

    assert generated_docs.replace_block(text, "reasons", "new") == text.replace("old", "new")
    assert generated_docs.replace_block("no markers", "reasons", "new") == "no markers"
    assert generated_docs.replace_block(begin, "reasons", "new") == begin


def test_every_reason_is_explained() -> None:
    """The table has a row for each code, with its sentence."""
    table = generated_docs.reasons_table()

    assert all(f"| `{reason.value}` | {reason.sentence} |" in table for reason in Reason)


def test_the_generator_writes_what_it_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` fails and names the files until they are written, and writes none itself."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "reasons.md").write_text("\n".join(generated_docs.markers("reasons")), encoding="utf-8")
    (tmp_path / "README.md").write_text("no markers", encoding="utf-8")

    statuses = [generated_docs.main(arguments) for arguments in (["--check"], ["--check"], [], ["--check"])]

    assert statuses == [1, 1, 0, 0]
    told = capsys.readouterr().out
    for name in (".env.example", "dashboard/src/data/model.ts", "docs/reasons.md"):
        assert f"{name} is out of date\n" in told
        assert (tmp_path / name).is_file()


@pytest.mark.parametrize("number", [*range(1, 18), 22, 23, 27, 28, 29, 31, 32])
def test_every_requirement_of_execution_has_a_test_of_its_number(number: int) -> None:
    """A requirement that no test names is kept by nobody."""
    assert modules_by_requirement(ROOT / "tests")[number]


def test_only_requirements_that_exist_are_named() -> None:
    """A test of a number that no requirement has is a slip."""
    assert set(REQUIREMENTS) == set(modules_by_requirement(ROOT / "tests"))
