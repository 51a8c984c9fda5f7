"""The bus port, and the push request by which a message reaches a function.

Delivery is at least once, in any order (in order within one ordering key), to many instances.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

MARKET_TICKS: Final = "market-ticks"
TRADE_INTENTS: Final = "trade-intents"
MESSAGE_BYTES_MAX: Final = 9_000_000
"""Below Pub/Sub's 10 MB for a whole request."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: bytes, string attributes, and the key within which order is kept."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""


def check_message(message: Message) -> None:
    """Raise ValueError unless every bus takes the message: Pub/Sub's own limits."""
    if not message.data and not message.attributes:
        raise ValueError("a message carries data or attributes")
    if len(message.data) > MESSAGE_BYTES_MAX:
        raise ValueError(f"a message has at most {MESSAGE_BYTES_MAX} bytes, was {len(message.data)}")
    if not all(isinstance(text, str) for pair in message.attributes.items() for text in pair):
        raise ValueError(f"attributes are text, was {dict(message.attributes)!r}")


class Publisher(Protocol):
    """Hands messages to the bus."""

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """Publish in order and return one message id each. They are durable on return. Raises Unavailable."""
        ...
