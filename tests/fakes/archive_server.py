"""A stand-in for Binance's public archive: zip files with their checksums, over loopback HTTP, and what can go wrong.

A fault is a word for a path: `cut` ends the connection halfway, `html` answers a page with 200, `gone` answers 404,
`down` answers 503, `tampered` changes a byte, `endless` never stops sending. Each is used up by the request it meets,
except that a path in `always` keeps its fault.
"""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.builders.market_files import Bars
from withearth.history.archive import path_of
from withearth.history.periods import Period, Series

HEADER: Final = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
FUNDING_HEADER: Final = "calc_time,funding_interval_hours,last_funding_rate"


@dataclass
class ArchiveServer:
    """A running stand-in. Files and faults may be changed at any time."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def put(self, path: str, packed: bytes) -> str:
        """Keep a zip file with its checksum, and return its path."""
        digest = hashlib.sha256(packed).hexdigest()
        self.files[path] = packed
        self.files[f"{path}.CHECKSUM"] = f"{digest}  {path.rpartition('/')[2]}\n".encode()
        return path

    def candles(self, series: Series, period: Period, bars: Bars, *, header: bool = True, per_ms: int = 1) -> str:
        """Keep the candles of a piece. Times are in milliseconds, or in microseconds with `per_ms` 1000."""
        assert series.timeframe is not None
        step, lines = series.timeframe.ms, [HEADER] if header else []
        for at, (opened, high, low, close, volume) in zip(bars.open_ms.tolist(), bars.ohlcv.T.tolist(), strict=True):
            end = (at + step) * per_ms - 1
            lines.append(f"{at * per_ms},{opened},{high},{low},{close},{volume},{end},1.5,3,0.5,0.7,0")
        return self._put(series, period, lines)

    def funding(self, symbol: str, period: Period, settlements: Sequence[tuple[int, str]]) -> str:
        """Keep the settled funding of a month."""
        lines = [FUNDING_HEADER, *(f"{at},8,{rate}" for at, rate in settlements)]
        return self._put(Series(symbol, None), period, lines)

    def asked(self, part: str) -> int:
        """How many requests named this part of a path."""
        return sum(part in path for path in self.requests)

    def _put(self, series: Series, period: Period, lines: Sequence[str]) -> str:
        path = path_of(series, period)
        name = path.rpartition("/")[2].replace(".zip", ".csv")
        return self.put(path, packed({name: "".join(f"{line}\n" for line in lines).encode()}))

    def _fault(self, path: str) -> str:
        waiting = self.faults.get(path, [])
        return waiting.pop(0) if waiting else self.always.get(path, "")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.lstrip("/")
                server.requests.append(path)
                fault = server._fault(path)
                self._send(fault, _spoilt(fault, server.files.get(path)))

            def _send(self, fault: str, content: bytes | None) -> None:
                if content is None or fault in {"gone", "down"}:
                    self.send_error(503 if fault == "down" else 404)
                    return
                self.send_response(200)
                if fault != "endless":
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                if fault == "endless":
                    for _ in range(4_000):
                        self.wfile.write(b"\0" * 65_536)
                    return
                self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


def _spoilt(fault: str, content: bytes | None) -> bytes | None:
    if fault == "html":
        return b"<!doctype html><title>Please sign in</title>"
    if fault == "tampered" and content is not None:
        return bytes([content[0] ^ 1]) + content[1:]
    return content


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some faults are about."""


def packed(files: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@contextmanager
def archive_server() -> Iterator[ArchiveServer]:
    """A stand-in on a free port of this machine."""
    server = ArchiveServer()
    listener = _Quiet(("127.0.0.1", 0), server._handler())
    server.address = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
