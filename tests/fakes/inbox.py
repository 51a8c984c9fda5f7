"""The receiving end of the local bus: functions that remember, and the means to run a bus dry."""

import base64
from collections.abc import Callable
from typing import Any, Final

from tests.fakes.clock import ManualClock
from withearth.messaging.local_bus import Delivery, LocalBus, Subscription
from withearth.messaging.port import Message

OK: Final = 204
BUSY: Final = 503
PLAIN: Final = Subscription("worker-ticks", "ticks", "worker", ordered=False)
ORDERED: Final = Subscription("executor-intents", "intents", "executor", ordered=True)

Open = Callable[..., LocalBus]


class Inbox:
    """A function that remembers what was pushed to it, and answers as it was told."""

    def __init__(self, answer: Callable[[str, int], int] = lambda _text, _attempt: OK) -> None:
        self.deliveries: list[Delivery] = []
        self._answer = answer

    def __call__(self, delivery: Delivery) -> int:
        """Take a push request."""
        self.deliveries.append(delivery)
        return self._answer(text_of(delivery), delivery.attempt)

    @property
    def texts(self) -> list[str]:
        """What was pushed, in order."""
        return [text_of(delivery) for delivery in self.deliveries]

    @property
    def attempts(self) -> list[int]:
        """The attempt of each push."""
        return [delivery.attempt for delivery in self.deliveries]


def text_of(delivery: Delivery) -> str:
    """The text a message carries."""
    return base64.b64decode(delivery.envelope["message"]["data"]).decode()


def say(*texts: str, key: str = "") -> list[Message]:
    """Messages that carry texts."""
    return [Message(text.encode(), ordering_key=key) for text in texts]


def run_dry(bus: LocalBus, clock: ManualClock, push: Callable[[Delivery], int]) -> None:
    """Deliver everything, jumping to whenever something is due."""
    while (due := bus.next_due()) is not None:
        clock.set(max(due, clock.now()))
        bus.deliver_due(push)


def answering(*statuses: int) -> Callable[[str, int], int]:
    """Answer the attempts in turn, and the last status ever after."""
    return lambda _text, attempt: statuses[min(attempt, len(statuses)) - 1]


def die(_: Any) -> int:
    """End the process in the middle of a delivery, as far as the bus can see."""
    raise KeyboardInterrupt
