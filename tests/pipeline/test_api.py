"""The read API and the seed endpoints, called as HTTP functions."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.builders.installation import AlwaysLong, Installation
from withearth.flow.documents import DecisionState, chart_ref, decision_ref
from withearth.store.port import Create
from withearth.store.sqlite import SqliteStore

SECRET = "a-secret-that-must-never-be-seen"  # noqa: S105 - the point of the test


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with six hours of history."""
    made = Installation(tmp_path_factory.mktemp("api"), BINANCE_API_SECRET=SECRET)
    made.run(6)
    return made


def get(installation: Installation, path: str, method: str = "GET") -> tuple[int, Any]:
    """The status and the parsed answer."""
    status, body = installation.functions().call("api", method=method, path=path)
    return status, json.loads(body)


def test_health_says_what_this_is(installation: Installation) -> None:
    """Health is ok and names mode, market and predictor, so that no number is mistaken for another kind."""
    status, answer = get(installation, "/health")

    assert status == 200
    assert answer["status"] == "ok"
    assert (answer["mode"], answer["market"], answer["predictor"]) == ("SHADOW", "SYNTHETIC", "baseline-1")


def test_a_visitor_is_sent_to_the_dashboard(installation: Installation) -> None:
    """`/` redirects to `/dashboard`."""
    status, body = installation.functions().call("api", method="GET", path="/")

    assert status == 302
    assert b"/dashboard" in body


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_trader_answers_in_the_original_shape(installation: Installation, method: str) -> None:
    """Each symbol's result has the seed's fields, and a symbol that is not ours costs nobody their answer."""
    status, answer = get(installation, "/tasks/trader?symbols=btcusdt,NOPEUSDT", method)

    assert status == 200
    assert answer["status"] == "partial"
    good, bad = answer["results"]
    assert good["symbol"] == "BTCUSDT"
    assert {"direction", "entry", "tp", "sl", "prob", "risk_ok", "rr", "payload_preview"} <= set(good["result"])
    assert "exec" in good
    assert (bad["error"], "trace" in bad) == ("SYMBOL_NOT_CONFIGURED", False)


def test_asking_the_trader_twice_changes_nothing(installation: Installation) -> None:
    """A tick is decided once: the second answer is the first."""
    first = get(installation, "/tasks/trader?symbols=ETHUSDT")
    trades = installation.books("trades")

    assert get(installation, "/tasks/trader?symbols=ETHUSDT") == first
    assert installation.books("trades") == trades


def test_the_trader_names_whose_trade_it_is(tmp_path: Path) -> None:
    """With a venue its kind, without one SHADOW: the mode is the runtime's, whatever the intent became."""
    for executes, mode in (("true", "PAPER"), ("false", "SHADOW")):
        made = Installation(
            tmp_path / mode, ports={"predictor": AlwaysLong()}, EXECUTE_TRADES=executes, MIN_VOL_FRAC="0"
        )
        [answer] = get(made, "/tasks/trader?symbols=BTCUSDT")[1]["results"]

        assert answer["exec"] is not None, answer
        assert answer["exec"]["mode"] == made.runtime.mode == mode


def test_a_trace_is_given_only_under_debug_and_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected fault is named; its trace needs debug=1, and a secret in it is starred."""
    installation = Installation(tmp_path, BINANCE_API_SECRET=SECRET)

    def breaks(*_arguments: object) -> None:
        raise RuntimeError(f"signed with {SECRET}")

    monkeypatch.setattr(installation.runtime.market, "candles", breaks)
    monkeypatch.setattr(installation.runtime.market, "quotes", lambda *_: {})
    monkeypatch.setattr(SqliteStore, "get", breaks)

    plain = get(installation, "/tasks/trader?symbols=BTCUSDT")[1]["results"][0]
    traced = get(installation, "/tasks/trader?symbols=BTCUSDT&debug=1")[1]["results"][0]

    assert (plain["error"], "trace" in plain) == ("RuntimeError", False)
    assert "signed with ***" in traced["trace"]
    assert SECRET not in json.dumps([plain, traced])


def test_the_overview_adds_up(installation: Installation) -> None:
    """Equity is the start plus the net of the journal, and the last equity point says the same."""
    overview = get(installation, "/api/overview")[1]

    assert overview["closed_trades"] == len(overview["equity_points"]) > 0
    assert overview["equity_points"][-1]["equity"] == overview["equity"]
    assert SECRET not in json.dumps(overview)


def test_lists_come_newest_first_and_bounded(installation: Installation) -> None:
    """Trades and logs are newest first, and no longer than asked."""
    trades = get(installation, "/api/trades?limit=3")[1]["trades"]
    logs = get(installation, "/api/logs?lines=3")[1]["logs"]

    assert [row["timestamp"] for row in trades] == sorted((row["timestamp"] for row in trades), reverse=True)
    assert [row["at"] for row in logs] == sorted((row["at"] for row in logs), reverse=True)
    assert (len(trades), len(logs)) == (3, 3)


def test_signals_show_each_symbol_s_newest_decision(installation: Installation) -> None:
    """The table has every symbol, and the latest one is found by name."""
    signals = get(installation, "/api/signals")[1]["signals"]
    latest = get(installation, "/api/signals/latest?symbol=ethusdt")[1]["signal"]

    assert [each["symbol"] for each in signals] == ["BTCUSDT", "ETHUSDT"]
    assert latest == signals[1]


def test_candles_are_closed_and_oldest_first(installation: Installation) -> None:
    """Candles come in the asked timeframe, no longer than asked."""
    candles = get(installation, "/api/candles?symbol=BTCUSDT&tf=1h&limit=5")[1]["candles"]

    assert len(candles) == 5
    assert candles[-1]["open_time"] == "2026-01-05T05:00:00Z"
    assert all(each["low"] <= each["close"] <= each["high"] for each in candles)


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/trades?limit=0", 400, "limit is '0', allowed is a whole number from 1 to 500."),
        ("/api/trades?limit=many", 400, "limit is 'many', allowed is a whole number from 1 to 500."),
        ("/api/logs?lines=501", 400, "lines is '501', allowed is a whole number from 1 to 500."),
        ("/api/candles?tf=7m", 400, "tf is '7m', allowed are 5m, 1h, 4h, 1d."),
        ("/api/candles?symbol=DOGEUSDT", 404, "SYMBOL_NOT_CONFIGURED: DOGEUSDT, SYMBOLS is BTCUSDT,ETHUSDT"),
        ("/api/signals/latest?symbol=%00", 404, "SYMBOL_NOT_CONFIGURED: \x00, SYMBOLS is BTCUSDT,ETHUSDT"),
    ],
)
def test_a_wrong_request_is_told_in_one_sentence(installation: Installation, path: str, status: int, told: str) -> None:
    """A value that cannot be is refused with its name, the value and what is allowed."""
    assert get(installation, path) == (status, get(installation, path)[1])
    assert get(installation, path)[1]["message"] == told


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/api/trades", 405)])
def test_an_unknown_path_or_method_is_json_too(installation: Installation, method: str, path: str, status: int) -> None:
    """Nothing but JSON ever comes back."""
    found, answer = get(installation, path, method)

    assert found == status
    assert answer["status"] == "error"


def test_a_fresh_installation_answers_with_nothing_rather_than_an_error(tmp_path: Path) -> None:
    """Before the first tick every list is empty and every answer is a 200."""
    fresh = Installation(tmp_path)

    for path in ("/health", "/api/overview", "/api/trades", "/api/logs", "/api/signals", "/api/signals/latest"):
        assert get(fresh, path)[0] == 200, path
    assert (200, []) == (get(fresh, "/api/limits")[0], get(fresh, "/api/limits")[1]["limits"])
    assert get(fresh, "/api/signals")[1]["signals"] == []


@pytest.mark.parametrize(("path", "rows", "id_"), [("trades", "trades", "id"), ("feed", "feeds", "tick_id")])
def test_pages_lead_through_everything_once(installation: Installation, path: str, rows: str, id_: str) -> None:
    """From the newest to the oldest, by the `next` of each page; the last one has none."""
    whole = [each[id_] for each in get(installation, f"/api/{path}?limit=500")[1][rows]]
    found, after = [], ""
    while True:
        page = get(installation, f"/api/{path}?limit=3{after}")[1]
        found += [each[id_] for each in page[rows]]
        if page["next"] is None:
            break
        after = f"&after={quote(page['next'])}"

    assert found == whole
    assert len(found) == len(set(found)) > 3


def test_events_of_one_instant_are_paged_too(installation: Installation) -> None:
    """The cursor knows which of those that happened at once was the last."""
    whole = get(installation, "/api/events?limit=500")[1]["events"]
    found, after = [], ""
    for _ in range(len(whole) + 1):
        page = get(installation, f"/api/events?limit=1{after}")[1]
        found += page["events"]
        if page["next"] is None:
            break
        after = f"&after={quote(page['next'])}"

    assert found == whole


@pytest.mark.parametrize(
    "after", ["", "yesterday~a", "2026-01-05T00:00:00~a", "2026-01-05T00:00:00Z", "2026-01-05Z~a/b"]
)
def test_a_cursor_that_is_none_is_told_so(installation: Installation, after: str) -> None:
    """One sentence, whatever it is."""
    status, answer = get(installation, f"/api/trades?after={after}")

    assert status == 400
    assert answer["message"] == f"after is {after!r}, allowed is the `next` of the page before."


def test_every_view_is_read_by_name(tmp_path: Path, installation: Installation) -> None:
    """As it was written; null before that; and only views."""
    assert get(installation, "/api/views/money")[1]["total"]["trades"] > 0
    assert get(Installation(tmp_path), "/api/views/money") == (200, None)
    assert get(installation, "/api/views/secrets")[0] == 404


def test_a_decision_is_told_whole(installation: Installation) -> None:
    """From its features to its trade; one that never was is not found."""
    trade = get(installation, "/api/trades?limit=1")[1]["trades"][0]
    told = get(installation, f"/api/decisions/{trade['id']}")[1]
    status, answer = get(installation, "/api/decisions/BTCUSDT-20200101T0000Z")

    assert (told["decision"]["decision_id"], told["trade"]["id"]) == (trade["id"], trade["id"])
    assert told["decision"]["snapshot"]["frames"].keys() == {"5m", "1h", "4h", "1d"}
    assert (status, "BTCUSDT-20200101T0000Z" in answer["message"]) == (404, True)


def test_a_decision_that_is_being_made_is_not_told(tmp_path: Path) -> None:
    """Its document holds nothing but the claim of whoever decides, and no page could show that."""
    installation = Installation(tmp_path)
    claim = {"decision_id": "BTCUSDT-20260105T0005Z", "symbol": "BTCUSDT", "state": DecisionState.CLAIMED.value}
    installation.runtime.store.commit([Create(decision_ref(claim["decision_id"]), claim)])
    status, answer = get(installation, f"/api/decisions/{claim['decision_id']}")

    assert (status, answer["message"]) == (404, "BTCUSDT-20260105T0005Z is being decided: ask again in a minute.")


def test_a_chart_that_nobody_keeps_is_worked_out(installation: Installation) -> None:
    """The same candles as the API's, in columns; a symbol that is not ours has none."""
    chart = get(installation, "/api/charts/ethusdt")[1]
    candles = get(installation, "/api/candles?symbol=ETHUSDT&tf=1h&limit=200")[1]["candles"]

    assert chart["frames"]["1h"]["close"] == [each["close"] for each in candles]
    assert get(installation, "/api/charts/DOGEUSDT")[0] == 404


def test_a_chart_that_is_kept_no_more_is_not_shown_as_the_present(tmp_path: Path) -> None:
    """A symbol that left the first CHART_SYMBOLS keeps its last chart in the books: what is shown is of now."""
    installation = Installation(tmp_path)
    kept = get(installation, "/api/charts/ethusdt")[1]
    installation.store.commit([Create(chart_ref("ETHUSDT"), {**kept, "at": datetime.fromisoformat(kept["at"])})])
    installation.clock.sleep(timedelta(hours=1))

    shown = get(installation, "/api/charts/ethusdt")[1]
    assert shown["frames"]["5m"]["open_ms"][-1] - kept["frames"]["5m"]["open_ms"][-1] == 3_600_000
