from pathlib import Path

import pytest

from tests.builders.installation import settings_of
from withearth.bootstrap import choose_bucket, choose_payloads
from withearth.cloud.bucket import BucketBlobs
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


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, type(None)),
        ({"GCS_BUCKET": "archive"}, type(None)),
        ({"MODEL_PAYLOAD_DUMPS": "true"}, FileBlobs),
        ({"MODEL_PAYLOAD_DUMPS": "true", "GCS_BUCKET": "archive"}, BucketBlobs),
    ],
)
def test_payloads_go_where_the_settings_say(tmp_path: Path, given: dict[str, str], kind: type) -> None:
    """Nowhere unless they are asked for, and into the bucket where there is one."""
    settings = settings_of(tmp_path, **given)

    assert kind is type(choose_payloads(settings, choose_bucket(settings)))
