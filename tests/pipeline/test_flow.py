"""The whole flow on a synthetic market: what goes in as a tick comes out as a journal row, once."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, AlwaysLong, Installation, Killed
from withearth.domain.errors import Contention, MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, tick_id
from withearth.flow.decide import decide
from withearth.flow.dispatch import dispatch, market_tick
from withearth.flow.documents import decision_ref, ledger_ref
from withearth.flow.execute import execute
from withearth.flow.journal import journal_row
from withearth.flow.trader import decision_now
from withearth.local.replay import discard
from withearth.messaging.events import TradeIntent, encode
from withearth.messaging.local_bus import Chaos
from withearth.store.port import Create, Query

HOURS = 6


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A fresh installation."""
    return Installation(tmp_path / "one")


def envelope(data: bytes, **attributes: str) -> bytes:
    """A push request as Pub/Sub sends it."""
    message: dict[str, Any] = {"messageId": "1", "data": base64.b64encode(data).decode(), "attributes": attributes}
    return json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"}).encode()


def an_intent(installation: Installation, symbol: str = "BTCUSDT") -> TradeIntent:
    """An intent of the newest tick, from a predictor that always sees a long."""
    runtime = installation.runtime
    sure = type(runtime)(
        runtime.settings, runtime.clock, runtime.market, runtime.store, runtime.publisher, AlwaysLong()
    )
    return TradeIntent.model_validate(decision_now(sure, symbol)["intent"])


def test_every_symbol_gets_one_decision_per_tick(installation: Installation) -> None:
    """Each tick's decisions are all there, done, and counted in the tick's document."""
    installation.run(1)

    ticks = installation.store.query(Query("ticks"))
    assert len(ticks) == 13
    assert all(sum(tick.data["outcomes"].values()) == 2 for tick in ticks)
    assert installation.store.count(Query("decisions", where={"state": "DONE"})) == 26


def test_the_run_earns_a_record(installation: Installation) -> None:
    """Trades open and close, and the ledger is the sum of the journal to the last digit."""
    installation.run(HOURS)

    closed = [each.data for each in installation.store.query(Query("trades", where={"status": "CLOSED"}))]
    stored = installation.store.get(ledger_ref("SHADOW"))
    assert stored is not None
    ledger = stored.data
    assert ledger["trades"] == len(closed) > 0
    assert Decimal(ledger["net"]) == sum(Decimal(each["net_pnl"]) for each in closed)
    for each in closed:
        assert Decimal(each["net_pnl"]) == Decimal(each["pnl"]) - Decimal(each["fees"]) + Decimal(each["funding"])


def test_a_journal_row_begins_with_the_classic_columns(installation: Installation) -> None:
    """timestamp,symbol,side,qty,entry,tp,sl,exit,pnl,status,id, in that order."""
    installation.run(HOURS)

    row = journal_row(installation.store.query(Query("trades"))[0].data)
    assert ",".join(row).startswith("timestamp,symbol,side,qty,entry,tp,sl,exit,pnl,status,id,fees")


@pytest.mark.parametrize("seed", range(3))
def test_disorder_changes_nothing(tmp_path: Path, seed: int) -> None:
    """Every message twice, late, shuffled, and acks lost: the same decisions, intents and journal, byte for byte."""
    calm, wild = (
        Installation(tmp_path / "calm"),
        Installation(tmp_path / "wild", chaos=Chaos(seed=seed, duplicate=True, shuffle=True, lose_acks=0.2)),
    )
    calm.run(HOURS)
    wild.run(HOURS)

    for collection in ("decisions", "intents", "trades", "risk"):
        assert calm.books(collection) == wild.books(collection)


def test_a_second_run_is_the_same(tmp_path: Path) -> None:
    """The same period twice gives the same bytes."""
    first, second = Installation(tmp_path / "a"), Installation(tmp_path / "b")
    first.run(1)
    second.run(1)

    for collection in ("ticks", "decisions", "intents", "trades", "events", "views"):
        assert first.books(collection) == second.books(collection)


def test_two_deliveries_at_once_decide_once(installation: Installation) -> None:
    """Twelve workers on one tick: one document, and whoever comes too early is told to come again."""
    runtime = installation.runtime
    tick = market_tick("BTCUSDT", tick_id(START), runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"])

    def attempt(_number: int) -> str:
        try:
            return str(decide(runtime, tick)["decision_id"])
        except Contention:
            return "again"

    with ThreadPoolExecutor(12) as pool:
        answers = set(pool.map(attempt, range(12)))
    assert f"BTCUSDT-{tick_id(START)}" in answers
    assert answers <= {f"BTCUSDT-{tick_id(START)}", "again"}
    assert installation.store.count(Query("decisions")) == 1


def test_two_executors_enter_once(installation: Installation) -> None:
    """Twelve executors on one intent: one trade."""
    intent = an_intent(installation)

    def attempt(_number: int) -> str:
        try:
            return str(execute(installation.runtime, intent)["state"])
        except Contention:
            return "again"

    with ThreadPoolExecutor(12) as pool:
        answers = set(pool.map(attempt, range(12)))
    assert "SHADOW" in answers
    assert answers <= {"SHADOW", "again"}
    assert installation.store.count(Query("trades")) == 1


def test_a_second_intent_for_an_occupied_symbol_is_refused(installation: Installation) -> None:
    """One symbol holds one trade; the next intent is refused with POSITION_OPEN."""
    execute(installation.runtime, an_intent(installation))
    installation.clock.set(START + timedelta(minutes=5))

    refused = execute(installation.runtime, an_intent(installation))

    assert refused["state"] == "REFUSED"
    assert refused["blocked_by"] == "POSITION_OPEN"
    assert "INTENT_REFUSED" in installation.events()


def test_an_intent_is_refused_while_nobody_can_say_whether_its_symbol_is_free(installation: Installation) -> None:
    """The candles that tell how the open trade goes cannot be read: refused with their reason, never left half done."""
    execute(installation.runtime, an_intent(installation))
    installation.clock.set(START + timedelta(minutes=5))
    intent = an_intent(installation)

    def damaged(*_: Any) -> Any:
        raise MarketFault(Reason.DATA_UNREADABLE, "the file is damaged")

    installation.runtime.market.candles = damaged  # type: ignore[method-assign,assignment]
    refused = execute(installation.runtime, intent)

    assert (refused["state"], refused["blocked_by"]) == ("REFUSED", "DATA_UNREADABLE")


def test_a_late_intent_never_trades(installation: Installation) -> None:
    """An intent at its expiry is refused, however it came to be late."""
    intent = an_intent(installation)
    installation.clock.set(intent.expires_at)

    assert execute(installation.runtime, intent)["blocked_by"] == "INTENT_EXPIRED"
    assert installation.store.count(Query("trades")) == 0


def test_a_late_tick_never_trades(installation: Installation) -> None:
    """A tick older than MAX_TICK_AGE_SEC is decided with TICK_TOO_LATE."""
    quote = installation.runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"]
    installation.clock.set(START + timedelta(seconds=121))

    decision = decide(installation.runtime, market_tick("BTCUSDT", tick_id(START), quote))

    assert decision["blocked_by"] == "TICK_TOO_LATE"
    assert decision["intent"] is None


def test_a_tick_of_the_future_is_not_decided_yet(installation: Installation) -> None:
    """A clock that is behind the dispatcher's makes the message come again; the decision is not used up."""
    later = START + timedelta(minutes=5)
    quote = installation.runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"]
    tick = market_tick("BTCUSDT", tick_id(later), quote)

    assert installation.functions().call("worker", body=envelope(encode(tick)))[0] == 503
    assert installation.store.count(Query("decisions")) == 0
    installation.clock.set(later)
    assert installation.functions().call("worker", body=envelope(encode(tick)))[0] == 204


def test_a_dead_executor_s_claim_is_taken_over_after_its_lease(installation: Installation) -> None:
    """While the lease holds the message must come again; after it the work is finished, once."""
    intent = an_intent(installation)
    commit = installation.store.commit
    calls = []

    def dies_after_the_claim(writes: Any) -> str:
        calls.append(writes)
        if len(calls) == 2:
            raise Killed
        return commit(writes)

    installation.store.commit = dies_after_the_claim  # type: ignore[method-assign]
    with pytest.raises(Killed):
        execute(installation.runtime, intent)
    installation.store.commit = commit  # type: ignore[method-assign]

    with pytest.raises(Contention):
        execute(installation.runtime, intent)
    installation.clock.set(START + timedelta(seconds=121))
    assert execute(installation.runtime, intent)["state"] == "SHADOW"
    assert installation.store.count(Query("trades")) == 1


def test_dispatch_cut_off_before_publishing_is_made_good(installation: Installation) -> None:
    """A tick whose document exists but was not sent is sent by the next call."""
    publish = installation.bus.publish

    def dies(_topic: str, _messages: Any) -> list[str]:
        raise Killed

    installation.bus.publish = dies  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        dispatch(installation.runtime)
    installation.bus.publish = publish  # type: ignore[method-assign]

    assert dispatch(installation.runtime)["sent"]
    assert installation.bus.pending() == 2
    dispatch(installation.runtime)
    assert installation.bus.pending() == 2


def test_no_trade_is_open_for_ever(tmp_path: Path) -> None:
    """Every trade ends at its horizon at the latest."""
    installation = Installation(tmp_path / "short", HORIZON_MIN="15")
    installation.run(3)

    for each in installation.store.query(Query("trades", where={"status": "CLOSED"})):
        assert each.data["closed_at"] - each.data["opened_at"] <= timedelta(minutes=15)
    open_trades = installation.store.query(Query("trades", where={"status": "OPEN"}))
    assert all(START + timedelta(hours=3) - each.data["opened_at"] < timedelta(minutes=15) for each in open_trades)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EVENT_MALFORMED),
        (b"not json", Reason.EVENT_MALFORMED),
        (b"[1,2]", Reason.EVENT_MALFORMED),
        (b"[" * 60_000, Reason.EVENT_MALFORMED),
        (b'{"message": {}}', Reason.EVENT_MALFORMED),
        (b'{"message": {"data": "%%%"}}', Reason.EVENT_MALFORMED),
        (envelope(b"{}"), Reason.EVENT_MALFORMED),
        (envelope(b'{"symbol": "BTCUSDT", "tick_id": "20260105T0007Z"}'), Reason.EVENT_MALFORMED),
        (envelope(b'{"symbol": "DOGEUSDT", "tick_id": "20260105T0005Z"}'), Reason.SYMBOL_NOT_CONFIGURED),
        (envelope(b"x" * 70_000), Reason.EVENT_TOO_LARGE),
    ],
)
def test_a_bad_event_is_recorded_acked_and_never_traded(
    installation: Installation, body: bytes, reason: Reason
) -> None:
    """Whatever is pushed, the answer is an ack, the reason is recorded once, and no decision is made."""
    functions = installation.functions()

    answers = {functions.call("worker", body=body)[0], functions.call("worker", body=body)[0]}

    assert answers == {204}
    assert installation.events() == [reason.value]
    assert installation.store.count(Query("decisions")) == 0


def test_the_binary_cloud_event_form_is_the_same_message(installation: Installation) -> None:
    """A tick with `ce-*` headers and no subscription is decided like a push."""
    quote = installation.runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"]
    data = base64.b64encode(encode(market_tick("BTCUSDT", tick_id(START), quote))).decode()
    headers = {
        "ce-id": "7",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-source": "//pubsub.googleapis.com/projects/p/topics/market-ticks",
    }

    status, _ = installation.functions().call(
        "worker", body=json.dumps({"message": {"data": data, "messageId": "7"}}).encode(), headers=headers
    )

    assert status == 204
    assert installation.store.count(Query("decisions", where={"state": "DONE"})) == 1


def test_contention_asks_for_redelivery(installation: Installation) -> None:
    """A decision somebody else works on answers 503, so that the bus brings the message again."""
    quote = installation.runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"]
    tick = market_tick("BTCUSDT", tick_id(START), quote)
    claim = {"state": "CLAIMED", "lease_until": START + timedelta(seconds=60)}
    installation.store.commit([Create(decision_ref(f"BTCUSDT-{tick_id(START)}"), claim)])

    assert installation.functions().call("worker", body=envelope(encode(tick)))[0] == 503


def test_one_symbol_s_damage_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """A fault in one symbol's market is that symbol's decision; the others are decided as always."""
    installation = Installation(tmp_path / "one")
    market = installation.runtime.market
    candles = market.candles

    def broken_for_eth(symbol: str, timeframe: Timeframe, *rest: Any) -> Any:
        if symbol == "ETHUSDT" and timeframe is Timeframe.H4:
            raise MarketFault(Reason.DATA_UNREADABLE, "the file is damaged")
        return candles(symbol, timeframe, *rest)

    market.candles = broken_for_eth  # type: ignore[method-assign,assignment]
    installation.run(0)

    outcomes = {each.data["symbol"]: each.data["blocked_by"] for each in installation.store.query(Query("decisions"))}
    assert outcomes["ETHUSDT"] == "DATA_UNREADABLE"
    assert outcomes["BTCUSDT"] != "DATA_UNREADABLE"


def test_discarded_books_are_gone(tmp_path: Path) -> None:
    """A run that begins anew finds nothing of the old one."""
    installation = Installation(tmp_path / "one")
    installation.run(0)
    installation.close()
    discard(tmp_path / "one")

    assert Installation(tmp_path / "one").books("decisions") == []
