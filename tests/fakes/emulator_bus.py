"""Pub/Sub on Google's emulator with the local bus's face: what is published is pulled, pushed, and acknowledged.

The emulator tells a delivery's attempt only to subscriptions with a dead-letter policy, so every one here has one. It
knows neither back-off nor filters, brings what was refused back within a moment, and fails to bury what an ordered
subscription could not deliver.
"""

import base64
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import grpc
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from withearth.cloud.channel import OPTIONS
from withearth.messaging.port import Message
from withearth.messaging.pubsub import PubSubPublisher
from withearth.messaging.subscriptions import Delivery, Subscription

_HTTP_SUCCESS: Final = range(200, 300)
QUIET_SECONDS: Final = 0.25
"""How long nothing has to come before a bus counts as run dry."""


class EmulatorBus:
    """Topics and subscriptions of one project of the emulator."""

    def __init__(self, emulator: str, project: str, subscriptions: Sequence[Subscription]) -> None:
        self._channel = grpc.insecure_channel(emulator, options=OPTIONS)
        self._topics = PublisherClient(transport=PublisherGrpcTransport(channel=self._channel))
        self._pulls = SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel))
        self._project = project
        self._subscriptions = subscriptions
        self._publisher = PubSubPublisher(project, emulator=emulator)
        self.publish = self._publisher.publish
        for topic in {*(each.topic for each in subscriptions), "unheard"}:
            self._topics.create_topic(name=self._topic(topic))
        for each in subscriptions:
            self._subscribe(each)

    def _topic(self, name: str) -> str:
        return f"projects/{self._project}/topics/{name}"

    def _path(self, name: str) -> str:
        return f"projects/{self._project}/subscriptions/{name}"

    def _subscribe(self, subscription: Subscription) -> None:
        dead = self._topic(f"{subscription.name}-dead")
        self._topics.create_topic(name=dead)
        self._pulls.create_subscription(types.Subscription(name=self._path(f"{subscription.name}-dead"), topic=dead))
        self._pulls.create_subscription(
            types.Subscription(
                name=self._path(subscription.name),
                topic=self._topic(subscription.topic),
                enable_message_ordering=subscription.ordered,
                dead_letter_policy=types.DeadLetterPolicy(
                    dead_letter_topic=dead, max_delivery_attempts=subscription.max_attempts
                ),
            )
        )

    def deliver_due(self, push: Callable[[Delivery], int]) -> int:
        """Push what there is, and return how many messages that were."""
        return sum(self._deliver(each, push) for each in self._subscriptions)

    def _deliver(self, subscription: Subscription, push: Callable[[Delivery], int]) -> int:
        path = self._path(subscription.name)
        received = self._pulled(path)
        for each in received:
            if _handled(push, Delivery(subscription.function, _envelope(path, each), each.delivery_attempt)):
                self._pulls.acknowledge(subscription=path, ack_ids=[each.ack_id])
            else:
                self._pulls.modify_ack_deadline(subscription=path, ack_ids=[each.ack_id], ack_deadline_seconds=0)
        return len(received)

    def _pulled(self, path: str) -> Sequence[Any]:
        # Below the client, which warns that waiting is better: a test that waits does not know when to stop.
        request = types.PullRequest(subscription=path, max_messages=1_000, return_immediately=True)
        answer: Any = self._pulls.transport.pull(request)
        return list(answer.received_messages)

    def run_dry(self, push: Callable[[Delivery], int]) -> None:
        """Deliver until nothing has come for a while."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if self.deliver_due(push):
                quiet_since = time.monotonic()

    def dead(self, subscription: Subscription) -> list[Message]:
        """What no attempt could deliver."""
        found: dict[str, Message] = {}
        quiet_since = time.monotonic()
        path = self._path(f"{subscription.name}-dead")
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            for each in self._pulled(path):
                message = each.message
                found[message.message_id] = Message(message.data, dict(message.attributes), message.ordering_key)
        return list(found.values())

    def close(self) -> None:
        """Close the lines."""
        self._publisher.close()
        self._channel.close()


def _handled(push: Callable[[Delivery], int], delivery: Delivery) -> bool:
    try:
        return push(delivery) in _HTTP_SUCCESS
    except RuntimeError:
        return False


def _envelope(path: str, received: Any) -> dict[str, Any]:
    message = received.message
    told = {"data": base64.b64encode(message.data).decode(), "attributes": dict(message.attributes)}
    keyed = {"messageId": message.message_id, "orderingKey": message.ordering_key}
    return {"message": {name: each for name, each in (told | keyed).items() if each}, "subscription": path}
