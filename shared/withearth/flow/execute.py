"""Execute: an intent becomes a trade at most once, or is refused with a reason.

Without a venue the trade is a shadow trade: trade, position and the intent's end are one commit. With a venue the
intent takes its symbol and its slot among the limits and becomes an execution, which `work` walks as far as it can now.
A crash at any point leaves a record from which the redelivered message, or the reconciler, goes on.
"""

from datetime import timedelta
from typing import Any

from withearth.domain.errors import Contention, InvalidEvent, MarketFault, Misconfigured, Refused
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.execution.outcome import OpenTrade
from withearth.execution.record import Terms, begin, execution_from
from withearth.execution.shadow import slipped
from withearth.execution.venue import Venue
from withearth.flow.account import afford
from withearth.flow.documents import (
    CLAIM_LEASE,
    IntentState,
    intent_ref,
    position_ref,
    stop_needs_position_ref,
    trade_ref,
)
from withearth.flow.follow import bring_up_to_date, costs
from withearth.flow.journal import event, occupying, opening
from withearth.flow.limits import reserve
from withearth.flow.mark import our_mark
from withearth.flow.places import place_taken_by, position_side
from withearth.flow.prepare import prepare
from withearth.flow.runtime import SHADOW, Runtime, is_of
from withearth.flow.trading_state import persistently
from withearth.flow.work import WORK_FOR, Job, work
from withearth.messaging.events import TradeIntent
from withearth.store.port import AlreadyExists, Document, Replace, Stored, Write, version_of, write_over


def execute(runtime: Runtime, intent: TradeIntent) -> Document:
    """Bring the intent as far as it can be brought now, unless it has ended. Returns the intent's document.

    Raises InvalidEvent for a symbol that is not configured, Contention while another delivery is at work, and
    Unavailable when the exchange cannot be read.
    """
    if not runtime.settings.takes(intent.symbol):
        raise InvalidEvent(Reason.SYMBOL_NOT_CONFIGURED, intent.symbol)
    ref = intent_ref(intent.intent_id)
    stored = runtime.store.get(ref)
    if stored is not None and stored.data["state"] != IntentState.CLAIMED:
        return stored.data
    if stored is not None and stored.data["lease_until"] > runtime.clock.now():
        raise Contention(f"{ref} is being worked on")
    if stored is not None and "execution" in stored.data:
        if runtime.venue is None or not is_of(runtime, stored):
            # It was begun on another venue, and is gone on with there or nowhere.
            return stored.data
        return resume(runtime, runtime.venue, stored)
    version = _claim(runtime, intent, version_of(stored))
    reason = _refusal(runtime, intent)
    if reason is not None:
        return _refuse(runtime, intent, reason, version)
    if runtime.venue is None:
        return _open_shadow(runtime, intent, version)
    return _enter(runtime, runtime.venue, intent, version)


def resume(runtime: Runtime, venue: Venue, stored: Stored, work_for: timedelta = WORK_FOR) -> Document:
    """Go on with an execution whose lease is over. Raises Contention when somebody else does, or has to."""
    execution = execution_from(stored.data["execution"])
    now = runtime.clock.now()
    heading = {name: value for name, value in stored.data.items() if name != "execution"}
    taken = dict(stored.data) | {"lease_until": now + CLAIM_LEASE}
    version = runtime.store.commit([Replace(stored.ref, taken, stored.version)])
    return _worked(Job(runtime, venue, heading, execution, version, now, work_for))


def _claim(runtime: Runtime, intent: TradeIntent, version: str | None) -> str:
    claim = _document(runtime, intent, IntentState.CLAIMED) | {"lease_until": runtime.clock.now() + CLAIM_LEASE}
    ref = intent_ref(intent.intent_id)
    try:
        return runtime.store.commit([write_over(ref, claim, version)])
    except AlreadyExists as error:
        raise Contention(f"{ref} is being worked on") from error


def _refusal(runtime: Runtime, intent: TradeIntent) -> Reason | None:
    if runtime.clock.now() >= intent.expires_at:
        return Reason.INTENT_EXPIRED
    stopped = None if runtime.venue_traffic is None else runtime.venue_traffic.no_entry()
    if stopped is not None:
        return stopped
    try:
        return Reason.POSITION_OPEN if _has_open_trade(runtime, intent) else None
    except MarketFault as fault:
        return fault.reason


def _has_open_trade(runtime: Runtime, intent: TradeIntent) -> bool:
    position = runtime.store.get(position_ref(place_taken_by(runtime.settings, intent.symbol, intent.side)))
    if position is None or position.data["mode"] != SHADOW:
        return position is not None
    trade = runtime.store.get(trade_ref(position.data["trade_id"]))
    return trade is not None and bring_up_to_date(runtime, trade)


def _refuse(runtime: Runtime, intent: TradeIntent, reason: Reason, version: str, detail: str = "") -> Document:
    document = _document(runtime, intent, IntentState.REFUSED) | {"blocked_by": reason.value}
    text = f"{intent.intent_id} {reason} {detail}".rstrip()
    told = event(f"{intent.intent_id}-refused", "INTENT_REFUSED", runtime.clock.now(), intent.symbol, text)
    _write(runtime, document, version, [told])
    return document


def _open_shadow(runtime: Runtime, intent: TradeIntent, version: str) -> Document:
    trade = OpenTrade(
        side=intent.side,
        qty=intent.qty,
        entry=slipped(intent.entry, buying=intent.side is Side.LONG, costs=costs(runtime.settings)),
        tp=intent.tp,
        sl=intent.sl,
        opened_at=intent.decided_at,
        horizon_min=intent.horizon_min,
    )
    held_in = position_side(runtime.settings, intent.side)
    opened = opening(runtime, intent.intent_id, intent.symbol, trade, held_in)
    opened.append(occupying(runtime, intent.intent_id, intent.symbol, held_in))
    document = _document(runtime, intent, IntentState.SHADOW)
    _write(runtime, document, version, opened)
    return document


def _enter(runtime: Runtime, venue: Venue, intent: TradeIntent, version: str) -> Document:
    """Begin the execution and work on it. The limits are asked before the account is touched, and when it begins."""
    try:
        reserve(runtime, intent)
        prepare(runtime, venue, intent.symbol)
        afford(runtime, venue, intent)
        job = _begin(runtime, venue, intent, version)
    except Misconfigured as fault:
        return _refuse(runtime, intent, Reason.ACCOUNT_NOT_READY, version, str(fault))
    except Refused as refusal:
        return _refuse(runtime, intent, refusal.reason, version, refusal.detail)
    return _worked(job)


def _begin(runtime: Runtime, venue: Venue, intent: TradeIntent, version: str) -> Job:
    """Take the symbol and its slot, and begin the execution, in one commit before anything is sent."""
    now = runtime.clock.now()
    terms = Terms(
        intent_id=intent.intent_id,
        symbol=intent.symbol,
        side=intent.side,
        qty=intent.qty,
        entry=intent.entry,
        tp=intent.tp,
        sl=intent.sl,
        expires_at=intent.expires_at,
        ends_at=intent.decided_at + timedelta(minutes=intent.horizon_min),
        position_side=position_side(runtime.settings, intent.side),
        mark=our_mark(runtime),
    )
    refusal = runtime.store.get(stop_needs_position_ref())
    refuses_bare_stops = refusal is not None and is_of(runtime, refusal)
    armed_first = runtime.settings.protection == "before_entry" and not refuses_bare_stops
    execution = begin(terms, now, armed_first=armed_first)
    heading = _document(runtime, intent, IntentState.CLAIMED)
    begun = heading | {"execution": execution.to_document(), "lease_until": now + CLAIM_LEASE}
    occupied = occupying(runtime, intent.intent_id, intent.symbol, terms.position_side)
    held = persistently(
        runtime.clock, intent.intent_id, lambda: _write(runtime, begun, version, [occupied, reserve(runtime, intent)])
    )
    return Job(runtime, venue, heading, execution, held, held_at=now)


def _worked(job: Job) -> Document:
    execution = work(job)
    return job.heading | {"state": job.state.value, "execution": execution.to_document(), "blocked_by": job.blocked_by}


def _write(runtime: Runtime, document: dict[str, Any], version: str, consequences: list[Write]) -> str:
    """Write the intent and what follows from it in one commit, over our own claim only."""
    try:
        return runtime.store.commit([Replace(intent_ref(document["intent_id"]), document, version), *consequences])
    except AlreadyExists as error:
        raise Contention(f"{document['symbol']} was entered by another intent") from error


def _document(runtime: Runtime, intent: TradeIntent, state: IntentState) -> dict[str, Any]:
    return {
        "version": 1,
        "intent_id": intent.intent_id,
        "symbol": intent.symbol,
        "mode": runtime.mode,
        "state": state.value,
        "blocked_by": None,
        "decided_at": intent.decided_at,
        "expires_at": intent.expires_at,
        "intent": intent.model_dump(mode="json"),
    }
