"""The decision feed: each decision of a tick in one line."""

from collections.abc import Mapping
from typing import Any, Final

from withearth.views.records import FeedRow, OrderOutcome

REASON_CHARS: Final = 50
"""Of a predictor's reasoning: enough for a line; the whole stands in the decision."""


def feed_row(decision: Mapping[str, Any], order: OrderOutcome | None) -> FeedRow:
    """A decision in the few words a line shows."""
    prediction = decision["prediction"] or {}
    assessment = decision["assessment"] or {}
    asked = decision["asked"] or {}
    return {
        "symbol": decision["symbol"],
        "decision_id": decision["decision_id"],
        "direction": prediction.get("direction", "hold"),
        "prob": prediction.get("prob"),
        "risk_reward": assessment.get("risk_reward"),
        "stage": decision["stage"],
        "blocked_by": decision["blocked_by"],
        "reason": shortened(decision["detail"] or prediction.get("reasoning", "")),
        "predictor": decision["predictor"],
        "cost_micro_usd": asked.get("cost_micro_usd", 0),
        "latency_ms": asked.get("latency_ms", 0),
        "order": order,
    }


def order_outcome(intent: Mapping[str, Any] | None) -> OrderOutcome | None:
    """What became of a decision's intent so far."""
    return None if intent is None else {"state": intent["state"], "blocked_by": intent["blocked_by"]}


def is_open(row: Mapping[str, Any]) -> bool:
    """Whether a line may still change: its intent is on its way, or being worked on."""
    order = row["order"]
    return row["stage"] == "order" and (order is None or order["state"] == "CLAIMED")


def shortened(text: str) -> str:
    """One line of at most REASON_CHARS."""
    line = " ".join(text.split())
    return line if len(line) <= REASON_CHARS else f"{line[: REASON_CHARS - 1]}…"
