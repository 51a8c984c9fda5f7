import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from withearth import log_context
from withearth.cloud.logs import configure_cloud_logging, trace_fields
from withearth.settings import load_settings

SECRET = 'never-"to"-be\\logged'  # noqa: S105 - the point of the test
TRACE = "105445aa7843bc8bf206b12000100000"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What a function writes to its standard output."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_cloud_logging(load_settings({"BINANCE_API_SECRET": SECRET}, env_file=None), stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    log_context.begin_request({})


def lines(out: io.StringIO) -> list[Any]:
    """The lines, each of which is one JSON object."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_what_cloud_logging_reads(out: io.StringIO) -> None:
    """Severity, time and message in Google's names, what the line is about in fields of its own."""
    logging.getLogger("withearth").warning("late %s", "tick", extra={"signal": "TICK_SENT", "count": 2})

    (line,) = lines(out)
    assert ("WARNING", "late tick", "TICK_SENT", 2) == (
        line["severity"],
        line["message"],
        line["signal"],
        line["count"],
    )
    assert line["time"].endswith("+00:00")


def test_lines_carry_trace_and_decision(out: io.StringIO) -> None:
    """All that belongs to one request and one decision can be found together, and nothing else can."""
    log_context.begin_request(trace_fields({"HTTP_X_CLOUD_TRACE_CONTEXT": f"{TRACE}/255;o=1"}, "demo"))
    with log_context.about(symbol="BTCUSDT", decision_id="BTCUSDT-20240101T0005Z"):
        logging.getLogger("withearth").info("inside")
    logging.getLogger("withearth").info("outside")

    inside, outside = lines(out)
    assert f"projects/demo/traces/{TRACE}" == inside["logging.googleapis.com/trace"]
    assert "00000000000000ff" == inside["logging.googleapis.com/spanId"]
    assert "BTCUSDT-20240101T0005Z" == inside["decision_id"]
    assert inside["logging.googleapis.com/trace"] == outside["logging.googleapis.com/trace"]
    assert "decision_id" not in outside


def test_no_secret_reaches_a_line(out: io.StringIO) -> None:
    """Neither in the message, nor in a field, nor in a traceback, also with characters that JSON escapes."""
    try:
        raise RuntimeError(f"signed with {SECRET}")
    except RuntimeError:
        logging.getLogger("withearth").exception("failed with %s", SECRET, extra={"header": {"key": SECRET}})

    (line,) = lines(out)
    assert "never" not in out.getvalue()
    assert "signed with ***" in line["message"]


def test_a_long_line_stays_json(out: io.StringIO) -> None:
    """Cloud Logging would cut it otherwise."""
    logging.getLogger("withearth").info("한" * 100_000)

    assert len(out.getvalue().encode()) < 256_000
    assert 1 == len(lines(out))


@pytest.mark.parametrize(
    ("environ", "span", "sampled"),
    [
        ({"HTTP_X_CLOUD_TRACE_CONTEXT": TRACE}, None, False),
        ({"HTTP_X_CLOUD_TRACE_CONTEXT": f"{TRACE}/1;o=0"}, "0000000000000001", False),
        ({"HTTP_TRACEPARENT": f"00-{TRACE}-00f067aa0ba902b7-01"}, "00f067aa0ba902b7", True),
    ],
)
def test_both_headers_are_read(environ: dict[str, str], span: str | None, sampled: bool) -> None:
    """Google's own, and the W3C one."""
    found = trace_fields(environ, "demo")

    assert f"projects/demo/traces/{TRACE}" == found["logging.googleapis.com/trace"]
    assert span == found.get("logging.googleapis.com/spanId")
    assert sampled is found["logging.googleapis.com/trace_sampled"]


@pytest.mark.parametrize("text", ["", "x", f"{TRACE}x", '"}\n{', f"{TRACE}/99999999999999999999999"])
def test_a_header_of_another_form_is_no_trace(text: str) -> None:
    """What somebody made up is not written into the log."""
    assert {} == trace_fields({"HTTP_X_CLOUD_TRACE_CONTEXT": text, "HTTP_TRACEPARENT": text}, "demo")
