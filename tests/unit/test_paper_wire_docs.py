from pathlib import Path

import pytest

from withearth.paper import wire_docs
from withearth.paper.wire.endpoints import ENDPOINTS, TABLE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / wire_docs.PAGE


def test_the_page_says_what_the_code_does() -> None:
    """Tables of endpoints and faults are the generated ones: run `python -m withearth.paper.wire_docs`."""
    text = PAGE.read_text(encoding="utf-8")

    assert wire_docs.page(text) == text
    assert all(f"<!-- {name}:{edge} -->" in text for name in ("endpoints", "faults") for edge in ("begin", "end"))


def test_every_endpoint_is_one_row() -> None:
    """None twice, each with its weight."""
    rows = wire_docs.endpoints_table().splitlines()[2:]

    assert len(ENDPOINTS) == len(TABLE) == len(rows)
    assert any("`GET /fapi/v1/depth`" in row and "≤50: 2; ≤100: 5; ≤500: 10; ≤1000: 20" in row for row in rows)


def test_a_check_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the page and fails; without it the page is written, and is then up to date."""
    page = tmp_path / wire_docs.PAGE
    page.parent.mkdir()
    page.write_text("# Page\n\n<!-- faults:begin -->\n<!-- faults:end -->\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert 1 == wire_docs.main(["--check"])
    assert "out of date" in capsys.readouterr().out
    assert "reset_after" not in page.read_text(encoding="utf-8")
    assert 0 == wire_docs.main([])
    assert "reset_after" in page.read_text(encoding="utf-8")
    assert 0 == wire_docs.main(["--check"])
