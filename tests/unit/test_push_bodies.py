"""The bodies in which a Pub/Sub message reaches a function."""

import base64
import json
from typing import Any

import pytest

from withearth.handlers.push import message_data

DATA = b'{"symbol":"BTCUSDT"}'
MESSAGE = {
    "data": base64.b64encode(DATA).decode(),
    "messageId": "1",
    "message_id": "1",
    "publishTime": "2026-11-22T09:00:00.123Z",
    "publish_time": "2026-11-22T09:00:00.123Z",
}
SUBSCRIPTION = "projects/p/subscriptions/s"


@pytest.mark.parametrize(
    "body",
    [
        {"message": MESSAGE, "subscription": SUBSCRIPTION},
        {"message": MESSAGE | {"attributes": {"symbol": "BTCUSDT"}}, "subscription": SUBSCRIPTION},
        {
            "message": MESSAGE | {"attributes": {"symbol": "BTCUSDT"}, "orderingKey": "BTCUSDT"},
            "subscription": SUBSCRIPTION,
            "deliveryAttempt": 5,
        },
        {"message": {"data": MESSAGE["data"]}},
    ],
    ids=["emulator", "emulator with attributes", "service with a key and dead letters", "bare"],
)
def test_every_body_that_is_pushed_is_read(body: Any) -> None:
    """The emulator leaves out what the service sends, and the service what is empty."""
    assert DATA == message_data(json.dumps(body).encode(), 65_536)


def test_a_message_of_attributes_only_is_empty() -> None:
    """Pub/Sub leaves out `data` then."""
    body = {"message": {"attributes": {"a": "b"}, "messageId": "1"}, "subscription": SUBSCRIPTION}

    assert b"" == message_data(json.dumps(body).encode(), 65_536)
