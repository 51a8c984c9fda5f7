"""Execute: an intent becomes a trade at most once, or is refused with a reason.

In this version every trade is a shadow trade. The intent is claimed first; the trade, the position it occupies and
the intent's end are one commit, so a crash at any point leaves either nothing or everything, and the redelivered
message finishes the work.
"""

from typing import Any

from withearth.domain.errors import Contention, InvalidEvent
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.execution.shadow import ShadowTrade, slipped
from withearth.flow.documents import CLAIM_LEASE, IntentState, intent_ref, position_ref, trade_ref
from withearth.flow.follow import bring_up_to_date, costs
from withearth.flow.journal import event, opening
from withearth.flow.runtime import Runtime
from withearth.messaging.events import TradeIntent
from withearth.store.port import AlreadyExists, Create, Document, Replace, Write


def execute(runtime: Runtime, intent: TradeIntent) -> Document:
    """Bring the intent to its end, unless that was done. Returns the intent's document.

    Raises InvalidEvent for a symbol that is not configured and Contention while another delivery is at work.
    """
    if intent.symbol not in runtime.settings.symbols:
        raise InvalidEvent(Reason.SYMBOL_NOT_CONFIGURED, intent.symbol)
    ref = intent_ref(intent.intent_id)
    stored = runtime.store.get(ref)
    if stored is not None and stored.data["state"] != IntentState.CLAIMED:
        return stored.data
    if stored is not None and stored.data["lease_until"] > runtime.clock.now():
        raise Contention(f"{ref} is being worked on")
    version = _claim(runtime, intent, None if stored is None else stored.version)
    reason = _refusal(runtime, intent)
    return _refuse(runtime, intent, reason, version) if reason else _open_shadow(runtime, intent, version)


def _claim(runtime: Runtime, intent: TradeIntent, version: str | None) -> str:
    claim = _document(intent, IntentState.CLAIMED) | {"lease_until": runtime.clock.now() + CLAIM_LEASE}
    ref = intent_ref(intent.intent_id)
    try:
        return runtime.store.commit([Create(ref, claim) if version is None else Replace(ref, claim, version)])
    except AlreadyExists as error:
        raise Contention(f"{ref} is being worked on") from error


def _refusal(runtime: Runtime, intent: TradeIntent) -> Reason | None:
    if runtime.clock.now() >= intent.expires_at:
        return Reason.INTENT_EXPIRED
    return Reason.POSITION_OPEN if _has_open_trade(runtime, intent.symbol) else None


def _has_open_trade(runtime: Runtime, symbol: str) -> bool:
    position = runtime.store.get(position_ref(symbol))
    if position is None:
        return False
    trade = runtime.store.get(trade_ref(position.data["trade_id"]))
    return trade is not None and bring_up_to_date(runtime, trade)


def _refuse(runtime: Runtime, intent: TradeIntent, reason: Reason, version: str) -> Document:
    document = _document(intent, IntentState.REFUSED) | {"blocked_by": reason.value}
    text = f"{intent.intent_id} {reason}"
    told = event(f"{intent.intent_id}-refused", "INTENT_REFUSED", runtime.clock.now(), intent.symbol, text)
    return _end(runtime, document, version, [told])


def _open_shadow(runtime: Runtime, intent: TradeIntent, version: str) -> Document:
    trade = ShadowTrade(
        side=intent.side,
        qty=intent.qty,
        entry=slipped(intent.entry, buying=intent.side is Side.LONG, costs=costs(runtime.settings)),
        tp=intent.tp,
        sl=intent.sl,
        opened_at=intent.decided_at,
        horizon_min=intent.horizon_min,
    )
    return _end(runtime, _document(intent, IntentState.SHADOW), version, opening(runtime, intent, trade))


def _end(runtime: Runtime, document: dict[str, Any], version: str, consequences: list[Write]) -> Document:
    """Write the intent's end and what follows from it in one commit, over our own claim only."""
    try:
        runtime.store.commit([Replace(intent_ref(document["intent_id"]), document, version), *consequences])
    except AlreadyExists as error:
        raise Contention(f"{document['symbol']} was entered by another intent") from error
    return document


def _document(intent: TradeIntent, state: IntentState) -> dict[str, Any]:
    return {
        "version": 1,
        "intent_id": intent.intent_id,
        "symbol": intent.symbol,
        "state": state.value,
        "blocked_by": None,
        "decided_at": intent.decided_at,
        "expires_at": intent.expires_at,
        "intent": intent.model_dump(mode="json"),
    }
