"""Views: the few small documents a dashboard reads, so that it never has to query the books."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from withearth import __version__
from withearth.flow.account import equity_at_first
from withearth.flow.documents import TRADES, TradeStatus, ledger_ref, view_ref
from withearth.flow.journal import EMPTY_LEDGER
from withearth.flow.model_status import model_status
from withearth.flow.runtime import Runtime
from withearth.store.port import Query, Replace, Stored, Write

EQUITY_POINTS: Final = 500


def write_views(runtime: Runtime, decisions: Sequence[Stored], open_trades: Sequence[Stored]) -> None:
    """Write what has changed. `decisions` are the newest tick's, empty when there is nothing new to show."""
    now = runtime.clock.now()
    ledger = runtime.store.get(ledger_ref(runtime.mode))
    totals: Mapping[str, Any] = EMPTY_LEDGER if ledger is None else ledger.data
    overview, equity = runtime.store.get_many([view_ref("overview"), view_ref("equity")])
    writes: list[Write] = [
        Replace(view_ref("overview"), _overview(runtime, now, totals, open_trades, decisions, overview))
    ]
    if decisions:
        writes.append(Replace(view_ref("signals"), {"at": now, "signals": [signal(each.data) for each in decisions]}))
    if equity is None or equity.data["trades"] != totals["trades"]:
        writes.append(Replace(view_ref("equity"), _equity(runtime, now, totals)))
    runtime.store.commit([*writes, Replace(view_ref("positions"), {"at": now, "positions": _positions(open_trades)})])


def labels(runtime: Runtime) -> dict[str, Any]:
    """What every answer carries, so that no number is ever mistaken for another kind of number."""
    return {"mode": runtime.mode, "market": runtime.market.origin.value, "predictor": runtime.predictor.name}


def signal(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A decision in the few words a table shows."""
    prediction = decision["prediction"] or {}
    assessment = decision["assessment"] or {}
    asked = decision["asked"] or {}
    return {
        "symbol": decision["symbol"],
        "decision_id": decision["decision_id"],
        "as_of": decision["as_of"],
        "direction": prediction.get("direction", "hold"),
        "prob": prediction.get("prob"),
        "risk_reward": assessment.get("risk_reward"),
        "stage": decision["stage"],
        "blocked_by": decision["blocked_by"],
        "predictor": decision["predictor"],
        "cost_micro_usd": asked.get("cost_micro_usd", 0),
        "latency_ms": asked.get("latency_ms", 0),
    }


def _overview(
    runtime: Runtime,
    now: datetime,
    totals: Mapping[str, Any],
    open_trades: Sequence[Stored],
    decisions: Sequence[Stored],
    before: Stored | None,
) -> dict[str, Any]:
    last_tick = decisions[0].data["tick_id"] if decisions else before.data["last_tick"] if before else None
    return labels(runtime) | {
        "version": __version__,
        "heartbeat_at": now,
        "last_tick": last_tick,
        "model": model_status(runtime, decisions, None if before is None else before.data.get("model")),
        "symbols": list(runtime.settings.symbols),
        "open_trades": len(open_trades),
        "closed_trades": totals["trades"],
        "win_rate": win_rate(totals),
        "net_pnl": totals["net"],
        "gross_pnl": totals["gross"],
        "fees": totals["fees"],
        "funding": totals["funding"],
        "equity": str(equity_at_first(runtime, Decimal(totals["net"])) + Decimal(totals["net"])),
    }


def win_rate(totals: Mapping[str, Any]) -> float | None:
    """Wins over trades with a result, None before there is one."""
    counted = totals["trades"] - totals["voids"]
    return round(totals["wins"] / counted, 4) if counted else None


def _equity(runtime: Runtime, now: datetime, totals: Mapping[str, Any]) -> dict[str, Any]:
    """Net equity after each of the newest closed trades, oldest first."""
    closed = Query(
        TRADES,
        where={"status": TradeStatus.CLOSED.value},
        order_by="closed_at",
        direction="descending",
        limit=EQUITY_POINTS,
    )
    newest_first = runtime.store.query(closed)
    equity = equity_at_first(runtime, Decimal(totals["net"])) + Decimal(totals["net"])
    points = []
    for trade in newest_first:
        points.append({"at": trade.data["closed_at"], "equity": str(equity)})
        equity -= Decimal(trade.data["net_pnl"])
    return {"at": now, "trades": totals["trades"], "points": points[::-1]}


def _positions(open_trades: Iterable[Stored]) -> list[dict[str, Any]]:
    fields = ("id", "symbol", "side", "qty", "entry", "tp", "sl", "opened_at", "horizon_min", "mode", "market")
    return [{name: each.data[name] for name in fields} for each in open_trades]
