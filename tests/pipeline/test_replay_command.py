"""What `withearth replay` makes of its settings, in this process, on recorded files that a test made."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders.market_files import MarketFiles, listed, some_bars
from withearth.cli.replay import replay
from withearth.domain.times import to_ms
from withearth.flow.documents import TRADES
from withearth.local.state import latest_books
from withearth.market.manifest import RecordedFile
from withearth.market.recorded_files import Recording, read_recording
from withearth.store.port import Query
from withearth.store.sqlite import SqliteStore

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty days of two symbols, and a directory of its own to run in."""
    files = MarketFiles(tmp_path / "data")
    fundings = [(to_ms(FIRST + timedelta(hours=8 * each)), "0.0001") for each in range(DAYS * 3)]
    for symbol, price in zip(SYMBOLS, (40_000.0, 2_000.0), strict=True):
        files.candles(symbol, some_bars(FIRST, DAYS * 288, price=price)).funding(symbol, fundings)
        files.instrument(listed(symbol))
    monkeypatch.chdir(tmp_path)
    return files.write()


def run(data: Path) -> None:
    """Two hours of both symbols."""
    replay(data, ",".join(SYMBOLS), "2024-02-28T12:00", "2024-02-28T14:00")


def test_recorded_files_are_read_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who checks the recording before the run is the one whom the run asks."""
    read = list[str]()

    def counted(directory: Path, files: Sequence[RecordedFile]) -> Recording:
        read.append(str(files[0].symbol))
        return read_recording(directory, files)

    monkeypatch.setattr("withearth.market.recorded.read_recording", counted)
    run(data)

    assert sorted(read) == list(SYMBOLS)


@pytest.mark.parametrize(("executes", "mode"), [("true", "PAPER"), ("false", "SHADOW")])
def test_a_replay_s_mode_follows_the_settings(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], executes: str, mode: str
) -> None:
    """EXECUTE_TRADES of the environment decides as --execute does: whose trades they are, and what is checked."""
    monkeypatch.setenv("EXECUTE_TRADES", executes)
    run(data)

    store = SqliteStore(latest_books(Path(".withearth")) / "store.db")
    trades = store.query(Query(TRADES))
    store.close()
    assert {each.data["mode"] for each in trades} == {mode}
    told = capsys.readouterr().out
    closed = sum(each.data["status"] == "CLOSED" for each in trades)
    assert f"{closed} closed" in told
    assert ("Checks against the paper exchange" in told) == (mode == "PAPER")
