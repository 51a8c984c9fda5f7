"""Trader: run a symbol through decide and execute right now, for who asks by hand."""

from typing import Any

from withearth.domain.canonical import canonical_json
from withearth.domain.errors import InvalidEvent
from withearth.domain.reasons import Reason
from withearth.domain.times import floor_to_tick, tick_id
from withearth.flow.decide import decide
from withearth.flow.dispatch import market_tick, quotes_or_why
from withearth.flow.execute import execute
from withearth.flow.runtime import Runtime
from withearth.flow.universe import symbols_of
from withearth.market.fallbacks import listening
from withearth.messaging.events import TradeIntent
from withearth.store.port import Document

PREVIEW_CHARACTERS = 400


def trade_now(runtime: Runtime, symbol: str) -> dict[str, Any]:
    """The symbol's decision at the newest tick, and what execution made of it.

    A tick is decided once: asked again before the next bar closes, the answer is the same.
    Raises Refused for a symbol that is not configured, Retryable while the same decision is being worked on.
    """
    decision = decision_now(runtime, symbol)
    executed = None
    if decision["intent"] is not None:
        intent = execute(runtime, TradeIntent.model_validate(decision["intent"]))
        executed = {"mode": runtime.mode, "state": intent["state"], "blocked_by": intent["blocked_by"]}
    return {"symbol": symbol, "result": summary(decision), "exec": executed}


def decision_now(runtime: Runtime, symbol: str) -> Document:
    """Decide on the newest closed tick of a symbol. The intent, if any, goes to the bus as always."""
    if symbol not in symbols_of(runtime):
        raise InvalidEvent(Reason.SYMBOL_NOT_CONFIGURED, symbol)
    closed_at = floor_to_tick(runtime.clock.now())
    with listening() as fallbacks:
        quotes, no_quote = quotes_or_why(runtime, [symbol], closed_at)
    quote = quotes.get(symbol)
    return decide(runtime, market_tick(symbol, tick_id(closed_at), quote, no_quote, fallbacks=fallbacks))


def summary(decision: Document) -> dict[str, Any]:
    """A decision in the fields the original server answered with, and what blocked it."""
    prediction = decision["prediction"] or {}
    assessment = decision["assessment"] or {}
    levels = assessment.get("levels") or {}
    return {
        "direction": prediction.get("direction", "hold"),
        "entry": levels.get("entry"),
        "tp": levels.get("tp"),
        "sl": levels.get("sl"),
        "prob": prediction.get("prob"),
        "risk_ok": decision["intent"] is not None,
        "rr": assessment.get("risk_reward"),
        "blocked_by": decision["blocked_by"],
        "decision_id": decision["decision_id"],
        "payload_preview": canonical_json(decision["snapshot"])[:PREVIEW_CHARACTERS],
    }
