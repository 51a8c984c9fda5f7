"""What the local bus keeps when processes die, pumps compete, disks fill, and chaos is asked for."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from tests.fakes.inbox import BUSY, OK, ORDERED, PLAIN, Inbox, Open, answering, die, run_dry, say, text_of
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.messaging.local_bus import Chaos, Delivery, LocalBus
from withearth.messaging.port import Message
from withearth.store.sqlite import SqliteStore

# Leases


def test_a_message_being_delivered_is_out_of_sight(open_bus: Open, clock: ManualClock) -> None:
    """Another process meets it only after the ack deadline; the ack that comes too late then changes nothing."""
    ours, theirs = open_bus(), open_bus()
    seen: list[tuple[str, int]] = []

    def push_again(delivery: Delivery) -> int:
        seen.append(("theirs", delivery.attempt))
        return BUSY

    def push(delivery: Delivery) -> int:
        seen.append(("ours", delivery.attempt))
        assert theirs.deliver_due(push_again) == 0
        clock.advance(timedelta(seconds=60))
        assert theirs.deliver_due(push_again) == 1
        return OK

    ours.publish("ticks", say("x"))
    ours.deliver_due(push)

    assert seen == [("ours", 1), ("theirs", 2)]
    assert ours.pending() == 1
    assert ours.next_due() == NOON + timedelta(seconds=60 + 20)


def test_a_message_handled_before_a_crash_comes_again(open_bus: Open, clock: ManualClock) -> None:
    """A process that dies between handling and ack has its message delivered again, after the ack deadline."""
    bus = open_bus()
    bus.publish("ticks", say("x"))
    with pytest.raises(KeyboardInterrupt):
        bus.deliver_due(die)
    bus.close()
    bus, inbox = open_bus(), Inbox()

    assert bus.deliver_due(inbox) == 0
    clock.advance(timedelta(seconds=60))
    assert bus.deliver_due(inbox) == 1
    assert inbox.attempts == [2]


def test_the_leases_of_a_dead_process_can_be_voided(open_bus: Open) -> None:
    """A runtime that knows itself alone need not wait for the ack deadline."""
    bus = open_bus()
    bus.publish("ticks", say("x", "y"))
    with pytest.raises(KeyboardInterrupt):
        bus.deliver_due(die)
    bus.close()
    bus, inbox = open_bus(), Inbox()
    bus.release_leases()

    assert bus.next_due() == NOON
    assert bus.deliver_due(inbox) == 2
    assert inbox.texts == ["x", "y"]
    assert inbox.attempts == [2, 1]


def test_releasing_leases_keeps_a_back_off(open_bus: Open) -> None:
    """What waits for its next attempt is not leased, and goes on waiting."""
    bus = open_bus()
    bus.publish("ticks", say("x"))
    bus.deliver_due(Inbox(answering(BUSY)))
    bus.release_leases()

    assert bus.next_due() == NOON + timedelta(seconds=10)


# Mishaps on purpose


def test_duplicates_come_late_and_once(open_bus: Open, clock: ManualClock) -> None:
    """Every message is delivered twice under one id, the second time up to `late_s` later and outside any order."""
    bus, seen = open_bus(chaos=Chaos(seed=1, duplicate=True, late_s=100.0)), []

    def push(delivery: Delivery) -> int:
        seen.append((delivery.envelope["message"]["messageId"], clock.now() - NOON))
        return OK

    ids = bus.publish("intents", say(*map(str, range(50)), key="BTC"))
    run_dry(bus, clock, push)

    assert Counter(dict.fromkeys(ids, 2)) == Counter(message_id for message_id, _ in seen)
    assert [(message_id, timedelta()) for message_id in ids] == seen[:50]
    assert timedelta() < max(late for _, late in seen) < timedelta(seconds=100)
    assert [message_id for message_id, _ in seen[50:]] != ids


def test_shuffling_keeps_the_order_within_a_key(open_bus: Open) -> None:
    """Messages without a key come in another order, those of a key in theirs."""
    bus, inbox = open_bus(chaos=Chaos(seed=1, shuffle=True)), Inbox()
    free, keyed = [str(number) for number in range(20)], [f"b{number}" for number in range(20)]
    bus.publish("intents", [*say(*free), *say(*keyed, key="BTC")])
    bus.deliver_due(inbox)

    unkeyed = [text for text in inbox.texts if text in free]
    assert sorted(unkeyed, key=int) == free
    assert unkeyed != free
    assert [text for text in inbox.texts if text in keyed] == keyed


def test_a_lost_ack_has_the_message_delivered_again(open_bus: Open, clock: ManualClock) -> None:
    """After the ack deadline. The last ack always arrives: a dead letter means a handler that failed."""
    bus, inbox = open_bus(chaos=Chaos(seed=1, lose_acks=1.0)), Inbox()
    bus.publish("ticks", say("x"))
    run_dry(bus, clock, inbox)

    assert inbox.attempts == [1, 2, 3, 4, 5]
    assert clock.now() == NOON + timedelta(seconds=4 * 60)
    assert bus.dead_letters() == []


def test_acks_are_lost_at_the_given_rate(open_bus: Open) -> None:
    """A share of them, and not those of the messages that fail anyway."""
    bus = open_bus(chaos=Chaos(seed=3, lose_acks=0.25))
    bus.publish("ticks", say(*map(str, range(200))))
    bus.deliver_due(Inbox())

    assert 30 <= bus.pending() <= 70


def story(folder: Path, chaos: Chaos) -> list[tuple[str, int, datetime]]:
    """All deliveries of a run that goes wrong in every way a bus can."""
    clock, seen = ManualClock(NOON), []

    def push(delivery: Delivery) -> int:
        seen.append((text_of(delivery), delivery.attempt, clock.now()))
        return BUSY if len(text_of(delivery)) == delivery.attempt else OK

    with closing(LocalBus(folder / "bus.db", clock, (PLAIN, ORDERED), chaos)) as bus:
        for round_ in range(10):
            bus.publish("ticks", say(*(f"{round_}{number}" for number in range(5))))
            bus.publish("intents", say(str(round_), key="BTC"))
            bus.deliver_due(push)
            clock.advance(timedelta(seconds=30))
        run_dry(bus, clock, push)
    return seen


def test_the_seed_decides_every_mishap(tmp_path: Path) -> None:
    """The same seed gives the same deliveries at the same times; another seed gives others."""
    one, again, other = (
        story(tmp_path / name, Chaos(seed=seed, duplicate=True, shuffle=True, lose_acks=0.2))
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    )

    assert one == again
    assert one != other
    assert {text for text, _, _ in one} == {text for text, _, _ in other}


# Faults


def test_a_locked_file_publishes_nothing(open_bus: Open, tmp_path: Path) -> None:
    """A publisher that was told Unavailable can publish again without a duplicate."""
    bus = open_bus(busy_timeout_s=0.05)
    with closing(sqlite3.connect(tmp_path / "bus.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match=r"bus\.db is locked"):
            bus.publish("ticks", say("x"))
        other.execute("ROLLBACK")

    assert bus.pending() == 0
    assert bus.publish("ticks", say("x")) == ["1"]


def test_a_full_disk_publishes_nothing(open_bus: Open) -> None:
    """Either every message of a call is on the disk, or none."""
    bus = open_bus()
    with bus._file.reading() as connection:
        connection.execute("PRAGMA max_page_count = 20").fetchall()

    with pytest.raises(Misconfigured, match=r"disk of .* is full"):
        bus.publish("ticks", [Message(b"x" * 20_000) for _ in range(20)])
    assert bus.pending() == 0


def test_the_file_of_a_store_is_no_bus(tmp_path: Path, clock: ManualClock) -> None:
    """Two paths that were swapped are told, not mixed."""
    SqliteStore(tmp_path / "store.db").close()

    with pytest.raises(Misconfigured, match="database of something else, not a withEarth bus"):
        LocalBus(tmp_path / "store.db", clock, [PLAIN])
