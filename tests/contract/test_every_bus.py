"""What every bus promises to publishers and to functions: the local one, and Pub/Sub as Google's emulator speaks it.

Left out is what the emulator does not do, though the service does: back-off, filters, holding a key back behind a
message that was refused, burying what an ordered subscription could not deliver. The local bus does all that, and
`test_bus` holds it to it.
"""

import threading

import pytest

from tests.contract.conftest import Bus
from tests.fakes.inbox import BUSY, OK, PLAIN, Inbox, answering, say, text_of
from withearth.messaging.port import MESSAGE_BYTES_MAX, Message
from withearth.messaging.subscriptions import Delivery

MANY = 100


def test_a_message_arrives_with_what_it_carried(bus: Bus) -> None:
    """Data, attributes and key as they were, under the id that publishing returned."""
    inbox = Inbox()
    (message_id,) = bus.publish("intents", [Message("é".encode(), {"schema": "v1"}, "BTCUSDT")])
    bus.run_dry(inbox)

    (delivery,) = inbox.deliveries
    message = delivery.envelope["message"]
    assert ("w6k=", {"schema": "v1"}, "BTCUSDT", message_id) == (
        message["data"],
        message["attributes"],
        message["orderingKey"],
        message["messageId"],
    )
    assert 1 == delivery.attempt


def test_what_a_message_lacks_is_absent_from_the_envelope(bus: Bus) -> None:
    """No empty attributes and no empty ordering key."""
    inbox = Inbox()
    bus.publish("ticks", say("x"))
    bus.run_dry(inbox)

    assert not {"attributes", "orderingKey"} & set(inbox.deliveries[0].envelope["message"])


def test_every_subscription_of_a_topic_gets_its_own_delivery(bus: Bus) -> None:
    """One that fails does not disturb the other, and the message has one id."""
    seen: list[tuple[str, str]] = []

    def push(delivery: Delivery) -> int:
        seen.append((delivery.function, delivery.envelope["message"]["messageId"]))
        return OK if delivery.function == "audit" or len(seen) > 2 else BUSY

    (message_id,) = bus.publish("ticks", say("x"))
    bus.run_dry(push)

    assert [("audit", message_id), ("worker", message_id), ("worker", message_id)] == sorted(seen)


def test_a_topic_nobody_listens_to_swallows_messages(bus: Bus) -> None:
    """Publishing there succeeds, and leaves nothing behind."""
    inbox = Inbox()

    assert 2 == len(set(bus.publish("unheard", say("x", "y"))))
    bus.run_dry(inbox)
    assert [] == inbox.deliveries


@pytest.mark.parametrize(
    "message",
    [Message(b""), Message(b"x", {"n": 1}), Message(b"x" * (MESSAGE_BYTES_MAX + 1))],  # type: ignore[dict-item]
    ids=["empty", "attribute", "too large"],
)
def test_what_pubsub_refuses_is_refused(bus: Bus, message: Message) -> None:
    """A message carries something, attributes are text, and there is a limit; otherwise nothing is published at all."""
    inbox = Inbox()
    with pytest.raises(ValueError, match=r"carries|text|at most"):
        bus.publish("ticks", [*say("x"), message])

    bus.run_dry(inbox)
    assert [] == inbox.deliveries


def test_a_large_message_arrives_whole(bus: Bus) -> None:
    """Up to the limit."""
    inbox = Inbox()
    bus.publish("intents", [Message(b"x" * MESSAGE_BYTES_MAX)])
    bus.run_dry(inbox)

    assert [MESSAGE_BYTES_MAX] == [len(text) for text in inbox.texts]


def test_a_handled_message_never_comes_again(bus: Bus) -> None:
    """A 2xx is an ack."""
    inbox = Inbox()
    bus.publish("intents", say(*map(str, range(MANY))))
    bus.run_dry(inbox)
    bus.run_dry(inbox)

    assert sorted(map(str, range(MANY))) == sorted(inbox.texts)


def test_a_refused_message_comes_again(bus: Bus) -> None:
    """Its attempts are counted, and a crash of the handler is a refusal."""

    def answer(text: str, attempt: int) -> int:
        if (text, attempt) == ("crash", 1):
            raise RuntimeError(text)
        return BUSY if (text, attempt) == ("busy", 1) else OK

    inbox = Inbox(answer)
    bus.publish("intents", say("crash", "busy", "good"))
    bus.run_dry(inbox)

    assert sorted(["crash", "crash", "busy", "busy", "good"]) == sorted(inbox.texts)
    assert [1, 1, 1, 2, 2] == sorted(inbox.attempts)


def test_what_a_handler_publishes_is_delivered_too(bus: Bus) -> None:
    """A chain of functions runs to its end."""
    seen: list[str] = []

    def push(delivery: Delivery) -> int:
        seen.append(delivery.function)
        if delivery.function == "worker":
            bus.publish("intents", say("intent"))
        return OK

    bus.publish("ticks", say("tick"))
    bus.run_dry(push)

    assert ["audit", "executor", "worker"] == sorted(seen)


def test_a_key_keeps_its_order(bus: Bus) -> None:
    """A hundred messages of one symbol, published in several calls, arrive one after the other."""
    inbox = Inbox()
    for first in range(0, MANY, 10):
        texts = map(str, range(first, first + 10))
        bus.publish("intents", [*say(*texts, key="BTC"), *say("other", key="ETH")])
    bus.run_dry(inbox)

    assert [str(number) for number in range(MANY)] == [text for text in inbox.texts if text != "other"]


def test_an_unordered_subscription_ignores_keys(bus: Bus) -> None:
    """Order is the subscription's choice, not the publisher's."""
    inbox = Inbox(lambda text, attempt: BUSY if (text, attempt) == ("1", 1) else OK)
    bus.publish("ticks", say("1", "2", key="BTC"))
    bus.run_dry(lambda delivery: inbox(delivery) if delivery.function == "worker" else OK)

    assert ["1", "2", "1"] == inbox.texts


def test_a_message_dies_after_its_last_attempt(bus: Bus) -> None:
    """It is kept with what it carried and with Pub/Sub's attributes on why, and holds up no other."""
    inbox = Inbox(lambda text, _attempt: BUSY if text == "1" else OK)
    bus.publish("ticks", [Message(b"1", {"schema": "v1"}), *say("2")])
    bus.run_dry(lambda delivery: inbox(delivery) if delivery.function == "worker" else OK)

    (letter,) = bus.dead(PLAIN)
    assert [1, 2, 3, 4, 5] == [each.attempt for each in inbox.deliveries if text_of(each) == "1"]
    assert 1 == inbox.texts.count("2")
    assert b"1" == letter.data
    assert "v1" == letter.attributes["schema"]
    assert "5" == letter.attributes["CloudPubSubDeadLetterSourceDeliveryCount"]
    assert "worker-ticks" == letter.attributes["CloudPubSubDeadLetterSourceSubscription"]


def test_many_pumps_deliver_each_message_once(bus: Bus) -> None:
    """Threads never share a lease."""
    inbox, start = Inbox(answering(OK)), threading.Barrier(4)

    def pump() -> None:
        start.wait()
        bus.deliver_due(inbox)

    bus.publish("intents", say(*map(str, range(MANY))))
    threads = [threading.Thread(target=pump) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bus.run_dry(inbox)

    assert sorted(map(str, range(MANY))) == sorted(inbox.texts)
