"""An installation as it stands in the cloud: Google's emulators, push subscriptions, and the functions behind HTTP."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Final

import grpc
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from withearth.handlers.loopback import serving_on_loopback
from withearth.local.functions import function_app
from withearth.local.state import SUBSCRIPTIONS

PATIENCE_SECONDS: Final = 60


@dataclass
class Site:
    """Serves each function at /NAME, and counts how each call was answered. `environ` goes along with every call."""

    environ: dict[str, Any] = field(default_factory=dict)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    changed: Condition = field(default_factory=Condition)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        name = environ["PATH_INFO"].strip("/")
        statuses: list[int] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            statuses.append(int(status.split(" ", 1)[0]))
            return start_response(status, headers, exc_info)

        environ |= self.environ | {"PATH_INFO": "/"}
        body = list(function_app(name).wsgi_app(environ, start))
        with self.changed:
            self.answered[name, statuses[-1]] += 1
            self.changed.notify_all()
        return body

    def wait_for(self, name: str, times: int) -> None:
        """Wait until a function has handled so many messages. Fails when it takes too long."""
        with self.changed:
            handled = self.changed.wait_for(lambda: self.answered[name, 204] >= times, PATIENCE_SECONDS)
        assert handled, f"{name} handled {dict(self.answered)} only"


@contextmanager
def deployed(pubsub: str, project: str, site: Site) -> Iterator[str]:
    """Topics and push subscriptions as the cloud has them, in front of the site. Gives the site's address."""
    with serving_on_loopback(site, 0, "PORT", threads=8) as address, grpc.insecure_channel(pubsub) as channel:
        topics = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        pulls = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for each in SUBSCRIPTIONS:
            topic = f"projects/{project}/topics/{each.topic}"
            topics.create_topic(name=topic)
            pulls.create_subscription(
                types.Subscription(
                    name=f"projects/{project}/subscriptions/{each.name}",
                    topic=topic,
                    push_config=types.PushConfig(push_endpoint=f"{address}/{each.function}"),
                    enable_message_ordering=each.ordered,
                    ack_deadline_seconds=60,
                )
            )
        yield address
        for each in SUBSCRIPTIONS:
            pulls.delete_subscription(subscription=f"projects/{project}/subscriptions/{each.name}")
