"""A WSGI application served on the loopback address of this machine, on a thread, until it is stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from withearth.domain.errors import Misconfigured

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOPBACK: Final = "127.0.0.1"


@contextmanager
def serving_on_loopback(application: "WSGIApplication", port: int, setting: str, **options: Any) -> Iterator[str]:
    """Serve, and give the address. Port 0 takes any free one; `options` are waitress's.

    Raises Misconfigured, naming the `setting`, when the port is taken.
    """
    sockets: dict[int, Any] = {}
    try:
        server = create_server(application, map=sockets, host=LOOPBACK, port=port, ident=None, **options)
    except OSError as error:
        wasyncore.close_all(sockets, ignore_all=True)
        raise Misconfigured(f"{setting} {port} is taken by another program: choose a free one.") from error
    stopping = threading.Event()
    thread = threading.Thread(target=_run, args=(server, sockets, stopping), name="http")
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.effective_port}"
    finally:
        # Workers first, for they wake the loop when they are done. Clients keep their connections open, and nothing is
        # closed before the loop has ended: it may be awake already, and would close the pipe that is to wake it.
        server.task_dispatcher.shutdown()
        stopping.set()
        server.pull_trigger()
        thread.join()
        wasyncore.close_all(sockets, ignore_all=True)


def _run(server: BaseWSGIServer, sockets: dict[int, Any], stopping: threading.Event) -> None:
    while not stopping.is_set():
        wasyncore.loop(timeout=server.adj.asyncore_loop_timeout, map=sockets, count=1)
