"""Positions, heat map, feed, charts, calibration and the status bar, each from what it is made of."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.decision.reliability import Sample, reliability, scores
from withearth.domain.canonical import canonical_json
from withearth.domain.side import Side
from withearth.execution.lineage import Leg
from withearth.execution.phases import Phase
from withearth.execution.record import Execution, Outcome, Sent, Terms
from withearth.views.calibration import PREDICTORS_MAX, calibration_view, counted
from withearth.views.contract import Level, LimitsView, Model, Position, Tick, Trading, Weight
from withearth.views.feed import REASON_CHARS, feed_row, is_open, shortened
from withearth.views.heatmap import heat_row
from withearth.views.overview import CANARY, Known, health, verdict
from withearth.views.positions import Mark, executed_position, shadow_position

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FEE_BPS = Decimal(5)
MARK = Mark(Decimal(110), NOW)
TRADE: dict[str, Any] = {
    "id": "BTCUSDT-20260105T1100Z",
    "symbol": "BTCUSDT",
    "side": "long",
    "qty": "2",
    "entry": "100",
    "tp": "120",
    "sl": "95",
    "opened_at": NOW - 60 * MINUTE,
    "horizon_min": 90,
}


def execution(*, stop: Outcome = Outcome.LIVE, stop_qty: str = "2", phase: Phase = Phase.HOLDING) -> Execution:
    """A long of two, entered, with a stop of some quantity and fate."""
    terms = Terms(
        TRADE["id"], "BTCUSDT", Side.LONG, Decimal(2), Decimal(100), Decimal(120), Decimal(95), NOW, NOW + 30 * MINUTE
    )
    entry = Sent(Leg.ENTRY, 0, Decimal(2), Decimal(100), NOW, Outcome.OVER, filled=Decimal(2))
    armed = Sent(Leg.STOP, 0, Decimal(stop_qty), Decimal(96), NOW - 59 * MINUTE, stop)
    return Execution(terms, armed_first=True, phase=phase, phase_since=NOW, sent={"e0": entry, "s0": armed})


def test_unrealised_is_net_and_r_is_over_the_first_stop() -> None:
    """20 of profit, less 5 bp of 200 and of 220; the risk was 10."""
    found = shadow_position(TRADE, MARK, FEE_BPS)

    assert Decimal(found["unrealised"] or 0) == Decimal("19.79")
    assert found["r"] == 1.979
    assert (found["protection"], found["stop"]["armed"]) == ("SHADOW", False)
    assert found["ends_at"] == NOW + 30 * MINUTE


def test_a_short_earns_when_the_price_falls() -> None:
    """The same the other way round."""
    found = shadow_position(TRADE | {"side": "short", "sl": "105"}, Mark(Decimal(90), NOW), FEE_BPS)

    assert Decimal(found["unrealised"] or 0) == Decimal("19.81")


def test_without_a_mark_nothing_is_claimed() -> None:
    """No price, no profit."""
    found = shadow_position(TRADE, None, FEE_BPS)

    assert (found["mark"], found["unrealised"], found["r"]) == (None, None, None)


@pytest.mark.parametrize(
    ("stop", "stop_qty", "protection"),
    [
        (Outcome.LIVE, "2", "ARMED"),
        (Outcome.LIVE, "1.9", "NAKED"),
        (Outcome.PENDING, "2", "NAKED"),
        (Outcome.OVER, "2", "NAKED"),
        (Outcome.ABSENT, "2", "NAKED"),
    ],
)
def test_armed_is_only_what_the_exchange_has_for_all_that_is_held(
    stop: Outcome, stop_qty: str, protection: str
) -> None:
    """A stop that is on its way, gone, or too small protects nothing."""
    found = executed_position(TRADE, execution(stop=stop, stop_qty=stop_qty), MARK, FEE_BPS)

    assert found["protection"] == protection
    assert found["stop"]["price"] == ("96" if protection == "ARMED" else "95")
    assert found["stop"]["since"] == (NOW - 59 * MINUTE if protection == "ARMED" else None)


def test_the_liquidation_price_is_the_exchange_s_or_nothing() -> None:
    """With its distance from the mark; where one of the two is not known, neither is told."""
    held = execution(stop=Outcome.LIVE, stop_qty="2")

    told = executed_position(TRADE, held, MARK, FEE_BPS, MARK.price / 2)["liquidation"]
    assert told == {"price": str(MARK.price / 2), "distance_pct": 50.0}
    assert executed_position(TRADE, held, None, FEE_BPS, Decimal(50))["liquidation"] is None
    assert executed_position(TRADE, held, MARK, FEE_BPS)["liquidation"] is None


def test_a_trade_that_nobody_works_on_is_naked() -> None:
    """An open executed trade without an execution is an alarm, not a shadow."""
    assert executed_position(TRADE, None, MARK, FEE_BPS)["protection"] == "NAKED"


def decision(**changes: Any) -> dict[str, Any]:
    """A decision that the model held."""
    frame = {"close": 103.0, "sma20": 100.0, "atr14": 2.0, "rsi14": 61.26}
    return {
        "symbol": "BTCUSDT",
        "decision_id": "BTCUSDT-20260105T1200Z",
        "stage": "model",
        "blocked_by": "MODEL_HOLD",
        "detail": "",
        "predictor": "baseline-1",
        "prediction": {"direction": "hold", "prob": 0.5, "reasoning": "no trend"},
        "assessment": None,
        "asked": {"cost_micro_usd": 12, "latency_ms": 340},
        "snapshot": {
            "price": 103.5,
            "frames": {"5m": frame, "1h": frame | {"close": 99.8}, "4h": frame | {"atr14": 0}},
        },
    } | changes


def test_heat_is_the_distance_from_the_mean_in_ranges() -> None:
    """1.5 ranges up is half strength; near the mean is flat; a market that never moved is flat, not a division."""
    cells = heat_row(decision())["cells"]

    assert cells["5m"] == {"direction": "up", "strength": 0.5, "value": 1.5, "rsi": 61.3}
    assert (cells["1h"]["direction"], cells["4h"]["direction"]) == ("flat", "flat")


def test_a_symbol_without_data_has_no_heat() -> None:
    """Its row says so by being empty."""
    assert heat_row(decision(snapshot=None)) == {"symbol": "BTCUSDT", "price": None, "cells": {}}


def test_a_line_of_the_feed_tells_why() -> None:
    """The predictor's words, or what blocked it in detail."""
    assert feed_row(decision(), None)["reason"] == "no trend"
    assert feed_row(decision(detail="5m bar missing", prediction=None), None)["reason"] == "5m bar missing"
    assert feed_row(decision(prediction=None, asked=None), None)["direction"] == "hold"


@given(st.text(max_size=400))
def test_a_line_stays_a_line(text: str) -> None:
    """However much a model has to say."""
    line = shortened(text)

    assert len(line) <= REASON_CHARS
    assert "\n" not in line


def test_lines_whose_intent_is_on_its_way_are_open() -> None:
    """They are looked at again; what ended, or never came to an order, is not."""
    waiting = feed_row(decision(stage="order"), None)

    assert is_open(waiting)
    assert is_open(waiting | {"order": {"state": "CLAIMED", "blocked_by": None}})
    assert not is_open(waiting | {"order": {"state": "REFUSED", "blocked_by": "POSITION_OPEN"}})
    assert not is_open(feed_row(decision(), None))


def test_550_symbols_stay_small() -> None:
    """With each line as long as they come: below 200 kB for a tick's feed, and for the heat map."""
    row = feed_row(
        decision(
            symbol="1000SHIBUSDT",
            decision_id="1000SHIBUSDT-20260105T1200Z",
            stage="order",
            blocked_by=None,
            detail="x" * 500,
            predictor="gemini-3.1-flash-lite",
            prediction={"direction": "short", "prob": 0.7123, "reasoning": ""},
            assessment={"risk_reward": "1.7994"},
        ),
        {"state": "REFUSED", "blocked_by": "RISK_REWARD_TOO_LOW"},
    )

    assert len(canonical_json([row] * 550)) < 200_000
    assert len(canonical_json([heat_row(decision())] * 550)) < 200_000


def samples(number: int, seed: int = 1) -> list[Sample]:
    """Labelled decisions of two symbols and two regimes."""
    random = Random(seed)
    return [
        Sample(
            symbol=random.choice(["BTCUSDT", "ETHUSDT"]),
            regime=random.choice(["calm-range", "wild-trend"]),
            predictor="baseline-1",
            as_of=NOW + MINUTE * index,
            prob=round(random.random(), 4),
            hit=random.random() < 0.4,
        )
        for index in range(number)
    ]


def test_the_calibration_is_the_reliability_of_all_samples() -> None:
    """Grown one by one or at once, in any order, it is what the whole table says."""
    found = samples(500)
    shuffled = Random(2).sample(found, len(found))
    grown: dict[str, Any] = {}
    for each in shuffled:
        grown = counted(grown, [each])

    (shown,) = calibration_view(counted({}, found), NOW)["predictors"]
    pairs = [(each.prob, each.hit) for each in found]
    expected = scores(pairs)

    assert grown == counted({}, found)
    assert shown["all"]["samples"] == 500
    assert shown["all"]["brier"] == pytest.approx(expected.brier, abs=1e-4)
    assert shown["all"]["log_loss"] == pytest.approx(expected.log_loss, abs=1e-4)
    for row, bin_ in zip(shown["bins"], reliability(pairs), strict=True):
        assert (row["low"], row["samples"]) == (bin_.low, bin_.samples)
        assert row["happened"] == pytest.approx(bin_.happened, abs=1e-4)
    assert [each["name"] for each in shown["symbols"]] == ["BTCUSDT", "ETHUSDT"]


def test_only_a_few_predictors_are_kept() -> None:
    """Those that were labelled last."""
    (one,) = samples(1)
    many = [
        Sample(one.symbol, one.regime, f"model-{number}", NOW + MINUTE * number, one.prob, hit=True)
        for number in range(PREDICTORS_MAX + 2)
    ]

    shown = calibration_view(counted({}, many), NOW)["predictors"]

    assert [each["predictor"] for each in shown] == ["model-4", "model-3", "model-2"]


ACTIVE: Trading = {"state": "ACTIVE", "who": "", "why": "", "at": None, "known": True}
LIMITS: LimitsView = {"at": NOW, "applies": True, "trading": ACTIVE, "readable": True, "limits": []}
TICK: Tick = {
    "tick_id": "20260105T1200Z",
    "closed_at": NOW - MINUTE,
    "symbols": 4,
    "decided": 4,
    "without_data": 0,
}
MODEL: Model = {
    "failures": 0,
    "safe_mode": False,
    "retired": [],
    "spent_usd": "0.1",
    "budget_usd": "1",
    "tokens": 1,
}
WEIGHT: Weight = {"used": 100, "limit": 2400, "at": NOW, "stop": None, "stop_until": None}
NAKED: Position = executed_position(TRADE, None, None, FEE_BPS)
STOPPING = {"limit": "MAX_OPEN_POSITIONS", "reason": "", "value": "1", "used": "1", "stops": True, "lifts_at": None}


def known(**changes: Any) -> Known:
    """What the reconciler knows on a good day, with some changes."""
    fields: dict[str, Any] = {
        "now": NOW,
        "trading": ACTIVE,
        "limits": LIMITS,
        "positions": [],
        "tick": TICK,
        "model": MODEL,
        "weight": WEIGHT,
        "clock_skew_ms": 12,
        "account": [],
    }
    return Known(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "check", "level"),
    [
        ({"trading": ACTIVE | {"state": "REDUCING", "who": "me"}}, "TRADING", "watch"),
        ({"trading": ACTIVE | {"state": "HALTED", "who": "me"}}, "TRADING", "watch"),
        ({"trading": ACTIVE | {"state": "HALTED", "who": "withearth"}}, "TRADING", "alarm"),
        ({"trading": ACTIVE | {"state": "HALTED", "known": False}}, "TRADING", "alarm"),
        ({"positions": [NAKED]}, "PROTECTION", "alarm"),
        ({"limits": LIMITS | {"readable": False}}, "LIMITS", "alarm"),
        ({"limits": LIMITS | {"limits": [STOPPING]}}, "LIMITS", "watch"),
        ({"account": [CANARY]}, "ACCOUNT", "alarm"),
        ({"tick": None}, "TICK", "watch"),
        ({"tick": TICK | {"closed_at": NOW - 8 * MINUTE}}, "TICK", "alarm"),
        ({"tick": TICK | {"closed_at": NOW - 3 * MINUTE, "decided": 3}}, "TICK", "watch"),
        ({"tick": TICK | {"without_data": 1}}, "DATA", "watch"),
        ({"tick": TICK | {"without_data": 4}}, "DATA", "alarm"),
        ({"clock_skew_ms": -501}, "CLOCK", "watch"),
        ({"clock_skew_ms": 5_001}, "CLOCK", "alarm"),
        ({"weight": WEIGHT | {"used": 1_920}}, "WEIGHT", "watch"),
        ({"weight": WEIGHT | {"stop": "EXCHANGE_BANNED"}}, "WEIGHT", "alarm"),
        ({"model": MODEL | {"failures": 1}}, "MODEL", "watch"),
        ({"model": MODEL | {"retired": ["old"]}}, "MODEL", "watch"),
        ({"model": MODEL | {"safe_mode": True}}, "MODEL", "alarm"),
        ({"model": MODEL | {"spent_usd": "0.8"}}, "SPEND", "watch"),
    ],
)
def test_each_trouble_shows_at_its_place(changes: dict[str, Any], check: str, level: Level) -> None:
    """Exactly one check is not ok, and the verdict names it."""
    checks = health(known(**changes))

    assert [each["check"] for each in checks if each["level"] != "ok"] == [check]
    assert verdict(checks) == {"level": level, "check": check}


def test_a_good_day_is_ok() -> None:
    """Every check is there, and the verdict names none; a tick being decided is no trouble, nor is a shadow's limit."""
    shadow = known(limits=LIMITS | {"applies": False, "readable": False}, tick=TICK | {"decided": 1})

    assert verdict(health(known())) == {"level": "ok", "check": None}
    assert verdict(health(shadow)) == {"level": "ok", "check": None}
    assert len(health(known())) == 10
    assert len(health(known(model=None, weight=None, clock_skew_ms=None, account=None))) == 5


def test_the_worst_comes_first() -> None:
    """An alarm beats what is only watched, wherever it stands."""
    checks = health(known(trading=ACTIVE | {"state": "REDUCING"}, positions=[NAKED]))

    assert verdict(checks) == {"level": "alarm", "check": "PROTECTION"}
