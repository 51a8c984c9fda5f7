"""What a step depends on, and what steps there are.

A situation is the record and one reading of the exchange, with the clock, the settings and the owner's word. What has
to be protected, and whether anything is held at all, is told here, because the two sources lag behind each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.execution.lineage import Leg
from withearth.execution.look import BELIEVED_AFTER, TWINS_AFTER, Sight
from withearth.execution.orders import Action
from withearth.execution.phases import Event
from withearth.execution.record import Execution
from withearth.execution.shown import ConditionalState


@dataclass(frozen=True, slots=True)
class Send:
    """Send the next attempt at a leg. `price` is the limit or the trigger, None at the market."""

    leg: Leg
    qty: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Reprice:
    """Move the open entry to another price."""

    client_id: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Remove:
    """Cancel an order of ours."""

    client_id: str


@dataclass(frozen=True, slots=True)
class Move:
    """Go to the phase that follows this event."""

    event: Event
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after this long."""

    time: timedelta


@dataclass(frozen=True, slots=True)
class Rest:
    """All is as it should be."""


Step = Send | Reprice | Remove | Move | Wait | Rest


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say about execution."""

    limit_entries: bool
    limit_ttl: timedelta
    limit_poll: timedelta
    reprices_max: int
    retries_max: int
    protect_within: timedelta
    keep_partial: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """All a step depends on.

    `no_entry` is the reason why nothing may be entered now, if there is one: the intent's expiry, the trading state, a
    limit, a foreign position. `limit_price` gives the entry's price for a number of reprices done. `naked_since` is
    when this process first saw what it sees without a stop now, None when it has only just seen it: a quantity that a
    dead process left naked gets its chance of a stop, too.
    """

    execution: Execution
    sight: Sight
    now: datetime
    naked_since: datetime | None
    policy: Policy
    no_entry: Reason | None
    limit_price: Callable[[int], Decimal]
    stop: Decimal
    """The trigger that the stop should have now, on the tick."""
    close_now: bool = False
    """Whether the owner had everything closed."""

    @property
    def held(self) -> Decimal:
        """What is held on the trade's side. A position on the other side is nothing of ours: ours can only reduce."""
        return max(self.sight.held * self.execution.terms.side.sign, Decimal(0))

    @property
    def exposure(self) -> Decimal:
        """What has to be protected: the larger of what the exchange shows and what our fills add up to.

        The two lag behind each other, and a stop too large does no harm, since it can only reduce. Never more than
        the intent's quantity, or what our orders filled beyond it: the rest is not ours.
        """
        ours = abs(self.execution.expected)
        return min(max(self.held, ours), max(self.execution.terms.qty, ours))

    @property
    def surplus(self) -> Decimal:
        """What is held of ours beyond the intent's quantity: an entry was executed more than once."""
        ours = min(self.held, abs(self.execution.expected))
        return max(ours - self.execution.terms.qty, Decimal(0))

    @property
    def is_unsure(self) -> bool:
        """Whether more is held than our orders explain, and it was not yet looked into."""
        more = (self.sight.held - self.execution.expected) * self.execution.terms.side.sign > 0
        odd_since = self.execution.odd_since
        return more and odd_since is not None and self.now - odd_since <= TWINS_AFTER

    @property
    def is_naked(self) -> bool:
        """Whether no stop stands guard over all that has to be protected."""
        return not self.covers(self.exposure)

    @property
    def is_unguarded(self) -> bool:
        """Whether the stop that went out before the entry is gone: nothing may be entered any more."""
        return self.execution.armed_first and not self.covers(self.execution.terms.qty)

    def covers(self, qty: Decimal) -> bool:
        """Whether one of our stops stands guard over all of it."""
        stops = self.sight.covering(self.execution.legs(Leg.STOP))
        return qty == 0 or any(_covers(state, qty, self.execution.terms.side) for _, state in stops)

    @property
    def is_flat(self) -> bool:
        """Whether nothing of ours is held: exchange and fills agree, or one of them has said so for long enough."""
        held, expected = self.held, self.execution.expected
        return (held == 0 and expected == 0) or (self._is_believed and 0 in (held, expected))

    @property
    def _is_believed(self) -> bool:
        odd_since = self.execution.odd_since
        return odd_since is not None and self.now - odd_since >= BELIEVED_AFTER

    @property
    def to_close(self) -> Decimal:
        """How much to leave at the market: what both agree on, or what is shown when they disagree for long."""
        ours = abs(self.execution.expected)
        held = min(self.held, max(self.execution.terms.qty, ours))
        return held if self._is_believed else min(held, ours)


def _covers(state: ConditionalState, qty: Decimal, side: Side) -> bool:
    return state.qty >= qty and state.only_reduces and (state.action is Action.SELL) == (side is Side.LONG)
