"""The canary: once a day a stop that can never execute is placed and taken away, to know that stops still work (R1).

It is reduce-only, of the smallest quantity, far from the market, and on a symbol of which nothing is held: nothing
could come of it even if it went off. A venue that refuses it for want of a position has understood it, and that is what
was asked.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.domain.instrument import Instrument
from withearth.domain.times import to_ms
from withearth.execution.orders import Accepted, Action, Answer, Conditional, PositionSide, Rejected, Trigger, place_of
from withearth.execution.plan import NEEDS_POSITION
from withearth.execution.unsupported import NO_SUCH_ORDER_TYPE
from withearth.execution.venue import EXTERNAL, Venue
from withearth.flow.documents import canary_ref, position_ref
from withearth.flow.journal import event
from withearth.flow.places import position_sides
from withearth.flow.runtime import Runtime
from withearth.flow.trading_state import trip
from withearth.flow.universe import symbols_of
from withearth.risk.sizing import smallest_order
from withearth.store.port import Replace, Write

EVERY: Final = timedelta(hours=24)
PREFIX: Final = "canary-"
"""Of its client ids: no decision's, and the sweep leaves them alone."""
LOOKS: Final = 5
LOOK_AGAIN: Final = timedelta(seconds=1)
FAILURES_MAX: Final = 3
_FARTHEST: Final = Decimal("0.5")


def try_stops(runtime: Runtime, venue: Venue) -> None:
    """Place and cancel the day's canary where it is due, and halt trading when it shows that stops do not work.

    On the paper exchange nothing changes overnight, and nothing is tried. Raises Unavailable.
    """
    if runtime.mode not in EXTERNAL:
        return
    stored, now = runtime.store.get(canary_ref()), runtime.clock.now()
    known = {} if stored is None else dict(stored.data)
    if known.get("mode") == runtime.mode and now < known["due_at"]:
        return
    if known.get("client_id") and not _is_gone(runtime, venue, known["symbol"], known["client_id"]):
        _failed(runtime, known, f"{known['client_id']} could not be taken away")
        return
    symbol = _free_symbol(runtime, venue)
    if symbol is not None:
        _try(runtime, venue, known, symbol)


def _free_symbol(runtime: Runtime, venue: Venue) -> str | None:
    """A symbol of which nothing is held, by the books and by the exchange."""
    sides = position_sides(runtime.settings)
    for symbol in symbols_of(runtime):
        taken = runtime.store.get_many([position_ref(place_of(symbol, side)) for side in sides])
        if not any(taken) and not any(venue.truth(symbol, side).position.qty for side in sides):
            return symbol
    return None


def _try(runtime: Runtime, venue: Venue, known: dict[str, Any], symbol: str) -> None:
    """Write down what is about to be placed, place it, see it stand, take it away, and see it gone."""
    now = runtime.clock.now()
    stop = _far_stop(
        runtime.market.instrument(symbol), venue.touch(symbol)[0], position_sides(runtime.settings)[0], now
    )
    known |= {"mode": runtime.mode, "client_id": stop.client_id, "symbol": symbol, "due_at": now}
    runtime.store.commit([Replace(canary_ref(), known)])
    answer = venue.arm(stop, now)
    if isinstance(answer, Rejected) and answer.code in NO_SUCH_ORDER_TYPE:
        _halt(runtime, known, f"the exchange refuses stop orders with {answer.code}: {answer.message}")
    elif isinstance(answer, Rejected) and answer.code in NEEDS_POSITION:
        _worked(runtime, known, f"understood, and refused for want of a position ({answer.code})")
    elif isinstance(answer, Rejected):
        _failed(runtime, known | {"client_id": ""}, f"{answer.code} {answer.message}")
    elif not _stands(runtime, venue, stop):
        _failed(runtime, known, f"{stop.client_id} was {_word(answer)}, and never seen to stand")
    elif not _is_gone(runtime, venue, symbol, stop.client_id):
        _failed(runtime, known, f"{stop.client_id} could not be taken away")
    else:
        _worked(runtime, known, "placed, seen, taken away, seen gone")


def _far_stop(instrument: Instrument, bid: Decimal, side: PositionSide, now: datetime) -> Conditional:
    """A stop as far below the market as half of the band in which the exchange takes prices."""
    lowest = _FARTHEST if instrument.band is None else max(instrument.band[0], _FARTHEST)
    trigger = instrument.price_down(bid * (1 + lowest) / 2)
    qty = smallest_order(trigger, instrument)
    client_id, symbol = f"{PREFIX}{to_ms(now)}", instrument.symbol
    return Conditional(symbol, client_id, Action.SELL, qty, Trigger.STOP, trigger, side)


def _word(answer: Answer) -> str:
    return "accepted" if isinstance(answer, Accepted) else "answered by nothing that can be read"


def _stands(runtime: Runtime, venue: Venue, stop: Conditional) -> bool:
    for _ in range(LOOKS):
        found = venue.truth(stop.symbol, stop.position_side).conditional(stop.client_id)
        if found is not None and found.status.is_open:
            return True
        runtime.clock.sleep(LOOK_AGAIN)
    return False


def _is_gone(runtime: Runtime, venue: Venue, symbol: str, client_id: str) -> bool:
    """Take it away, and look whether the list of open orders shows it any more."""
    for _ in range(LOOKS):
        venue.disarm(client_id, runtime.clock.now())
        sides = position_sides(runtime.settings)
        if all(venue.truth(symbol, side).conditional(client_id) is None for side in sides):
            return True
        runtime.clock.sleep(LOOK_AGAIN)
    return False


def _worked(runtime: Runtime, known: dict[str, Any], how: str) -> None:
    _note(runtime, known | {"client_id": "", "failures": 0, "fault": None, "due_at": runtime.clock.now() + EVERY}, how)


def _failed(runtime: Runtime, known: dict[str, Any], why: str) -> None:
    """Try again with the next pass; who fails again and again does not work."""
    failures = known.get("failures", 0) + 1
    after = known | {"failures": failures, "fault": why}
    if failures < FAILURES_MAX:
        _note(runtime, after, why)
    else:
        _halt(runtime, after | {"failures": 0}, f"a stop could not be tried {FAILURES_MAX} times in a row: {why}")


def _halt(runtime: Runtime, known: dict[str, Any], why: str) -> None:
    """No stop can be relied upon: nothing is entered until a person has looked. It is tried again a day later."""
    now = runtime.clock.now()
    noted = Replace(canary_ref(), known | {"fault": why, "due_at": now + EVERY, "at": now})
    trip(runtime, why, noted, event(f"{PREFIX}{to_ms(now)}", "CANARY_FAILED", now, known["symbol"], why))


def _note(runtime: Runtime, known: dict[str, Any], how: str) -> None:
    written: list[Write] = [Replace(canary_ref(), known | {"at": runtime.clock.now(), "how": how})]
    runtime.store.commit(written)
