"""`withearth dead-letters`, on a bus that another process could be using."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.clock import ManualClock
from withearth.cli.console import console
from withearth.cli.dead_letters import dead_letters
from withearth.domain.errors import Misconfigured
from withearth.local.state import open_bus
from withearth.messaging.port import TRADE_INTENTS, Message

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """STATE_DIR with a bus on which two messages have died."""
    clock = ManualClock(NOW)
    with closing(open_bus(tmp_path, clock)) as bus:
        bus.publish(TRADE_INTENTS, [Message(b'{"id": "[one]"}', {}, "A"), Message(b"two\n", {}, "B")])
        while bus.pending():
            bus.deliver_due(lambda _delivery: 500)
            clock.advance(timedelta(hours=1))
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setattr(console, "width", 200)
    return tmp_path


def test_dead_letters_are_listed_and_revived(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its subscription, its attempts and its text; a revived one is waiting again, once."""
    dead_letters()
    listed = capsys.readouterr().out
    for part in ("executor-intents", '{"id": "[one]"}', "two·", "2026-01-05"):
        assert part in listed

    dead_letters(revive=[1])
    assert "Dead letter 1 is to be delivered again" in capsys.readouterr().out
    with closing(open_bus(state, ManualClock(NOW))) as bus:
        assert (1, ["two\n"]) == (bus.pending(), [each.message.data.decode() for each in bus.dead_letters()])

    dead_letters(revive_all=True)
    again = capsys.readouterr().out
    assert "Dead letter 2" in again
    assert "Dead letter 1" not in again
    dead_letters()
    assert "No message is left undelivered." in capsys.readouterr().out


def test_what_is_not_there_is_told(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that no dead letter has, a directory without a bus, and a bus in the cloud."""
    with pytest.raises(Misconfigured, match="there is no dead letter 99"):
        dead_letters(revive=[99])
    with pytest.raises(Misconfigured, match="holds no bus"):
        dead_letters(state=tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()
    monkeypatch.setenv("STORE", "cloud")
    monkeypatch.setenv("PROJECT_ID", "my-project")
    with pytest.raises(Misconfigured, match="STORE is cloud"):
        dead_letters()
