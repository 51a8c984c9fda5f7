"""Work: walk one execution from step to step, until it rests, ends, or somebody else takes over.

Every step is: look at the exchange, learn, plan, write down what is about to be done, do it, write down the answer. The
write-ahead record also renews the lease; if it cannot be written because the record has changed, another process has
taken over, and this one stops before it touches the exchange.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, assert_never

from withearth.domain.errors import MarketFault, Unavailable
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.domain.times import to_ms
from withearth.execution.entry import Touch, entry_fault, limit_price
from withearth.execution.lineage import Leg, is_marked
from withearth.execution.look import Sight, action_of, answered, learn, may_have_twins, to_ask
from withearth.execution.orders import Answer, Conditional, Order, Rejected, TimeInForce, Trigger
from withearth.execution.phases import Event, Phase
from withearth.execution.plan import LOOK_AGAIN, plan
from withearth.execution.record import Execution, Sent
from withearth.execution.shown import ConditionalState, ConditionalStatus, OrderState
from withearth.execution.situation import Move, Policy, Remove, Reprice, Rest, Send, Situation, Step, Wait
from withearth.execution.trailing import Trailing, better, stop_price
from withearth.execution.unsupported import NO_SUCH_ORDER_TYPE
from withearth.execution.venue import Venue
from withearth.flow.canary import PREFIX as CANARY
from withearth.flow.documents import CLAIM_LEASE, IntentState, flatten_ref, intent_ref, stop_needs_position_ref
from withearth.flow.journal import event, record_once
from withearth.flow.limits import no_entry
from withearth.flow.runtime import Runtime
from withearth.flow.settle import ending, entering
from withearth.flow.trading_state import closes_now, persistently, trip
from withearth.settings import Settings
from withearth.signals import Signal, tell
from withearth.store.port import Replace, Write

log = logging.getLogger(__name__)

WORK_FOR: Final = timedelta(seconds=100)
"""Shorter than a lease and than a function may run: what is not done by then, the reconciler goes on with."""
TO_PROTECT: Final = timedelta(seconds=15)
"""No entry rests without a stop before it when so little time is left: nobody would see it fill for a minute."""


@dataclass(slots=True)
class Job:
    """An execution at work: the intent's document without its record, and the version under which we hold it."""

    runtime: Runtime
    venue: Venue
    heading: dict[str, Any]
    execution: Execution
    version: str
    held_at: datetime
    """When the record, and with it the lease, was written last: requests are signed with this instant."""
    work_for: timedelta = WORK_FOR
    naked_since: datetime | None = None
    """Since when every look has found a quantity without a stop."""
    blind_looks: int = 0
    """How many looks in a row the exchange did not answer."""

    @property
    def state(self) -> IntentState:
        """What the execution is for its intent: CLAIMED until the exchange holds nothing of it any more."""
        return IntentState.EXECUTED if self.execution.phase is Phase.ENDED else IntentState.CLAIMED

    @property
    def blocked_by(self) -> str | None:
        """Why an execution that has ended never held anything."""
        never_held = self.state is IntentState.EXECUTED and not self.execution.filled
        return self.execution.reason.value if never_held and self.execution.reason else None


def work(job: Job) -> Execution:
    """Walk until there is nothing to do now.

    Raises Contention when another process took over, and Unavailable when the books cannot be written or money not yet
    be booked: the work is then gone on with by the next delivery, or by the reconciler.
    """
    stop_at = job.runtime.clock.now() + job.work_for
    goes_on = True
    while goes_on and job.runtime.clock.now() < stop_at:
        try:
            situation = _situation(job, _look(job), stop_at)
        except (Unavailable, MarketFault) as error:
            goes_on = _wait_for_sight(job, error, stop_at)
            continue
        job.naked_since = (job.naked_since or situation.now) if situation.is_naked else None
        job.blind_looks = 0
        _tell_when_naked(job, situation)
        goes_on = _perform(job, plan(situation))
    if job.execution.phase is not Phase.ENDED:
        _write(job, lease=timedelta())
    return job.execution


def _tell_when_naked(job: Job, situation: Situation) -> None:
    """Page the owner at every look that finds a quantity without a stop beyond its time; the plan closes it."""
    if job.naked_since is None or situation.now - job.naked_since <= situation.policy.protect_within:
        return
    terms = job.execution.terms
    tell(
        Signal.POSITION_UNPROTECTED,
        logging.ERROR,
        symbol=terms.symbol,
        intent_id=terms.intent_id,
        since=f"{job.naked_since:%H:%M:%S}",
    )


def _wait_for_sight(job: Job, error: Unavailable | MarketFault, stop_at: datetime) -> bool:
    """Keep the lease and look again, twice as long after each time: a naked quantity cannot wait for a lease to end.

    Longer and longer, because who goes on asking at the limit of requests is banned. False when the time is over.
    """
    time = LOOK_AGAIN * 2**job.blind_looks
    job.blind_looks += 1
    log.warning("exchange_unreadable %s: %s", job.execution.terms.intent_id, error)
    return job.runtime.clock.now() + time < stop_at and _perform(job, Wait(time))


def _look(job: Job) -> Sight:
    """Read the symbol, ask for each of our orders that the lists do not show, and learn from it."""
    execution, symbol = job.execution, job.execution.terms.symbol
    truth = job.venue.truth(symbol, execution.terms.position_side)
    doubled = may_have_twins(execution, truth, job.runtime.clock.now())
    listed = job.venue.orders(symbol, to_ms(execution.began_at)) if doubled else ()
    sight = Sight(truth, {id_: _ask(job, id_, sent) for id_, sent in to_ask(execution, truth)}, listed)
    job.execution = learn(execution, sight, job.runtime.clock.now())
    if job.execution.filled > max(execution.filled, execution.terms.qty):
        _tell_surplus(job)
    return sight


def _tell_surplus(job: Job) -> None:
    """More was entered than was intended: a promise is broken, whoever repeated the order. Nothing more is entered."""
    execution, now = job.execution, job.runtime.clock.now()
    intent_id, terms = execution.terms.intent_id, execution.terms
    why = f"{intent_id} entered {execution.filled}, intended were {terms.qty}: an order was executed twice"
    told = event(f"{intent_id}-surplus-{execution.filled}", "SURPLUS", now, terms.symbol, why)
    record_once(job.runtime.store, told)
    persistently(job.runtime.clock, intent_id, lambda: trip(job.runtime, why))


def _ask(job: Job, client_id: str, sent: Sent) -> OrderState | ConditionalState | None:
    """One order of ours. A conditional one that went off is told by the ordinary order that it became."""
    symbol = job.execution.terms.symbol
    if sent.leg in {Leg.ENTRY, Leg.EXIT}:
        return job.venue.order(symbol, client_id)
    conditional = job.venue.conditional(symbol, client_id)
    triggered = {ConditionalStatus.TRIGGERING, ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED}
    if conditional is None or conditional.status in triggered:
        return job.venue.order(symbol, client_id) or conditional
    return conditional


def _situation(job: Job, sight: Sight, stop_at: datetime) -> Situation:
    settings, execution = job.runtime.settings, job.execution
    symbol = execution.terms.symbol
    enters = execution.phase in {Phase.ARMING, Phase.ENTERING}
    trailing = Trailing(settings.break_even_at_r, settings.trail_by_r)
    follows = bool(trailing) and execution.phase in {Phase.PROTECTING, Phase.HOLDING}
    touch = Touch(*job.venue.touch(symbol)) if enters or follows else None
    # Who only protects or leaves does not ask the market: its list may be out of reach, or without the symbol by now.
    instrument = job.runtime.market.instrument(symbol) if enters or follows else None
    if touch is not None and follows:
        job.execution = execution = _followed(execution, touch)
    return Situation(
        execution=execution,
        sight=sight,
        now=job.runtime.clock.now(),
        naked_since=job.naked_since,
        policy=policy_of(settings),
        no_entry=_no_entry(job, sight, touch, stop_at) if touch is not None and enters else None,
        limit_price=lambda reprices: _limit_price(execution, touch, instrument, settings, reprices),
        stop=execution.terms.sl if instrument is None else _stop(execution, trailing, instrument),
        close_now=closes_now(job.runtime.store.get(flatten_ref()), job.heading["decided_at"]),
    )


def _followed(execution: Execution, touch: Touch) -> Execution:
    """The record with the best price at which the trade could have been left."""
    leaves_at = touch.leaves_at(execution.terms.side)
    if leaves_at <= 0:
        # The exchange tells an empty side of its book as zero.
        return execution
    return replace(execution, best=better(execution.terms, execution.best, leaves_at))


def _stop(execution: Execution, trailing: Trailing, instrument: Instrument) -> Decimal:
    """The trigger the stop should have, rounded away from the market."""
    wanted = stop_price(execution.terms, execution.best, trailing)
    return instrument.price_down(wanted) if execution.terms.side is Side.LONG else instrument.price_up(wanted)


def policy_of(settings: Settings) -> Policy:
    """What the settings say about execution."""
    return Policy(
        limit_entries=settings.entry_mode == "LIMIT",
        limit_ttl=timedelta(seconds=settings.limit_ttl_sec),
        limit_poll=timedelta(seconds=float(settings.limit_poll_sec)),
        reprices_max=settings.limit_max_reprices,
        retries_max=settings.entry_max_retries,
        protect_within=timedelta(seconds=settings.protect_within_sec),
        keep_partial=settings.partial_fill == "keep",
    )


def _limit_price(
    execution: Execution,
    touch: Touch | None,
    instrument: Instrument | None,
    settings: Settings,
    reprices: int,
) -> Decimal:
    """The price of the entry after so many reprices: with the last one it crosses, unless it may only rest."""
    if touch is None or instrument is None:
        raise AssertionError("only an execution that enters has a limit price")
    crosses = reprices >= settings.limit_max_reprices > 0 and not settings.entry_post_only
    return limit_price(execution.terms, touch, instrument, settings.limit_max_slippage_bps, crosses=crosses)


def _no_entry(job: Job, sight: Sight, touch: Touch, stop_at: datetime) -> Reason | None:
    """Why nothing may be entered now, if anything speaks against it."""
    execution, now = job.execution, job.runtime.clock.now()
    if now >= execution.terms.expires_at:
        return Reason.INTENT_EXPIRED
    if not execution.armed_first and now >= stop_at - TO_PROTECT:
        return Reason.ENTRY_NOT_FILLED
    reason = no_entry(job.runtime, execution.terms)
    if reason is not None:
        return reason
    if not execution.legs(Leg.ENTRY) and (sight.held != 0 or _is_shared(sight, execution.terms.mark)):
        return Reason.FOREIGN_POSITION
    return entry_fault(execution.terms, touch, job.runtime.market.instrument(execution.terms.symbol))


def _is_shared(sight: Sight, mark: str) -> bool:
    """Whether others have an order here. Two that come to a symbol at once both show their stop before they look."""
    symbol = sight.truth.position.symbol
    others = (each for each in sight.truth.open_ids if not is_marked(symbol, each, mark))
    return any(not each.startswith(CANARY) for each in others)


def _perform(job: Job, step: Step) -> bool:
    """Do one step, and say whether there may be another one now."""
    match step:
        case Rest():
            return False
        case Wait(time):
            _write(job)
            job.runtime.clock.sleep(time)
        case Move(event, reason):
            _move(job, event, reason)
        case Send():
            _send(job, step)
        case Reprice():
            _reprice(job, step)
        case Remove(client_id):
            _remove(job, client_id)
        case _:
            assert_never(step)
    return job.execution.phase is not Phase.ENDED


def _move(job: Job, event: Event, reason: Reason | None) -> None:
    """Go to the next phase, in one commit with what follows from it for the books."""
    before = job.execution
    after = before.after(event, job.runtime.clock.now(), reason)
    remembered: list[Write] = []
    if event is Event.STOP_NEEDS_POSITION:
        after = replace(after, armed_first=False)
        learnt = {"at": after.phase_since, "symbol": after.terms.symbol, "mode": job.runtime.mode}
        remembered = [Replace(stop_needs_position_ref(), learnt)]
    job.execution = after
    if before.phase is Phase.ENTERING and after.phase is not Phase.CLEANING:
        _write(job, entering(job.runtime, job.heading, after))
    elif after.phase is Phase.ENDED:
        intent_id = after.terms.intent_id
        persistently(job.runtime.clock, intent_id, lambda: _write(job, ending(job.runtime, job.venue, after)))
    else:
        _write(job, remembered)


def _send(job: Job, step: Send) -> None:
    execution = job.execution
    client_id = execution.next_id(step.leg)
    job.execution = execution.sending(step.leg, step.qty, step.price, job.runtime.clock.now())
    _write(job)
    answer = _sent(job, client_id, step)
    job.execution = answered(job.execution, client_id, answer)
    _write(job)
    if isinstance(answer, Rejected) and answer.code in NO_SUCH_ORDER_TYPE:
        why = f"the exchange refuses {client_id} with {answer.code}: {answer.message}"
        persistently(job.runtime.clock, client_id, lambda: trip(job.runtime, why))


def _sent(job: Job, client_id: str, step: Send) -> Answer:
    terms, action = job.execution.terms, action_of(job.execution, step.leg)
    symbol, held_in = terms.symbol, terms.position_side
    if step.leg in {Leg.STOP, Leg.TARGET} and step.price is not None:
        trigger = Trigger.STOP if step.leg is Leg.STOP else Trigger.TARGET
        guard = Conditional(symbol, client_id, action, step.qty, trigger, step.price, held_in)
        return job.venue.arm(guard, job.held_at)
    rests = TimeInForce.GTX if job.runtime.settings.entry_post_only else TimeInForce.GTC
    exits = step.leg is Leg.EXIT
    order = Order(symbol, client_id, action, step.qty, step.price, rests, exits, held_in)
    return job.venue.place(order, job.held_at)


def _reprice(job: Job, step: Reprice) -> None:
    """Move the entry. Whatever the answer, the next look shows at which price the order rests."""
    execution = job.execution
    sent = execution.sent[step.client_id]
    doing = f"reprice {step.client_id} to {step.price}"
    job.execution = replace(execution, reprices=execution.reprices + 1, doing=doing)
    _write(job)
    symbol = execution.terms.symbol
    order = Order(symbol, step.client_id, action_of(execution, Leg.ENTRY), sent.qty, step.price)
    job.venue.modify(order, job.held_at)


def _remove(job: Job, client_id: str) -> None:
    """Cancel an order of ours. Whatever the answer, the next look shows whether it is gone, and what it filled.

    Before it is asked for again, the lists get their time to show it.
    """
    doing = f"remove {client_id}"
    if job.execution.doing == doing:
        job.runtime.clock.sleep(LOOK_AGAIN)
    job.execution = replace(job.execution, doing=doing)
    _write(job)
    if job.execution.sent[client_id].leg in {Leg.ENTRY, Leg.EXIT}:
        job.venue.cancel(job.execution.terms.symbol, client_id, job.held_at)
    else:
        job.venue.disarm(client_id, job.held_at)


def _write(job: Job, consequences: Sequence[Write] = (), lease: timedelta = CLAIM_LEASE) -> None:
    """Write the record over the version we hold, and renew the lease. Raises VersionMismatch when it was taken."""
    now = job.runtime.clock.now()
    document = job.heading | {
        "state": job.state.value,
        "execution": job.execution.to_document(),
        "blocked_by": job.blocked_by,
        "lease_until": now + lease,
    }
    ref = intent_ref(job.execution.terms.intent_id)
    job.version = job.runtime.store.commit([Replace(ref, document, job.version), *consequences])
    job.held_at = now
