"""The bus port, and the push request by which a message reaches a function.

Delivery is at least once, in any order (in order within one ordering key), to many instances.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

MARKET_TICKS: Final = "market-ticks"
TRADE_INTENTS: Final = "trade-intents"


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: bytes, string attributes, and the key within which order is kept."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""


class Publisher(Protocol):
    """Hands messages to the bus."""

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """Publish in order and return one message id each. They are durable on return. Raises Unavailable."""
        ...
