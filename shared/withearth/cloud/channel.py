"""The gRPC line to one of Google's services, or to its emulator."""

from collections.abc import Callable
from typing import Any, Final

import grpc

OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A line that was cut is made anew within the patience of one call.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 250),
    # An instance that was frozen wakes with a line that is dead without a word: after this time without an
    # acknowledgement it is given up, sooner than the call on it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
)
OWNER: Final = (("authorization", "Bearer owner"),)
"""What makes an emulator pass by its security rules, as the service does for an account with a role."""

Metadata = tuple[tuple[str, str], ...]


def line_to(emulator: str, create_channel: Callable[..., Any]) -> tuple[Any, Metadata]:
    """The channel and what goes along with every call: to `emulator` (host:port), or to the service when it is empty.

    `create_channel` is the client's own way to open a channel with the credentials of this machine.
    """
    if emulator:
        return grpc.insecure_channel(emulator, options=OPTIONS), OWNER
    return create_channel(options=OPTIONS), ()
