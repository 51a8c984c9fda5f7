"""Builds what an execution is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from withearth.domain.side import Side
from withearth.execution.record import Terms

DECIDED = datetime(2024, 1, 1, 0, 5, tzinfo=UTC)


def long_terms(**changed: Any) -> Terms:
    """A long from 100 with its stop at 98 and its target at 104: R is 2."""
    fields: dict[str, Any] = {
        "intent_id": "BTCUSDT-20240101T0005Z",
        "symbol": "BTCUSDT",
        "side": Side.LONG,
        "qty": Decimal(1),
        "entry": Decimal(100),
        "tp": Decimal(104),
        "sl": Decimal(98),
        "expires_at": DECIDED + timedelta(minutes=3),
        "ends_at": DECIDED + timedelta(minutes=60),
    }
    return Terms(**fields | changed)


def short_terms(**changed: Any) -> Terms:
    """A short from 100 with its stop at 102 and its target at 96: R is 2."""
    return long_terms(**{"side": Side.SHORT, "tp": Decimal(96), "sl": Decimal(102)} | changed)
