"""What the local bus is told: who receives which topic, how patiently, and what is to go wrong on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from withearth.messaging.port import Message


@dataclass(frozen=True, slots=True)
class Subscription:
    """A function that receives every message of a topic. `ordered` keeps the order within one ordering key."""

    name: str
    topic: str
    function: str
    ordered: bool
    max_attempts: int = 5
    min_backoff_s: float = 10.0
    max_backoff_s: float = 600.0
    ack_deadline_s: float = 60.0

    @property
    def path(self) -> str:
        """The name under which the envelope tells of it."""
        return f"projects/local/subscriptions/{self.name}"

    def backoff_s(self, attempt: int) -> float:
        """How long to wait after the failure of delivery `attempt`, counted from 1."""
        return float(min(self.max_backoff_s, self.min_backoff_s * 2.0 ** (attempt - 1)))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One push request: the function it goes to, and its body as Pub/Sub would post it."""

    function: str
    envelope: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message no attempt could deliver, with Pub/Sub's own attributes on why it is here."""

    id: int
    topic: str
    subscription: str
    message: Message
    died_at: datetime


@dataclass(frozen=True, slots=True)
class Chaos:
    """What at-least-once delivery allows, made to happen. The same seed does the same to the same messages.

    `duplicate` delivers a second copy of every message up to `late_s` later and outside any order; `shuffle` delivers
    what is due in another order, except within an ordering key; `lose_acks` is the share of handled messages whose
    ack is thrown away. The ack of the last attempt is never lost: a dead letter always means a handler that failed.
    """

    seed: int
    duplicate: bool = False
    shuffle: bool = False
    lose_acks: float = 0.0
    late_s: float = 900.0

    def chance(self, *about: object) -> float:
        """A number in [0, 1) that depends on the seed and on `about` alone, never on who asked before."""
        digest = blake2b(repr((self.seed, *about)).encode(), digest_size=8).digest()
        return int.from_bytes(digest[:6]) / 2**48
