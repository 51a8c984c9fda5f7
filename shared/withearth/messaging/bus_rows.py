"""The rows of the local bus: its tables and statements, and what a row says in Pub/Sub's words."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from withearth.messaging.port import Message
from withearth.messaging.subscriptions import DeadLetter, Subscription
from withearth.store.sqlite_file import Layout
from withearth.store.values import from_us

# `held` is the ordering key in ordered subscriptions, and NULL wherever order is not kept.
# `leased_due_us` is set while a message is leased: `due_us` is then the end of the lease, this what it was before.
LAYOUT: Final = Layout(
    kind="a withEarth bus",
    application_id=0x77454231,
    version=1,
    statements=(
        "CREATE TABLE counter (last INTEGER NOT NULL)",
        "INSERT INTO counter VALUES (0)",
        """
        CREATE TABLE deliveries (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER NOT NULL, subscription TEXT NOT NULL,
            copy INTEGER NOT NULL, data BLOB NOT NULL, attributes TEXT NOT NULL, ordering_key TEXT NOT NULL,
            held TEXT, published_us INTEGER NOT NULL, due_us INTEGER NOT NULL, rank INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0, leased_due_us INTEGER
        )
        """,
        """
        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, subscription TEXT NOT NULL, data BLOB NOT NULL,
            attributes TEXT NOT NULL, ordering_key TEXT NOT NULL, published_us INTEGER NOT NULL,
            attempts INTEGER NOT NULL, died_us INTEGER NOT NULL
        )
        """,
    ),
    indexes={
        "deliveries_by_due": "CREATE INDEX deliveries_by_due ON deliveries (due_us, seq)",
        "deliveries_by_key": (
            "CREATE INDEX deliveries_by_key ON deliveries (subscription, held, seq) WHERE held IS NOT NULL"
        ),
    },
)
NEXT_IDS: Final = "UPDATE counter SET last = last + ? RETURNING last"
INSERT: Final = """
    INSERT INTO deliveries (message_id, subscription, copy, data, attributes, ordering_key, held, published_us, due_us,
                            rank) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_DELIVERABLE: Final = """
    subscription IN (SELECT value FROM json_each(:names)) AND (held IS NULL OR NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier WHERE earlier.held IS NOT NULL
        AND earlier.subscription = deliveries.subscription AND earlier.held = deliveries.held
        AND earlier.seq < deliveries.seq))
"""
LEASE_NEXT: Final = f"""
    UPDATE deliveries SET attempts = attempts + 1, leased_due_us = coalesce(leased_due_us, due_us),
        due_us = :now + (SELECT value FROM json_each(:deadlines) WHERE key = subscription)
    WHERE seq = (SELECT seq FROM deliveries WHERE due_us <= :now AND {_DELIVERABLE} ORDER BY %s, seq LIMIT 1)
    RETURNING seq, message_id, subscription, copy, data, attributes, ordering_key, published_us, attempts
"""  # noqa: S608 - made of constants
ACK: Final = "DELETE FROM deliveries WHERE seq = ? AND attempts = ?"
NACK: Final = "UPDATE deliveries SET due_us = ?, leased_due_us = NULL WHERE seq = ? AND attempts = ?"
BURY: Final = """
    INSERT INTO dead_letters (topic, subscription, data, attributes, ordering_key, published_us, attempts, died_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
DEAD: Final = """
    SELECT id, topic, subscription, data, attributes, ordering_key, published_us, attempts, died_us FROM dead_letters
    ORDER BY id
"""
REVIVE: Final = "DELETE FROM dead_letters WHERE id = ? RETURNING subscription, data, attributes, ordering_key"
RELEASE: Final = "UPDATE deliveries SET due_us = leased_due_us, leased_due_us = NULL WHERE leased_due_us IS NOT NULL"
PENDING: Final = "SELECT count(*) FROM deliveries WHERE subscription IN (SELECT value FROM json_each(:names))"
NEXT_DUE: Final = f"SELECT due_us FROM deliveries WHERE {_DELIVERABLE} ORDER BY due_us, seq LIMIT 1"  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Lease:
    """A row while it is ours: acks and nacks name the attempt, so that one that comes too late changes nothing."""

    seq: int
    message_id: int
    subscription: Subscription
    copy: int
    message: Message
    published_us: int
    attempt: int


def envelope(lease: Lease) -> dict[str, Any]:
    """The body of the push request, as Pub/Sub wraps a message."""
    published_at = _rfc3339(lease.published_us)
    message: dict[str, Any] = {
        "data": b64encode(lease.message.data).decode(),
        "messageId": str(lease.message_id),
        "message_id": str(lease.message_id),
        "publishTime": published_at,
        "publish_time": published_at,
    }
    if lease.message.attributes:
        message["attributes"] = dict(lease.message.attributes)
    if lease.message.ordering_key:
        message["orderingKey"] = lease.message.ordering_key
    return {"message": message, "subscription": lease.subscription.path, "deliveryAttempt": lease.attempt}


def dead_letter(row: Sequence[Any]) -> DeadLetter:
    """A row of the dead letters, its message under the attributes Pub/Sub adds."""
    id_, topic, subscription, data, attributes, ordering_key, published_us, attempts, died_us = row
    why = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(attempts),
        "CloudPubSubDeadLetterSourceSubscription": subscription,
        "CloudPubSubDeadLetterSourceSubscriptionProject": "local",
        "CloudPubSubDeadLetterSourceTopicPublishTime": _rfc3339(published_us),
    }
    message = Message(data, {**json.loads(attributes), **why}, ordering_key)
    return DeadLetter(id_, topic, subscription, message, from_us(died_us))


def _rfc3339(us: int) -> str:
    return from_us(us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
