"""The bus of one machine: messages are rows of a SQLite file, delivered as Pub/Sub would push them.

At least once, in any order, except that an ordered subscription holds a message back while an earlier one of its key
waits for its ack. Any number of pumps, in threads and processes, may deliver at once: a message is leased by one
statement and stays out of the others' sight until its ack deadline. Time comes from the clock alone, and ids and every
mishap are functions of the seed, so that a replay under a virtual clock repeats itself.
"""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from withearth.domain.clock import Clock
from withearth.domain.errors import Misconfigured
from withearth.messaging import bus_rows as rows
from withearth.messaging.bus_rows import Lease
from withearth.messaging.port import Message, check_message
from withearth.messaging.subscriptions import Chaos, DeadLetter, Delivery, Subscription
from withearth.store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile
from withearth.store.values import from_us, to_us

__all__ = ["Chaos", "DeadLetter", "Delivery", "LocalBus", "Subscription"]

_log: Final = logging.getLogger(__name__)
_SECOND_US: Final = 1_000_000
_RANKS: Final = 2**48
_HTTP_SUCCESS: Final = range(200, 300)


class LocalBus:
    """A durable bus in one file, with its subscriptions. A topic nobody subscribes to swallows what it is given."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        subscriptions: Sequence[Subscription],
        chaos: Chaos | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._subscriptions = {subscription.name: subscription for subscription in subscriptions}
        self._names = json.dumps(list(self._subscriptions))
        self._deadlines = json.dumps({s.name: round(s.ack_deadline_s * _SECOND_US) for s in subscriptions})
        self._chaos = chaos
        self._lease_sql = rows.LEASE_NEXT % ("rank" if chaos is not None and chaos.shuffle else "due_us")
        self._file = SqliteFile(path, rows.LAYOUT, busy_timeout_s)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """Publish in order and return one message id each. They are durable on return. Raises Unavailable."""
        for message in messages:
            check_message(message)
        receivers = [s for s in self._subscriptions.values() if s.topic == topic]
        with self._file.writing() as connection:
            ((last,),) = connection.execute(rows.NEXT_IDS, (len(messages),)).fetchall()
            first = last - len(messages) + 1
            for message_id, message in enumerate(messages, first):
                self._enqueue(connection, message_id, message, receivers)
        return [str(message_id) for message_id in range(first, last + 1)]

    def deliver_due(self, push: Callable[[Delivery], int]) -> int:
        """Push every message that is due, one after the other, and return how many. `push` answers an HTTP status.

        A 2xx acks; any other status, or an exception, schedules the next attempt or buries the message.
        """
        dealt_with = 0
        while (lease := self._lease()) is not None:
            dealt_with += 1
            if lease.attempt > lease.subscription.max_attempts:
                self._bury(lease)
            else:
                self._settle(lease, handled=_push(push, lease))
        return dealt_with

    def next_due(self) -> datetime | None:
        """When the next message can be delivered, in the past if it can be now; None when nothing waits."""
        with self._file.reading() as connection:
            row = connection.execute(rows.NEXT_DUE, {"names": self._names}).fetchone()
        return None if row is None else from_us(row[0])

    def pending(self) -> int:
        """How many deliveries wait for their ack."""
        with self._file.reading() as connection:
            (number,) = connection.execute(rows.PENDING, {"names": self._names}).fetchone()
        return int(number)

    def release_leases(self) -> None:
        """Make what was leased due again. Only for who knows that no pump runs: the leases are a dead process's."""
        with self._file.writing() as connection:
            connection.execute(rows.RELEASE)

    def dead_letters(self) -> list[DeadLetter]:
        """The messages no attempt could deliver, oldest first."""
        with self._file.reading() as connection:
            found = connection.execute(rows.DEAD).fetchall()
        return [rows.dead_letter(row) for row in found]

    def revive_dead_letter(self, dead_letter_id: int) -> str:
        """Publish a dead letter anew, to the subscription it died in, and return its new message id."""
        with self._file.writing() as connection:
            found = connection.execute(rows.REVIVE, (dead_letter_id,)).fetchall()
            if not found:
                raise Misconfigured(f"there is no dead letter {dead_letter_id}: list them to see their ids")
            name, data, attributes, ordering_key = found[0]
            if name not in self._subscriptions:
                raise Misconfigured(f"dead letter {dead_letter_id} belongs to {name}, which does not exist any more")
            ((message_id,),) = connection.execute(rows.NEXT_IDS, (1,)).fetchall()
            message = Message(data, json.loads(attributes), ordering_key)
            self._enqueue(connection, message_id, message, [self._subscriptions[name]])
        return str(message_id)

    def _enqueue(
        self, connection: Connection, message_id: int, message: Message, receivers: Sequence[Subscription]
    ) -> None:
        now = to_us(self._clock.now())
        content = (message.data, json.dumps(dict(message.attributes), sort_keys=True), message.ordering_key)
        for receiver in receivers:
            held = message.ordering_key if receiver.ordered and message.ordering_key else None
            rank = self._rank(message_id, receiver)
            connection.execute(rows.INSERT, (message_id, receiver.name, 0, *content, held, now, now, rank))
            if self._chaos is not None and self._chaos.duplicate:
                late = now + self._lateness_us(self._chaos, message_id, receiver)
                connection.execute(rows.INSERT, (message_id, receiver.name, 1, *content, None, now, late, rank))

    def _rank(self, message_id: int, receiver: Subscription) -> int:
        return 0 if self._chaos is None else int(self._chaos.chance("rank", message_id, receiver.name) * _RANKS)

    def _lateness_us(self, chaos: Chaos, message_id: int, receiver: Subscription) -> int:
        return int(chaos.chance("late", message_id, receiver.name) * chaos.late_s * _SECOND_US)

    def _lease(self) -> Lease | None:
        parameters = {"now": to_us(self._clock.now()), "names": self._names, "deadlines": self._deadlines}
        with self._file.writing() as connection:
            found = connection.execute(self._lease_sql, parameters).fetchall()
        if not found:
            return None
        seq, message_id, name, copy, data, attributes, ordering_key, published_us, attempt = found[0]
        message = Message(data, json.loads(attributes), ordering_key)
        return Lease(seq, message_id, self._subscriptions[name], copy, message, published_us, attempt)

    def _settle(self, lease: Lease, *, handled: bool) -> None:
        if handled:
            if not self._loses_ack_of(lease):
                self._change(rows.ACK, lease.seq, lease.attempt)
        elif lease.attempt < lease.subscription.max_attempts:
            backoff_us = round(lease.subscription.backoff_s(lease.attempt) * _SECOND_US)
            self._change(rows.NACK, to_us(self._clock.now()) + backoff_us, lease.seq, lease.attempt)
        else:
            self._bury(lease)

    def _loses_ack_of(self, lease: Lease) -> bool:
        chaos = self._chaos
        if chaos is None or lease.attempt >= lease.subscription.max_attempts:
            return False
        return (
            chaos.chance("ack", lease.message_id, lease.subscription.name, lease.copy, lease.attempt) < chaos.lose_acks
        )

    def _bury(self, lease: Lease) -> None:
        letter, source = lease.message, lease.subscription
        attempts = min(lease.attempt, source.max_attempts)
        content = (source.topic, source.name, letter.data, json.dumps(letter.attributes), letter.ordering_key)
        with self._file.writing() as connection:
            if connection.execute(rows.ACK, (lease.seq, lease.attempt)).rowcount:
                died_us = to_us(self._clock.now())
                connection.execute(rows.BURY, (*content, lease.published_us, attempts, died_us))

    def _change(self, sql: str, *parameters: int) -> None:
        with self._file.writing() as connection:
            connection.execute(sql, parameters)


def _push(push: Callable[[Delivery], int], lease: Lease) -> bool:
    delivery = Delivery(lease.subscription.function, rows.envelope(lease), lease.attempt)
    try:
        return push(delivery) in _HTTP_SUCCESS
    except Exception:  # noqa: BLE001 - whatever it was, a handler that crashed has not handled
        _log.exception("push_failed", extra={"function": delivery.function, "message_id": lease.message_id})
        return False
