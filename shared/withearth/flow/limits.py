"""The limits at work: the one document behind them, who takes a slot and who gives it back, and what trips a halt.

The document changes by compare-and-set and always in the commit of the thing that counts: a slot is taken with the
position, and given back with it. One that cannot be read stops every entry and no exit. A shadow trade risks nothing
and is not counted.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Final

from withearth.domain.errors import MarketFault, Refused
from withearth.domain.reasons import Reason
from withearth.execution.outcome import Exit, ExitReason, Result
from withearth.execution.phases import Phase
from withearth.execution.record import Terms, refuse_newer
from withearth.execution.venue import EXTERNAL
from withearth.flow.account import sheet_of
from withearth.flow.documents import (
    INTENTS,
    IntentState,
    account_ref,
    book_ref,
    flatten_ref,
    live_begun_ref,
    trading_ref,
)
from withearth.flow.journal import event, record_once
from withearth.flow.places import place_taken_by
from withearth.flow.runtime import SHADOW, Runtime, is_of
from withearth.flow.trading_state import (
    Standing,
    TradingState,
    begin_live,
    closes_now,
    obey,
    obeyed_at,
    persistently,
    report_unknown,
    standing_of,
    trip,
)
from withearth.messaging.events import TradeIntent
from withearth.risk.account import Sheet
from withearth.risk.book import DAY, Book, Closed, Slot, book_from
from withearth.risk.limits import Asked, Bet, Usage, drawdown_pct, edge_bps, is_drawn_down, limits_of, usage
from withearth.risk.limits import refusals as refused_by
from withearth.settings import Settings
from withearth.signals import Signal, tell
from withearth.store.port import Create, Delete, DocumentStore, Query, Replace, Stored, Write, version_of, write_over
from withearth.views.contract import LimitRow, LimitsView

STUCK_AFTER: Final = timedelta(minutes=3)
"""Longer than a lease and a pass of the reconciler, which must have brought a naked quantity to its end by then."""
_NAKED_PHASES: Final = frozenset({Phase.PROTECTING, Phase.CLOSING})
FUNDING_INTERVAL_MIN: Final = timedelta(hours=1)
"""The shortest at which the exchange settles, assumed where the last day does not show another."""
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """The book as it was read: None where the document cannot be understood."""

    mode: str
    book: Book | None
    stored: Stored | None
    account: Stored | None = None

    @property
    def sheet(self) -> Sheet | None:
        """The account, where the exchange has to say what it is worth, and could be understood."""
        return sheet_of(self.account) if self.mode in EXTERNAL else None

    @property
    def is_blind(self) -> bool:
        """Whether the account has to say what it is worth, and has not yet, or not in words that can be understood."""
        return self.mode in EXTERNAL and self.sheet is None

    def knows_equity(self, now: datetime) -> bool:
        """Whether it is known what the account is worth: counted in this process, or read from the exchange lately."""
        return self.mode not in EXTERNAL or (self.sheet is not None and self.sheet.is_known(now))

    def write(self, book: Book) -> Write:
        """The book changed, over what was read only."""
        ref, document = book_ref(self.mode), book.to_document()
        return write_over(ref, document, version_of(self.stored))


def kept(mode: str, stored: Stored | None, account: Stored | None = None) -> Kept:
    """The book in a document, beside the account's. Where there is none yet, nothing has happened."""
    try:
        return Kept(mode, Book() if stored is None else book_from(stored.data), stored, account)
    except ValueError:
        return Kept(mode, None, stored, account)


def _read(runtime: Runtime) -> tuple[Standing, Kept]:
    return _read_books(runtime.store, runtime.mode)


def _read_books(store: DocumentStore, mode: str) -> tuple[Standing, Kept]:
    refs = [trading_ref(), live_begun_ref(), book_ref(mode), account_ref(mode)]
    trading, begun, stored, account = store.get_many(refs)
    return standing_of(mode, trading, begun), kept(mode, stored, account)


def _read_or_begin(runtime: Runtime) -> tuple[Standing, Kept]:
    """The same, with a book that is there: two who begin one at once would otherwise meet as if over a symbol."""
    trading, found = _read(runtime)
    if found.stored is not None:
        return trading, found
    record_once(runtime.store, Create(book_ref(runtime.mode), Book().to_document()))
    return _read(runtime)


def reserve(runtime: Runtime, intent: TradeIntent) -> Write:
    """What takes a slot for the intent, to be committed with its position.

    Raises Refused under the first reason that speaks against it.
    """
    trading, found = _read_or_begin(runtime)
    now = runtime.clock.now()
    asked = Asked(intent.symbol, intent.side, intent.qty * intent.entry, _edge(runtime, intent))
    reason = _refusal(runtime, trading, found, asked)
    if reason is not None or found.book is None:
        raise Refused(reason or Reason.LIMITS_UNREADABLE)
    slot = Slot(intent.intent_id, intent.side, asked.notional, now)
    return found.write(found.book.taking(place_taken_by(runtime.settings, intent.symbol, intent.side), slot))


def _refusal(runtime: Runtime, trading: Standing, found: Kept, asked: Asked) -> Reason | None:
    now = runtime.clock.now()
    if trading.no_entry is not None:
        return trading.no_entry
    if found.book is None:
        return Reason.LIMITS_UNREADABLE
    if not found.knows_equity(now):
        return Reason.EQUITY_UNKNOWN
    limits = limits_of(runtime.settings, runtime.mode)
    return next(iter(refused_by(found.book, asked, limits, now, found.sheet)), None)


def no_entry(runtime: Runtime, terms: Terms) -> Reason | None:
    """Why an execution that holds its slot may not enter any more: asked again before each of its orders."""
    stopped = None if runtime.venue_traffic is None else runtime.venue_traffic.no_entry()
    if stopped is not None:
        return stopped
    trading, found = _read(runtime)
    others = None if found.book is None else found.book.without(terms.place, terms.intent_id)
    asked = Asked(terms.symbol, terms.side, terms.qty * terms.entry)
    return _refusal(runtime, trading, replace(found, book=others), asked)


def _edge(runtime: Runtime, intent: TradeIntent) -> Decimal | None:
    """What can be expected of the intent, where MIN_EDGE_BPS asks for it. Raises MarketFault without funding."""
    settings = runtime.settings
    if not settings.min_edge_bps:
        return None
    bet = Bet(
        side=intent.side,
        entry=intent.entry,
        tp=intent.tp,
        sl=intent.sl,
        prob=Decimal(repr(intent.prob)),
        fee_bps=settings.taker_fee_bps,
        funding_rates=_funding_rates(runtime, intent),
    )
    return edge_bps(bet)


def _funding_rates(runtime: Runtime, intent: TradeIntent) -> tuple[Decimal, ...]:
    """The rate that applies, once for each settlement that could fall into the trade's time."""
    quote = runtime.market.quotes([intent.symbol], intent.decided_at).get(intent.symbol)
    if quote is None or quote.funding_rate is None or quote.next_funding_at is None:
        raise MarketFault(Reason.FUNDING_UNKNOWN, f"{intent.symbol}, and MIN_EDGE_BPS counts it")
    ends_at = intent.decided_at + timedelta(minutes=intent.horizon_min)
    past = runtime.market.settlements(intent.symbol, intent.decided_at - DAY, intent.decided_at)
    distances = [round((later.at - sooner.at) / MINUTE) * MINUTE for sooner, later in pairwise(past)]
    interval = max(min(distances, default=FUNDING_INTERVAL_MIN), FUNDING_INTERVAL_MIN)
    return (quote.funding_rate,) * max(1 + (ends_at - quote.next_funding_at) // interval, 0)


def released(runtime: Runtime, terms: Terms) -> list[Write]:
    """What gives back the slot of an intent that entered nothing: as if it had never been taken."""
    found = kept(runtime.mode, runtime.store.get(book_ref(runtime.mode)))
    return [] if found.book is None else [found.write(found.book.without(terms.place, terms.intent_id))]


def settled(runtime: Runtime, terms: Terms, ended: Exit, booked: Result) -> list[Write]:
    """What gives back the slot of a trade that has ended, and counts its result."""
    found = kept(runtime.mode, runtime.store.get(book_ref(runtime.mode)))
    if found.book is None:
        return []
    result = Closed(ended.at, terms.symbol, terms.side, booked.net, ended.reason is ExitReason.STOP)
    return [found.write(found.book.freeing(terms.place, terms.intent_id).with_result(result))]


def guard(runtime: Runtime) -> None:
    """Hold the promises against the books, once a pass: what does not hold trips the trading state."""
    for check in (begin_live, _guard_flatten, _guard_book, _guard_protection):
        persistently(runtime.clock, check.__name__, partial(check, runtime))


def _guard_book(runtime: Runtime) -> None:
    """Halt when the book cannot be read or the drawdown has reached its limit; begin anew once a person resumed."""
    trading, found = _read(runtime)
    limits = limits_of(runtime.settings, runtime.mode)
    if not trading.is_known:
        report_unknown(runtime)
    if found.book is None:
        trip(runtime, f"{book_ref(runtime.mode)} cannot be read")
    elif found.is_blind:
        # Without a reading there is no equity to hold the drawdown against, and nothing is entered anyway.
        if found.account is not None:
            trip(runtime, f"{account_ref(runtime.mode)} cannot be read")
    elif found.book.halted and trading.state is TradingState.ACTIVE:
        runtime.store.commit(_from_here(found, found.book))
    elif is_drawn_down(found.book, limits, found.sheet) and not found.book.halted:
        drawdown = drawdown_pct(found.book, limits, found.sheet)
        why = f"the drawdown is {drawdown:.2f} %, MAX_DRAWDOWN_PCT is {limits.drawdown_pct}"
        trip(runtime, why, found.write(replace(found.book, halted=True)))


def _from_here(found: Kept, book: Book) -> list[Write]:
    """What begins with a new highest value, at what is left."""
    begun = [found.write(replace(book, peak=book.net, halted=False))]
    if found.sheet is None or found.account is None:
        return begun
    sheet = found.sheet.from_here()
    return [*begun, Replace(found.account.ref, sheet.to_document(), found.account.version)]


def executions_begun(runtime: Runtime) -> Sequence[Stored]:
    """The intents whose execution has begun on this venue and not ended.

    Raises Contention where one is recorded by a newer version: what it holds would look like nobody's.
    """
    found = runtime.store.query(Query(INTENTS, where={"state": IntentState.CLAIMED.value}))
    begun = [each for each in found if "execution" in each.data and is_of(runtime, each)]
    for each in begun:
        refuse_newer(each.data["execution"])
    return begun


def _guard_protection(runtime: Runtime) -> None:
    """Halt when a quantity has been without its protection for longer than all of us together may take."""
    now = runtime.clock.now()
    for each in executions_begun(runtime):
        execution = each.data["execution"]
        if execution["phase"] in _NAKED_PHASES and now - execution["phase_since"] > STUCK_AFTER:
            since = f"{execution['phase_since']:%H:%M:%S}"
            tell(Signal.POSITION_UNPROTECTED, logging.ERROR, intent_id=each.ref.id, since=since)
            trip(runtime, f"{each.ref.id} has been {execution['phase']} since {since} UTC")


def _guard_flatten(runtime: Runtime) -> None:
    """Take up a request to close everything; take it away when everything that it meant is closed."""
    request = runtime.store.get(flatten_ref())
    if request is None:
        return
    if obeyed_at(request) is None:
        obey(runtime, request)
    elif not any(closes_now(request, each.data["decided_at"]) for each in executions_begun(runtime)):
        told = event(f"flattened-{request.version}", "FLATTENED", runtime.clock.now(), "", "everything is closed")
        runtime.store.commit([Delete(request.ref, request.version), told])


def limits_document(store: DocumentStore, settings: Settings, mode: str, now: datetime) -> LimitsView:
    """Trading state and limits with their use, as they are shown. Without rows where book or account are not read."""
    trading, found = _read_books(store, mode)
    book = None if found.is_blind else found.book
    rows = () if book is None else usage(book, limits_of(settings, mode), now, found.sheet)
    return {
        "at": now,
        "applies": mode != SHADOW,
        "trading": trading.shown(),
        "readable": book is not None,
        "limits": [_row(each) for each in rows],
    }


def _row(row: Usage) -> LimitRow:
    return {
        "limit": row.key,
        "reason": row.reason.value,
        "value": str(row.value),
        "used": None if row.used is None else str(row.used),
        "stops": row.stops,
        "lifts_at": row.lifts_at,
    }
