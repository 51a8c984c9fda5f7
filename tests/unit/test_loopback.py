"""A server on the loopback address answers until it is stopped, and stops whatever its loop is doing just then."""

import threading
from collections.abc import Callable

import pytest
import requests
from waitress.trigger import trigger

from withearth.handlers.loopback import serving_on_loopback


def hello(_environ: object, start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    """The least application there is."""
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def test_it_stops_while_its_loop_is_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is asked to do is done before the byte that asks is written, because an earlier one woke the loop."""
    pull = trigger._physical_pull

    def late(self: trigger) -> None:
        for thunk in self.thunks:
            thunk()
        pull(self)

    before = threading.enumerate()
    with serving_on_loopback(hello, 0, "PORT") as address, requests.Session() as session:
        assert session.get(address).text == "hello"
        monkeypatch.setattr(trigger, "_physical_pull", late)

    assert set(threading.enumerate()) <= set(before)


def test_a_connection_that_is_kept_does_not_keep_the_server() -> None:
    """Clients keep theirs open; a server that stops closes them."""
    with requests.Session() as session:
        with serving_on_loopback(hello, 0, "PORT") as address:
            assert session.get(address).text == "hello"
        with pytest.raises(requests.ConnectionError):
            session.get(address, timeout=1)
