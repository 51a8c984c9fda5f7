"""The command line as a person uses it: real processes, on recorded files that a test made."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builders.command_line import command, environment, exported, withearth
from tests.builders.installation import Installation
from tests.builders.market_files import MarketFiles, listed, some_bars
from withearth.domain.times import to_ms

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60
PERIOD = ("--from", "2024-02-28T12:00", "--to", "2024-02-28T18:00")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days of two symbols, enough for 51 daily bars."""
    directory = tmp_path_factory.mktemp("recorded")
    files = MarketFiles(directory)
    fundings = [(to_ms(FIRST + timedelta(hours=8 * each)), "0.0001") for each in range(DAYS * 3)]
    for symbol, price in (("BTCUSDT", 40_000.0), ("ETHUSDT", 2_000.0)):
        files.candles(symbol, some_bars(FIRST, DAYS * 288, price=price)).funding(symbol, fundings)
        files.instrument(listed(symbol))
    files.write()
    return directory


def replay(data: Path, *more: str) -> tuple[str, ...]:
    """The arguments of a replay over six hours."""
    return ("replay", "--data", str(data), "--symbols", "BTCUSDT,ETHUSDT", *PERIOD, *more)


class Calm(NamedTuple):
    """A replay that nobody disturbed: where it ran, what it printed, and what stands in its books."""

    cwd: Path
    printed: str
    books: dict[str, str]


@pytest.fixture(scope="module")
def calm(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """What the other replays are held against. Nobody writes here."""
    cwd = tmp_path_factory.mktemp("calm")
    done = withearth(cwd, *replay(recorded))
    assert done.returncode == 0, done.stderr
    return Calm(cwd, done.stdout, books_of(cwd))


def books_of(cwd: Path) -> dict[str, str]:
    """Decisions, intents and journal as text."""
    return {what: exported(cwd, what) for what in ("decisions", "intents", "trades")}


def test_a_replay_prints_what_came_of_it_and_repeats_itself(calm: Calm, recorded: Path, tmp_path: Path) -> None:
    """Ticks, decisions by code, trades, win rate, net pnl and speed are printed; twice gives the same bytes."""
    for label in ("ticks", "decisions", "intents", "trades", "win rate", "net pnl", "p50 / p95", "symbol-ticks"):
        assert label in calm.printed
    assert len(calm.books["decisions"].splitlines()) == 144
    assert len(calm.books["trades"].splitlines()) > 3

    again = tmp_path / "again"
    shutil.copytree(calm.cwd, again)
    assert withearth(again, *replay(recorded)).returncode == 0
    assert books_of(again) == calm.books


@pytest.mark.parametrize("ticks", [1, 20, 47])
def test_a_killed_replay_goes_on_where_it_stopped(calm: Calm, recorded: Path, tmp_path: Path, ticks: int) -> None:
    """SIGKILL in the middle, and the same command again: the same decisions and journal."""
    victim = subprocess.Popen(
        [sys.executable, "-c", KILL_AFTER.format(ticks=ticks), *replay(recorded)], cwd=tmp_path, env=environment()
    )
    assert victim.wait(timeout=60) == -signal.SIGKILL
    assert withearth(tmp_path, *replay(recorded)).returncode == 0

    assert books_of(tmp_path) == calm.books


KILL_AFTER = """
import os, signal
from withearth.local import cloud
from withearth.cli.app import main
seen = 0
push = cloud.LocalCloud._push
def dies(self, delivery):
    global seen
    seen += 1
    if seen > 2 * {ticks} + 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return push(self, delivery)
cloud.LocalCloud._push = dies
main()
"""


def test_disorder_on_the_bus_changes_nothing(calm: Calm, recorded: Path, tmp_path: Path) -> None:
    """Every message twice, late and shuffled: the same decisions and journal."""
    assert withearth(tmp_path, *replay(recorded, "--chaos")).returncode == 0

    assert books_of(tmp_path) == calm.books


def test_recorded_answers_reproduce_decisions_and_trades(calm: Calm, recorded: Path, tmp_path: Path) -> None:
    """PREDICTOR=recorded over exported decisions ends with the same answers, intents and journal."""
    answers = withearth(calm.cwd, "export", "decisions", "--json").stdout
    assert answers == calm.books["decisions"]
    (tmp_path / "answers.jsonl").write_text(answers, encoding="utf-8")
    (tmp_path / ".env").write_text("PREDICTOR=recorded\nRECORDED_DECISIONS=answers.jsonl\n", encoding="utf-8")

    assert withearth(tmp_path, *replay(recorded)).returncode == 0

    books = books_of(tmp_path)
    assert books | {"decisions": books["decisions"].replace("recorded-1", "baseline-1")} == calm.books


def test_the_journal_exports_as_csv(calm: Calm) -> None:
    """The classic columns come first, in their order."""
    rows = list(csv.reader(withearth(calm.cwd, "export", "trades", "--csv").stdout.splitlines()))
    assert rows[0][:11] == "timestamp symbol side qty entry tp sl exit pnl status id".split()  # noqa: SIM905
    assert len(rows) == 1 + len(calm.books["trades"].splitlines())
    assert all(len(row) == len(rows[0]) for row in rows)


def test_one_tick_is_printed_for_people_and_as_json(recorded: Path, tmp_path: Path) -> None:
    """`tick` prints a decision readably, and the whole document under --json, and keeps nothing."""
    where = ("tick", "--symbol", "BTCUSDT", "--data", str(recorded), "--at", "2024-02-28T12:00")
    told, document = withearth(tmp_path, *where), withearth(tmp_path, *where, "--json")

    assert "BTCUSDT as of 2024-02-28 12:00 UTC" in told.stdout
    assert json.loads(document.stdout)["decision_id"] == "BTCUSDT-20240228T1200Z"
    assert list(tmp_path.iterdir()) == []


def test_settings_and_version_are_shown(tmp_path: Path) -> None:
    """`settings` lists every key with its origin; `--version` says the version."""
    (tmp_path / ".env").write_text("BINANCE_API_SECRET=very-secret\n", encoding="utf-8")
    shown = withearth(tmp_path, "settings")

    assert "MIN_PROB" in shown.stdout
    assert "very-secret" not in shown.stdout
    assert re.fullmatch(r"withearth \d+\.\d+\.\d+\n", withearth(tmp_path, "--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("replay", "--symbols", "NOPEUSDT", *PERIOD), "--symbols names NOPEUSDT, of which"),
        (("replay", "--symbols", "BTCUSDT", "--from", "x", "--to", "2024-02-01"), "--from is 'x': write a date"),
        (("replay", "--symbols", "BTCUSDT", "--from", "2024-02-01", "--to", "2024-01-01"), "--to comes after --from"),
        (("tick", "--symbol", "not a symbol"), "SYMBOLS "),
    ],
)
def test_a_wrong_call_is_one_sentence_and_exit_code_2(
    recorded: Path, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    """No trace, nothing on standard output, the option named."""
    done = withearth(tmp_path, *arguments, "--data", str(recorded))

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_two_markets_do_not_share_their_books(recorded: Path, tmp_path: Path) -> None:
    """Trades on invented prices are never summed up with those on real ones: one sentence, before anything starts."""
    with closing(Installation(tmp_path / ".withearth")) as installation:
        installation.run(0)
    ended = withearth(tmp_path, "run", "--market", "recorded", DATA_DIR=str(recorded))

    assert ended.returncode == 2
    assert "holds what came of a SYNTHETIC market, and MARKET is RECORDED now: set STATE_DIR" in ended.stderr


def test_a_directory_that_is_no_recording_is_told(tmp_path: Path) -> None:
    """A missing MANIFEST is named with its place."""
    done = withearth(tmp_path, *replay(tmp_path))

    assert done.returncode == 2
    assert "MANIFEST.json" in done.stderr


def test_an_executed_replay_agrees_with_the_exchange(recorded: Path, tmp_path: Path) -> None:
    """`--execute` trades on the paper exchange, and the journal equals the exchange's own books to the last digit."""
    done = withearth(tmp_path, *replay(recorded, "--execute"))

    assert done.returncode == 0, done.stderr
    journal, exchange = (
        re.search(rf"{label} +│ (\S+) USDT", done.stdout) for label in ("journal net pnl", "exchange's income")
    )
    assert journal is not None
    assert exchange is not None
    assert journal[1] == exchange[1] != "0"
    assert {json.loads(line)["mode"] for line in exported(tmp_path, "trades").splitlines()} == {"PAPER"}


def test_exporting_before_any_run_is_told(tmp_path: Path) -> None:
    """There are no books yet, and the sentence says how to get some."""
    done = withearth(tmp_path, "export", "trades")

    assert done.returncode == 2
    assert "run `withearth replay`" in done.stderr


def test_a_clock_before_the_data_decides_nothing(recorded: Path, tmp_path: Path) -> None:
    """Before the first candle every decision has its code, and nothing is traded."""
    early = ("--from", "2023-06-01", "--to", "2023-06-01T00:30")
    done = withearth(tmp_path, "replay", "--data", str(recorded), "--symbols", "BTCUSDT", *early)

    assert done.returncode == 0
    assert "BTCUSDT is recorded from 2024-01-01 00:00 to 2024-03-01 00:00 UTC only." in done.stderr
    assert {json.loads(line)["blocked_by"] for line in exported(tmp_path, "decisions").splitlines()} == {
        "QUOTE_MISSING"
    }


def test_the_demo_closes_a_trade_and_stops(tmp_path: Path) -> None:
    """`demo --check` serves its page, waits for a shadow trade to close while it runs, and exits 0."""
    done = subprocess.run(
        command("demo", "--check"),
        cwd=tmp_path,
        env=environment(HORIZON_MIN="5"),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, done.stderr
    assert "SYNTHETIC" in done.stdout
    assert re.search(r"Dashboard: http://127\.0\.0\.1:\d+/dashboard", done.stdout)
    assert re.search(r"of these while it ran +│ [1-9]", done.stdout)
