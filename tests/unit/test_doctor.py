"""Each verdict of the doctor, from what was read."""

import json
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import settings_of
from tests.builders.market_files import listed
from tests.fakes.clock import ManualClock
from withearth.doctor import account, books, exchange, instruments, keys, machine, models
from withearth.doctor.findings import Finding, Verdict, document, is_safe, ok, problem, warning
from withearth.doctor.line import Reply
from withearth.doctor.running import Check, run
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.domain.reasons import Reason
from withearth.execution.shown import AccountModes, SymbolModes
from withearth.local.state import open_bus
from withearth.messaging.bus_rows import LAYOUT
from withearth.settings import Settings
from withearth.store.sqlite import APPLICATION_ID, LAYOUT_VERSION, SqliteStore

NOW = datetime(2026, 1, 5, 12, 2, tzinfo=UTC)
ADDRESS = "https://fapi.binance.com"
OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM


def settings(tmp_path: Path, **changes: str) -> Settings:
    """Settings of an installation."""
    return settings_of(tmp_path, **changes)


def sending(tmp_path: Path, **changes: str) -> Settings:
    """Settings with which orders go to the demo exchange."""
    return settings(tmp_path, EXECUTE_TRADES="true", VENUE="demo", MARKET="live", **changes)


def told(finding: Finding, verdict: Verdict, *parts: str) -> None:
    """The verdict, and what the sentence says; a problem has a remedy."""
    assert finding.verdict is verdict, finding
    assert all(part in f"{finding.text} {finding.remedy}" for part in parts), finding
    assert finding.remedy or verdict is not PROBLEM, finding


@pytest.mark.parametrize(
    ("reply", "verdict", "part"),
    [
        (Reply(200, {"serverTime": 1}), OK, "answers."),
        (Reply(451, {"code": 0}), PROBLEM, "HTTP 451"),
        (Reply(418, None, {"Retry-After": "77"}), PROBLEM, "says to wait 77 s"),
        (Reply(429, None), PROBLEM, "asking too much"),
        (Reply(503, None), PROBLEM, "HTTP 503"),
        (Reply(302, None), PROBLEM, "HTTP 302"),
        (Reply(200, None), PROBLEM, "something else"),
        (Reply(200, {"serverTime": "soon"}), PROBLEM, "something else"),
    ],
)
def test_the_exchange_is_reached_or_it_is_said_why_not(reply: Reply, verdict: Verdict, part: str) -> None:
    """A region that is refused has the remedy that moves it."""
    finding = exchange.reached(ADDRESS, reply)
    told(finding, verdict, part, ADDRESS)
    assert (reply.status == 451) == ("REGION" in finding.remedy)


@pytest.mark.parametrize(
    ("server_ms", "verdict"),
    [
        (100_050, OK),
        (100_550, OK),
        (100_601, PROBLEM),
        (99_550, OK),
        (99_449, PROBLEM),
        (None, PROBLEM),
        ("x", PROBLEM),
    ],
)
def test_a_clock_that_is_half_a_second_off_is_a_problem(server_ms: Any, verdict: Verdict) -> None:
    """Between 100000 and 100100 ms the exchange told its time: what the way can explain does not count."""
    told(exchange.skew(Reply(200, {"serverTime": server_ms}), 100_000, 100_100), verdict)


@pytest.mark.parametrize(
    ("used", "limit", "verdict"), [("1", 2400, OK), ("1200", 2400, OK), ("1201", 2400, WARNING), ("700", 1000, WARNING)]
)
def test_much_used_weight_is_a_warning(used: str, limit: int, verdict: Verdict) -> None:
    """Held against the limit that the exchange announces."""
    limits = [{"rateLimitType": "ORDERS", "limit": 1}, {"rateLimitType": "REQUEST_WEIGHT", "limit": limit}]
    told(exchange.weight(Reply(200, {}, {"X-MBX-USED-WEIGHT-1M": used}), limits), verdict, f"{used} of {limit}")


def test_weight_that_is_not_told_is_a_warning() -> None:
    """Nobody knows then."""
    told(exchange.weight(Reply(200, {}, {}), ()), WARNING, "did not say")


def test_a_key_is_needed_only_where_orders_leave(tmp_path: Path) -> None:
    """None for shadow trades and on paper; both halves for the demo exchange."""
    told(keys.presence(settings(tmp_path)), OK, "No key is needed")
    told(keys.presence(settings(tmp_path, EXECUTE_TRADES="true")), OK, "No key is needed")
    told(keys.presence(sending(tmp_path)), PROBLEM, "BINANCE_API_KEY and BINANCE_API_SECRET are not set")
    told(keys.presence(sending(tmp_path, BINANCE_API_KEY="k")), PROBLEM, "BINANCE_API_SECRET is not set")
    both = {"BINANCE_API_KEY": "k", "BINANCE_API_SECRET": "s"}
    told(keys.presence(sending(tmp_path, **both)), OK, "made on demo")


def test_permissions_that_cannot_be_asked_are_said_to_be_so(tmp_path: Path) -> None:
    """The demo exchange has no endpoint for them; without a key nobody needs them."""
    told(keys.not_asked(sending(tmp_path)), WARNING, "cannot be asked here")
    told(keys.not_asked(settings(tmp_path)), OK)


RIGHT = {
    "ipRestrict": True,
    "enableReading": True,
    "enableFutures": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "permitsUniversalTransfer": False,
}


@pytest.mark.parametrize(
    ("changed", "verdict", "part"),
    [
        ({}, OK, "may not withdraw"),
        ({"enableWithdrawals": True}, PROBLEM, "may withdraw"),
        ({"enableWithdrawals": None}, PROBLEM, "may withdraw, or the exchange does not say"),
        ({"enableReading": False}, PROBLEM, "may not read"),
        ({"enableFutures": False}, PROBLEM, "may not trade futures"),
        ({"ipRestrict": False}, PROBLEM, "from any address"),
        ({"permitsUniversalTransfer": True}, WARNING, "may move money (permitsUniversalTransfer)"),
    ],
)
def test_a_key_may_do_what_is_needed_and_nothing_more(changed: dict[str, Any], verdict: Verdict, part: str) -> None:
    """One wrong right, one line that is not ok."""
    found = keys.permissions(Reply(200, RIGHT | changed))
    wrong = [each for each in found if each.verdict is not OK]
    told(next(each for each in found if part in each.text), verdict, part)
    assert len(wrong) == bool(changed)


@pytest.mark.parametrize("reply", [Reply(451, None), Reply(401, {"code": -2015}), Reply(200, None), Reply(404, None)])
def test_permissions_that_are_not_told_are_a_problem(reply: Reply) -> None:
    """What is not known is not safe; a refused key is told by what its code means."""
    [finding] = keys.permissions(reply)
    told(finding, PROBLEM)
    assert (reply.status == 401) == ("not from this machine's address" in finding.remedy)


@pytest.mark.parametrize(
    ("modes", "verdict", "part"),
    [
        (AccountModes(hedge_mode=False, multi_assets=False, can_trade=True), OK, "ONEWAY"),
        (AccountModes(hedge_mode=True, multi_assets=False, can_trade=True), PROBLEM, "POSITION_MODE"),
        (AccountModes(hedge_mode=False, multi_assets=True, can_trade=True), PROBLEM, "multi-assets"),
        (AccountModes(hedge_mode=False, multi_assets=False, can_trade=False), PROBLEM, "may not trade"),
    ],
)
def test_account_modes_are_those_of_the_settings(
    tmp_path: Path, modes: AccountModes, verdict: Verdict, part: str
) -> None:
    """As preparation would refuse them."""
    told(account.account_modes(modes, settings(tmp_path)), verdict, part)


def test_margin_type_and_leverage_are_told_by_what_becomes_of_them(tmp_path: Path) -> None:
    """As wanted: ok. Different: set before the first trade. Different, with something standing: a problem."""
    wanted, other = SymbolModes("ISOLATED", 5), SymbolModes("CROSSED", 20)
    agreed = account.symbol_modes({"BTCUSDT": wanted, "ETHUSDT": wanted}, ["BTCUSDT"], settings(tmp_path))
    assert [(each.verdict, each.text[:9]) for each in agreed] == [(OK, "2 symbols")]

    found = account.symbol_modes(
        {"BTCUSDT": wanted, "ETHUSDT": other, "SOLUSDT": other}, ["SOLUSDT"], settings(tmp_path)
    )
    assert [each.verdict for each in found] == [PROBLEM, WARNING, OK]
    assert "SOLUSDT is CROSSED" in found[0].text
    assert found[1].text.startswith("ETHUSDT will be set to ISOLATED and leverage 5")
    assert found[2].text.startswith("1 symbols")


@pytest.mark.parametrize(("free", "verdict"), [("0", PROBLEM), ("19.99", WARNING), ("20", OK)])
def test_margin_is_held_against_one_trade(tmp_path: Path, free: str, verdict: Verdict) -> None:
    """RISK_USDT 100 at leverage 5 needs 20 USDT."""
    told(account.margin(Decimal(free), settings(tmp_path)), verdict, "20.00")


def test_instruments_are_traded_readable_and_small_enough(tmp_path: Path) -> None:
    """One line for the good ones, one for each that is not."""
    names = "BTCUSDT,ETHUSDT,GONEUSDT,OLDUSDT,DEARUSDT,MUTEUSDT,ODDUSDT"
    rows = {name: listed(name) for name in names.split(",") if name != "GONEUSDT"}
    rows["OLDUSDT"] = listed("OLDUSDT", status="SETTLING")
    rows["DEARUSDT"] = listed("DEARUSDT", step="1")
    rows["ODDUSDT"] = listed("ODDUSDT") | {"filters": []}
    prices = dict.fromkeys(rows, "2000") | {"MUTEUSDT": ""}
    found = instruments.tradable(rows, prices, settings(tmp_path, SYMBOLS=names, RISK_USDT="100"))

    assert [each.verdict for each in found] == [PROBLEM] * 5 + [OK]
    told(found[-1], OK, "BTCUSDT, ETHUSDT:")
    for finding, part in zip(
        found[:-1],
        (
            "does not list GONEUSDT",
            "OLDUSDT cannot be entered: it is PERPETUAL SETTLING",
            "The smallest order of DEARUSDT is worth 2000 USDT, RISK_USDT is 100",
            "no price of MUTEUSDT",
            "ODDUSDT has filters",
        ),
        strict=True,
    ):
        told(finding, PROBLEM, part)


def test_symbols_that_are_found_by_themselves_are_counted(tmp_path: Path) -> None:
    """What is dear or leaving is not among them; none at all is a problem."""
    rows = {
        "BTCUSDT": listed("BTCUSDT"),
        "DEARUSDT": listed("DEARUSDT", step="1"),
        "OLDUSDT": listed("OLDUSDT", status="SETTLING"),
    }
    [found] = instruments.tradable(
        rows, dict.fromkeys(rows, "2000"), settings(tmp_path, SYMBOLS="all", RISK_USDT="100")
    )
    told(found, OK, "1 of 2 tradable symbols")
    [found] = instruments.tradable({}, {}, settings(tmp_path, SYMBOLS="top:5"))
    told(found, PROBLEM, "0 of 0")


def test_models_are_asked_only_where_the_predictor_asks_them(tmp_path: Path) -> None:
    """Those of each member, in the order of the settings."""
    key = {"GOOGLE_API_KEY": "k", "GEMINI_MODEL": "one,two"}
    assert models.members(settings(tmp_path)) == []
    assert models.members(settings(tmp_path, PREDICTOR="gemini", **key)) == [("one", "two")]
    ensemble = {"PREDICTOR": "ensemble", "ENSEMBLE_MEMBERS": "gemini:three,baseline,gemini"}
    assert models.members(settings(tmp_path, **ensemble, **key)) == [("three",), ("one", "two")]


def test_a_retired_model_is_a_problem_only_where_no_other_answers() -> None:
    """The next one is asked when one no longer exists."""
    gone = (Reason.MODEL_RETIRED, "404 NOT_FOUND")
    found = models.answerable({"one": gone, "two": None}, [("one", "two")])
    assert [each.verdict for each in found] == [WARNING, OK]
    told(models.answerable({"one": gone}, [("one",)])[0], PROBLEM, "MODEL_RETIRED", "GEMINI_MODEL")
    told(models.answerable({}, [])[0], OK, "No model is asked")


def test_a_model_that_refuses_is_a_problem_whoever_comes_after_it() -> None:
    """Only for a retired one the next is asked."""
    found = models.answerable({"one": (Reason.MODEL_REFUSED, "403"), "two": None}, [("one", "two")])
    assert [each.verdict for each in found] == [PROBLEM, OK]


def test_a_member_that_cannot_answer_is_a_problem_whoever_else_can() -> None:
    """An ensemble is silent when one of its members is."""
    gone = (Reason.MODEL_RETIRED, "404 NOT_FOUND")
    found = models.answerable({"one": gone, "two": None}, [("one",), ("two",)])
    assert [each.verdict for each in found] == [PROBLEM, OK]


@pytest.mark.parametrize(("free", "verdict"), [(99_999_999, PROBLEM), (999_999_999, WARNING), (1_000_000_000, OK)])
def test_disk_space_is_told_before_it_is_gone(free: int, verdict: Verdict) -> None:
    """A tenth of a gigabyte is needed, one is enough for a while."""
    told(machine.disk("STATE_DIR", "/x", free), verdict, "STATE_DIR")


def test_versions_are_those_that_were_tested() -> None:
    """Too old a Python, too old a SQLite, another SDK, none: a problem each."""
    pinned = dict(machine.PINNED)
    [good] = machine.versions("0.1.0", (3, 11), (3, 40, 1), pinned)
    told(good, OK, "Python 3.11", "18.1.0")
    old = machine.versions("0.1.0", (3, 10), (3, 37, 0), pinned | {machine.SDK: "18.0.1", "binance-common": None})
    assert [each.verdict for each in old] == [PROBLEM] * 4 + [OK]
    told(old[2], PROBLEM, "is 18.0.1, tested is 18.1.0")
    told(old[3], PROBLEM, "is not installed")


def looked(**changes: Any) -> books.Looked:
    """A sound store, changed."""
    sound = {"path": Path("store.db"), "there": True, "writable": True, "application": 7, "version": 1}
    return books.Looked(**{**sound, **changes})


@pytest.mark.parametrize(
    ("seen", "verdict", "part"),
    [
        (looked(), OK, "layout 1"),
        (looked(there=False), OK, "not there yet"),
        (looked(application=0, version=0), OK, "empty"),
        (looked(writable=False), PROBLEM, "cannot be written"),
        (looked(fault="file is not a database"), PROBLEM, "cannot be read (file is not a database)"),
        (looked(application=8), PROBLEM, "something else"),
        (looked(version=2), PROBLEM, "layout 2, this version knows 1"),
    ],
)
def test_a_file_of_books_is_ours_readable_and_writable(seen: books.Looked, verdict: Verdict, part: str) -> None:
    """Everything that would stop the first commit is told before it."""
    told(books.file_state("store", seen, 7, 1), verdict, part)


def test_looking_at_books_leaves_no_trace(tmp_path: Path) -> None:
    """Open or closed, absent or no database: what was there is there, byte for byte, and nothing else."""
    with closing(SqliteStore(tmp_path / "store.db")), closing(open_bus(tmp_path, ManualClock(NOW))):
        pass
    (tmp_path / "other.db").write_bytes(b"no database" * 100)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found = [books.look_at(tmp_path / name, "SELECT 1") for name in ("store.db", "bus.db", "other.db", "absent.db")]

    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert (found[0].application, found[0].version) == (APPLICATION_ID, LAYOUT_VERSION)
    assert (found[1].application, found[1].version) == (LAYOUT.application_id, LAYOUT.version)
    assert found[2].fault
    assert (found[3].there, found[3].writable) == (False, True)


def test_books_that_are_in_use_are_read_as_they_are_now(tmp_path: Path) -> None:
    """Rows that stand in the write-ahead log only are seen, too."""
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (x TEXT)")
        writer.execute("INSERT INTO t VALUES ('seen')")
        writer.commit()
        assert books.look_at(path, "SELECT x FROM t").rows == [("seen",)]


@pytest.mark.parametrize(
    ("tick", "verdict"), [("20260105T1200Z", OK), ("20260105T1155Z", OK), ("20260105T1150Z", WARNING), (None, WARNING)]
)
def test_a_schedule_that_has_stopped_is_told(tick: str | None, verdict: Verdict) -> None:
    """By the newest tick in the books: more than ten minutes are two ticks."""
    told(books.schedules(tick, NOW, ["dispatcher */5 * * * *"]), verdict, "dispatcher */5")


def test_dead_letters_are_a_warning() -> None:
    """With the command that shows them."""
    told(books.dead_letters(2), WARNING, "withearth dead-letters")
    told(books.dead_letters(0), OK)


def test_one_check_that_fails_or_hangs_stops_no_other() -> None:
    """Errors of ours with their sentence, others by their name, and a hanging one at its time."""
    released = threading.Event()

    def fails(error: Exception) -> list[Finding]:
        raise error

    checks = [
        Check("hangs", lambda: [ok("hangs", str(released.wait(60)))]),
        Check("wrong", lambda: fails(Misconfigured("X is 1, allowed is 2: set it to 2."))),
        Check("away", lambda: fails(Unavailable("nobody answered: HTTP 500"))),
        Check("broken", lambda: fails(KeyError("symbol"))),
        Check("fine", lambda: [ok("fine", "one"), ok("fine", "two")]),
    ]
    found = run(checks, timeout_s=1)
    released.set()

    assert [each.check for each in found] == ["hangs", "wrong", "away", "broken", "fine", "fine"]
    assert [each.verdict for each in found] == [PROBLEM] * 4 + [OK] * 2
    assert "no answer within 1 s" in found[0].text
    assert (found[1].text, found[1].remedy) == ("X is 1, allowed is 2", "set it to 2.")
    assert found[2].text == "nobody answered: HTTP 500"
    assert "KeyError" in found[3].text


def test_only_a_problem_makes_trading_unsafe() -> None:
    """And the JSON says so in a shape that stays."""
    fine = [ok("a", "x"), warning("b", "y", "z")]
    assert is_safe(fine)
    assert not is_safe([*fine, problem("c", "w", "v")])
    assert json.loads(json.dumps(document(fine, "2026-01-05T12:02:00+00:00"))) == {
        "version": 1,
        "at": "2026-01-05T12:02:00+00:00",
        "safe": True,
        "checks": [
            {"check": "a", "verdict": "ok", "text": "x", "remedy": ""},
            {"check": "b", "verdict": "warning", "text": "y", "remedy": "z"},
        ],
    }
