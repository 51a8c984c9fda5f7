"""The local server over real sockets: who may ask, what the stream tells, and what the desk obeys."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.builders.installation import Installation
from tests.builders.timing import within_seconds
from withearth.flow.documents import event_ref, trading_ref, view_ref
from withearth.flow.trading_state import standing
from withearth.local import stream
from withearth.local.door import TOKEN_HEADER
from withearth.local.logs import log_file
from withearth.local.server import serving
from withearth.store.port import Replace

SOON_S = 2.0


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation on the paper exchange before its first tick."""
    return Installation(tmp_path_factory.mktemp("site"), EXECUTE_TRADES="true")


@pytest.fixture(scope="module")
def address(installation: Installation) -> Iterator[str]:
    """The address of its server."""
    with serving(installation.runtime, 0) as found:
        yield found


def connection(address: str) -> http.client.HTTPConnection:
    """A line to the server."""
    where = urlsplit(address)
    return http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)


def ask(address: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """The status and the answer. Headers are named with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connection(address)) as line:
        line.request(method, path, None if body is None else json.dumps(body), named)
        answer = line.getresponse()
        text = answer.read()
    return answer.status, json.loads(text) if text.startswith(b"{") else text


def session(address: str) -> dict[str, str]:
    """The header that a control request carries."""
    return {TOKEN_HEADER.replace("-", "_"): ask(address, "GET", "/api/session")[1]["token"]}


def state_of(installation: Installation) -> str:
    """The trading state."""
    return standing(installation.store.get(trading_ref())).state.value


def next_message(lines: Any) -> tuple[int, list[str]]:
    """The next message of a stream: its id and its topics."""
    seq = 0
    while True:
        line = lines.readline().decode().strip()
        if line.startswith("id: "):
            seq = int(line.removeprefix("id: "))
        if line.startswith("data: "):
            return seq, json.loads(line.removeprefix("data: "))["topics"]


@pytest.mark.parametrize(
    ("headers", "path", "method"),
    [
        ({"Host": "evil.example"}, "/api/overview", "GET"),
        ({"Host": "localhost.evil.example"}, "/dashboard", "GET"),
        ({"Sec_Fetch_Site": "cross-site"}, "/api/overview", "GET"),
        ({"Sec_Fetch_Site": "same-site"}, "/api/session", "GET"),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, "/tasks/trader", "GET"),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, "/fn/reconciler", "POST"),
        ({"Origin": "https://evil.example"}, "/tasks/trader", "POST"),
        ({"Origin": "null"}, "/fn/reconciler", "POST"),
    ],
)
def test_strangers_are_refused(address: str, headers: dict[str, str], path: str, method: str) -> None:
    """A stranger's name for this machine, and whatever a browser sends on behalf of another site."""
    status, answer = ask(address, method, path, **headers)

    assert status == 403
    assert answer["status"] == "error"


def test_the_page_learns_where_the_log_is(installation: Installation, address: str) -> None:
    """The whole path, which nobody but this machine's own page is told."""
    told = ask(address, "GET", "/api/session")[1]["log"]

    assert str(log_file(installation.runtime.settings).resolve()) == told
    assert "log" not in ask(address, "GET", "/health")[1]


def test_a_link_from_elsewhere_opens_the_page(address: str) -> None:
    """Following a link changes nothing, so it is allowed; every answer says who may frame or embed it."""
    status, _ = ask(address, "GET", "/dashboard", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    with closing(connection(address)) as line:
        line.request("GET", "/api/overview")
        headers = line.getresponse().headers

    assert status != 403
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_halt_is_obeyed_at_once_and_answered(installation: Installation, address: str) -> None:
    """The answer says what followed, and the view keeps it."""
    body = {"id": "halt-1", "action": "halt", "why": "the news"}

    status, answer = ask(address, "POST", "/api/control", body, **session(address))

    assert (status, answer["outcome"], answer["state"], answer["why"]) == (200, "OBEYED", "HALTED", "the news")
    assert state_of(installation) == "HALTED"
    assert answer in ask(address, "GET", "/api/views/control")[1]["answers"]


def test_without_the_token_nothing_is_asked(installation: Installation, address: str) -> None:
    """Neither without it, nor with a wrong one."""
    body, before = {"id": "reduce-1", "action": "reduce", "why": ""}, state_of(installation)

    assert ask(address, "POST", "/api/control", body)[0] == 403
    assert ask(address, "POST", "/api/control", body, X_WithEarth_Token="guess")[0] == 403  # noqa: S106 - a wrong one
    assert state_of(installation) == before


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"id": "", "action": "halt", "why": ""},
        {"id": "a", "action": "sell", "why": ""},
        {"id": "a", "action": "halt", "why": 3},
        {"id": "a", "action": "halt", "why": "x" * 201},
        {"id": "a", "action": "halt", "why": "", "more": "x" * 5_000},
    ],
)
def test_a_request_that_is_none_is_told_so(installation: Installation, address: str, body: Any) -> None:
    """In a sentence, with nothing changed."""
    before = state_of(installation)

    assert ask(address, "POST", "/api/control", body, **session(address))[0] == 400
    assert state_of(installation) == before


def test_flatten_needs_its_word(installation: Installation, address: str) -> None:
    """Without it the request is refused under its code."""
    body = {"id": "flatten-1", "action": "flatten", "why": "", "word": "flatten"}
    before = state_of(installation)

    answer = ask(address, "POST", "/api/control", body, **session(address))[1]

    assert (answer["outcome"], answer["code"]) == ("REFUSED", "CONTROL_WORD_MISSING")
    assert state_of(installation) == before


def test_the_stream_tells_what_changed_within_two_seconds(
    installation: Installation, address: str, tmp_path: Path
) -> None:
    """Views by name, collections as such; what no page shows is not told."""
    with closing(connection(address)) as line:
        line.request("GET", "/api/stream")
        with line.getresponse() as lines:
            assert lines.readline() == b"retry: 1000\n"

            def told(_: Path) -> tuple[int, list[str]]:
                installation.store.commit([Replace(view_ref("money"), {"at": None}), Replace(event_ref("e"), {})])
                installation.store.commit([Replace(trading_ref(), {"state": "ACTIVE"})])
                return next_message(lines)

            seq, topics = within_seconds(SOON_S, told, tmp_path)

    assert topics == ["events", "views/money"]
    assert seq > 0


def test_a_stream_goes_on_where_it_was_cut_off(installation: Installation, address: str) -> None:
    """With the last id that it saw; with one of other books it is told everything."""
    installation.store.commit([Replace(view_ref("limits"), {"at": None})])
    seen = installation.store.last_change()
    installation.store.commit([Replace(view_ref("money"), {"at": None})])

    def first(last_event_id: int) -> list[str]:
        with closing(connection(address)) as line:
            line.request("GET", "/api/stream", headers={"Last-Event-ID": str(last_event_id)})
            installation.store.commit([Replace(view_ref("heatmap"), {"at": None})])
            with line.getresponse() as lines:
                return next_message(lines)[1]

    assert "views/money" in first(seen)
    assert {"views/limits", "views/money"} <= set(first(10**9))


@pytest.fixture
def crowded(installation: Installation) -> Iterator[str]:
    """A server of its own, whose streams keep nobody else waiting."""
    with serving(installation.runtime, 0) as found:
        yield found


def test_streams_are_bounded_and_come_free_again(crowded: str) -> None:
    """One too many is told to come back later; other requests are answered meanwhile; who leaves makes room."""
    lines = [connection(crowded) for _ in range(stream.STREAMS_MAX + 1)]
    for line in lines:
        line.request("GET", "/api/stream")
    answers = [line.getresponse() for line in lines]
    waits = [answer.readline() for answer in answers]

    assert waits.count(b"retry: 15000\n") >= 1
    assert ask(crowded, "GET", "/health")[0] == 200
    for line, answer in zip(lines, answers, strict=True):
        answer.close()
        line.close()
    give_up_at = time.monotonic() + 10
    while True:
        with closing(connection(crowded)) as line:
            line.request("GET", "/api/stream")
            with line.getresponse() as answer:
                if answer.readline() == b"retry: 1000\n":
                    return
        assert time.monotonic() < give_up_at
