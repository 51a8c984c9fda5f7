"""Start a package as the platform does, on a free port of this machine, and see that it answers.

The package is unpacked into an empty directory and served by functions-framework in a process of its own, on the
synthetic market, with books in that directory. What is asked goes through the whole function; nothing leaves this
machine.
"""

import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from withearth.domain.errors import Misconfigured, Unavailable
from withearth.domain.times import floor_to_tick, tick_id
from withearth.local.clocks import WallClock
from withearth.messaging.events import MarketTick, encode

START_SECONDS: Final = 60
_TOLD: Final = 2_000
"""Characters of a failing function's log that are told."""
_LOOPBACK: Final = "127.0.0.1"
_ABOUT_NOTHING: Final = b'{"message": {"data": ""}}'


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the status of a function that is well."""

    method: str
    path: str
    status: int
    body: bytes = b""


def question(function: str) -> Question:
    """What a function is asked: for its health, to do its work, to decide, or what it makes of an empty message."""
    match function:
        case "api":
            return Question("GET", "/health", 200)
        case "worker":
            tick = MarketTick(symbol="BTCUSDT", tick_id=tick_id(floor_to_tick(WallClock().now())), quote=None)
            pushed = {"message": {"data": b64encode(encode(tick)).decode()}}
            return Question("POST", "/", 204, json.dumps(pushed).encode())
        case "executor":
            return Question("POST", "/", 204, _ABOUT_NOTHING)
        case _:
            return Question("POST", "/", 200)


def smoke(package: Path, directory: Path, python: Sequence[str] = (sys.executable,), path: Sequence[str] = ()) -> str:
    """Ask the package its question, and return the first line of the answer.

    `python` runs it, with `path` to import from after the package itself. Raises Unavailable when it does not answer as
    it should, with what it said last.
    """
    if not package.is_file():
        raise Misconfigured(f"There is no {package}: run make packages.")
    unpacked = directory / package.stem
    with zipfile.ZipFile(package) as archive:
        archive.extractall(unpacked)
    asked = question(package.stem)
    with _serving(unpacked, package.stem, python, path) as (server, port):
        heard = _answer(server, port, asked)
    if heard is None or heard[0] != asked.status:
        told = (unpacked / "log").read_text(encoding="utf-8", errors="replace")[-_TOLD:]
        what = "does not answer" if heard is None else f"answers {heard[0]}, not {asked.status}: {heard[1]}"
        raise Unavailable(f"{package.stem} {what}\n{told}")
    return heard[1]


@contextmanager
def _serving(
    unpacked: Path, function: str, python: Sequence[str], path: Sequence[str]
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = _free_port()
    command = [*python, "-m", "functions_framework", "--target", function, "--host", _LOOPBACK, "--port", str(port)]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(unpacked), *path]),
        "STATE_DIR": str(unpacked / "state"),
        "MARKET": "synthetic",
    }
    with (unpacked / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=unpacked, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            yield server, port
        finally:
            server.terminate()
            server.wait()


def _answer(server: "subprocess.Popen[bytes]", port: int, asked: Question) -> tuple[int, str] | None:
    """Ask as soon as it listens. Returns status and first line; None when it ends, or takes over START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection(_LOOPBACK, port, timeout=START_SECONDS)
        try:
            connection.request(asked.method, asked.path, asked.body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace").partition("\n")[0]
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
