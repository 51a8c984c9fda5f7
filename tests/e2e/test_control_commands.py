"""The owner's hand on the trading state, as typed: real processes, on books that another one could be using."""

import signal
import subprocess
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest

from tests.builders.command_line import command, environment, withearth
from tests.builders.trading import live_settings
from withearth.bootstrap import open_store
from withearth.flow.documents import flatten_ref, live_begun_ref, trading_ref
from withearth.store.firestore import FirestoreStore
from withearth.store.port import Create


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """A directory in which `withearth run` has left its books."""
    (tmp_path / ".withearth").mkdir()
    open_store(tmp_path / ".withearth").close()
    return tmp_path


def state_of(books: Path) -> str:
    """The trading state in the books."""
    store = open_store(books / ".withearth")
    stored = store.get(trading_ref())
    store.close()
    return "none" if stored is None else f"{stored.data['state']}: {stored.data['why']}"


def test_halt_reduce_and_resume_are_kept_with_their_reason(books: Path) -> None:
    """Each command writes its state, and `status` shows it with every limit."""
    for verb, state in (("halt", "HALTED"), ("reduce", "REDUCING"), ("resume", "ACTIVE")):
        done = withearth(books, verb, "--why", f"for {verb}")

        assert (0, f"Trading is {state}.\n") == (done.returncode, done.stdout), done.stderr
        assert f"{state}: for {verb}" == state_of(books)

    shown = withearth(books, "status", MAX_DAILY_LOSS_USDT="0").stdout
    assert "Trading is ACTIVE since" in shown
    assert "for resume" in shown
    assert "EXECUTE_TRADES is false" in shown
    for limit, value in (("MAX_OPEN_POSITIONS", "3"), ("MAX_DAILY_LOSS_USDT", "off"), ("MIN_EDGE_BPS", "off")):
        assert any(limit in line and value in line for line in shown.splitlines())


def test_resume_says_that_real_money_has_not_begun(books: Path) -> None:
    """The first pass would halt what was resumed before it: nothing is changed, and the way is told."""
    live = live_settings("key")
    refused = withearth(books, "resume", "--why", "go", **live)

    assert 2 == refused.returncode
    assert "real money begins HALTED" in refused.stderr
    assert "none" == state_of(books)

    store = open_store(books / ".withearth")
    store.commit([Create(live_begun_ref(), {})])
    store.close()
    assert 0 == withearth(books, "resume", "--why", "go", **live).returncode
    assert "ACTIVE: go" == state_of(books)


def test_flatten_asks_for_the_word(books: Path) -> None:
    """Any other word changes nothing; FLATTEN halts, and asks the reconciler to close everything."""
    refused = withearth(books, "flatten", "--why", "holidays", typed="yes\n")

    assert 2 == refused.returncode
    assert "the word is FLATTEN" in refused.stderr
    assert "none" == state_of(books)

    assert 0 == withearth(books, "flatten", "--why", "holidays", typed="FLATTEN\n").returncode
    assert "HALTED: flatten: holidays" == state_of(books)


def test_flatten_with_yes_does_not_ask(books: Path) -> None:
    """`--yes` stands for the word."""
    assert 0 == withearth(books, "flatten", "--why", "holidays", "--yes").returncode

    store = open_store(books / ".withearth")
    request = store.get(flatten_ref())
    store.close()
    assert request is not None
    assert "holidays" == request.data["why"]


def test_a_halt_without_books_is_told(tmp_path: Path) -> None:
    """Nobody believes to have halted what is not there."""
    done = withearth(tmp_path, "halt", "--why", "now")

    assert 2 == done.returncode
    assert "holds no books" in done.stderr


def test_r28_a_run_tells_its_limits_and_can_be_halted_while_it_runs(tmp_path: Path) -> None:
    """R28: the start lists every active limit with its value; another process halts it through the shared books."""
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    running = subprocess.Popen(
        command("run", "--execute"),
        cwd=tmp_path,
        env=environment(COLUMNS="400", PORT=port),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    told = next(line for line in running.stdout if line.startswith("Limits: "))
    done = withearth(tmp_path, "halt", "--why", "enough")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)

    assert "MAX_OPEN_POSITIONS=3" in told
    assert "MAX_DAILY_LOSS_USDT=25" in told
    assert 0 == done.returncode, done.stderr
    assert "HALTED: enough" == state_of(tmp_path)


def test_schedules_are_paused_in_the_books(books: Path) -> None:
    """As typed: paused, listed as such, and refused by a name that is none."""
    assert 0 == withearth(books, "schedules", "pause", "dispatcher").returncode

    listed = withearth(books, "schedules", "list").stdout
    assert any("dispatcher" in line and "paused" in line for line in listed.splitlines())
    refused = withearth(books, "schedules", "resume", "dispatch")
    assert (2, True) == (refused.returncode, "There is no schedule dispatch" in refused.stderr)


def test_the_owner_s_hand_reaches_into_the_cloud(tmp_path: Path, project: str, firestore_emulator: str) -> None:
    """The same command on the books that STORE names: no directory, no other way to say it."""
    cloud = {"STORE": "cloud", "PROJECT_ID": project, "FIRESTORE_EMULATOR_HOST": firestore_emulator}
    done = withearth(tmp_path, "halt", "--why", "from afar", **cloud)

    assert (0, "Trading is HALTED.\n") == (done.returncode, done.stdout), done.stderr
    with closing(FirestoreStore(project, emulator=firestore_emulator)) as store:
        stored = store.get(trading_ref())
    assert stored is not None
    assert ("HALTED", "from afar") == (stored.data["state"], stored.data["why"])
    assert [] == list(tmp_path.iterdir())
