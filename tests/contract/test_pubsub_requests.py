"""What goes over the wire to Pub/Sub, through Google's own client, and what becomes of every fault there."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest
from google.pubsub_v1 import types
from grpc import StatusCode

from tests.fakes.google_server import PUBLISH, Failure, GoogleServer, Method, serving
from tests.fakes.inbox import say
from withearth.cloud.patience import Patience
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.messaging.port import MESSAGE_BYTES_MAX, Message
from withearth.messaging.pubsub import REQUEST_MESSAGES_MAX, PubSubPublisher

ATTEMPTS = 6


@pytest.fixture
def server() -> GoogleServer:
    """A topic that takes everything, and numbers it."""
    ids = count(1)

    def publish(request: types.PublishRequest) -> types.PublishResponse:
        return types.PublishResponse(message_ids=[str(next(ids)) for _ in request.messages])

    return GoogleServer({PUBLISH: Method(types.PublishRequest, types.PublishResponse, publish)})


@pytest.fixture
def publisher(server: GoogleServer) -> Iterator[PubSubPublisher]:
    """The adapter on that server; it waits without waiting."""
    patience = Patience(attempts=ATTEMPTS, sleep=lambda _: None)
    with serving(server) as address, closing(PubSubPublisher("demo", emulator=address, patience=patience)) as opened:
        yield opened


def test_a_tick_is_one_request(server: GoogleServer, publisher: PubSubPublisher) -> None:
    """All symbols' messages go out together, with their attributes and keys, and are acknowledged on return."""
    messages = [Message(b"1", {"symbol": "BTCUSDT"}), Message(b"2", {"symbol": "ETHUSDT"}, "ETHUSDT")]

    assert ["1", "2"] == publisher.publish("market-ticks", messages)
    (request,) = server.requests(PUBLISH)
    assert "projects/demo/topics/market-ticks" == request.topic
    assert [(b"1", {"symbol": "BTCUSDT"}, ""), (b"2", {"symbol": "ETHUSDT"}, "ETHUSDT")] == [
        (each.data, dict(each.attributes), each.ordering_key) for each in request.messages
    ]


def test_what_does_not_fit_goes_out_in_order(server: GoogleServer, publisher: PubSubPublisher) -> None:
    """At most a thousand messages a request, one request after the other, one id each."""
    texts = [str(number) for number in range(REQUEST_MESSAGES_MAX + 1)]
    ids = publisher.publish("market-ticks", say(*texts, key="BTC"))

    first, second = server.requests(PUBLISH)
    assert [1_000, 1] == [len(first.messages), len(second.messages)]
    assert texts == [each.data.decode() for each in (*first.messages, *second.messages)]
    assert [str(number + 1) for number in range(REQUEST_MESSAGES_MAX + 1)] == ids


def test_a_request_stays_below_the_limit_of_bytes(server: GoogleServer, publisher: PubSubPublisher) -> None:
    """Large messages are spread, the largest goes alone, and a larger one is refused before anything is sent."""
    publisher.publish("market-ticks", [Message(b"x" * MESSAGE_BYTES_MAX), *say("a"), Message(b"y" * 600_000)])

    assert [[MESSAGE_BYTES_MAX, 1], [600_000]] == [
        [len(each.data) for each in request.messages] for request in server.requests(PUBLISH)
    ]
    with pytest.raises(ValueError, match="at most"):
        publisher.publish("market-ticks", [*say("a"), Message(b"x" * (MESSAGE_BYTES_MAX + 1))])
    assert 2 == len(server.requests(PUBLISH))


def test_nothing_to_publish_is_no_request(server: GoogleServer, publisher: PubSubPublisher) -> None:
    """No messages, no cost."""
    assert [] == publisher.publish("market-ticks", [])
    assert [] == server.calls


@pytest.mark.parametrize(
    "status", [StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.ABORTED, StatusCode.RESOURCE_EXHAUSTED]
)
def test_an_unanswered_request_is_sent_again(
    server: GoogleServer, publisher: PubSubPublisher, status: StatusCode
) -> None:
    """A message twice is what every handler is made for; a message lost is not."""
    server.fail(PUBLISH, status, status)

    assert ["1"] == publisher.publish("trade-intents", say("x", key="BTC"))
    assert 3 == len(server.requests(PUBLISH))


def test_a_key_goes_on_after_a_failure(server: GoogleServer, publisher: PubSubPublisher) -> None:
    """A request that failed for good pauses no key: the next one of the same symbol goes out."""
    server.fail(PUBLISH, *[StatusCode.UNAVAILABLE] * ATTEMPTS)
    with pytest.raises(Unavailable, match=r"Pub/Sub did not answer"):
        publisher.publish("trade-intents", say("lost", key="BTC"))

    assert ["1"] == publisher.publish("trade-intents", say("next", key="BTC"))


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(StatusCode.NOT_FOUND), r"no topic trade-intents in the project demo.*PROJECT_ID.*terraform apply"),
        (Failure(StatusCode.PERMISSION_DENIED), r"roles/pubsub\.publisher"),
        (Failure(StatusCode.PERMISSION_DENIED, reason="SERVICE_DISABLED"), r"enable pubsub\.googleapis\.com"),
        (Failure(StatusCode.UNAUTHENTICATED), "credentials"),
        (Failure(StatusCode.INVALID_ARGUMENT, "no"), "refuses the request: no"),
    ],
    ids=str,
)
def test_what_a_person_has_to_mend_is_told_once(
    server: GoogleServer, publisher: PubSubPublisher, failure: Failure, words: str
) -> None:
    """One sentence with the remedy, and no second try."""
    server.fail(PUBLISH, failure)

    with pytest.raises(Misconfigured, match=words):
        publisher.publish("trade-intents", say("x"))
    assert 1 == len(server.calls)
