"""Signals: what pages somebody is logged when it happens, under its code, and not otherwise."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from tests.builders.installation import START, Installation
from tests.builders.questions import Scripted, a_prediction
from tests.builders.trading import MINUTE, Trading, World, a_long
from tests.builders.trading_stories import an_intent, filled
from tests.fakes.clock import ManualClock
from withearth.cloud.logs import JsonFormatter
from withearth.decision.spend import Spend
from withearth.domain.reasons import Reason
from withearth.domain.times import tick_id
from withearth.flow.decide import decide
from withearth.flow.dispatch import dispatch, market_tick
from withearth.flow.documents import intent_ref, trading_ref
from withearth.flow.reconcile import reconcile
from withearth.market.traffic import Traffic
from withearth.paper.faults import Fault, FaultKind
from withearth.settings import load_settings
from withearth.signals import APART, FIELD, Signal, tell
from withearth.store.port import Replace

OPEN_GATE = {"MIN_VOL_FRAC": "0", "MAX_SPREAD_BPS": "100", "FUNDING_WINDOW_MIN": "0"}
COST = Spend(1_000, 250_000)

Told = Callable[[], list[str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """The codes told so far, in their order, each with the facts by which its alert tells occasions apart."""
    caplog.set_level(logging.INFO, "withearth.signals")

    def codes() -> list[str]:
        records = [record for record in caplog.records if hasattr(record, FIELD)]
        for record in records:
            assert all(hasattr(record, name) for name in APART.get(getattr(record, FIELD), ()))
        return [getattr(record, FIELD) for record in records]

    return codes


def decided(opened: Installation, number: int) -> None:
    """Decide on the tick so many bars after START."""
    at = START + timedelta(minutes=5 * number)
    opened.clock.set(at)
    decide(
        opened.runtime, market_tick("BTCUSDT", tick_id(at), opened.runtime.market.quotes(["BTCUSDT"], at)["BTCUSDT"])
    )


def asking(directory: Path, predictor: Scripted, **changes: str) -> Installation:
    """An installation that pays for its answers."""
    paid = {"PREDICTOR": "gemini", "GOOGLE_API_KEY": "unused"}
    return Installation(directory, ports={"predictor": predictor}, given=OPEN_GATE | paid | changes)


def test_a_tick_is_told_once_and_every_pass(tmp_path: Path, told: Told) -> None:
    """Called twice for one bar, the dispatcher has sent it once; the reconciler has passed twice."""
    opened = Installation(tmp_path)
    for _ in range(2):
        dispatch(opened.runtime)
        reconcile(opened.runtime)

    assert told() == [Signal.TICK_SENT, Signal.PASS_DONE, Signal.PASS_DONE]


def test_a_spent_budget_is_told(tmp_path: Path, told: Told) -> None:
    """One question fits, the next does not."""
    opened = asking(tmp_path, Scripted(a_prediction(), cost=COST), MODEL_BUDGET_USD="0.25")
    decided(opened, 0)
    assert told() == []

    decided(opened, 1)
    assert told() == [Signal.MODEL_BUDGET_SPENT]


def test_safe_mode_is_told_while_it_lasts(tmp_path: Path, told: Told) -> None:
    """Two failures begin it; the probe fails; the question after the probe is not asked."""
    opened = asking(
        tmp_path,
        Scripted(Reason.MODEL_TIMEOUT, cost=COST),
        MODEL_SAFE_MODE_AFTER="2",
        MODEL_PROBE_SEC="900",
        MODEL_BUDGET_USD="10",
    )
    for number in range(3):
        decided(opened, number)
    assert told() == []

    decided(opened, 3)
    assert told() == [Signal.MODEL_SAFE_MODE]


def test_a_change_of_the_trading_state_is_told_whoever_made_it(tmp_path: Path, told: Told) -> None:
    """An edit by hand, as in Firestore's console, is told at the next pass, and once."""
    with Trading(tmp_path, World()) as trading:
        trading.reconcile()
        trading.store.commit([Replace(trading_ref(), {"state": "HALTED", "who": "me"})])
        trading.reconcile()
        trading.reconcile()

    assert [each for each in told() if each != Signal.PASS_DONE] == [Signal.TRADING_STATE_CHANGED]


def test_a_quantity_without_a_stop_is_told_at_every_look(tmp_path: Path, told: Told) -> None:
    """Neither stop nor exit reaches the exchange for a while: each look beyond PROTECT_WITHIN_SEC pages the owner."""
    world = World(*filled(None))
    with Trading(tmp_path, world, PROTECTION="after_fill", PROTECT_WITHIN_SEC="1") as trading:
        world.faults.add(Fault(FaultKind.UNAVAILABLE, method="POST", path="/algoOrder", times=50))
        world.faults.add(Fault(FaultKind.UNAVAILABLE, method="POST", path="/order", skip=1, times=10))
        trading.deliver(an_intent())

    assert told().count(Signal.POSITION_UNPROTECTED) > 1


def test_a_protected_trade_pages_nobody(tmp_path: Path, told: Told) -> None:
    """The same trade without the faults."""
    with Trading(tmp_path, World(*filled(None)), PROTECTION="after_fill", PROTECT_WITHIN_SEC="1") as trading:
        trading.deliver(an_intent())

    assert told() == []


def test_what_is_stuck_without_its_protection_is_told(tmp_path: Path, told: Told) -> None:
    """The reconciler pages too: whoever should bring the execution on is not there."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        stored = trading.store.get(intent_ref(a_long().intent_id))
        assert stored is not None
        stuck = {"phase": "PROTECTING", "phase_since": world.now() - 4 * MINUTE}
        held = {"execution": dict(stored.data["execution"]) | stuck, "lease_until": world.now() + MINUTE}
        trading.store.commit([Replace(stored.ref, dict(stored.data) | held)])
        trading.reconcile()

    assert Signal.POSITION_UNPROTECTED in told()


def test_a_signal_is_a_field_of_the_line_that_cloud_logging_reads() -> None:
    """What the metric's filter looks at is what the cloud's log format writes."""
    line = StringIO()
    handler = logging.StreamHandler(line)
    handler.setFormatter(JsonFormatter(load_settings({}, env_file=None)))
    logger = logging.getLogger("withearth.signals")
    logger.addHandler(handler)
    try:
        tell(Signal.POSITION_UNPROTECTED, logging.ERROR, intent_id="BTCUSDT-20240101T0005Z")
    finally:
        logger.removeHandler(handler)
    entry = json.loads(line.getvalue())

    assert (entry[FIELD], entry["severity"]) == ("POSITION_UNPROTECTED", "ERROR")
    assert entry["intent_id"] == "BTCUSDT-20240101T0005Z"


def test_a_high_weight_is_told_once_a_minute(told: Told) -> None:
    """At four fifths of the limit, not before; and again in the next minute that comes so far."""
    clock = ManualClock(START)
    traffic = Traffic("fapi.example", clock)
    used = "X-MBX-USED-WEIGHT-1M"
    traffic.heard(200, {used: "1919"})
    assert told() == []

    for number in (1920, 2100):
        traffic.heard(200, {used: str(number)})
    assert told() == [Signal.WEIGHT_HIGH]

    clock.set(START + MINUTE)
    traffic.heard(200, {used: "100"})
    traffic.heard(200, {used: "2000"})
    assert told() == [Signal.WEIGHT_HIGH] * 2


def test_a_high_weight_is_told_as_it_was_counted(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    """Also where the answer that it is told with says nothing of it, or tells a minute that is over."""
    clock = ManualClock(START)
    traffic = Traffic("fapi.example", clock, reserved_pct=0)
    traffic.admit(2000)
    traffic.heard(200, {})
    assert told() == [Signal.WEIGHT_HIGH]
    assert "used=2000" in caplog.text
