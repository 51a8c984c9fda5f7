"""Dispatch: one tick becomes one message per symbol.

The tick's document is created before anything is published and marked as sent after everything was, so a crash in
between is made good by the next call for the same tick: what is published twice is decided once.

On the live market a minute's request weight may not be enough for every symbol: at midnight all four timeframes close
at once. Then the messages go out in portions, each as large as the minute allows, as long as a portion is still in
time.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from withearth.domain.book import Quote
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import floor_to_tick, tick_id
from withearth.flow.documents import tick_ref
from withearth.flow.runtime import Runtime
from withearth.flow.universe import find_symbols
from withearth.market.fallbacks import listening
from withearth.market.weights import tick_weight
from withearth.messaging.events import MarketTick, QuoteSlice, encode
from withearth.messaging.port import MARKET_TICKS, Message
from withearth.signals import Signal, tell
from withearth.store.port import AlreadyExists, Create, Replace

TO_DECIDE = timedelta(seconds=30)
"""How long before its message would come too late a symbol is published at the latest."""

log = logging.getLogger(__name__)


def dispatch(runtime: Runtime) -> Mapping[str, Any]:
    """Publish the newest closed tick, unless that was done. Returns the tick's document."""
    closed_at = floor_to_tick(runtime.clock.now())
    tick = tick_id(closed_at)
    ref = tick_ref(tick)
    stored = runtime.store.get(ref)
    if stored is not None and stored.data["sent"]:
        return stored.data
    document: dict[str, Any] = {
        "tick_id": tick,
        "closed_at": closed_at,
        "market": runtime.market.origin.value,
        "symbols": list(find_symbols(runtime, closed_at)),
        "sent": False,
    }
    try:
        runtime.store.commit([Create(ref, document)])
    except AlreadyExists:
        stored = runtime.store.get(ref)
        if stored is not None and stored.data["sent"]:
            return stored.data
    charted = frozenset(document["symbols"][: runtime.settings.chart_symbols])
    for portion in _portions(runtime, closed_at, document["symbols"]):
        _publish(runtime, closed_at, portion, charted)
    document["sent"] = True
    runtime.store.commit([Replace(ref, document)])
    tell(Signal.TICK_SENT, tick_id=tick, symbols=len(document["symbols"]))
    return document


def _portions(runtime: Runtime, closed_at: datetime, symbols: Sequence[str]) -> Iterator[Sequence[str]]:
    """The symbols, as many at a time as the minute's weight is enough for; waits for the next minute in between."""
    traffic, left = runtime.traffic, symbols
    latest = closed_at + timedelta(seconds=runtime.settings.max_tick_age_sec) - TO_DECIDE
    while traffic is not None and traffic.known().stop is None:
        count, wait = int(traffic.room() / tick_weight(closed_at)), traffic.until_next_minute()
        if count >= len(left) or runtime.clock.now() + wait > latest:
            break
        if count:
            yield left[:count]
        left = left[count:]
        runtime.clock.sleep(wait)
    yield left


def _publish(runtime: Runtime, closed_at: datetime, symbols: Sequence[str], charted: frozenset[str]) -> None:
    with listening() as fallbacks:
        quotes, no_quote = quotes_or_why(runtime, symbols, closed_at)
    tick = tick_id(closed_at)
    ticks = [
        market_tick(each, tick, quotes.get(each), no_quote, charted=each in charted, fallbacks=fallbacks)
        for each in symbols
    ]
    runtime.publisher.publish(MARKET_TICKS, [_message(each) for each in ticks])


def quotes_or_why(
    runtime: Runtime, symbols: Sequence[str], closed_at: datetime
) -> tuple[Mapping[str, Quote], Reason | None]:
    """The quotes, or none and why there are none."""
    try:
        return runtime.market.quotes(symbols, closed_at), None
    except MarketFault as fault:
        return {}, fault.reason


def market_tick(
    symbol: str,
    tick: str,
    quote: Quote | None,
    no_quote: Reason | None = None,
    *,
    charted: bool = False,
    fallbacks: Iterable[str] = (),
) -> MarketTick:
    """The event that asks for a decision, with the symbol's slice of the all-symbol calls."""
    return MarketTick(
        symbol=symbol,
        tick_id=tick,
        quote=_slice(quote),
        no_quote=no_quote,
        charted=charted,
        fallbacks=tuple(sorted(fallbacks)) or None,
    )


def _slice(quote: Quote | None) -> QuoteSlice | None:
    """What an event can carry of a quote; a number that none can leaves that symbol without one."""
    if quote is None:
        return None
    try:
        return QuoteSlice(**{name: getattr(quote, name) for name in QuoteSlice.model_fields})
    except ValueError as error:
        log.warning("quote_unreadable %s: %r", quote.symbol, error)
        return None


def _message(tick: MarketTick) -> Message:
    return Message(encode(tick), {"symbol": tick.symbol, "tick_id": tick.tick_id})
