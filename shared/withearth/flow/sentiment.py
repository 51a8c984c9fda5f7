"""Sentiment: refresh the small document each symbol has, on a schedule and within the day's budget.

The symbols whose documents are oldest come first, a bounded number a pass. What a refresh can cost is reserved before
it is made and stays booked whatever came of it. Nothing but numbers is kept.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from withearth.decision.sentiment import Sentiment, SentimentSource
from withearth.decision.spend import MICRO, NOTHING, Spend, budget, within
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.domain.times import from_ms
from withearth.flow.asking import account_change, committed
from withearth.flow.documents import EVENT_RETENTION, budget_ref, sentiment_ref
from withearth.flow.runtime import Runtime
from withearth.flow.universe import symbols_of
from withearth.store.port import Replace, Stored, VersionMismatch, version_of

_NEVER: Final = from_ms(0)


def fresh_sentiment(runtime: Runtime, symbol: str, as_of: datetime) -> Sentiment | None:
    """The symbol's sentiment as a decision may be told it: switched on, fresh, and numbers; otherwise None."""
    settings = runtime.settings
    stored = None if settings.sentiment == "off" else runtime.store.get(sentiment_ref(symbol))
    if stored is None or stored.data.get("numbers") is None:
        return None
    try:
        sentiment = Sentiment.from_document(stored.data["numbers"])
    except (KeyError, TypeError, ValueError):
        # It is optional: a document somebody damaged is as good as none.
        return None
    return sentiment if sentiment.is_fresh(as_of, timedelta(minutes=settings.sentiment_max_age_min)) else None


def refresh_sentiment(runtime: Runtime) -> Mapping[str, Any]:
    """One pass. Returns how many symbols were read, and the reasons of those that were not."""
    if runtime.sentiment is None:
        return {"read": 0, "refused": {}}
    outcomes = {symbol: _refresh(runtime, runtime.sentiment, symbol) for symbol in _due(runtime)}
    refused = {symbol: reason.value for symbol, reason in outcomes.items() if reason is not None}
    return {"read": len(outcomes) - len(refused), "refused": refused}


def _due(runtime: Runtime) -> list[str]:
    """The symbols whose sentiment is older than SENTIMENT_REFRESH_MIN, the longest untried first."""
    settings, symbols = runtime.settings, symbols_of(runtime)
    stored = runtime.store.get_many([sentiment_ref(symbol) for symbol in symbols])
    tried = {symbol: _tried_at(each) for symbol, each in zip(symbols, stored, strict=True)}
    before = runtime.clock.now() - timedelta(minutes=settings.sentiment_refresh_min)
    waiting = sorted((at, symbol) for symbol, at in tried.items() if at <= before)
    return [symbol for _, symbol in waiting[: settings.sentiment_symbols_a_pass]]


def _tried_at(stored: Stored | None) -> datetime:
    at: datetime = _NEVER if stored is None else stored.data["tried_at"]
    return at


def _refresh(runtime: Runtime, source: SentimentSource, symbol: str) -> Reason | None:
    """Read one symbol and keep its numbers. The numbers of before stay where there are no new ones."""
    before = runtime.store.get(sentiment_ref(symbol))
    numbers = None if before is None else before.data["numbers"]
    try:
        _pay(runtime)
        found, _ = source.read(symbol)
        numbers = Sentiment(**found.model_dump(), as_of=runtime.clock.now()).to_document()
        reason = None
    except Refused as refusal:
        reason = refusal.reason
    now = runtime.clock.now()
    document = {
        "symbol": symbol,
        "numbers": numbers,
        "tried_at": now,
        "blocked_by": None if reason is None else reason.value,
        "expire_at": now + EVENT_RETENTION,
    }
    try:
        runtime.store.commit([Replace(sentiment_ref(symbol), document, version_of(before))])
    except VersionMismatch:
        # Another pass read the symbol at the same time; its numbers are as new as ours.
        return reason
    return reason


def _pay(runtime: Runtime) -> None:
    """Book what a refresh costs. Raises Refused with BUDGET_SPENT, with nothing booked, when the day has no room."""
    day = f"{runtime.clock.now():%Y%m%d}"
    cost = Spend(0, int(runtime.settings.sentiment_cost_usd * MICRO))
    if not within(committed(runtime.store.get(budget_ref(day))) + cost, budget(runtime.settings)):
        raise Refused(Reason.BUDGET_SPENT)
    runtime.store.commit([account_change(day, cost, reserved=NOTHING)])
    if not within(committed(runtime.store.get(budget_ref(day))), budget(runtime.settings)):
        runtime.store.commit([account_change(day, -cost, reserved=NOTHING)])
        raise Refused(Reason.BUDGET_SPENT)
