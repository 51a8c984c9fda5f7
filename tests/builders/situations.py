"""Situations of an execution: a long of 0.010 at 50 000 with its stop at 49 750 and its target at 50 450."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.domain.side import Side
from withearth.domain.times import to_ms
from withearth.execution.lineage import Leg, client_id
from withearth.execution.look import Sight
from withearth.execution.orders import Action, Trigger
from withearth.execution.phases import Phase
from withearth.execution.record import Execution, Outcome, Sent, Terms
from withearth.execution.shown import ConditionalState, ConditionalStatus, OrderState, OrderStatus, Position, Truth
from withearth.execution.situation import Policy, Situation

SYMBOL: Final = "BTCUSDT"
INTENT: Final = "BTCUSDT-20260105T0005Z"
NOW: Final = datetime(2026, 1, 5, 0, 6, tzinfo=UTC)
QTY: Final = Decimal("0.010")
PART: Final = Decimal("0.004")
ENTRY: Final = Decimal(50_000)
STOP: Final = Decimal(49_750)
TARGET: Final = Decimal(50_450)
SECOND: Final = timedelta(seconds=1)
TERMS: Final = Terms(
    intent_id=INTENT,
    symbol=SYMBOL,
    side=Side.LONG,
    qty=QTY,
    entry=ENTRY,
    tp=TARGET,
    sl=STOP,
    expires_at=NOW + 60 * SECOND,
    ends_at=NOW + 600 * SECOND,
)
POLICY: Final = Policy(
    limit_entries=True,
    limit_ttl=15 * SECOND,
    limit_poll=SECOND,
    reprices_max=3,
    retries_max=2,
    protect_within=10 * SECOND,
)
_TRIGGERS: Final = {Leg.STOP: (Trigger.STOP, STOP), Leg.TARGET: (Trigger.TARGET, TARGET)}


def id_of(leg: Leg, attempt: int = 0) -> str:
    """The client id of an attempt at a leg."""
    return client_id(INTENT, leg, attempt)


def sent(leg: Leg, attempt: int = 0, *, ago_s: float = 5, qty: Decimal = QTY, **known: Any) -> Sent:
    """An order that was sent some seconds ago; PENDING unless said otherwise."""
    prices = {Leg.ENTRY: ENTRY, Leg.STOP: STOP, Leg.TARGET: TARGET, Leg.EXIT: None}
    return Sent(leg, attempt, qty, prices[leg], NOW - timedelta(seconds=ago_s), **known)


def live(leg: Leg, attempt: int = 0, **known: Any) -> Sent:
    """An order that the exchange was seen to have."""
    return sent(leg, attempt, outcome=Outcome.LIVE, **known)


def over(leg: Leg, attempt: int = 0, *, filled: Decimal = Decimal(0), **known: Any) -> Sent:
    """An order that has ended."""
    return sent(leg, attempt, outcome=Outcome.OVER, filled=filled, **known)


def refused(leg: Leg, code: int, attempt: int = 0, **known: Any) -> Sent:
    """An order that the exchange refused."""
    return sent(leg, attempt, outcome=Outcome.REJECTED, code=code, **known)


def absent(leg: Leg, attempt: int = 0, **known: Any) -> Sent:
    """An order that never arrived."""
    return sent(leg, attempt, outcome=Outcome.ABSENT, **known)


def an_execution(phase: Phase, *orders: Sent, **changed: Any) -> Execution:
    """An execution in a phase, with the orders sent for it."""
    fields: dict[str, Any] = {"armed_first": True, "phase_since": NOW - 30 * SECOND} | changed
    return Execution(terms=TERMS, phase=phase, sent={id_of(each.leg, each.attempt): each for each in orders}, **fields)


def an_order(
    leg: Leg, attempt: int = 0, *, status: OrderStatus = OrderStatus.NEW, filled: Decimal = Decimal(0)
) -> OrderState:
    """An ordinary order of ours, as the exchange shows it."""
    return OrderState(
        symbol=SYMBOL,
        client_id=id_of(leg, attempt),
        order_id=f"9{attempt}",
        action=Action.BUY if leg is Leg.ENTRY else Action.SELL,
        status=status,
        qty=QTY,
        filled=filled,
        price=ENTRY if leg is Leg.ENTRY else None,
        average_price=ENTRY if filled else None,
        reduce_only=leg is not Leg.ENTRY,
        updated_ms=to_ms(NOW),
    )


def a_guard(
    leg: Leg,
    attempt: int = 0,
    *,
    qty: Decimal = QTY,
    status: ConditionalStatus = ConditionalStatus.NEW,
    **changed: Any,
) -> ConditionalState:
    """A conditional order of ours, as the exchange shows it."""
    trigger, price = _TRIGGERS[leg]
    fields: dict[str, Any] = {"action": Action.SELL, "reduce_only": True, "trigger_price": price} | changed
    return ConditionalState(
        symbol=SYMBOL,
        client_id=id_of(leg, attempt),
        algo_id="4",
        status=status,
        qty=qty,
        trigger=trigger,
        **fields,
    )


def a_sight(
    held: Decimal | str = "0",
    *shown: OrderState | ConditionalState,
    asked: Mapping[str, OrderState | ConditionalState | None] | None = None,
) -> Sight:
    """One reading: what is held, what the open lists show, and what single orders were asked for."""
    orders = tuple(each for each in shown if isinstance(each, OrderState))
    guards = tuple(each for each in shown if isinstance(each, ConditionalState))
    return Sight(Truth(Position(SYMBOL, Decimal(held), ENTRY), orders, guards), asked or {})


def a_situation(phase: Phase, orders: Sequence[Sent] = (), sight: Sight | None = None, **changed: Any) -> Situation:
    """A situation in a phase. Names of an execution's fields change the execution, all others the situation."""
    of_execution = {name: changed.pop(name) for name in ("armed_first", "reprices", "odd_since") if name in changed}
    fields: dict[str, Any] = {
        "execution": an_execution(phase, *orders, **of_execution),
        "sight": sight or a_sight(),
        "now": NOW,
        "naked_since": None,
        "policy": POLICY,
        "no_entry": None,
        "limit_price": lambda reprices: ENTRY + reprices,
        "stop": STOP,
    }
    return Situation(**fields | changed)
