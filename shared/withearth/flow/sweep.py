"""Sweep: what stands on the exchange and should not.

An order of ours whose execution has ended, or never was, is an orphan: a forgotten stop is live ammunition for the next
position on its symbol. It is taken away when two passes in a row have seen it, because the lists show old states late.
Orders and positions of others are reported once, and left alone. So is what reduces a position that these books do not
explain: where they are lost, or others trade on the account, it may be all that protects it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from withearth.domain.canonical import digest
from withearth.execution.lineage import is_marked, lineage
from withearth.execution.orders import Action, place_of
from withearth.execution.shown import ConditionalState, OrderState, Position
from withearth.execution.venue import Venue
from withearth.flow.canary import PREFIX as CANARY
from withearth.flow.documents import IntentState, intent_ref, position_ref
from withearth.flow.journal import event, record_once
from withearth.flow.mark import our_mark
from withearth.flow.runtime import Runtime, is_of
from withearth.store.port import Ref, Replace

SUSPECTS: Final = Ref("risk", "orphan-suspects")

AnyOrder = OrderState | ConditionalState


def sweep(runtime: Runtime, venue: Venue) -> None:
    """Take orphans away and report what is foreign. Raises Unavailable when the exchange cannot be read."""
    positions, orders, conditionals = venue.everything()
    everything: list[AnyOrder] = [*orders, *conditionals]
    mark = our_mark(runtime)
    foreign = {each.place: each for each in positions if not _is_explained(runtime, each)}
    orphans = [each for each in everything if _is_orphan(runtime, each, mark) and not _protects(each, foreign)]
    suspects = runtime.store.get(SUSPECTS)
    seen_before = set() if suspects is None else set(suspects.data["ids"])
    for each in orphans:
        if each.client_id in seen_before:
            _take_away(runtime, venue, each)
    ids = sorted(each.client_id for each in orphans)
    if ids or seen_before:
        runtime.store.commit([Replace(SUSPECTS, {"ids": ids, "at": runtime.clock.now()})])
    others = [each for each in everything if not is_marked(each.symbol, each.client_id, mark)]
    _report_foreign(runtime, foreign.values(), others)


def _is_orphan(runtime: Runtime, order: AnyOrder, mark: str) -> bool:
    origin = lineage(order.symbol, order.client_id)
    if origin is None or origin.mark != mark:
        return False
    intent = runtime.store.get(intent_ref(origin.intent_id))
    return intent is None or intent.data["state"] != IntentState.CLAIMED


def _is_explained(runtime: Runtime, held: Position) -> bool:
    """Whether a position is that of a trade of ours."""
    taken = runtime.store.get(position_ref(held.place))
    return taken is not None and is_of(runtime, taken)


def _protects(order: AnyOrder, foreign: Mapping[str, Position]) -> bool:
    """Whether an order can do nothing but reduce one of these positions."""
    held = foreign.get(place_of(order.symbol, order.position_side))
    return held is not None and order.only_reduces and (order.action is Action.SELL) == (held.qty > 0)


def _take_away(runtime: Runtime, venue: Venue, order: AnyOrder) -> None:
    """Write down what is about to be cancelled, and cancel it; the next pass sees whether it is gone."""
    now = runtime.clock.now()
    text = f"{order.client_id} stood without an execution"
    record_once(runtime.store, event(f"orphan-{order.client_id}", "ORPHAN_REMOVED", now, order.symbol, text))
    if isinstance(order, OrderState):
        venue.cancel(order.symbol, order.client_id, now)
    else:
        venue.disarm(order.client_id, now)


def _report_foreign(runtime: Runtime, positions: Iterable[Position], orders: Iterable[AnyOrder]) -> None:
    now = runtime.clock.now()
    for held in positions:
        _report(runtime, now, f"position-{held.place}-{now:%Y%m%d}", held.symbol, f"position of {held.qty}")
    for order in orders:
        if not order.client_id.startswith(CANARY):
            # A client id of others may hold what an id of ours may not.
            what = f"order-{digest(order.client_id)[:16]}"
            _report(runtime, now, what, order.symbol, f"order {order.client_id}")


def _report(runtime: Runtime, now: datetime, what: str, symbol: str, text: str) -> None:
    record_once(runtime.store, event(f"foreign-{what}", "FOREIGN", now, symbol, f"{text} is not ours and left alone"))
