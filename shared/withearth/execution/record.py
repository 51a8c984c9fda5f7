"""The record of an execution: what was asked, what was sent, and what is known about each order.

It is written before every call that changes the account, with the order as PENDING, and after it, with what was
answered. Whoever takes over from a dead process reads it, looks at the exchange, and goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from withearth.domain.errors import Contention
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.execution import lineage
from withearth.execution.lineage import Leg
from withearth.execution.orders import PositionSide, place_of
from withearth.execution.phases import Event, Phase, following

SCHEMA: Final = 1
"""Raised with every change after which an older version would misread a record, or lose what it does not know."""


class Outcome(StrEnum):
    """What is known about an order of ours.

    PENDING: it may have reached the exchange. LIVE: the exchange has it and it can still act. OVER: it has ended,
    filled or not. REJECTED: the exchange refused it. ABSENT: it was looked for long enough to know that it never came.
    """

    PENDING = "PENDING"
    LIVE = "LIVE"
    OVER = "OVER"
    REJECTED = "REJECTED"
    ABSENT = "ABSENT"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be executed. Prices in the quote asset, quantity in the base asset, all on the instrument's grid.

    `mark` is that of the installation, where others may trade on the account too.
    """

    intent_id: str
    symbol: str
    side: Side
    qty: Decimal
    entry: Decimal
    tp: Decimal
    sl: Decimal
    expires_at: datetime
    ends_at: datetime
    position_side: PositionSide = PositionSide.BOTH
    mark: str = ""

    @property
    def place(self) -> str:
        """What the trade takes for itself: the symbol, or one side of it in hedge mode."""
        return place_of(self.symbol, self.position_side)


@dataclass(frozen=True, slots=True)
class Sent:
    """One order: what was asked for, and what became of it.

    `price` is the limit or the trigger, None at the market. `filled_at` is the exchange's time of the fill seen first,
    `average` the mean price of what filled. `twins` are other orders that the exchange made of the same request, with
    what they filled, by order id: a network can repeat a request, and an id is free again once its order has closed.
    """

    leg: Leg
    attempt: int
    qty: Decimal
    price: Decimal | None
    sent_at: datetime
    outcome: Outcome = Outcome.PENDING
    filled: Decimal = Decimal(0)
    filled_at: datetime | None = None
    average: Decimal | None = None
    order_id: str = ""
    code: int = 0
    absences: int = 0
    twins: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def traded(self) -> Decimal:
        """How much was filled under this id, by whatever orders."""
        return self.filled + sum(self.twins.values(), Decimal(0))

    @property
    def order_ids(self) -> set[str]:
        """The exchange's ids of the orders under this id that filled."""
        return {self.order_id, *self.twins} if self.filled else set(self.twins)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more can come of it."""
        return self.outcome in {Outcome.OVER, Outcome.REJECTED, Outcome.ABSENT}


@dataclass(frozen=True, slots=True)
class Execution:
    """The execution of one intent.

    `armed_first` says whether the stop goes out before the entry; `odd_since` is when the exchange's position began to
    differ from what our own fills add up to; `doing` names the request that is about to go out, or went out last;
    `best` is the best price at which it could have been left since, where the stop follows it.
    """

    terms: Terms
    armed_first: bool
    phase: Phase
    phase_since: datetime
    sent: Mapping[str, Sent]
    reprices: int = 0
    reason: Reason | None = None
    odd_since: datetime | None = None
    doing: str = ""
    best: Decimal | None = None

    @property
    def filled(self) -> Decimal:
        """How much was entered, over all attempts."""
        return sum((sent.traded for _, sent in self.legs(Leg.ENTRY)), Decimal(0))

    @property
    def expected(self) -> Decimal:
        """What our own fills say is held, signed as the exchange signs a position."""
        left = sum((sent.traded for sent in self.sent.values() if sent.leg is not Leg.ENTRY), Decimal(0))
        return (self.filled - left) * self.terms.side.sign

    @property
    def began_at(self) -> datetime:
        """An instant before the first order, whatever little the exchange's clock is behind ours."""
        return min(sent.sent_at for sent in self.sent.values()) - timedelta(seconds=1)

    def legs(self, leg: Leg) -> list[tuple[str, Sent]]:
        """All attempts at one leg with their client ids, oldest first."""
        found = ((id_, sent) for id_, sent in self.sent.items() if sent.leg is leg)
        return sorted(found, key=lambda each: each[1].attempt)

    def newest(self, leg: Leg) -> tuple[str, Sent] | None:
        """The newest attempt at one leg."""
        attempts = self.legs(leg)
        return attempts[-1] if attempts else None

    def unsettled(self, legs: Iterable[Leg] = Leg) -> list[tuple[str, Sent]]:
        """Orders of which something may still come."""
        wanted = set(legs)
        return [(id_, sent) for id_, sent in self.sent.items() if sent.leg in wanted and not sent.is_settled]

    def next_id(self, leg: Leg) -> str:
        """The client id of the next attempt. Raises ValueError when they are used up."""
        return lineage.client_id(self.terms.intent_id, leg, len(self.legs(leg)), self.terms.mark)

    def sending(self, leg: Leg, qty: Decimal, price: Decimal | None, now: datetime) -> "Execution":
        """The record with one more order, PENDING: what is written before the call."""
        client_id = self.next_id(leg)
        doing = replace(self, doing=f"send {client_id}")
        return doing.with_sent({client_id: Sent(leg, len(self.legs(leg)), qty, price, now)})

    def with_sent(self, changed: Mapping[str, Sent]) -> "Execution":
        """The record with some orders replaced or added."""
        return replace(self, sent={**self.sent, **changed})

    def after(self, event: Event, now: datetime, reason: Reason | None = None) -> "Execution":
        """The record in the phase that follows. The first reason is kept."""
        return replace(self, phase=following(self.phase, event), phase_since=now, reason=self.reason or reason)

    def to_document(self) -> dict[str, Any]:
        """The record as it stands in the intent's document."""
        return {
            "schema": SCHEMA,
            "terms": _terms_document(self.terms),
            "armed_first": self.armed_first,
            "phase": self.phase.value,
            "phase_since": self.phase_since,
            "sent": {id_: _sent_document(sent) for id_, sent in self.sent.items()},
            "reprices": self.reprices,
            "odd_since": self.odd_since,
            "doing": self.doing,
            "best": None if self.best is None else str(self.best),
            "reason": None if self.reason is None else self.reason.value,
        }


def refuse_newer(data: Mapping[str, Any]) -> None:
    """Raise Contention for a record that only a newer version understands: it is left to that one.

    So whoever was rolled back, or is about to be replaced, never acts on half of what is known.
    """
    schema = data.get("schema", 1)
    if schema > SCHEMA:
        intent = data.get("terms", {}).get("intent_id", "an execution")
        raise Contention(f"{intent} is recorded in schema {schema}, this version knows {SCHEMA}: deploy the newer one.")


def begin(terms: Terms, now: datetime, *, armed_first: bool) -> Execution:
    """The record of an execution of which nothing was sent yet."""
    phase = Phase.ARMING if armed_first else Phase.ENTERING
    return Execution(terms, armed_first, phase, now, sent={})


def execution_from(data: Mapping[str, Any]) -> Execution:
    """Read back what `to_document` gave. Raises Contention for the record of a newer version."""
    refuse_newer(data)
    return Execution(
        terms=_terms(data["terms"]),
        armed_first=data["armed_first"],
        phase=Phase(data["phase"]),
        phase_since=data["phase_since"],
        sent={id_: _sent(each) for id_, each in data["sent"].items()},
        reprices=data["reprices"],
        odd_since=data["odd_since"],
        doing=data["doing"],
        best=None if data["best"] is None else Decimal(data["best"]),
        reason=None if data["reason"] is None else Reason[data["reason"]],
    )


def _terms_document(terms: Terms) -> dict[str, Any]:
    return {
        "intent_id": terms.intent_id,
        "symbol": terms.symbol,
        "side": terms.side.value,
        "qty": str(terms.qty),
        "entry": str(terms.entry),
        "tp": str(terms.tp),
        "sl": str(terms.sl),
        "expires_at": terms.expires_at,
        "ends_at": terms.ends_at,
        "position_side": terms.position_side.value,
        "mark": terms.mark,
    }


def _terms(data: Mapping[str, Any]) -> Terms:
    return Terms(
        intent_id=data["intent_id"],
        symbol=data["symbol"],
        side=Side(data["side"]),
        qty=Decimal(data["qty"]),
        entry=Decimal(data["entry"]),
        tp=Decimal(data["tp"]),
        sl=Decimal(data["sl"]),
        expires_at=data["expires_at"],
        ends_at=data["ends_at"],
        position_side=PositionSide(data.get("position_side", PositionSide.BOTH)),
        mark=data.get("mark", ""),
    )


def _sent_document(sent: Sent) -> dict[str, Any]:
    return {
        "leg": sent.leg.value,
        "attempt": sent.attempt,
        "qty": str(sent.qty),
        "price": None if sent.price is None else str(sent.price),
        "sent_at": sent.sent_at,
        "outcome": sent.outcome.value,
        "filled": str(sent.filled),
        "filled_at": sent.filled_at,
        "average": None if sent.average is None else str(sent.average),
        "order_id": sent.order_id,
        "code": sent.code,
        "absences": sent.absences,
        "twins": {order_id: str(qty) for order_id, qty in sent.twins.items()},
    }


def _sent(data: Mapping[str, Any]) -> Sent:
    return Sent(
        leg=Leg(data["leg"]),
        attempt=data["attempt"],
        qty=Decimal(data["qty"]),
        price=None if data["price"] is None else Decimal(data["price"]),
        sent_at=data["sent_at"],
        outcome=Outcome(data["outcome"]),
        filled=Decimal(data["filled"]),
        filled_at=data["filled_at"],
        average=None if data["average"] is None else Decimal(data["average"]),
        order_id=data["order_id"],
        code=data["code"],
        absences=data["absences"],
        twins={order_id: Decimal(qty) for order_id, qty in data.get("twins", {}).items()},
    )
