"""The views over time: written when they say something new, cheaply, and never in the way of anything else."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, AlwaysLong, Installation
from withearth.domain.errors import MarketFault, Unavailable
from withearth.domain.reasons import Reason
from withearth.domain.times import tick_id
from withearth.flow.documents import TradeStatus, feed_ref, ledger_ref, tick_ref, view_ref
from withearth.flow.reconcile import reconcile
from withearth.store.port import Create, Query, Ref, Replace, Stored, Write
from withearth.views.money import POINTS_MAX

VIEWS = ("overview", "money", "positions", "heatmap", "limits", "calibration")
EASY = {"EXECUTE_TRADES": "true", "RR_MIN": "0.5", "RR_MIN_HIGH_PROB": "0.5", "MAX_CONSECUTIVE_LOSSES": "0"}


def view(installation: Installation, name: str) -> Stored:
    """A view that is there."""
    found = installation.store.get(view_ref(name))
    assert found is not None
    return found


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation on the paper exchange, whose predictor always wants to enter."""
    return Installation(tmp_path, ports={"predictor": AlwaysLong()}, given=EASY)


def test_only_the_heartbeat_is_written_when_nothing_happens(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass between two ticks with nothing open: one write, and no query that grows with the books."""
    installation.run(0)
    installation.clock.sleep(timedelta(hours=2))
    for _ in range(4):
        reconcile(installation.runtime)
    written: list[str] = []
    asked: list[Query] = []
    commit, query = installation.store.commit, installation.store.query

    def committed(writes: Sequence[Write]) -> str:
        written.extend(str(each.ref) for each in writes)
        return commit(writes)

    def queried(what: Query) -> list[Stored]:
        asked.append(what)
        return query(what)

    monkeypatch.setattr(installation.store, "commit", committed)
    monkeypatch.setattr(installation.store, "query", queried)
    installation.clock.sleep(timedelta(minutes=1))
    reconcile(installation.runtime)

    assert written == ["views/overview"]
    assert all(each.where or each.limit for each in asked)


def test_an_open_position_shows_its_guards(installation: Installation) -> None:
    """Armed on the exchange with order and time, worth something at the mark, and within its horizon."""
    installation.run(0.1)
    reconcile(installation.runtime)

    (held, *_) = view(installation, "positions").data["positions"]
    assert (held["protection"], held["stop"]["armed"], held["target"]["armed"]) == ("ARMED", True, True)
    assert held["stop"]["order"] == f"{held['id']}-s0"
    assert held["stop"]["since"] <= held["opened_at"]
    assert held["unrealised"] is not None
    checks = {each["check"]: each["level"] for each in view(installation, "overview").data["health"]}
    assert checks["PROTECTION"] == "ok"


def test_an_open_trade_that_nobody_works_on_is_an_alarm(installation: Installation) -> None:
    """Whatever happened to its execution: the page says NAKED, and the verdict says why."""
    installation.run(0.1)
    (intent, *_) = installation.store.query(Query("intents", where={"state": "CLAIMED"}))
    installation.store.commit([Replace(intent.ref, {k: v for k, v in intent.data.items() if k != "execution"})])
    reconcile(installation.runtime)

    shown = {each["id"]: each["protection"] for each in view(installation, "positions").data["positions"]}
    assert shown[intent.ref.id] == "NAKED"
    assert view(installation, "overview").data["verdict"] == {"level": "alarm", "check": "PROTECTION"}


def test_the_feed_follows_what_became_of_the_intents(installation: Installation) -> None:
    """Told when the decisions are in, and again when an intent has been executed or refused."""
    installation.run(1)

    feeds = installation.store.query(Query("feed"))
    rows = [row for feed in feeds for row in feed.data["rows"]]
    states = Counter(row["order"]["state"] for row in rows if row["order"] is not None)
    assert len(feeds) == 13
    assert len(rows) == installation.store.count(Query("decisions"))
    assert states["REFUSED"] > 0
    assert all(row["order"] is not None for row in rows if row["stage"] == "order")


def test_a_tick_whose_decisions_are_missing_is_told_as_far_as_it_is_known(installation: Installation) -> None:
    """One of two symbols decided: the feed has one line and says that there will be two; later the tick is watched."""
    installation.run(0)
    tick = installation.store.get(tick_ref(tick_id(START)))
    assert tick is not None
    symbols = [*tick.data["symbols"], "LATEUSDT"]
    without = {name: value for name, value in tick.data.items() if name != "outcomes"}
    installation.store.commit([Replace(tick.ref, {**without, "symbols": symbols})])
    installation.clock.sleep(timedelta(minutes=3))
    reconcile(installation.runtime)

    feed = installation.store.get(feed_ref(tick.ref.id))
    assert feed is not None
    assert (feed.data["symbols"], len(feed.data["rows"])) == (3, 2)
    checks = {each["check"]: (each["level"], each["value"]) for each in view(installation, "overview").data["health"]}
    assert checks["TICK"] == ("watch", "2/3")


def test_money_is_the_journal(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points, totals and equity add up to the closed trades, and new trades join without reading all of them again."""
    installation.run(1.5)
    first = view(installation, "money").data
    read: list[int | None] = []
    query = installation.store.query

    def queried(what: Query) -> list[Stored]:
        if what.order_by == "closed_at" and what.direction == "descending":
            read.append(what.limit)
        return query(what)

    monkeypatch.setattr(installation.store, "query", queried)
    installation.run(3, start=START + timedelta(hours=1, minutes=35))
    money = view(installation, "money").data

    closed = query(Query("trades", where={"status": TradeStatus.CLOSED.value}))
    assert len(money["points"]) == len(closed) > len(first["points"]) > 0
    assert {each["trade"] for each in money["points"]} == {each.ref.id for each in closed}
    nets = sum((Decimal(each.data["net_pnl"]) for each in closed), Decimal(0))
    assert Decimal(money["equity"]) == Decimal(money["starting_equity"]) + nets
    assert money["points"][-1]["equity"] == money["equity"]
    assert Decimal(money["total"]["net"]) == nets
    assert money["benchmark"]["symbol"] == "BTCUSDT"
    assert read
    assert max(each or 0 for each in read) < 60


def test_trades_of_another_venue_hide_none_of_this_one(installation: Installation) -> None:
    """However many were closed there since: the curve, read anew, is that of the journal here."""
    installation.run(1.5)
    shown = [each["trade"] for each in view(installation, "money").data["points"]]
    (own, *_) = installation.store.query(Query("trades", where={"status": TradeStatus.CLOSED.value}))
    later = dict(own.data) | {"mode": "DEMO", "closed_at": installation.clock.now()}
    others = (Ref("trades", f"elsewhere-{number:03}") for number in range(POINTS_MAX))
    installation.store.commit([Create(ref, later | {"id": ref.id}) for ref in others])
    installation.store.commit([Replace(view_ref("money"), {"at": "yesterday"})])
    installation.clock.sleep(timedelta(minutes=1))
    reconcile(installation.runtime)

    assert [each["trade"] for each in view(installation, "money").data["points"]] == shown != []


def test_a_trade_that_closes_late_is_not_forgotten(installation: Installation) -> None:
    """One whose exit lies before others that are shown already: the curve is read anew."""
    installation.run(3)
    money = view(installation, "money")
    shown = [each["trade"] for each in money.data["points"]]
    kept = money.data["points"][3:]
    total = {**money.data["total"], "trades": money.data["total"]["trades"] - 3}
    installation.store.commit([Replace(money.ref, {**money.data, "points": kept, "total": total})])
    reconcile(installation.runtime)

    assert [each["trade"] for each in view(installation, "money").data["points"]] == shown


def test_views_of_another_version_are_written_anew(installation: Installation) -> None:
    """Garbled, or of an older shape: the reconciler goes on, and the next pass has them right."""
    installation.run(1)
    for name in VIEWS:
        installation.store.commit([Replace(view_ref(name), {"at": "yesterday", "last_tick": "an old id"})])
    installation.run(2, start=START + timedelta(hours=1, minutes=5))

    for name in VIEWS:
        assert "yesterday" not in str(view(installation, name).data), name
    ledger = installation.store.get(ledger_ref("PAPER"))
    assert ledger is not None
    assert view(installation, "money").data["total"]["trades"] == ledger.data["trades"]


def test_without_quotes_positions_are_shown_without_a_mark(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices that cannot be had are no reason not to show what is held and how it is protected."""
    installation.run(0.1)

    def breaks(*_arguments: object) -> Any:
        raise MarketFault(Reason.MARKET_UNREACHABLE)

    monkeypatch.setattr(installation.runtime.market, "quotes", breaks)
    reconcile(installation.runtime)

    (held, *_) = view(installation, "positions").data["positions"]
    assert (held["mark"], held["unrealised"], held["protection"]) == (None, None, "ARMED")


def test_where_the_exchange_would_close_a_position_is_shown(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the exchange says; when it does not, the position is shown without."""
    installation.run(0.1)
    venue = installation.runtime.venue
    assert venue is not None
    (told, *_) = view(installation, "positions").data["positions"]
    (held, *_) = [each for each in venue.positions() if each.symbol == told["symbol"]]
    assert held.liquidation_price is not None
    off = abs(Decimal(told["liquidation"]["price"]) - held.liquidation_price)
    assert off <= Decimal(told["mark"]) / 10_000

    def breaks() -> Any:
        raise Unavailable("no answer")

    monkeypatch.setattr(venue, "positions", breaks)
    installation.clock.set(installation.clock.now() + timedelta(minutes=1))
    reconcile(installation.runtime)

    (shown, *_) = view(installation, "positions").data["positions"]
    assert (shown["id"], shown["liquidation"]) == (told["id"], None)
