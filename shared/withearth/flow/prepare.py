"""Prepare: bring a symbol's margin type and leverage to what the settings say, once, and remember it.

What is remembered is the wish and when it was seen fulfilled. It is looked at again after an hour, because a person can
change it on the exchange at any time.
"""

from datetime import timedelta
from typing import Final

from withearth.domain.errors import Unavailable
from withearth.execution.orders import Rejected
from withearth.execution.preparation import changes, refuse_account
from withearth.execution.shown import SymbolModes
from withearth.execution.venue import Venue
from withearth.flow.places import position_sides
from withearth.flow.runtime import Runtime
from withearth.store.port import Ref, Replace

VALID_FOR: Final = timedelta(hours=1)


def prepare(runtime: Runtime, venue: Venue, symbol: str) -> None:
    """See to it that the symbol is set up as the settings say.

    Raises Misconfigured when it is not ours to change, and Unavailable when the exchange did not do it.
    """
    wanted = SymbolModes(runtime.settings.margin_type, runtime.settings.leverage)
    ref, now = Ref("prepared", symbol), runtime.clock.now()
    known = runtime.store.get(ref)
    mode = runtime.settings.position_mode
    wish = {
        "venue": venue.kind,
        "margin_type": wanted.margin_type,
        "leverage": wanted.leverage,
        "position_mode": mode,
    }
    if known is not None and known.data["wish"] == wish and now - known.data["at"] < VALID_FOR and known.data["done"]:
        return
    runtime.store.commit([Replace(ref, {"wish": wish, "at": now, "done": False})])
    refuse_account(venue.modes(), hedge_mode=mode == "HEDGE")
    truths = [venue.truth(symbol, side) for side in position_sides(runtime.settings)]
    occupied = any(truth.position.qty or truth.orders or truth.conditionals for truth in truths)
    needed = changes(symbol, venue.symbol_modes(symbol), wanted, occupied=occupied)
    if needed.margin_type is not None:
        _refuse_failure(venue.set_margin_type(symbol, needed.margin_type, now))
    if needed.leverage is not None:
        _refuse_failure(venue.set_leverage(symbol, needed.leverage, now))
    if needed and venue.symbol_modes(symbol) != wanted:
        raise Unavailable(f"the exchange does not show {symbol} as it was just set up")
    runtime.store.commit([Replace(ref, {"wish": wish, "at": now, "done": True})])


def _refuse_failure(answer: object) -> None:
    if isinstance(answer, Rejected):
        raise Unavailable(f"the exchange refused to set up {answer.client_id}: {answer.code} {answer.message}")
