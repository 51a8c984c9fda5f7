"""A TCP line to an emulator that can be cut in the middle of a request: before it got there, or before its answer came.

It knows as much of HTTP/2 as it takes to tell that an answer has begun: https://www.rfc-editor.org/rfc/rfc9113#section-4.1
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Final

_CHUNK: Final = 65_536
_HEADER_BYTES: Final = 9
_TYPE_AT: Final = 3
_HEADERS: Final = 1


class Cut(Enum):
    """Where the line breaks."""

    BEFORE = "before"
    """The request never arrives."""
    AFTER = "after"
    """The request arrives and is carried out; its answer never comes back."""


class Line:
    """A proxy in front of `target` (host:port). Whole until it is told to break once; then new connections work."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._armed: list[Cut] = []
        self._closed = False
        self.down = False
        self.cuts = 0
        self._threads = [threading.Thread(target=self._accept, name="cut-line")]
        self._threads[0].start()

    @property
    def address(self) -> str:
        """Where to connect."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def break_next(self, *cuts: Cut) -> None:
        """Break at the next requests, one after the other."""
        self._armed = list(cuts)

    def take_down(self) -> None:
        """Let nothing through any more, until `down` is False again."""
        self.down = True
        self._hang_up()

    def close(self) -> None:
        """Hang up for good."""
        self._closed = True
        with suppress(OSError):
            socket.create_connection(self._listener.getsockname(), 1).close()
        self._hang_up()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closed or self.down:
                client.close()
                if self._closed:
                    return
                continue
            server = socket.create_connection(self._target)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {client, server}
            answers = _Frames()
            for source, sink, frames in ((client, server, None), (server, client, answers)):
                thread = threading.Thread(target=self._pump, args=(source, sink, frames), name="cut-line-pump")
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: "_Frames | None") -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                began = answers is not None and answers.begins_answer(data)
                cut = self._armed[0] if self._armed else None
                if answers is None and cut is Cut.BEFORE:
                    break
                if began and cut is Cut.AFTER:
                    break
                sink.sendall(data)
            else:
                self._shut(source, sink)
                return
            self._armed.pop(0)
            self.cuts += 1
        self._shut(source, sink)

    def _shut(self, *ends: socket.socket) -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            self._open.discard(end)

    def _hang_up(self) -> None:
        self._shut(*list(self._open))


class _Frames:
    """The frames of one direction, as far as they have come."""

    def __init__(self) -> None:
        self._rest = b""

    def begins_answer(self, data: bytes) -> bool:
        """Whether the headers of an answer are among the frames that this completes."""
        self._rest += data
        found = False
        while len(self._rest) >= _HEADER_BYTES:
            size = int.from_bytes(self._rest[:_TYPE_AT]) + _HEADER_BYTES
            if len(self._rest) < size:
                break
            found = found or self._rest[_TYPE_AT] == _HEADERS
            self._rest = self._rest[size:]
        return found


@contextmanager
def cut_line(target: str) -> Iterator[Line]:
    """A line for as long as the context lasts."""
    line = Line(target)
    try:
        yield line
    finally:
        line.close()
