"""A WSGI application served on the loopback address of this machine, on a thread, until it is stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from waitress import wasyncore
from waitress.server import create_server

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
    thread = threading.Thread(target=server.run, name="http")
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.effective_port}"
    finally:
        # Workers first, for they wake the loop when they are done. Clients keep their connections open, and the loop
        # runs as long as there is one: it has to close them itself.
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets, ignore_all=True))
        thread.join()
