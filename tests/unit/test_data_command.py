"""`withearth data download` as it is called wrongly."""

from pathlib import Path

import pytest

from withearth.cli.data import download
from withearth.domain.errors import Misconfigured


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"start": "2024-02-01", "end": "2024-01-01"}, "--from comes before --to"),
        ({"start": "2924-02-01"}, "--from comes before --to, and lies in the past"),
        ({"interval": "7m"}, "--interval is '7m'"),
        ({"symbols": "top:50"}, "--symbols is top:50: name the symbols"),
        ({"start": "yesterday"}, "--from is 'yesterday'"),
        ({"base": "ftp://x"}, "BINANCE_ARCHIVE_BASE is ftp://x"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], sentence: str
) -> None:
    """And nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured, match=sentence):
        download(**{"symbols": "BTCUSDT", "start": "2024-01-01", **changed})  # type: ignore[arg-type]  # all are texts
    assert list(tmp_path.iterdir()) == []
