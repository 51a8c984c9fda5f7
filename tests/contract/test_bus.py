"""What the local bus promises beyond `test_every_bus`: Pub/Sub's push delivery, on a clock of our own."""

from datetime import timedelta

import pytest

from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from tests.fakes.inbox import BUSY, OK, ORDERED, PLAIN, Inbox, Open, answering, die, run_dry, say, text_of
from withearth.domain.errors import Misconfigured
from withearth.messaging.local_bus import Delivery, Subscription
from withearth.messaging.port import Message

# Publishing


def test_a_message_is_pushed_as_pubsub_pushes_it(open_bus: Open) -> None:
    """The envelope has Pub/Sub's fields, in both of its spellings."""
    bus, inbox = open_bus(), Inbox()
    (message_id,) = bus.publish("intents", [Message("é".encode(), {"schema": "intent.v1"}, "BTCUSDT")])
    bus.deliver_due(inbox)

    (delivery,) = inbox.deliveries
    assert delivery.function == "executor"
    assert delivery.attempt == 1
    assert delivery.envelope == {
        "message": {
            "data": "w6k=",
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": "2024-01-01T12:00:00.000Z",
            "publish_time": "2024-01-01T12:00:00.000Z",
            "attributes": {"schema": "intent.v1"},
            "orderingKey": "BTCUSDT",
        },
        "subscription": "projects/local/subscriptions/executor-intents",
        "deliveryAttempt": 1,
    }


def test_a_topic_without_subscriptions_swallows_messages(open_bus: Open) -> None:
    """Publishing there succeeds and leaves nothing behind, as in the cloud."""
    bus = open_bus(PLAIN)

    assert len(bus.publish("intents", say("x", "y"))) == 2
    assert bus.pending() == 0
    assert bus.next_due() is None


def test_ids_go_on_after_a_restart(open_bus: Open) -> None:
    """A message id is never given twice."""
    first = open_bus()
    ids = first.publish("ticks", say("a", "b"))
    first.deliver_due(Inbox())
    first.close()
    ids += open_bus().publish("ticks", say("c"))

    assert ids == ["1", "2", "3"]


# Delivery


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_2xx_is_an_ack(open_bus: Open, status: int) -> None:
    """A handled message is never pushed again."""
    bus = open_bus()
    bus.publish("ticks", say("x"))

    assert bus.deliver_due(Inbox(answering(status))) == 1
    assert bus.deliver_due(Inbox()) == 0
    assert bus.pending() == 0


@pytest.mark.parametrize("status", [100, 302, 400, 404, 429, 500, 503])
def test_anything_else_is_delivered_again(open_bus: Open, clock: ManualClock, status: int) -> None:
    """After the first back-off, and not before."""
    bus, inbox = open_bus(), Inbox(answering(status, OK))
    bus.publish("ticks", say("x"))
    bus.deliver_due(inbox)
    clock.advance(timedelta(seconds=9.999))

    assert bus.deliver_due(inbox) == 0
    clock.advance(timedelta(seconds=0.001))
    assert bus.deliver_due(inbox) == 1
    assert inbox.attempts == [1, 2]
    assert bus.pending() == 0


def test_the_back_off_doubles_up_to_its_limit(open_bus: Open, clock: ManualClock) -> None:
    """10 s, 20 s, 40 s, and never more than the subscription allows."""
    bus, at = open_bus(Subscription("w", "ticks", "worker", ordered=False, max_attempts=6, max_backoff_s=35.0)), []

    def push(_: Delivery) -> int:
        at.append((clock.now() - NOON).total_seconds())
        return BUSY

    bus.publish("ticks", say("x"))
    run_dry(bus, clock, push)

    assert at == [0, 10, 30, 65, 100, 135]


# Order


def test_a_key_waits_for_its_first_message(open_bus: Open, clock: ManualClock) -> None:
    """While one message of a key is unacknowledged, the later ones stay back and the other keys go on."""
    bus, inbox = open_bus(), Inbox(lambda text, attempt: BUSY if (text, attempt) == ("b1", 1) else OK)
    bus.publish("intents", [*say("b1", "b2", key="BTC"), *say("e1", "e2", key="ETH"), *say("free")])
    bus.deliver_due(inbox)

    assert inbox.texts == ["b1", "e1", "e2", "free"]
    assert bus.next_due() == NOON + timedelta(seconds=10)
    run_dry(bus, clock, inbox)
    assert inbox.texts[4:] == ["b1", "b2"]


def test_a_key_being_handled_is_held_back_from_other_pumps(open_bus: Open) -> None:
    """Two processes never work on the same key at once."""
    ours, theirs = open_bus(), open_bus()
    ours.publish("intents", [*say("b1", "b2", key="BTC"), *say("e1", key="ETH")])
    elsewhere = Inbox()

    def push(delivery: Delivery) -> int:
        if text_of(delivery) == "b1":
            theirs.deliver_due(elsewhere)
        return OK

    ours.deliver_due(push)

    assert elsewhere.texts == ["e1"]
    assert ours.pending() == 0


# Dead letters


def test_a_dead_letter_lets_its_key_go_on(open_bus: Open, clock: ManualClock) -> None:
    """One message that never succeeds does not hold its symbol for ever."""
    bus, inbox = open_bus(), Inbox(lambda text, _attempt: BUSY if text == "1" else OK)
    bus.publish("intents", say("1", "2", key="BTC"))
    run_dry(bus, clock, inbox)

    assert inbox.texts == ["1"] * 5 + ["2"]


def test_a_message_dies_after_its_last_attempt(open_bus: Open, clock: ManualClock) -> None:
    """It is kept with what it carried and with Pub/Sub's attributes on why."""
    bus, inbox = open_bus(), Inbox(answering(BUSY))
    bus.publish("intents", [Message(b"x", {"schema": "v1"}, "BTC")])
    run_dry(bus, clock, inbox)

    (letter,) = bus.dead_letters()
    assert inbox.attempts == [1, 2, 3, 4, 5]
    assert bus.pending() == 0
    assert (letter.topic, letter.subscription, letter.died_at) == ("intents", "executor-intents", clock.now())
    assert (letter.message.data, letter.message.ordering_key) == (b"x", "BTC")
    assert letter.message.attributes == {
        "schema": "v1",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "executor-intents",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "local",
        "CloudPubSubDeadLetterSourceTopicPublishTime": "2024-01-01T12:00:00.000Z",
    }


def test_a_message_that_kills_its_process_dies_too(open_bus: Open, clock: ManualClock) -> None:
    """Deliveries nobody lived to answer count as attempts."""
    bus = open_bus(Subscription("w", "ticks", "worker", ordered=False, max_attempts=2))
    bus.publish("ticks", say("poison"))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            bus.deliver_due(die)
        clock.advance(timedelta(seconds=60))
    inbox = Inbox()
    bus.deliver_due(inbox)

    (letter,) = bus.dead_letters()
    assert inbox.texts == []
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "2"


def test_a_message_dies_once(open_bus: Open, clock: ManualClock) -> None:
    """A last attempt that outlives its lease finds the message buried already."""
    last = Subscription("w", "ticks", "worker", ordered=False, max_attempts=1)
    ours, theirs = open_bus(last), open_bus(last)

    def push(_: Delivery) -> int:
        clock.advance(timedelta(seconds=60))
        theirs.deliver_due(Inbox())
        return BUSY

    ours.publish("ticks", say("x"))
    ours.deliver_due(push)

    assert len(ours.dead_letters()) == 1
    assert ours.pending() == 0


def test_a_revived_dead_letter_starts_anew(open_bus: Open, clock: ManualClock) -> None:
    """It is published to the subscription it died in, as it was, under a new id and with all its attempts."""
    bus = open_bus()
    bus.publish("intents", [Message(b"x", {"schema": "v1"}, "BTC")])
    run_dry(bus, clock, Inbox(answering(BUSY)))
    inbox = Inbox()
    message_id = bus.revive_dead_letter(bus.dead_letters()[0].id)
    bus.deliver_due(inbox)

    message = inbox.deliveries[0].envelope["message"]
    assert inbox.attempts == [1]
    assert (message["messageId"], message["attributes"], message["orderingKey"]) == (
        message_id,
        {"schema": "v1"},
        "BTC",
    )
    assert bus.dead_letters() == []


def test_only_a_dead_letter_can_be_revived(open_bus: Open) -> None:
    """An id that names none is told by a sentence."""
    with pytest.raises(Misconfigured, match="there is no dead letter 7"):
        open_bus().revive_dead_letter(7)


def test_a_dead_letter_of_a_removed_subscription_stays(open_bus: Open, clock: ManualClock) -> None:
    """Nothing is thrown away for want of a receiver."""
    bus = open_bus()
    bus.publish("ticks", say("x"))
    run_dry(bus, clock, Inbox(answering(BUSY)))
    other = open_bus(ORDERED)

    with pytest.raises(Misconfigured, match="worker-ticks, which does not exist any more"):
        other.revive_dead_letter(1)
    assert len(other.dead_letters()) == 1
