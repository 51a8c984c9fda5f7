"""The journal: one document per trade, a running ledger, and the events that tell what happened.

A trade opens in one commit with the position it occupies, and closes in one commit with the position it frees and
the ledger it changes: a trade counts exactly once because it closes exactly once.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from withearth.domain.errors import Refused
from withearth.domain.side import Side
from withearth.execution.shadow import Exit, Result, ShadowTrade
from withearth.flow.documents import (
    EVENT_RETENTION,
    TradeStatus,
    event_ref,
    ledger_ref,
    position_ref,
    trade_ref,
)
from withearth.flow.runtime import Runtime
from withearth.messaging.events import TradeIntent
from withearth.store.port import AlreadyExists, Create, Delete, Replace, Stored, Write

JOURNAL_COLUMNS: Final = ("timestamp", "symbol", "side", "qty", "entry", "tp", "sl", "exit", "pnl", "status", "id")
"""The classic journal row, in its order. `pnl` is gross; the net figures follow."""
NET_COLUMNS: Final = ("fees", "funding", "net_pnl", "r_multiple", "exit_reason", "closed_at", "mode", "market")

EMPTY_LEDGER: Final = {"trades": 0, "wins": 0, "voids": 0, "gross": "0", "fees": "0", "funding": "0", "net": "0"}


def opening(runtime: Runtime, intent: TradeIntent, trade: ShadowTrade) -> list[Write]:
    """What opens a trade. The commit fails as a whole when the symbol already has one."""
    document = {
        "id": intent.intent_id,
        "timestamp": trade.opened_at,
        "symbol": intent.symbol,
        "side": intent.side.value,
        "qty": str(trade.qty),
        "entry": str(trade.entry),
        "tp": str(trade.tp),
        "sl": str(trade.sl),
        "exit": None,
        "pnl": None,
        "status": TradeStatus.OPEN.value,
        "fees": None,
        "funding": None,
        "net_pnl": None,
        "r_multiple": None,
        "exit_reason": None,
        "opened_at": trade.opened_at,
        "closed_at": None,
        "horizon_min": trade.horizon_min,
        "prob": intent.prob,
        "mode": "SHADOW",
        "market": runtime.market.origin.value,
    }
    position = {"symbol": intent.symbol, "trade_id": intent.intent_id, "side": intent.side.value, "mode": "SHADOW"}
    return [
        Create(trade_ref(intent.intent_id), document),
        Create(position_ref(intent.symbol), position),
        event(f"{intent.intent_id}-opened", "TRADE_OPENED", trade.opened_at, intent.symbol, intent.intent_id),
    ]


def shadow_trade(document: Any) -> ShadowTrade:
    """The open trade a journal document describes."""
    return ShadowTrade(
        side=Side(document["side"]),
        qty=Decimal(document["qty"]),
        entry=Decimal(document["entry"]),
        tp=Decimal(document["tp"]),
        sl=Decimal(document["sl"]),
        opened_at=document["opened_at"],
        horizon_min=document["horizon_min"],
    )


def closing(stored: Stored, ended: Exit, booked: Result | None, ledger: Stored | None) -> list[Write]:
    """What closes a trade: journal row, freed position, ledger, event. `booked` is None for a void trade."""
    document = dict(stored.data) | {
        "status": (TradeStatus.VOID if booked is None else TradeStatus.CLOSED).value,
        "exit_reason": ended.reason.value,
        "closed_at": ended.at,
    }
    if booked is not None:
        document |= {
            "exit": str(ended.price),
            "pnl": str(booked.gross),
            "fees": str(booked.fees),
            "funding": str(booked.funding),
            "net_pnl": str(booked.net),
            "r_multiple": str(booked.r_multiple),
        }
    trade_id, symbol = stored.ref.id, document["symbol"]
    return [
        Replace(stored.ref, document, stored.version),
        Delete(position_ref(symbol)),
        _ledger_write(ledger, booked),
        event(f"{trade_id}-closed", "TRADE_CLOSED", ended.at, symbol, f"{ended.reason} net {document['net_pnl']}"),
    ]


def _ledger_write(ledger: Stored | None, booked: Result | None) -> Write:
    before: Any = EMPTY_LEDGER if ledger is None else ledger.data
    after = dict(before) | {"trades": before["trades"] + 1}
    if booked is None:
        after["voids"] = before["voids"] + 1
    else:
        after["wins"] = before["wins"] + (booked.net > 0)
        for name, amount in (("gross", booked.gross), ("fees", booked.fees), ("funding", booked.funding)):
            after[name] = str(Decimal(before[name]) + amount)
        after["net"] = str(Decimal(before["net"]) + booked.net)
    return Create(ledger_ref(), after) if ledger is None else Replace(ledger.ref, after, ledger.version)


def event(event_id: str, kind: str, at: datetime, symbol: str, text: str) -> Create:
    """One operational fact, for the log panel. The id makes it happen once."""
    document = {"kind": kind, "at": at, "symbol": symbol, "text": text, "expire_at": at + EVENT_RETENTION}
    return Create(event_ref(event_id), document)


def record_refused_event(runtime: Runtime, refusal: Refused, *, fingerprint: str) -> None:
    """Keep that a message was refused, and why. The same message twice is recorded once."""
    record = event(f"refused-{fingerprint}", refusal.reason.value, runtime.clock.now(), "", refusal.detail)
    try:
        runtime.store.commit([record])
    except AlreadyExists:
        return


def journal_row(document: Any) -> dict[str, Any]:
    """A trade document as a journal row: the classic columns first, then the net figures."""
    return {column: document[column] for column in (*JOURNAL_COLUMNS, *NET_COLUMNS)}


def journal_rows(documents: Iterable[Any]) -> list[dict[str, Any]]:
    """Journal rows of several trades."""
    return [journal_row(document) for document in documents]
