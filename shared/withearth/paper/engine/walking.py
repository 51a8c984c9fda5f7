"""Time passes: from price to price, from deadline to deadline, in order.

A stretch of time is skipped at once when no price in it can change anything (see `bands`); otherwise the feed's ticks
in it are walked one by one. After every change what can happen next is looked at anew.
"""

from itertools import groupby
from operator import itemgetter
from typing import Final

from withearth.paper.engine.bands import can_touch
from withearth.paper.engine.conditional import fire_due
from withearth.paper.engine.matching import match_resting
from withearth.paper.engine.settling import liquidate_broken, settle_due
from withearth.paper.engine.venue import Venue
from withearth.paper.feed import Tick

STRETCH_MS: Final = 300_000
"""The longest stretch looked at at once: as long as the feeds' bars."""


def advance(venue: Venue, to_ms: int) -> None:
    """Move to an instant and do all that happens on the way. A past instant does nothing."""
    while venue.now_ms < to_ms:
        active = [symbol for symbol, state in venue.states.items() if state.is_active]
        until = max(venue.now_ms, min(to_ms, venue.next_deadline()))
        if active:
            stretch_end = venue.now_ms - venue.now_ms % STRETCH_MS + STRETCH_MS
            _walk(venue, active, min(until, stretch_end))
        else:
            venue.now_ms = until
        if venue.next_deadline() <= venue.now_ms:
            settle_due(venue)


def _walk(venue: Venue, active: list[str], until_ms: int) -> None:
    touched = [symbol for symbol in active if _is_touched(venue, symbol, until_ms)]
    steps = [
        (tick.time_ms, symbol, tick) for symbol in touched for tick in venue.feed.steps(symbol, venue.now_ms, until_ms)
    ]
    version = venue.version
    for time_ms, together in groupby(sorted(steps, key=itemgetter(0, 1)), key=itemgetter(0)):
        venue.now_ms = time_ms
        for _, symbol, tick in together:
            _react(venue, symbol, tick)
        if venue.version != version:
            return  # other bounds hold from here on
    if touched:
        venue.changed()  # prices may have left their bands: they are drawn anew around the present ones
    venue.now_ms = until_ms


def _is_touched(venue: Venue, symbol: str, until_ms: int) -> bool:
    span = venue.feed.span(symbol, venue.now_ms, until_ms)
    return span is not None and can_touch(venue, symbol, span)


def _react(venue: Venue, symbol: str, tick: Tick) -> None:
    state = venue.states[symbol]
    if state.orders:
        match_resting(venue, symbol, tick)
    if state.algos:
        fire_due(venue, symbol, tick)
    for key in list(state.holders):
        liquidate_broken(venue, venue.accounts[key], symbol)
