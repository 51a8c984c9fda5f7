"""`withearth dead-letters` as typed: real processes, on a bus that another one could be using."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders.command_line import withearth
from tests.fakes.clock import ManualClock
from withearth.local.state import open_bus
from withearth.messaging.port import TRADE_INTENTS, Message

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A bus on which two messages have died."""
    clock = ManualClock(NOW)
    with closing(open_bus(tmp_path / ".withearth", clock)) as bus:
        bus.publish(TRADE_INTENTS, [Message(b'{"id": "[one]"}', {}, "A"), Message(b"two\n", {}, "B")])
        while bus.pending():
            bus.deliver_due(lambda _delivery: 500)
            clock.advance(timedelta(hours=1))
    return tmp_path


def test_dead_letters_are_listed_and_revived(state: Path) -> None:
    """Each with its subscription, its attempts and its text; a revived one is waiting again, once."""
    listed = withearth(state, "dead-letters")
    assert 0 == listed.returncode, listed.stderr
    for part in ("executor-intents", '{"id": "[one]"}', "two·", "2026-01-05"):
        assert part in listed.stdout

    revived = withearth(state, "dead-letters", "--revive", "1")
    assert "Dead letter 1 is to be delivered again" in revived.stdout
    with closing(open_bus(state / ".withearth", ManualClock(NOW + timedelta(days=9000)))) as bus:
        assert (1, 1) == (bus.pending(), len(bus.dead_letters()))

    again = withearth(state, "dead-letters", "--revive-all").stdout
    assert "Dead letter 2" in again
    assert "Dead letter 1" not in again
    assert "No message is left undelivered." in withearth(state, "dead-letters").stdout


def test_what_is_not_there_is_told(state: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An id that no dead letter has, a directory without a bus, and a bus in the cloud."""
    for cwd, arguments, settings, sentence in (
        (state, ("--revive", "99"), {}, "there is no dead letter 99"),
        (tmp_path_factory.mktemp("empty"), (), {}, "holds no bus"),
        (state, (), {"STORE": "cloud", "PROJECT_ID": "my-project"}, "STORE is cloud"),
    ):
        done = withearth(cwd, "dead-letters", *arguments, **settings)
        assert 2 == done.returncode
        assert sentence in done.stderr
