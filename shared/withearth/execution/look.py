"""Look: what a reading of the exchange teaches the record. Pure.

An order that a reading does not show is not thereby gone: the exchange answers -2013 for orders that live, and shows
new ones late. Only one that was never seen, was looked for several times, is older than a request can be under way, and
left no trace in the position, is ABSENT; one that was seen and is not found any more keeps its last state until the
exchange says how it ended, or has had the time after which it forgets what ended without a fill.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.times import from_ms
from withearth.execution.lineage import Leg, is_the_exchange_s
from withearth.execution.orders import Accepted, Action, Answer, Rejected, Unknown, entering
from withearth.execution.record import Execution, Outcome, Sent
from withearth.execution.shown import ConditionalState, ConditionalStatus, OrderState, Truth

ABSENT_AFTER: Final = timedelta(seconds=10)
"""Older than this, a request that was not found cannot arrive any more: twice the receive window of 5 s, in which the
exchange refuses a late request by itself."""
ABSENCES_MIN: Final = 3
FORGOTTEN_AFTER: Final = timedelta(days=3)
"""How long the exchange tells of an order that ended without a fill. One that filled is told of for three months."""
BELIEVED_AFTER: Final = timedelta(seconds=30)
"""Longer than a reading lags. A position that our fills do not explain by then was changed by somebody else."""
TWINS_AFTER: Final = timedelta(seconds=2)
"""Longer than position and orders usually lag behind each other; a doubled entry must not wait."""
_FRUITLESS: Final = frozenset({ConditionalStatus.CANCELED, ConditionalStatus.EXPIRED, ConditionalStatus.REJECTED})
"""Ends of a conditional order from which no ordinary order comes. A triggered one is told by the order it became."""
DUPLICATE_ID: Final = -4116
"""An open order with this client id exists: the first request did arrive."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One reading: the open orders and the position, and each of our unsettled orders that had to be asked for."""

    truth: Truth
    asked: Mapping[str, OrderState | ConditionalState | None]
    listed: tuple[OrderState, ...] = ()
    """All orders since the beginning, where ours do not explain what is held: only this list shows an id twice."""

    @property
    def held(self) -> Decimal:
        """The position, signed."""
        return self.truth.position.qty

    def covering(self, stops: list[tuple[str, Sent]]) -> list[tuple[str, ConditionalState]]:
        """Our stops that stand guard right now, oldest first. Only the list of open orders counts."""
        seen = ((id_, self.truth.conditional(id_)) for id_, _ in stops)
        return [(id_, state) for id_, state in seen if state is not None and state.status.is_open]


def to_ask(execution: Execution, truth: Truth) -> list[tuple[str, Sent]]:
    """Our unsettled orders that the open lists do not show: each has to be asked for by its id."""
    return [
        (id_, sent)
        for id_, sent in execution.unsettled()
        if truth.order(id_) is None and truth.conditional(id_) is None
    ]


def learn(execution: Execution, sight: Sight, now: datetime) -> Execution:
    """The record with what the reading shows."""
    execution = execution.with_sent({id_: _seen(id_, sent, sight, now) for id_, sent in execution.unsettled()})
    execution = execution.with_sent(_explained(execution, sight.listed))
    execution = execution.with_sent(_closed_by_the_exchange(execution, sight.listed))
    odd = execution.expected != sight.held
    execution = replace(execution, odd_since=(execution.odd_since or now) if odd else None)
    absent = [(id_, sent) for id_, sent in execution.unsettled() if _is_absent(sent, execution.odd_since, now)]
    return execution.with_sent({id_: replace(sent, outcome=Outcome.ABSENT) for id_, sent in absent})


def answered(execution: Execution, client_id: str, answer: Answer) -> Execution:
    """The record with what an order was answered with."""
    sent = execution.sent[client_id]
    match answer:
        case Accepted(order_id=order_id):
            sent = replace(sent, outcome=Outcome.LIVE, order_id=order_id)
        case Rejected(code=code) if code == DUPLICATE_ID:
            pass
        case Rejected(code=code):
            sent = replace(sent, outcome=Outcome.REJECTED, code=code)
        case Unknown():
            pass
    return execution.with_sent({client_id: sent})


def may_have_twins(execution: Execution, truth: Truth, now: datetime) -> bool:
    """Whether something else is held than our orders filled, for longer than one reading lags behind the other."""
    odd_since = execution.odd_since
    differs = truth.position.qty != execution.expected
    return differs and odd_since is not None and now - odd_since >= TWINS_AFTER


def _explained(execution: Execution, listed: Iterable[OrderState]) -> dict[str, Sent]:
    """Our orders with every fill under their ids: one of a request that was repeated, or that a refusal hid.

    What was answered to a repeated request may be a refusal of the second, though the first was executed.
    """
    changed = dict[str, Sent]()
    for each in listed:
        sent = changed.get(each.client_id) or execution.sent.get(each.client_id)
        if sent is None or not each.filled:
            continue
        waited = sent.leg in {Leg.STOP, Leg.TARGET} and not sent.filled
        if waited or sent.order_id in {"", each.order_id}:
            # A conditional order's own id is not that of the order it becomes.
            changed[each.client_id] = _as_order(sent, each)
        else:
            changed[each.client_id] = replace(sent, twins={**sent.twins, each.order_id: each.filled})
    return changed


def _closed_by_the_exchange(execution: Execution, listed: Iterable[OrderState]) -> dict[str, Sent]:
    """What the exchange closed of ours by orders of its own, as exits; one that closed more was not about ours only."""
    exits, left, found = len(execution.legs(Leg.EXIT)), abs(execution.expected), dict[str, Sent]()
    for each in listed:
        is_known = each.client_id in execution.sent or not is_the_exchange_s(each.client_id)
        if is_known or not _reduces(execution, each) or not 0 < each.filled <= left:
            continue
        exit_ = Sent(Leg.EXIT, exits + len(found), each.qty, None, from_ms(each.updated_ms))
        found[each.client_id] = _as_order(exit_, each)
        left -= each.filled
    return found


def _reduces(execution: Execution, order: OrderState) -> bool:
    return order.position_side is execution.terms.position_side and order.action is action_of(execution, Leg.EXIT)


def _seen(client_id: str, sent: Sent, sight: Sight, now: datetime) -> Sent:
    state = sight.truth.order(client_id) or sight.truth.conditional(client_id) or sight.asked.get(client_id)
    match state:
        case OrderState():
            return _as_order(sent, state)
        case ConditionalState():
            return replace(sent, outcome=Outcome.OVER if state.status in _FRUITLESS else Outcome.LIVE)
        case None:
            missed = replace(sent, absences=sent.absences + 1)
            return replace(missed, outcome=Outcome.OVER) if _is_forgotten(missed, now) else missed


def _is_forgotten(sent: Sent, now: datetime) -> bool:
    """Whether an order that the exchange had has ended so long ago that it does not say how: without a fill, then."""
    sought = sent.absences >= ABSENCES_MIN and now - sent.sent_at >= FORGOTTEN_AFTER
    return sent.outcome is Outcome.LIVE and sought


def _as_order(sent: Sent, state: OrderState) -> Sent:
    filled_at = sent.filled_at or (from_ms(state.updated_ms) if state.filled else None)
    return replace(
        sent,
        outcome=Outcome.LIVE if state.status.is_open else Outcome.OVER,
        filled=state.filled,
        filled_at=filled_at,
        average=state.average_price,
        price=state.price if sent.leg is Leg.ENTRY else sent.price,
        order_id=state.order_id,
        twins={id_: filled for id_, filled in sent.twins.items() if id_ != state.order_id},
    )


def _is_absent(sent: Sent, odd_since: datetime | None, now: datetime) -> bool:
    """Whether a request never arrived. A position that is not as it should be speaks for one that did.

    For an entry it always does: taken for absent, what it filled would belong to nobody.
    """
    sought = sent.absences >= ABSENCES_MIN and now - sent.sent_at >= ABSENT_AFTER
    if sent.outcome is not Outcome.PENDING or not sought:
        return False
    return odd_since is None or (sent.leg is not Leg.ENTRY and now - odd_since >= BELIEVED_AFTER)


def action_of(execution: Execution, leg: Leg) -> Action:
    """The direction of an order of this leg: an entry opens, everything else reduces."""
    opening = entering(execution.terms.side)
    return opening if leg is Leg.ENTRY else opening.opposite
