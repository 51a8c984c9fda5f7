from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.builders.situations import ENTRY, NOW, PART, QTY, TERMS, an_execution, id_of, live, over
from withearth.domain.reasons import Reason
from withearth.domain.times import from_ms
from withearth.execution.lineage import Leg
from withearth.execution.phases import Event, Phase
from withearth.execution.record import Execution, Outcome, Sent, execution_from
from withearth.store.values import decode, encode

PRICES = st.decimals(Decimal("0.0000001"), Decimal(10_000_000), places=7)
INSTANTS = st.integers(1_500_000_000_000, 4_000_000_000_000).map(from_ms)


def orders() -> st.SearchStrategy[Sent]:
    """Any order that can stand in a record."""
    return st.builds(
        Sent,
        leg=st.sampled_from(Leg),
        attempt=st.integers(0, 35),
        qty=PRICES,
        price=st.none() | PRICES,
        sent_at=INSTANTS,
        outcome=st.sampled_from(Outcome),
        filled=PRICES,
        filled_at=st.none() | INSTANTS,
        average=st.none() | PRICES,
        order_id=st.text("0123456789", max_size=18),
        code=st.integers(-6000, 0),
        absences=st.integers(0, 100),
    )


@given(data=st.data())
def test_a_record_survives_the_books(data: Any) -> None:
    """What is read back from a document is the record that was written, to the last digit."""
    sent = data.draw(st.lists(orders(), max_size=4))
    execution = Execution(
        terms=TERMS,
        armed_first=data.draw(st.booleans()),
        phase=data.draw(st.sampled_from(Phase)),
        phase_since=data.draw(INSTANTS),
        sent={id_of(each.leg, each.attempt): each for each in sent},
        reprices=data.draw(st.integers(0, 20)),
        reason=data.draw(st.none() | st.sampled_from(Reason)),
        odd_since=data.draw(st.none() | INSTANTS),
        doing=data.draw(st.sampled_from(["", "send x", "remove y"])),
        best=data.draw(st.none() | PRICES),
    )

    assert execution == execution_from(decode(encode(execution.to_document())))


def test_an_order_is_in_the_record_before_it_is_sent() -> None:
    """The write-ahead record names the request by the id it will bear, as PENDING."""
    execution = an_execution(Phase.ARMING).sending(Leg.STOP, QTY, TERMS.sl, NOW)

    assert f"send {id_of(Leg.STOP)}" == execution.doing
    assert Sent(Leg.STOP, 0, QTY, TERMS.sl, NOW) == execution.sent[id_of(Leg.STOP)]


def test_every_attempt_has_an_id_of_its_own() -> None:
    """A leg that is sent again never bears the id of an attempt before: a filled order's id is free on the exchange."""
    execution = an_execution(Phase.ENTERING)
    for _ in range(3):
        execution = execution.sending(Leg.ENTRY, QTY, ENTRY, NOW)

    assert [id_of(Leg.ENTRY, attempt) for attempt in range(3)] == [id_ for id_, _ in execution.legs(Leg.ENTRY)]


def test_what_is_expected_is_what_our_own_fills_left() -> None:
    """The position we know of is entered less left, whichever legs it left by."""
    execution = an_execution(
        Phase.HOLDING, over(Leg.ENTRY, filled=QTY), over(Leg.STOP, filled=PART), live(Leg.EXIT, filled=Decimal("0.001"))
    )

    assert QTY == execution.filled
    assert Decimal("0.005") == execution.expected


def test_the_first_reason_is_kept() -> None:
    """Why an execution came to its end is not overwritten by what followed from it."""
    later = NOW + timedelta(seconds=1)
    execution = an_execution(Phase.HOLDING).after(Event.TIME_UP, NOW, Reason.HORIZON_OVER)

    assert Reason.HORIZON_OVER is execution.after(Event.FLAT, later, Reason.STOP_REFUSED).reason
