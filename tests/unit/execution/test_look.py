from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.builders.situations import (
    ENTRY,
    NOW,
    PART,
    QTY,
    SECOND,
    a_guard,
    a_sight,
    an_execution,
    an_order,
    id_of,
    live,
    over,
    sent,
)
from withearth.execution.lineage import Leg
from withearth.execution.look import (
    ABSENCES_MIN,
    ABSENT_AFTER,
    BELIEVED_AFTER,
    FORGOTTEN_AFTER,
    Sight,
    answered,
    learn,
    to_ask,
)
from withearth.execution.orders import Accepted, Answer, Rejected, Unknown
from withearth.execution.phases import Phase
from withearth.execution.record import Outcome
from withearth.execution.shown import ConditionalStatus, OrderState, OrderStatus

LONG_AGO = ABSENT_AFTER.total_seconds()


def outcome(leg: Leg, execution: object) -> Outcome:
    """What is known of the first attempt at a leg."""
    found: Outcome = execution.sent[id_of(leg)].outcome  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Accepted(id_of(Leg.STOP), "7"), Outcome.LIVE),
        (Rejected(id_of(Leg.STOP), -2021, ""), Outcome.REJECTED),
        (Unknown(id_of(Leg.STOP), ""), Outcome.PENDING),
        (Rejected(id_of(Leg.STOP), -4116, ""), Outcome.PENDING),
    ],
    ids=["accepted", "rejected", "unknown", "duplicate"],
)
def test_an_answer_says_no_more_than_it_says(answer: Answer, expected: Outcome) -> None:
    """Unknown stays pending, and so does a duplicate id: the first request did arrive."""
    execution = answered(an_execution(Phase.ARMING, sent(Leg.STOP)), id_of(Leg.STOP), answer)

    assert expected is outcome(Leg.STOP, execution)


def test_only_unsettled_orders_that_no_list_shows_are_asked_for() -> None:
    """What the lists show, or is over, costs no query."""
    execution = an_execution(
        Phase.HOLDING, over(Leg.ENTRY, filled=QTY), live(Leg.STOP), live(Leg.TARGET), live(Leg.EXIT)
    )
    sight = a_sight(QTY, a_guard(Leg.STOP), an_order(Leg.EXIT))

    assert [id_of(Leg.TARGET)] == [id_ for id_, _ in to_ask(execution, sight.truth)]


def test_an_order_that_never_arrived_is_absent() -> None:
    """Looked for often enough, for longer than a request can be under way, without a trace in the position."""
    execution = an_execution(Phase.ENTERING, sent(Leg.ENTRY, ago_s=LONG_AGO))
    for look in range(1, ABSENCES_MIN + 1):
        execution = learn(execution, a_sight(), NOW)
        assert (Outcome.ABSENT if look == ABSENCES_MIN else Outcome.PENDING) is outcome(Leg.ENTRY, execution)


def test_a_young_order_is_not_absent() -> None:
    """However often it is looked for, a request that may still be under way is not given up."""
    execution = an_execution(Phase.ENTERING, sent(Leg.ENTRY, ago_s=LONG_AGO - 1, absences=50))

    assert Outcome.PENDING is outcome(Leg.ENTRY, learn(execution, a_sight(), NOW))


def test_an_entry_is_not_absent_while_the_position_speaks_for_it() -> None:
    """-2013 is no proof: a position that our fills do not explain is taken for the entry's, for as long as it lasts."""
    execution = an_execution(
        Phase.ENTERING, sent(Leg.ENTRY, ago_s=300, absences=50), odd_since=NOW - 10 * BELIEVED_AFTER
    )

    assert Outcome.PENDING is outcome(Leg.ENTRY, learn(execution, a_sight(QTY), NOW))


@pytest.mark.parametrize("for_s", [0, 29, 30])
def test_an_exit_is_absent_once_the_position_was_changed_by_others(for_s: int) -> None:
    """A position that is gone may be the exit's doing; when the list of it stays empty for long, somebody else's."""
    execution = an_execution(
        Phase.CLOSING,
        over(Leg.ENTRY, filled=QTY),
        sent(Leg.EXIT, ago_s=60, absences=50),
        odd_since=NOW - timedelta(seconds=for_s),
    )
    expected = Outcome.ABSENT if for_s * SECOND >= BELIEVED_AFTER else Outcome.PENDING

    assert expected is outcome(Leg.EXIT, learn(execution, a_sight(), NOW))


def test_what_was_seen_keeps_its_state_until_the_exchange_says_how_it_ended() -> None:
    """An order that was live and is not found any more is neither gone nor filled."""
    execution = an_execution(Phase.HOLDING, over(Leg.ENTRY, filled=QTY), live(Leg.STOP, ago_s=3600))

    assert Outcome.LIVE is outcome(Leg.STOP, learn(execution, a_sight(QTY), NOW))


@pytest.mark.parametrize("leg", list(Leg))
def test_what_the_exchange_has_forgotten_is_over(leg: Leg) -> None:
    """It ended without a fill while nobody looked, and is not told of any more: it holds nothing up for ever."""
    execution = an_execution(Phase.CLEANING, live(leg, ago_s=FORGOTTEN_AFTER.total_seconds()))
    for look in range(1, ABSENCES_MIN + 1):
        execution = learn(execution, a_sight(), NOW)
        assert (Outcome.OVER if look == ABSENCES_MIN else Outcome.LIVE) is outcome(leg, execution)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_an_ordinary_order_is_over_when_it_cannot_fill_any_more(status: OrderStatus) -> None:
    """Whatever it is called, an order that has ended is over, with what it filled."""
    shown = an_order(Leg.ENTRY, status=status, filled=PART)
    execution = learn(
        an_execution(Phase.ENTERING, live(Leg.ENTRY)), a_sight(PART, asked={id_of(Leg.ENTRY): shown}), NOW
    )
    known = execution.sent[id_of(Leg.ENTRY)]

    assert (Outcome.LIVE if status.is_open else Outcome.OVER) is known.outcome
    assert (PART, ENTRY, "90", NOW) == (known.filled, known.average, known.order_id, known.filled_at)


@pytest.mark.parametrize("status", list(ConditionalStatus))
def test_a_conditional_order_is_over_only_when_nothing_came_of_it(status: ConditionalStatus) -> None:
    """One that has triggered is told by the order it became, so until that is read it is not over."""
    shown = a_guard(Leg.STOP, status=status)
    execution = learn(
        an_execution(Phase.HOLDING, over(Leg.ENTRY, filled=QTY), live(Leg.STOP)),
        a_sight(QTY, asked={id_of(Leg.STOP): shown}),
        NOW,
    )
    fruitless = status in {ConditionalStatus.CANCELED, ConditionalStatus.EXPIRED, ConditionalStatus.REJECTED}

    assert (Outcome.OVER if fruitless else Outcome.LIVE) is outcome(Leg.STOP, execution)


def test_a_difference_is_dated_from_its_first_sight() -> None:
    """What the exchange holds and what our fills add up to may differ for a moment; since when, is kept."""
    execution = learn(an_execution(Phase.HOLDING, over(Leg.ENTRY, filled=QTY)), a_sight(PART), NOW)
    again = learn(execution, a_sight(PART), NOW + SECOND)

    assert NOW == execution.odd_since == again.odd_since
    assert learn(again, a_sight(QTY), NOW + SECOND).odd_since is None


def test_the_first_fill_keeps_its_time() -> None:
    """When a trade was opened does not move with its later fills."""
    known = live(Leg.ENTRY, filled=PART, filled_at=NOW - SECOND)
    later = replace(an_order(Leg.ENTRY, filled=QTY), updated_ms=0)

    execution = learn(an_execution(Phase.ENTERING, known), a_sight(QTY, later), NOW)

    assert NOW - SECOND == execution.sent[id_of(Leg.ENTRY)].filled_at


@pytest.mark.parametrize("status", [ConditionalStatus.TRIGGERING, ConditionalStatus.TRIGGERED])
def test_only_a_stop_that_waits_covers(status: ConditionalStatus) -> None:
    """A stop that has gone off guards nothing any more."""
    stops = [(id_of(Leg.STOP), live(Leg.STOP))]

    assert not a_sight(QTY, a_guard(Leg.STOP, status=status)).covering(stops)
    assert 1 == len(a_sight(QTY, a_guard(Leg.STOP)).covering(stops))
    assert not a_sight(Decimal(0)).covering(stops)


def listing(held: Decimal, *rows: OrderState) -> Sight:
    """A reading with the list of all orders."""
    return replace(a_sight(held), listed=rows)


def a_filled(leg: Leg, order_id: str, filled: Decimal = QTY) -> OrderState:
    """An order that has filled, under an id of the exchange."""
    return replace(an_order(leg, status=OrderStatus.FILLED, filled=filled), order_id=order_id)


def test_an_order_that_was_executed_twice_counts_twice() -> None:
    """Both fills are ours, however often the list is read."""
    execution = an_execution(Phase.PROTECTING, over(Leg.ENTRY, filled=QTY, order_id="90"), live(Leg.STOP))
    sight = listing(2 * QTY, a_filled(Leg.ENTRY, "90"), a_filled(Leg.ENTRY, "91"))
    for _ in range(2):
        execution = learn(execution, sight, NOW)

    assert (2 * QTY, 2 * QTY) == (execution.filled, execution.expected)
    assert {"90", "91"} == execution.sent[id_of(Leg.ENTRY)].order_ids


def test_an_order_behind_a_refusal_is_ours() -> None:
    """The second of two was refused, and that was the answer: the first one has filled."""
    refusal = sent(Leg.ENTRY, outcome=Outcome.REJECTED, code=-2019)
    execution = learn(an_execution(Phase.PROTECTING, refusal), listing(QTY, a_filled(Leg.ENTRY, "90")), NOW)

    assert (QTY, Outcome.OVER) == (execution.filled, outcome(Leg.ENTRY, execution))


@pytest.mark.parametrize("first", ["listed", "asked"])
def test_a_stop_that_went_off_counts_once(first: str) -> None:
    """It was accepted under the id of a conditional order, and became an ordinary one with an id of its own."""
    orders = (over(Leg.ENTRY, filled=QTY, order_id="90"), live(Leg.STOP, order_id="4000"))
    execution, gone_off = an_execution(Phase.HOLDING, *orders), a_filled(Leg.STOP, "95")
    readings = {
        "listed": listing(Decimal(0), a_filled(Leg.ENTRY, "90"), gone_off),
        "asked": a_sight("0", asked={id_of(Leg.STOP): gone_off}),
    }
    for name in sorted(readings, key=lambda name: name != first):
        execution = learn(execution, readings[name], NOW)

        assert (QTY, Decimal(0)) == (execution.filled, execution.expected)
        assert {"95"} == execution.sent[id_of(Leg.STOP)].order_ids


@pytest.mark.parametrize(("filled", "expected"), [(QTY, Decimal(0)), (PART, QTY - PART), (2 * QTY, QTY)])
@pytest.mark.parametrize("name", ["autoclose-1", "adl_autoclose", "settlement_autoclose-1"])
def test_what_the_exchange_closed_of_ours_left_by_its_order(name: str, filled: Decimal, expected: Decimal) -> None:
    """Counted once, however often the list is read; an order that closed more than ours is not divided by guess."""
    execution = an_execution(Phase.HOLDING, over(Leg.ENTRY, filled=QTY, order_id="90"), live(Leg.STOP))
    closing = replace(a_filled(Leg.EXIT, "99", filled), client_id=name)
    for _ in range(2):
        execution = learn(execution, listing(Decimal(0), closing), NOW)

    assert expected == execution.expected


def test_orders_of_others_in_the_list_are_none_of_ours() -> None:
    """Only our own ids count."""
    execution = an_execution(Phase.HOLDING, over(Leg.ENTRY, filled=QTY, order_id="90"), live(Leg.STOP))
    by_hand = replace(a_filled(Leg.ENTRY, "77"), client_id="web_1")

    assert QTY == learn(execution, listing(2 * QTY, by_hand), NOW).filled
