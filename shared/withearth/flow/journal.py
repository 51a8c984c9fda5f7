"""The journal: one document per trade, a running ledger, and the events that tell what happened.

A trade opens in one commit with the position it occupies, and closes in one commit with the position it frees and
the ledger it changes: a trade counts exactly once because it closes exactly once.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from withearth.domain.errors import Refused
from withearth.domain.side import Side
from withearth.execution.orders import PositionSide, place_of
from withearth.execution.outcome import Exit, OpenTrade, Result
from withearth.flow.documents import (
    EVENT_RETENTION,
    TradeStatus,
    event_ref,
    ledger_ref,
    position_ref,
    trade_ref,
)
from withearth.flow.ledger import booking
from withearth.flow.places import place_of_trade
from withearth.flow.runtime import Runtime
from withearth.store.port import (
    AlreadyExists,
    Create,
    Delete,
    DocumentStore,
    Replace,
    Stored,
    Write,
    version_of,
    write_over,
)

JOURNAL_COLUMNS: Final = ("timestamp", "symbol", "side", "qty", "entry", "tp", "sl", "exit", "pnl", "status", "id")
"""The classic journal row, in its order. `pnl` is gross; the net figures follow."""
NET_COLUMNS: Final = ("fees", "funding", "net_pnl", "r_multiple", "exit_reason", "closed_at", "mode", "market")


def opening(
    runtime: Runtime,
    trade_id: str,
    symbol: str,
    trade: OpenTrade,
    position_side: PositionSide = PositionSide.BOTH,
) -> list[Write]:
    """What opens a trade in the journal. The commit fails as a whole when the trade is there already."""
    document = {
        "id": trade_id,
        "timestamp": trade.opened_at,
        "symbol": symbol,
        "side": trade.side.value,
        "position_side": position_side.value,
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
        "mode": runtime.mode,
        "market": runtime.market.origin.value,
    }
    return [
        Create(trade_ref(trade_id), document),
        event(f"{trade_id}-opened", "TRADE_OPENED", trade.opened_at, symbol, trade_id),
    ]


def occupying(runtime: Runtime, trade_id: str, symbol: str, position_side: PositionSide) -> Create:
    """What takes a symbol, or one side of it, for one trade. The commit fails when it is taken."""
    document = {
        "symbol": symbol,
        "position_side": position_side.value,
        "trade_id": trade_id,
        "mode": runtime.mode,
    }
    return Create(position_ref(place_of(symbol, position_side)), document)


def open_trade(document: Any) -> OpenTrade:
    """The open trade a journal document describes."""
    return OpenTrade(
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
            "exit": None if ended.price is None else str(ended.price),
            "pnl": str(booked.gross),
            "fees": str(booked.fees),
            "funding": str(booked.funding),
            "net_pnl": str(booked.net),
            "r_multiple": str(booked.r_multiple),
        }
    trade_id, symbol = stored.ref.id, document["symbol"]
    return [
        Replace(stored.ref, document, stored.version),
        Delete(position_ref(place_of_trade(document))),
        write_over(ledger_ref(document["mode"]), booking(ledger, ended, booked), version_of(ledger)),
        event(f"{trade_id}-closed", "TRADE_CLOSED", ended.at, symbol, f"{ended.reason} net {document['net_pnl']}"),
    ]


def event(event_id: str, kind: str, at: datetime, symbol: str, text: str) -> Create:
    """One operational fact, for the log panel. The id makes it happen once."""
    document = {"kind": kind, "at": at, "symbol": symbol, "text": text, "expire_at": at + EVENT_RETENTION}
    return Create(event_ref(event_id), document)


def record_refused_event(runtime: Runtime, refusal: Refused, *, fingerprint: str) -> None:
    """Keep that a message was refused, and why. The same message twice is recorded once."""
    record_once(
        runtime.store, event(f"refused-{fingerprint}", refusal.reason.value, runtime.clock.now(), "", refusal.detail)
    )


def record_once(store: DocumentStore, record: Create) -> None:
    """Write a record, unless it is there already."""
    try:
        store.commit([record])
    except AlreadyExists:
        return


def journal_row(document: Any) -> dict[str, Any]:
    """A trade document as a journal row: the classic columns first, then the net figures."""
    return {column: document[column] for column in (*JOURNAL_COLUMNS, *NET_COLUMNS)}
