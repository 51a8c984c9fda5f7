"""Dispatch: one tick becomes one message per symbol.

The tick's document is created before anything is published and marked as sent after everything was, so a crash in
between is made good by the next call for the same tick: what is published twice is decided once.
"""

from collections.abc import Mapping
from typing import Any

from withearth.domain.book import Quote
from withearth.domain.times import floor_to_tick, tick_id
from withearth.flow.documents import tick_ref
from withearth.flow.runtime import Runtime
from withearth.messaging.events import MarketTick, QuoteSlice, encode
from withearth.messaging.port import MARKET_TICKS, Message
from withearth.signals import Signal, tell
from withearth.store.port import AlreadyExists, Create, Replace


def dispatch(runtime: Runtime) -> Mapping[str, Any]:
    """Publish the newest closed tick, unless that was done. Returns the tick's document."""
    closed_at = floor_to_tick(runtime.clock.now())
    tick = tick_id(closed_at)
    document: dict[str, Any] = {
        "tick_id": tick,
        "closed_at": closed_at,
        "market": runtime.market.origin.value,
        "symbols": list(runtime.settings.symbols),
        "sent": False,
    }
    ref = tick_ref(tick)
    try:
        runtime.store.commit([Create(ref, document)])
    except AlreadyExists:
        stored = runtime.store.get(ref)
        if stored is not None and stored.data["sent"]:
            return stored.data
    quotes = runtime.market.quotes(runtime.settings.symbols, closed_at)
    runtime.publisher.publish(
        MARKET_TICKS,
        [_message(market_tick(symbol, tick, quotes.get(symbol))) for symbol in runtime.settings.symbols],
    )
    document["sent"] = True
    runtime.store.commit([Replace(ref, document)])
    tell(Signal.TICK_SENT, tick_id=tick, symbols=len(runtime.settings.symbols))
    return document


def market_tick(symbol: str, tick: str, quote: Quote | None) -> MarketTick:
    """The event that asks for a decision, with the symbol's slice of the all-symbol calls."""
    fields = ("bid", "ask", "observed_at", "funding_rate", "next_funding_at")
    slice_ = None if quote is None else QuoteSlice(**{name: getattr(quote, name) for name in fields})
    return MarketTick(symbol=symbol, tick_id=tick, quote=slice_)


def _message(tick: MarketTick) -> Message:
    return Message(encode(tick), {"symbol": tick.symbol, "tick_id": tick.tick_id})
