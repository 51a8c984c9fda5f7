"""The planner, phase by phase: from a record and a reading to the one next step."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.builders.situations import (
    ENTRY,
    NOW,
    PART,
    POLICY,
    QTY,
    SECOND,
    STOP,
    TARGET,
    TERMS,
    a_guard,
    a_sight,
    a_situation,
    absent,
    an_order,
    id_of,
    live,
    over,
    refused,
    sent,
)
from withearth.domain.reasons import Reason
from withearth.execution.lineage import ATTEMPTS_MAX, Leg
from withearth.execution.look import BELIEVED_AFTER
from withearth.execution.orders import Action
from withearth.execution.phases import Event, Phase
from withearth.execution.plan import ATTEMPTS_A_LEG, STOP_ATTEMPTS_MAX, plan
from withearth.execution.situation import Move, Remove, Reprice, Rest, Send, Step, Wait

HELD = over(Leg.ENTRY, filled=QTY)
GUARDED = (HELD, live(Leg.STOP), live(Leg.TARGET))
GUARDS = (a_guard(Leg.STOP), a_guard(Leg.TARGET))
LOOK = Wait(SECOND)

ARMING: dict[str, tuple[dict[str, Any], Step]] = {
    "the stop goes first, for all that is planned": ({}, Send(Leg.STOP, QTY, STOP)),
    "a stop of unknown fate is looked for": ({"orders": [sent(Leg.STOP)]}, LOOK),
    "an accepted stop is waited for in the list": ({"orders": [live(Leg.STOP)]}, LOOK),
    "a stop that stands lets the entry go": (
        {"orders": [live(Leg.STOP)], "sight": a_sight("0", a_guard(Leg.STOP))},
        Move(Event.ARMED),
    ),
    "a stop that never came is sent again": ({"orders": [absent(Leg.STOP)]}, Send(Leg.STOP, QTY, STOP)),
    "a stop that was not let in is sent again": ({"orders": [refused(Leg.STOP, -1008)]}, Send(Leg.STOP, QTY, STOP)),
    "not for ever": (
        {"orders": [refused(Leg.STOP, -1008, attempt) for attempt in range(STOP_ATTEMPTS_MAX)]},
        Move(Event.REFUSED, Reason.STOP_REFUSED),
    ),
    "not twice within a look": ({"orders": [refused(Leg.STOP, -1008, ago_s=0.4)]}, Wait(SECOND * 0.6)),
    "a venue that wants a position first gets its stop after the fill": (
        {"orders": [refused(Leg.STOP, -2022)]},
        Move(Event.STOP_NEEDS_POSITION),
    ),
    "a stop beyond the market enters nothing": (
        {"orders": [refused(Leg.STOP, -2021)]},
        Move(Event.REFUSED, Reason.STOP_REFUSED),
    ),
    "what must not be entered needs no stop": (
        {"no_entry": Reason.INTENT_EXPIRED},
        Move(Event.REFUSED, Reason.INTENT_EXPIRED),
    ),
    "a stop of unknown fate is resolved before anything is given up": (
        {"orders": [sent(Leg.STOP)], "no_entry": Reason.INTENT_EXPIRED},
        LOOK,
    ),
}
ENTERING: dict[str, tuple[dict[str, Any], Step]] = {
    "the entry follows its stop": ({}, Send(Leg.ENTRY, QTY, ENTRY)),
    "not without its stop, when that has gone off or was taken away meanwhile": (
        {"orders": [over(Leg.STOP)], "sight": a_sight("0")},
        Move(Event.NOT_FILLED, Reason.STOP_REFUSED),
    ),
    "nor again": (
        {"orders": [over(Leg.STOP), absent(Leg.ENTRY)], "sight": a_sight("0")},
        Move(Event.NOT_FILLED, Reason.STOP_REFUSED),
    ),
    "what others hold gets no stop of ours": (
        {"no_entry": Reason.FOREIGN_POSITION, "armed_first": False, "sight": a_sight(QTY)},
        Move(Event.NOT_FILLED, Reason.FOREIGN_POSITION),
    ),
    "at the market without a price": ({"limit_entries": False}, Send(Leg.ENTRY, QTY, None)),
    "nothing is entered late": (
        {"no_entry": Reason.INTENT_EXPIRED},
        Move(Event.NOT_FILLED, Reason.INTENT_EXPIRED),
    ),
    "nothing is entered beside a foreign position": (
        {"no_entry": Reason.FOREIGN_POSITION},
        Move(Event.NOT_FILLED, Reason.FOREIGN_POSITION),
    ),
    "an entry of unknown fate is looked for, never sent again": ({"orders": [sent(Leg.ENTRY, ago_s=60)]}, LOOK),
    "also when it may not be entered any more": (
        {"orders": [sent(Leg.ENTRY, ago_s=60)], "no_entry": Reason.INTENT_EXPIRED},
        LOOK,
    ),
    "an entry that never came is sent again under the next id": (
        {"orders": [absent(Leg.ENTRY)]},
        Send(Leg.ENTRY, QTY, ENTRY),
    ),
    "an entry that was refused for good is not": (
        {"orders": [refused(Leg.ENTRY, -2019)]},
        Move(Event.NOT_FILLED, Reason.ENTRY_REFUSED),
    ),
    "one that was refused just now may have been executed before: the position tells, a little later": (
        {"orders": [refused(Leg.ENTRY, -2019, ago_s=1.9)]},
        LOOK,
    ),
    "what is held and not explained yet may be its double's": (
        {"orders": [refused(Leg.ENTRY, -2019)], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        LOOK,
    ),
    "what stays unexplained is not": (
        {
            "orders": [refused(Leg.ENTRY, -2019)],
            "sight": a_sight(QTY, a_guard(Leg.STOP)),
            "odd_since": NOW - BELIEVED_AFTER,
        },
        Move(Event.NOT_FILLED, Reason.ENTRY_REFUSED),
    ),
    "not more often than ENTRY_MAX_RETRIES": (
        {"orders": [refused(Leg.ENTRY, -1008, attempt) for attempt in range(1 + POLICY.retries_max)]},
        Move(Event.NOT_FILLED, Reason.ENTRY_REFUSED),
    ),
    "a resting entry gets its time": ({"orders": [live(Leg.ENTRY, ago_s=14)]}, Wait(POLICY.limit_poll)),
    "then it follows the price": ({"orders": [live(Leg.ENTRY, ago_s=15)]}, Reprice(id_of(Leg.ENTRY), ENTRY + 1)),
    "and gets its time again": ({"orders": [live(Leg.ENTRY, ago_s=29)], "reprices": 1}, Wait(POLICY.limit_poll)),
    "as often as it may": ({"orders": [live(Leg.ENTRY, ago_s=60)], "reprices": 3}, Remove(id_of(Leg.ENTRY))),
    "it is taken away when nothing may be entered any more": (
        {"orders": [live(Leg.ENTRY, ago_s=1)], "no_entry": Reason.INTENT_EXPIRED},
        Remove(id_of(Leg.ENTRY)),
    ),
    "it is taken away when its stop is gone": (
        {"orders": [live(Leg.ENTRY, ago_s=1)], "sight": a_sight("0")},
        Remove(id_of(Leg.ENTRY)),
    ),
    "without a stop before it, it may rest": (
        {"orders": [live(Leg.ENTRY, ago_s=1)], "sight": a_sight("0"), "armed_first": False},
        Wait(POLICY.limit_poll),
    ),
    "a part that is filled is protected before the rest is chased": (
        {"orders": [live(Leg.ENTRY, filled=PART)], "sight": a_sight(PART), "armed_first": False},
        Send(Leg.STOP, PART, STOP),
    ),
    "a second part, too": (
        {
            "orders": [live(Leg.ENTRY, ago_s=40, filled=QTY), live(Leg.STOP, ago_s=30, qty=PART)],
            "sight": a_sight(QTY, a_guard(Leg.STOP, qty=PART)),
            "armed_first": False,
        },
        Send(Leg.STOP, QTY, STOP),
    ),
    "a fill that is only seen in the position is protected": (
        {"orders": [sent(Leg.ENTRY)], "sight": a_sight(QTY), "armed_first": False},
        Send(Leg.STOP, QTY, STOP),
    ),
    "a fill that is only seen in the orders is protected": (
        {"orders": [live(Leg.ENTRY, filled=QTY)], "sight": a_sight("0"), "armed_first": False},
        Send(Leg.STOP, QTY, STOP),
    ),
    "what was filled is a trade": (
        {"orders": [HELD], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        Move(Event.FILLED),
    ),
    "also when its stop went off between two looks": (
        {"orders": [HELD, over(Leg.STOP, filled=QTY)], "sight": a_sight("0")},
        Move(Event.FILLED),
    ),
    "what was not is none": (
        {"orders": [over(Leg.ENTRY)]},
        Move(Event.NOT_FILLED, Reason.ENTRY_NOT_FILLED),
    ),
}
PROTECTING: dict[str, tuple[dict[str, Any], Step]] = {
    "a part is closed where the owner wants all or nothing": (
        {
            "orders": [over(Leg.ENTRY, filled=PART), live(Leg.STOP)],
            "sight": a_sight(PART, a_guard(Leg.STOP)),
            "policy": replace(POLICY, keep_partial=False),
        },
        Move(Event.FLATTEN, Reason.PARTIALLY_FILLED),
    ),
    "the stop takes the size of what is held, before the wide one goes": (
        {"orders": [over(Leg.ENTRY, filled=PART), live(Leg.STOP)], "sight": a_sight(PART, a_guard(Leg.STOP))},
        Send(Leg.STOP, PART, STOP),
    ),
    "then the wide one goes": (
        {
            "orders": [over(Leg.ENTRY, filled=PART), live(Leg.STOP), live(Leg.STOP, 1, qty=PART)],
            "sight": a_sight(PART, a_guard(Leg.STOP), a_guard(Leg.STOP, 1, qty=PART)),
        },
        Remove(id_of(Leg.STOP)),
    ),
    "then comes the target": (
        {"orders": [HELD, live(Leg.STOP)], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        Send(Leg.TARGET, QTY, TARGET),
    ),
    "an accepted order that the list does not show yet is not sent again": (
        {"orders": [HELD, live(Leg.STOP), live(Leg.TARGET, ago_s=4)], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        LOOK,
    ),
    "one that stays away is": (
        {"orders": [HELD, live(Leg.STOP), live(Leg.TARGET, ago_s=5)], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        Send(Leg.TARGET, QTY, TARGET),
    ),
    "one stop and one target are enough": (
        {"orders": GUARDED, "sight": a_sight(QTY, *GUARDS)},
        Move(Event.PROTECTED),
    ),
    "of two that fit, one is too many": (
        {
            "orders": [*GUARDED, live(Leg.TARGET, 1)],
            "sight": a_sight(QTY, *GUARDS, a_guard(Leg.TARGET, 1)),
        },
        Remove(id_of(Leg.TARGET)),
    ),
    "a lost stop is replaced": ({"orders": [HELD, over(Leg.STOP)], "sight": a_sight(QTY)}, Send(Leg.STOP, QTY, STOP)),
    "a stop beyond the market is a market exit": (
        {"orders": [HELD, refused(Leg.STOP, -2021)], "sight": a_sight(QTY)},
        Move(Event.CANNOT_PROTECT, Reason.STOP_REFUSED),
    ),
    "a target beyond the market is one, too": (
        {"orders": [HELD, live(Leg.STOP), refused(Leg.TARGET, -2021)], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        Move(Event.CANNOT_PROTECT, Reason.TARGET_REACHED),
    ),
    "a quantity that stays naked is left": (
        {"orders": [HELD, sent(Leg.STOP)], "sight": a_sight(QTY), "naked_since": NOW - 11 * SECOND},
        Move(Event.CANNOT_PROTECT, Reason.STOP_REFUSED),
    ),
    "one that was just found naked gets its stop, however long ago it was filled": (
        {"orders": [over(Leg.ENTRY, filled=QTY, ago_s=600)], "sight": a_sight(QTY)},
        Send(Leg.STOP, QTY, STOP),
    ),
    "stops that are refused again and again end in an exit": (
        {
            "orders": [HELD, *(refused(Leg.STOP, -2027, attempt) for attempt in range(ATTEMPTS_A_LEG))],
            "sight": a_sight(QTY),
        },
        Move(Event.CANNOT_PROTECT, Reason.STOP_REFUSED),
    ),
    "targets that are refused again and again are done without": (
        {
            "orders": [
                HELD,
                live(Leg.STOP),
                *(refused(Leg.TARGET, -2027, attempt) for attempt in range(ATTEMPTS_A_LEG)),
            ],
            "sight": a_sight(QTY, a_guard(Leg.STOP)),
        },
        Move(Event.PROTECTED),
    ),
    "what is gone needs no protection": (
        {"orders": [HELD, over(Leg.STOP, filled=QTY)], "sight": a_sight("0")},
        Move(Event.FLAT),
    ),
    "a stop that guards the other side is none": (
        {"orders": [HELD, live(Leg.STOP)], "sight": a_sight(QTY, a_guard(Leg.STOP, action=Action.BUY))},
        Send(Leg.STOP, QTY, STOP),
    ),
    "a stop that could open a position is none": (
        {"orders": [HELD, live(Leg.STOP)], "sight": a_sight(QTY, a_guard(Leg.STOP, reduce_only=False))},
        Send(Leg.STOP, QTY, STOP),
    ),
}
HOLDING: dict[str, tuple[dict[str, Any], Step]] = {
    "a stop that should be a tenth of R closer is moved": (
        {"orders": GUARDED, "sight": a_sight(QTY, *GUARDS), "stop": STOP + (TERMS.entry - TERMS.sl) / 10},
        Move(Event.TIGHTEN),
    ),
    "a stop that should be a little closer stays": (
        {"orders": GUARDED, "sight": a_sight(QTY, *GUARDS), "stop": STOP + (TERMS.entry - TERMS.sl) / 11},
        Rest(),
    ),
    "all is as it should be": ({"orders": GUARDED, "sight": a_sight(QTY, *GUARDS)}, Rest()),
    "the time is over": (
        {"orders": GUARDED, "sight": a_sight(QTY, *GUARDS), "now": TERMS.ends_at},
        Move(Event.TIME_UP, Reason.HORIZON_OVER),
    ),
    "a lost stop is noticed": (
        {"orders": GUARDED, "sight": a_sight(QTY, a_guard(Leg.TARGET))},
        Move(Event.UNPROTECTED),
    ),
    "a stop that is too small is noticed": (
        {"orders": GUARDED, "sight": a_sight(QTY, a_guard(Leg.STOP, qty=PART), a_guard(Leg.TARGET))},
        Move(Event.UNPROTECTED),
    ),
    "a leg that filled is the end": (
        {"orders": [HELD, over(Leg.STOP, filled=QTY), live(Leg.TARGET)], "sight": a_sight("0", a_guard(Leg.TARGET))},
        Move(Event.FLAT),
    ),
    "a position that vanishes for a moment is not": ({"orders": GUARDED, "sight": a_sight("0", *GUARDS)}, Rest()),
    "one that stays away is": (
        {"orders": GUARDED, "sight": a_sight("0", *GUARDS), "odd_since": NOW - BELIEVED_AFTER},
        Move(Event.FLAT),
    ),
    "a foreign hand that closes half of it leaves a trade": (
        {"orders": GUARDED, "sight": a_sight("0.005", *GUARDS), "odd_since": NOW - BELIEVED_AFTER},
        Rest(),
    ),
}
CLOSING: dict[str, tuple[dict[str, Any], Step]] = {
    "a resting entry goes first": (
        {"orders": [live(Leg.ENTRY, filled=PART)], "sight": a_sight(PART)},
        Remove(id_of(Leg.ENTRY)),
    ),
    "then all of it at the market": ({"orders": GUARDED, "sight": a_sight(QTY, *GUARDS)}, Send(Leg.EXIT, QTY, None)),
    "an exit of unknown fate is looked for, never sent again": (
        {"orders": [*GUARDED, sent(Leg.EXIT)], "sight": a_sight(QTY, *GUARDS)},
        LOOK,
    ),
    "an exit that never came is sent again": (
        {"orders": [*GUARDED, absent(Leg.EXIT)], "sight": a_sight(QTY, *GUARDS)},
        Send(Leg.EXIT, QTY, None),
    ),
    "an exit that was refused is sent for what is left": (
        {"orders": [HELD, over(Leg.STOP, filled=PART), refused(Leg.EXIT, -2022)], "sight": a_sight("0.006")},
        Send(Leg.EXIT, Decimal("0.006"), None),
    ),
    "an exit that our target blocks is made free": (
        {"orders": [*GUARDED, refused(Leg.EXIT, -4118)], "sight": a_sight(QTY, *GUARDS)},
        Remove(id_of(Leg.TARGET)),
    ),
    "it is tried again before the stop is touched": (
        {"orders": [*GUARDED, refused(Leg.EXIT, -4118)], "sight": a_sight(QTY, a_guard(Leg.STOP))},
        Send(Leg.EXIT, QTY, None),
    ),
    "an exit that our stop blocks, too": (
        {
            "orders": [*GUARDED, *(refused(Leg.EXIT, -4118, attempt) for attempt in range(2))],
            "sight": a_sight(QTY, a_guard(Leg.STOP)),
        },
        Remove(id_of(Leg.STOP)),
    ),
    "an exit that is refused again and again is left to the next pass": (
        {
            "orders": [*GUARDED, *(refused(Leg.EXIT, -4131, attempt, ago_s=49) for attempt in range(10))],
            "sight": a_sight(QTY, *GUARDS),
        },
        Rest(),
    ),
    "in which it is tried once more": (
        {
            "orders": [*GUARDED, *(refused(Leg.EXIT, -4131, attempt, ago_s=50) for attempt in range(10))],
            "sight": a_sight(QTY, *GUARDS),
        },
        Send(Leg.EXIT, QTY, None),
    ),
    "then less and less often": (
        {
            "orders": [*GUARDED, *(refused(Leg.EXIT, -4131, attempt, ago_s=99) for attempt in range(11))],
            "sight": a_sight(QTY, *GUARDS),
        },
        Rest(),
    ),
    "as long as there are ids": (
        {
            "orders": [*GUARDED, *(refused(Leg.EXIT, -4131, attempt, ago_s=9999) for attempt in range(ATTEMPTS_MAX))],
            "sight": a_sight(QTY, *GUARDS),
        },
        Rest(),
    ),
    "an exit that filled a part is followed by another": (
        {"orders": [HELD, over(Leg.EXIT, filled=PART)], "sight": a_sight("0.006")},
        Send(Leg.EXIT, Decimal("0.006"), None),
    ),
    "never more than both orders and position say": (
        {"orders": [HELD], "sight": a_sight("0.025")},
        Send(Leg.EXIT, QTY, None),
    ),
    "what nobody explains is not sold": ({"orders": [over(Leg.ENTRY)], "sight": a_sight("0.010")}, LOOK),
    "flat is flat": ({"orders": [HELD, over(Leg.EXIT, filled=QTY)], "sight": a_sight("0")}, Move(Event.FLAT)),
    "but not while an entry may still fill": ({"orders": [sent(Leg.ENTRY)], "sight": a_sight("0")}, LOOK),
}
CLEANING: dict[str, tuple[dict[str, Any], Step]] = {
    "every order of ours goes": (
        {"orders": [HELD, over(Leg.STOP, filled=QTY), live(Leg.TARGET)], "sight": a_sight("0", a_guard(Leg.TARGET))},
        Remove(id_of(Leg.TARGET)),
    ),
    "ordinary ones, too": (
        {"orders": [live(Leg.ENTRY)], "sight": a_sight("0", an_order(Leg.ENTRY))},
        Remove(id_of(Leg.ENTRY)),
    ),
    "what is not seen gone is waited for": ({"orders": [HELD, live(Leg.TARGET)]}, LOOK),
    "what may still come is waited for": ({"orders": [sent(Leg.STOP)]}, LOOK),
    "even one that was taken for absent": (
        {"orders": [absent(Leg.STOP)], "sight": a_sight("0", a_guard(Leg.STOP))},
        Remove(id_of(Leg.STOP)),
    ),
    "nothing left": ({"orders": [HELD, over(Leg.STOP, filled=QTY), over(Leg.TARGET)]}, Move(Event.CLEAN)),
}


def cases(table: dict[str, tuple[dict[str, Any], Step]]) -> pytest.MarkDecorator:
    """A table as parameters, each under its sentence."""
    return pytest.mark.parametrize(("given", "expected"), table.values(), ids=table)


@cases(ARMING)
def test_arming(given: dict[str, Any], expected: Step) -> None:
    """The stop is on the exchange before anything else happens."""
    assert expected == plan(a_situation(Phase.ARMING, **given))


@cases(ENTERING)
def test_entering(given: dict[str, Any], expected: Step) -> None:
    """One entry, guarded; whatever is filled is protected before the rest is chased."""
    guarded = {"sight": a_sight("0", a_guard(Leg.STOP))} | given
    orders = list(guarded.pop("orders", ()))
    if not any(each.leg is Leg.STOP for each in orders):
        orders.append(live(Leg.STOP, ago_s=20))
    if not guarded.get("armed_first", True):
        orders = [each for each in orders if each.leg is not Leg.STOP or each.qty == PART]
    policy = replace(POLICY, limit_entries=guarded.pop("limit_entries", True))

    assert expected == plan(a_situation(Phase.ENTERING, orders, policy=policy, **guarded))


@cases(PROTECTING)
def test_protecting(given: dict[str, Any], expected: Step) -> None:
    """One stop and one target of exactly what is held; the new one before the old one goes."""
    assert expected == plan(a_situation(Phase.PROTECTING, **given))


@cases(HOLDING)
def test_holding(given: dict[str, Any], expected: Step) -> None:
    """A protected position is watched, and left alone."""
    assert expected == plan(a_situation(Phase.HOLDING, **given))


@cases(CLOSING)
def test_closing(given: dict[str, Any], expected: Step) -> None:
    """One way out, and never more than is ours."""
    assert expected == plan(a_situation(Phase.CLOSING, **given))


@cases(CLEANING)
def test_cleaning(given: dict[str, Any], expected: Step) -> None:
    """Nothing of ours stays behind, and everything is seen gone."""
    assert expected == plan(a_situation(Phase.CLEANING, **given))


def test_the_end_is_the_end() -> None:
    """Nothing is done about an execution that has ended."""
    assert Rest() == plan(a_situation(Phase.ENDED))
