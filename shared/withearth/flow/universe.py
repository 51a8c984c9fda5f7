"""The universe: which symbols are decided on, where SYMBOLS says how to find them.

`all` is whatever the market lets be entered, `top:N` those that traded most in the 24 hours before the UTC day's
first tick. The dispatcher finds them with every tick, so a listing joins and a delisting leaves by itself; everybody
else reads the document it keeps. An open trade is managed to its end whether or not its symbol is still in.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from withearth.domain.errors import MarketFault
from withearth.flow.documents import universe_ref
from withearth.flow.journal import event, record_once
from withearth.flow.runtime import Runtime
from withearth.store.port import Replace

NAMED_MAX: Final = 20
"""How many symbols the event of a change names."""

log = logging.getLogger(__name__)


def symbols_of(runtime: Runtime) -> tuple[str, ...]:
    """The symbols that are decided on at present; none before the first tick, where they have to be found."""
    if runtime.settings.names_symbols:
        return runtime.settings.symbols
    stored = runtime.store.get(universe_ref())
    return () if stored is None else tuple(stored.data["symbols"])


def find_symbols(runtime: Runtime, as_of: datetime) -> tuple[str, ...]:
    """The symbols to decide on at a tick; the last known ones when the market cannot tell."""
    if runtime.settings.names_symbols:
        return runtime.settings.symbols
    stored = runtime.store.get(universe_ref())
    known = None if stored is None else stored.data
    try:
        found = _found(runtime, as_of, known)
    except MarketFault as fault:
        log.warning("universe_kept: %s", fault)
        return symbols_of(runtime)
    if known is None or known["symbols"] != found["symbols"] or known["ranked_on"] != found["ranked_on"]:
        runtime.store.commit([Replace(universe_ref(), found)])
        _tell(runtime, as_of, () if known is None else known["symbols"], found["symbols"])
    return tuple(found["symbols"])


def _found(runtime: Runtime, as_of: datetime, known: Mapping[str, Any] | None) -> dict[str, Any]:
    tradable, day = runtime.market.tradable(as_of), f"{as_of:%Y%m%d}"
    top = runtime.settings.top
    if top is None:
        return {"symbols": list(tradable), "top": None, "ranked_on": None, "at": as_of}
    if known is not None and known["ranked_on"] == day and known["top"] == top:
        ranked: Sequence[str] = known.get("ranked", known["symbols"])
    else:
        turnover = runtime.market.turnover(as_of)
        ranked = sorted(tradable, key=lambda symbol: (-turnover.get(symbol, 0.0), symbol))[:top]
    symbols = [symbol for symbol in ranked if symbol in tradable]
    return {"symbols": symbols, "ranked": list(ranked), "top": top, "ranked_on": day if ranked else None, "at": as_of}


def _tell(runtime: Runtime, at: datetime, before: Sequence[str], now: Sequence[str]) -> None:
    changes = (("joined", set(now) - set(before)), ("left", set(before) - set(now)))
    text = "; ".join(f"{len(names)} {what}: {_some(names)}" for what, names in changes if names)
    if text:
        record_once(runtime.store, event(f"universe-{at:%Y%m%dT%H%MZ}", "UNIVERSE_CHANGED", at, "", text))


def _some(names: set[str]) -> str:
    shown = sorted(names)[:NAMED_MAX]
    return ", ".join(shown) + (", ..." if len(names) > NAMED_MAX else "")
