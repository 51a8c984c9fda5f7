"""The planner: from the record and one reading of the exchange to the one next step. Pure; one function a phase.

The planner never assumes that the step before it succeeded: it sees the record and the exchange, as they are now. That
makes the first attempt, a resumption after a crash and a repair by the reconciler the same code.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.reasons import Reason
from withearth.execution.lineage import ATTEMPTS_MAX, Leg
from withearth.execution.orders import Trigger
from withearth.execution.phases import Event, Phase
from withearth.execution.record import Execution, Outcome, Sent
from withearth.execution.shown import ConditionalState
from withearth.execution.situation import Move, Remove, Reprice, Rest, Send, Situation, Step, Wait
from withearth.execution.trailing import is_good_enough

ALREADY_TRIGGERED: Final = -2021
"""The trigger price is on the wrong side of the market: a stop must be replaced by a market exit at once."""
NEEDS_POSITION: Final = frozenset({-2022, -4118, -1106})
"""Codes by which a venue refuses a reduce-only conditional order because there is no position yet."""
TRANSIENT: Final = frozenset({0, -1003, -1008, -1015, -1016, -1021, -5022, -5028})
"""Codes of requests that were refused before they were looked at: not sent, limited, overloaded, out of time; and of a
post-only order that would have taken, for which the next price may do."""
BLOCKED: Final = frozenset({-2022, -4118})
"""Codes by which an exit is refused because other reduce-only orders stand for the same quantity."""
STOP_ATTEMPTS_MAX: Final = 4
ATTEMPTS_A_LEG: Final = 20
LOOK_AGAIN: Final = timedelta(seconds=1)
A_PASS: Final = timedelta(seconds=50)
"""Less than the minute after which the reconciler comes again."""
SEEN_WITHIN: Final = timedelta(seconds=5)
"""How long the list of open orders, or the position, may lag behind an order that the exchange has taken."""


def plan(situation: Situation) -> Step:
    """The next step."""
    step = _PLANNERS[situation.execution.phase](situation)
    return _paced(situation, step) if isinstance(step, Send) else step


def _paced(situation: Situation, step: Send) -> Step:
    """No leg is sent twice within a look: what is refused once would use up its attempts, and the exchange's limits."""
    newest = situation.execution.newest(step.leg)
    if newest is None or situation.now >= newest[1].sent_at + LOOK_AGAIN:
        return step
    return Wait(newest[1].sent_at + LOOK_AGAIN - situation.now)


def _arming(situation: Situation) -> Step:
    """Get the stop on the exchange before anything else."""
    execution = situation.execution
    if situation.covers(execution.terms.qty):
        return Move(Event.ARMED)
    newest = execution.newest(Leg.STOP)
    if newest is not None and not newest[1].is_settled:
        return Wait(LOOK_AGAIN)
    if situation.no_entry is not None:
        return Move(Event.REFUSED, situation.no_entry)
    if newest is None or _may_repeat(execution, Leg.STOP, newest[1], STOP_ATTEMPTS_MAX):
        return Send(Leg.STOP, execution.terms.qty, execution.terms.sl)
    if newest[1].code in NEEDS_POSITION:
        return Move(Event.STOP_NEEDS_POSITION)
    return Move(Event.REFUSED, Reason.STOP_REFUSED)


def _entering(situation: Situation) -> Step:
    """Work the entry. After a fill without a stop in place, protection comes before the rest is chased."""
    newest = situation.execution.newest(Leg.ENTRY)
    if newest is None:
        # Nothing of ours can be held yet: what is, belongs to somebody else, and gets no stop of ours.
        return _enter(situation)
    if situation.is_naked:
        return _cover(situation)
    client_id, sent = newest
    match sent.outcome:
        case Outcome.PENDING:
            return Wait(LOOK_AGAIN)
        case Outcome.LIVE:
            return _working(situation, client_id, sent)
        case Outcome.OVER | Outcome.REJECTED | Outcome.ABSENT:
            return _entered(situation, sent)


def _entered(situation: Situation, sent: Sent) -> Step:
    """What an entry that can fill no more has come to: a trade, also when its stop has gone off already, or none."""
    if situation.execution.filled:
        return Move(Event.FILLED)
    if not situation.is_flat or situation.now < sent.sent_at + SEEN_WITHIN:
        # A refusal may be that of its double, and the position that tells of the first lags, or is not explained yet.
        return Wait(LOOK_AGAIN)
    if sent.outcome is Outcome.OVER:
        return Move(Event.NOT_FILLED, _why_unfilled(situation))
    return _enter_again(situation, sent)


def _why_unfilled(situation: Situation) -> Reason:
    """What took a resting entry away: a limit or the trading state, if one speaks; else its time was over."""
    if situation.no_entry is None or situation.no_entry is Reason.INTENT_EXPIRED:
        return Reason.ENTRY_NOT_FILLED
    return situation.no_entry


def _enter(situation: Situation) -> Step:
    execution = situation.execution
    if situation.no_entry is not None:
        return Move(Event.NOT_FILLED, situation.no_entry)
    if situation.is_unguarded:
        return Move(Event.NOT_FILLED, Reason.STOP_REFUSED)
    price = situation.limit_price(0) if situation.policy.limit_entries else None
    return Send(Leg.ENTRY, execution.terms.qty - execution.filled, price)


def _enter_again(situation: Situation, sent: Sent) -> Step:
    """Only an order that is known not to exist is sent again, under the next id."""
    if _may_repeat(situation.execution, Leg.ENTRY, sent, 1 + situation.policy.retries_max):
        return _enter(situation)
    return Move(Event.NOT_FILLED, Reason.ENTRY_REFUSED)


def _working(situation: Situation, client_id: str, sent: Sent) -> Step:
    """An entry that rests: wait its time, follow the price, and give the rest up in the end.

    It is given up at once when nothing may be entered any more, or when the stop that went out before it is gone.
    """
    execution, policy = situation.execution, situation.policy
    if situation.no_entry is not None or situation.is_unguarded:
        return Remove(client_id)
    if situation.now < sent.sent_at + policy.limit_ttl * (1 + execution.reprices):
        return Wait(policy.limit_poll)
    if execution.reprices >= policy.reprices_max:
        return Remove(client_id)
    return Reprice(client_id, situation.limit_price(execution.reprices + 1))


def _protecting(situation: Situation) -> Step:
    """One stop and one target for exactly what is held, the new before the old goes."""
    end = _end_of_protecting(situation)
    if end is not None:
        return end
    shed = _shed(situation)
    if shed is not None:
        return shed
    if situation.is_naked:
        return _cover(situation)
    for leg, trigger in ((Leg.STOP, situation.stop), (Leg.TARGET, situation.execution.terms.tp)):
        step = _fit(situation, leg, trigger)
        if step is not None:
            return step
    return Wait(LOOK_AGAIN) if situation.is_unsure else Move(Event.PROTECTED)


def _end_of_protecting(situation: Situation) -> Move | None:
    """What leads out of protecting before anything is protected."""
    if situation.is_flat:
        return Move(Event.FLAT)
    if situation.close_now:
        return Move(Event.FLATTEN, Reason.FLATTENED)
    if not situation.policy.keep_partial and situation.execution.filled < situation.execution.terms.qty:
        return Move(Event.FLATTEN, Reason.PARTIALLY_FILLED)
    return None


def _shed(situation: Situation) -> Step | None:
    """Leave at the market what an entry that was executed twice has brought, before anything else; None when done."""
    newest = situation.execution.newest(Leg.EXIT)
    if not situation.surplus or _has_tried_enough(situation):
        return None
    if newest is not None and not newest[1].is_settled:
        return Wait(LOOK_AGAIN)
    return Send(Leg.EXIT, situation.surplus, None)


def _cover(situation: Situation) -> Step:
    """Get a stop in place for a quantity that has none, or leave at the market when the time for it is over."""
    execution = situation.execution
    newest = execution.newest(Leg.STOP)
    late = situation.now - (situation.naked_since or situation.now) > situation.policy.protect_within
    if late or (newest is not None and newest[1].code == ALREADY_TRIGGERED):
        return Move(Event.CANNOT_PROTECT, Reason.STOP_REFUSED)
    if newest is not None and _may_stand(situation, *newest):
        return Wait(LOOK_AGAIN)
    if len(execution.legs(Leg.STOP)) >= ATTEMPTS_A_LEG:
        return Move(Event.CANNOT_PROTECT, Reason.STOP_REFUSED)
    return Send(Leg.STOP, situation.exposure, situation.stop)


def _fit(situation: Situation, leg: Leg, trigger: Decimal) -> Step | None:
    """Bring one leg to exactly one order of the held quantity; None when it is, or cannot be brought any closer."""
    execution = situation.execution
    guarding = situation.sight.covering(execution.legs(leg))
    fitting = [id_ for id_, state in guarding if _fits(situation, state, trigger)]
    superfluous = [id_ for id_, _ in guarding if id_ != fitting[-1]] if fitting else []
    if fitting:
        return Remove(superfluous[0]) if superfluous else None
    newest = execution.newest(leg)
    if newest is not None and _may_stand(situation, *newest):
        return Wait(LOOK_AGAIN)
    if newest is not None and newest[1].code == ALREADY_TRIGGERED:
        return Move(Event.CANNOT_PROTECT, Reason.TARGET_REACHED if leg is Leg.TARGET else Reason.STOP_REFUSED)
    return Send(leg, situation.exposure, trigger) if len(execution.legs(leg)) < ATTEMPTS_A_LEG else None


def _fits(situation: Situation, state: ConditionalState, trigger: Decimal) -> bool:
    """Whether an order may stay as it is. A stop is wide of its place by less than what a move is worth."""
    in_place = is_good_enough(situation.execution.terms, state.trigger_price, trigger)
    return state.qty == situation.exposure and (in_place or state.trigger is Trigger.TARGET)


def _is_slack(situation: Situation) -> bool:
    """Whether every stop in place is further from the market than it should be."""
    guarding = situation.sight.covering(situation.execution.legs(Leg.STOP))
    terms = situation.execution.terms
    return not any(is_good_enough(terms, state.trigger_price, situation.stop) for _, state in guarding)


def _may_stand(situation: Situation, client_id: str, sent: Sent) -> bool:
    """Whether a conditional order may be on the exchange though its list does not show it."""
    unseen = situation.sight.truth.conditional(client_id) is None
    lags = sent.outcome is Outcome.LIVE and unseen and situation.now < sent.sent_at + SEEN_WITHIN
    return sent.outcome is Outcome.PENDING or lags


def _holding(situation: Situation) -> Step:
    """Protected: watch for the end."""
    if situation.is_flat:
        return Move(Event.FLAT)
    if situation.close_now:
        return Move(Event.FLATTEN, Reason.FLATTENED)
    if situation.now >= situation.execution.terms.ends_at:
        return Move(Event.TIME_UP, Reason.HORIZON_OVER)
    if situation.is_naked or situation.surplus:
        return Move(Event.UNPROTECTED)
    if situation.is_unsure:
        return Wait(LOOK_AGAIN)
    may_move = len(situation.execution.legs(Leg.STOP)) < ATTEMPTS_A_LEG
    return Move(Event.TIGHTEN) if may_move and _is_slack(situation) else Rest()


def _closing(situation: Situation) -> Step:
    """Leave at the market. The protection stays until the position is gone, unless the exchange finds it in the way."""
    entry = situation.execution.newest(Leg.ENTRY)
    if entry is not None and entry[1].outcome is Outcome.LIVE:
        return Remove(entry[0])
    if situation.is_flat:
        return Wait(LOOK_AGAIN) if situation.execution.unsettled([Leg.ENTRY]) else Move(Event.FLAT)
    newest = situation.execution.newest(Leg.EXIT)
    if situation.to_close == 0 or (newest is not None and not newest[1].is_settled):
        return Wait(LOOK_AGAIN)
    if newest is not None and newest[1].code in BLOCKED:
        in_the_way = _in_the_way(situation)
        if in_the_way:
            return Remove(in_the_way[0])
    return Rest() if _has_tried_enough(situation) else Send(Leg.EXIT, situation.to_close, None)


def _in_the_way(situation: Situation) -> list[str]:
    """What is taken away for an exit that was blocked: the target, and the stop only for one blocked without it."""
    blocked = [sent for _, sent in situation.execution.legs(Leg.EXIT) if sent.code in BLOCKED]
    return _guards(situation, Leg.TARGET) or (_guards(situation, Leg.STOP) if len(blocked) > 1 else [])


def _guards(situation: Situation, leg: Leg) -> list[str]:
    return [id_ for id_, _ in situation.sight.covering(situation.execution.legs(leg))]


def _has_tried_enough(situation: Situation) -> bool:
    """An exit that is refused again and again is tried less and less often: the ids have to last for hours."""
    exits = situation.execution.legs(Leg.EXIT)
    beyond = len(exits) - ATTEMPTS_A_LEG // 2 + 1
    tired = beyond > 0 and situation.now < exits[-1][1].sent_at + beyond * A_PASS
    return tired or len(exits) >= ATTEMPTS_MAX


def _cleaning(situation: Situation) -> Step:
    """Take away everything of ours, and see it gone, before the symbol is free."""
    execution, truth = situation.execution, situation.sight.truth
    for client_id in execution.sent:
        if truth.order(client_id) is not None or truth.conditional(client_id) is not None:
            return Remove(client_id)
    return Wait(LOOK_AGAIN) if execution.unsettled() else Move(Event.CLEAN)


def _may_repeat(execution: Execution, leg: Leg, sent: Sent, attempts_max: int) -> bool:
    """Whether an order that did not come to be may be sent again."""
    known_not_to_exist = sent.outcome is Outcome.ABSENT or sent.code in TRANSIENT
    return known_not_to_exist and len(execution.legs(leg)) < attempts_max


_PLANNERS: Final[Mapping[Phase, Callable[[Situation], Step]]] = {
    Phase.ARMING: _arming,
    Phase.ENTERING: _entering,
    Phase.PROTECTING: _protecting,
    Phase.HOLDING: _holding,
    Phase.CLOSING: _closing,
    Phase.CLEANING: _cleaning,
    Phase.ENDED: lambda _situation: Rest(),
}
