"""Builds the events of the flow."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from withearth.domain.side import Side
from withearth.messaging.events import MarketTick, QuoteSlice, TradeIntent

CLOSED_AT = datetime(2024, 1, 1, 0, 5, tzinfo=UTC)


def a_tick_event(symbol: str = "BTCUSDT", *, tick_id: str = "20240101T0005Z", quoted: bool = True) -> MarketTick:
    """The event that asks for a decision, with or without a quote."""
    quote = QuoteSlice(
        bid=Decimal("42000.0"),
        ask=Decimal("42000.1"),
        observed_at=CLOSED_AT,
        funding_rate=Decimal("-0.00012345"),
        next_funding_at=CLOSED_AT.replace(hour=8, minute=0),
    )
    return MarketTick(symbol=symbol, tick_id=tick_id, quote=quote if quoted else None)


def an_intent(**changed: Any) -> TradeIntent:
    """A sound intent to go long, with some fields changed."""
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "intent_id": "BTCUSDT-20240101T0005Z",
        "side": Side.LONG,
        "qty": Decimal("0.002"),
        "entry": Decimal("42000.1"),
        "tp": Decimal("42500.0"),
        "sl": Decimal("41800.5"),
        "prob": 0.61,
        "horizon_min": 60,
        "decided_at": CLOSED_AT,
        "expires_at": CLOSED_AT + timedelta(seconds=180),
    }
    return TradeIntent(**fields | changed)
