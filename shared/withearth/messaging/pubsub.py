"""The bus port over Pub/Sub: publishing only, since its push subscriptions deliver.

Every call sends and waits, so that nothing is left in a buffer when the function returns and its instance is frozen.
Messages go out in as few requests as they fit into, one request after the other: that keeps the order within an
ordering key, and a request that fails leaves no key paused. A request whose answer is lost is sent again: delivery is
at least once anyway.
"""

from collections.abc import Iterator
from typing import Final

from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from withearth.cloud.channel import line_to
from withearth.cloud.faults import FAULTS, Service, told
from withearth.cloud.patience import PATIENCE, Patience
from withearth.messaging.port import Message, check_message

REQUEST_MESSAGES_MAX: Final = 1_000
REQUEST_BYTES_MAX: Final = 9_500_000
"""Below Pub/Sub's 10 MB, which count the names of fields too."""


class PubSubPublisher:
    """Publishes to topics of one project. `emulator` is its host:port, or empty for the service itself."""

    def __init__(self, project: str, *, emulator: str = "", patience: Patience = PATIENCE) -> None:
        """Raises Misconfigured when this machine has no Google credentials. Nothing is sent yet."""
        self._project = project
        self._patience = patience
        try:
            self._channel, self._metadata = line_to(emulator, PublisherGrpcTransport.create_channel)
        except FAULTS as error:
            raise told(error, self._service("")) from error
        self._client = PublisherClient(transport=PublisherGrpcTransport(channel=self._channel))

    def close(self) -> None:
        """Close the line. Nothing waits to be sent."""
        self._channel.close()

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """Publish in order and return one message id each. They are durable on return. Raises Unavailable."""
        for message in messages:
            check_message(message)
        return [message_id for batch in batches(messages) for message_id in self._published(topic, batch)]

    def _published(self, topic: str, batch: list[Message]) -> list[str]:
        request = types.PublishRequest(
            topic=f"projects/{self._project}/topics/{topic}",
            messages=[
                types.PubsubMessage(data=each.data, attributes=dict(each.attributes), ordering_key=each.ordering_key)
                for each in batch
            ],
        )

        def once() -> list[str]:
            try:
                answer = self._client.publish(
                    request, retry=None, timeout=self._patience.attempt_s, metadata=self._metadata
                )
            except FAULTS as error:
                raise told(error, self._service(topic)) from error
            return list(answer.message_ids)

        return self._patience.repeat(once)

    def _service(self, topic: str) -> Service:
        return Service(
            name="Pub/Sub",
            api="pubsub.googleapis.com",
            role="roles/pubsub.publisher",
            project=self._project,
            missing=f"There is no topic {topic} in the project {self._project}: correct PROJECT_ID, or make it with "
            "`terraform apply`.",
        )


def batches(messages: list[Message]) -> Iterator[list[Message]]:
    """The messages in their order, in as few requests as they fit into."""
    batch: list[Message] = []
    weight = 0
    for message in messages:
        added = _weight(message)
        if batch and (len(batch) == REQUEST_MESSAGES_MAX or weight + added > REQUEST_BYTES_MAX):
            yield batch
            batch, weight = [], 0
        batch.append(message)
        weight += added
    if batch:
        yield batch


def _weight(message: Message) -> int:
    texts = (text for pair in message.attributes.items() for text in pair)
    return len(message.data) + len(message.ordering_key.encode()) + sum(len(text.encode()) for text in texts)
