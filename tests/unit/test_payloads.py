from pathlib import Path

from withearth.local.payloads import FileBlobs


def test_a_payload_lies_under_its_name(tmp_path: Path) -> None:
    """Directories are made, and a second text takes the place of the first."""
    blobs = FileBlobs(tmp_path / "payloads")
    for text in ("first", "second"):
        blobs.put("20240101/BTCUSDT-20240101T0005Z.json", text)

    path = tmp_path / "payloads" / "20240101" / "BTCUSDT-20240101T0005Z.json"
    assert path.read_text(encoding="utf-8") == "second"


def test_a_payload_that_cannot_be_written_stops_no_decision(tmp_path: Path) -> None:
    """A file where the directory should be is logged, and passed over."""
    (tmp_path / "payloads").write_text("in the way", encoding="utf-8")

    FileBlobs(tmp_path / "payloads").put("20240101/x.json", "text")

    assert (tmp_path / "payloads").read_text(encoding="utf-8") == "in the way"
