"""Drift: once a day the journal's net pnl is held against the exchange's own income records (R23).

A symbol is compared between two instants at which nothing of ours was under way on it, so that every record belongs to
a trade that closed in between, or to nobody of ours. What differs is told once; both sides are kept as they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.times import from_ms, to_ms
from withearth.execution.funding import charged_until
from withearth.execution.record import execution_from
from withearth.execution.shown import QUOTE_ASSET, Income
from withearth.execution.venue import Venue
from withearth.flow.documents import TRADES, TradeStatus, drift_ref, intent_ref
from withearth.flow.journal import event
from withearth.flow.limits import executions_begun
from withearth.flow.runtime import Runtime
from withearth.store.port import Query, Replace, Stored, Write, write_over

SETTLED_AFTER: Final = timedelta(minutes=5)
"""How long a trade has to be over before its records are expected to be all there."""
OF_TRADES: Final = frozenset({"REALIZED_PNL", "COMMISSION", "FUNDING_FEE", "SPECIAL_FUNDING_FEE", "INSURANCE_CLEAR"})
"""The kinds of income that come of holding and trading a symbol; rebates and rewards are nobody's trade."""
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Span:
    """From before the first order of a trade to its last record, None while it is under way; `net` is the journal's."""

    symbol: str
    since: datetime
    until: datetime | None = None
    net: Decimal = _NOTHING


def check_drift(runtime: Runtime, venue: Venue) -> None:
    """Compare what has closed since the last comparison, once a UTC day. Raises Unavailable."""
    stored, now = runtime.store.get(drift_ref(runtime.mode)), runtime.clock.now()
    until = now - SETTLED_AFTER
    day = f"{until:%Y%m%d}"
    if stored is None:
        first = {"day": day, "at": until, "marks": {}, "differences": {}}
        runtime.store.commit([write_over(drift_ref(runtime.mode), first, None)])
    elif stored.data["day"] != day:
        _compare(runtime, venue, stored, until)


def _compare(runtime: Runtime, venue: Venue, stored: Stored, until: datetime) -> None:
    before, marks = stored.data["at"], stored.data["marks"]
    since = min([before, *marks.values()])
    spans = [*_closed_since(runtime, since), *_under_way(runtime)]
    records = [each for each in venue.income(to_ms(since)) if each.kind in OF_TRADES]
    ends, differences = dict[str, datetime](), dict[str, str]()
    for symbol in sorted({each.symbol for each in spans} | {each.symbol for each in records}):
        began, ends[symbol] = marks.get(symbol, before), _quiet(symbol, spans, until)
        difference = _difference(
            [each for each in records if each.symbol == symbol and began <= from_ms(each.at_ms) < ends[symbol]],
            [each for each in spans if each.symbol == symbol and each.until and began <= each.until < ends[symbol]],
        )
        differences |= {symbol: difference} if difference else {}
    day = f"{until:%Y%m%d}"
    document = {"day": day, "at": until, "marks": ends, "differences": differences}
    writes: list[Write] = [Replace(stored.ref, document, stored.version)]
    if differences:
        text = "; ".join(f"{symbol}: {told}" for symbol, told in differences.items())
        writes.append(event(f"drift-{runtime.mode.lower()}-{day}", "DRIFT", until, "", text))
    runtime.store.commit(writes)


def _closed_since(runtime: Runtime, since: datetime) -> list[_Span]:
    closed = Query(TRADES, where={"status": TradeStatus.CLOSED.value}, order_by="closed_at", at_least=since)
    trades = [each.data for each in runtime.store.query(closed) if each.data["mode"] == runtime.mode]
    intents = runtime.store.get_many([intent_ref(each["id"]) for each in trades])
    return [
        _Span(trade["symbol"], _first_order(intent), charged_until(trade["closed_at"]), Decimal(trade["net_pnl"]))
        for trade, intent in zip(trades, intents, strict=True)
        if intent is not None
    ]


def _under_way(runtime: Runtime) -> list[_Span]:
    begun = [each for each in executions_begun(runtime) if each.data["execution"]["sent"]]
    return [_Span(each.data["symbol"], _first_order(each)) for each in begun]


def _first_order(intent: Stored) -> datetime:
    return execution_from(intent.data["execution"]).began_at


def _quiet(symbol: str, spans: Iterable[_Span], until: datetime) -> datetime:
    """The latest instant up to `until` at which nothing was under way on a symbol."""
    ours = [each for each in spans if each.symbol == symbol]
    while crossing := [each for each in ours if each.since < until and (each.until is None or each.until >= until)]:
        until = min(each.since for each in crossing)
    return until


def _difference(records: Sequence[Income], trades: Sequence[_Span]) -> str:
    """What the exchange and the journal say, where they differ; empty where they agree."""
    booked = sum((each.amount for each in records if each.asset == QUOTE_ASSET), _NOTHING)
    journal = sum((each.net for each in trades), _NOTHING)
    others = sorted({each.asset for each in records} - {QUOTE_ASSET})
    also = f", and something in {' and '.join(others)}" if others else ""
    if booked == journal and not also:
        return ""
    return f"the exchange booked {booked} {QUOTE_ASSET}{also}, the journal {journal}"
