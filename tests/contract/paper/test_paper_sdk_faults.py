"""Every fault as the official SDK sees it: which exception, and whether the request was executed all the same."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import pytest
from binance_common.errors import (
    BadRequestError,
    ClientError,
    NetworkError,
    RateLimitBanError,
    ServerError,
    TooManyRequestsError,
)
from binance_common.utils import request_not_sent

from tests.builders.paper import BTC, Venue
from withearth.paper.faults import FaultKind

INTERNAL: Final = "Internal error; unable to process your request. Please try again."
UNKNOWN: Final = "Unknown error, please check your request or try again later."


class Seen(NamedTuple):
    """What the SDK raises, what the response says where there is one, and whether the request was executed."""

    raised: type[Exception]
    status: int | None
    body: Mapping[str, object]
    executed: bool


SEEN: Final[Mapping[FaultKind, Seen]] = {
    FaultKind.TIMEOUT_BEFORE: Seen(NetworkError, None, {}, executed=False),
    FaultKind.TIMEOUT_AFTER: Seen(NetworkError, None, {}, executed=True),
    FaultKind.RESET_BEFORE: Seen(NetworkError, None, {}, executed=False),
    FaultKind.RESET_AFTER: Seen(NetworkError, None, {}, executed=True),
    FaultKind.UNAVAILABLE: Seen(ServerError, 503, {"msg": "Service Unavailable."}, executed=False),
    FaultKind.INTERNAL_ERROR: Seen(ServerError, 503, {"msg": INTERNAL}, executed=False),
    FaultKind.THROTTLED: Seen(ServerError, 503, {"code": -1008}, executed=False),
    FaultKind.UNKNOWN_BEFORE: Seen(ServerError, 503, {"msg": UNKNOWN}, executed=False),
    FaultKind.UNKNOWN_AFTER: Seen(ServerError, 503, {"msg": UNKNOWN}, executed=True),
    FaultKind.BACKEND_TIMEOUT_BEFORE: Seen(ClientError, 408, {"code": -1007}, executed=False),
    FaultKind.BACKEND_TIMEOUT_AFTER: Seen(ClientError, 408, {"code": -1007}, executed=True),
    FaultKind.TOO_MANY: Seen(TooManyRequestsError, 429, {"code": -1003}, executed=False),
    FaultKind.BANNED: Seen(RateLimitBanError, 418, {"code": -1003}, executed=False),
    FaultKind.EMPTY_ANSWER: Seen(json.JSONDecodeError, 200, {}, executed=True),
}
# The others are not seen as an error of the request they meet: each has a test of its own below.
QUIET: Final = frozenset(
    {
        FaultKind.LATE_ARRIVAL,
        FaultKind.LATE_ANSWER,
        FaultKind.REPEATED_ANSWER,
        FaultKind.EXECUTED_TWICE,
        FaultKind.STALE_READS,
        FaultKind.HIDDEN_ORDER,
        FaultKind.ALGO_NOT_FOUND,
    }
)
LIMIT: Final = {
    "symbol": BTC,
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.010",
    "price": "45000",
    "time_in_force": "GTC",
    "new_client_order_id": "wanted",
}
MARKET: Final = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.010"}


def _open_ids(venue: Venue) -> list[str]:
    venue.rest.current_all_open_orders(symbol=BTC)
    return [each["clientOrderId"] for each in venue.answer]


def _position(venue: Venue) -> Decimal:
    venue.rest.position_information_v3(symbol=BTC)
    return sum((Decimal(each["positionAmt"]) for each in venue.answer), Decimal(0))


def test_every_kind_of_fault_is_tried() -> None:
    """A new kind has to be given a row or a test here."""
    assert set(FaultKind) == SEEN.keys() | QUIET


@pytest.mark.parametrize("kind", SEEN)
def test_a_fault_is_raised_as_the_sdk_does_and_executes_as_it_says(venue: Venue, kind: FaultKind) -> None:
    """The exception class and status leave open what happened; the books do not."""
    seen = SEEN[kind]
    venue.fault(kind, method="POST", path="/order")
    with pytest.raises(seen.raised) as caught:
        venue.rest.new_order(**LIMIT)
    status, body = venue.status, venue.answer or {}
    venue.forgive()

    assert seen.status == status
    assert seen.body.items() <= body.items()
    assert (["wanted"] if seen.executed else []) == _open_ids(venue)
    assert not isinstance(caught.value, NetworkError) or not request_not_sent(caught.value.__cause__)


@pytest.mark.parametrize("kind", [FaultKind.UNAVAILABLE, FaultKind.THROTTLED, FaultKind.UNKNOWN_AFTER])
def test_the_sdk_does_not_repeat_what_may_have_been_executed(venue: Venue, kind: FaultKind) -> None:
    """One fault meets one request, and nothing else was sent."""
    venue.fault(kind, method="POST", times=5)
    with pytest.raises(ServerError):
        venue.rest.new_order(**MARKET)

    assert len(venue.fired) == 1


def test_an_order_that_reduces_is_not_throttled(venue: Venue) -> None:
    """-1008 spares what makes a position smaller."""
    venue.rest.new_order(**MARKET)
    venue.fault(FaultKind.THROTTLED, method="POST")
    venue.rest.new_order(**MARKET | {"side": "SELL", "reduce_only": "true"})

    assert Decimal(0) == _position(venue)


def test_a_late_request_meets_a_market_that_moved_on(venue: Venue) -> None:
    """The exchange executes it when it arrives: past its receive window it is refused."""
    venue.fault(FaultKind.LATE_ARRIVAL, method="POST", duration_ms=1_500)
    venue.rest.new_order(**LIMIT)
    assert venue.answer["status"] == "NEW"

    venue.fault(FaultKind.LATE_ARRIVAL, method="POST", duration_ms=5_500)
    venue.patience_ms(60_000)
    venue.refused(-1021, venue.rest.new_order, **LIMIT | {"new_client_order_id": "late"})


@pytest.mark.parametrize(("duration_ms", "arrives"), [(900, True), (1_100, False)])
def test_an_answer_later_than_the_client_waits_is_a_timeout(venue: Venue, duration_ms: int, *, arrives: bool) -> None:
    """The order is there in both cases."""
    venue.patience_ms(1_000)
    venue.fault(FaultKind.LATE_ANSWER, method="POST", duration_ms=duration_ms)
    if arrives:
        venue.rest.new_order(**LIMIT)
    else:
        with pytest.raises(NetworkError):
            venue.rest.new_order(**LIMIT)

    assert ["wanted"] == _open_ids(venue)


def test_a_repeated_answer_is_that_of_another_request(venue: Venue) -> None:
    """The client id in the answer is the only thing that tells."""
    venue.rest.new_order(**LIMIT | {"new_client_order_id": "first"})
    venue.fault(FaultKind.REPEATED_ANSWER, method="POST")
    venue.rest.new_order(**LIMIT)

    assert venue.answer["clientOrderId"] == "first"
    assert ["first", "wanted"] == _open_ids(venue)


def test_a_market_order_executed_twice_is_two_positions(venue: Venue) -> None:
    """A filled order's client id is free again, so nothing stops the second."""
    venue.fault(FaultKind.EXECUTED_TWICE, method="POST")
    venue.rest.new_order(**MARKET, new_client_order_id="once")

    assert Decimal("0.020") == _position(venue)


def test_a_resting_order_executed_twice_is_refused_the_second_time(venue: Venue) -> None:
    """Its client id is taken while it is open: the answer is -4116, and one order rests."""
    venue.fault(FaultKind.EXECUTED_TWICE, method="POST")
    with pytest.raises(BadRequestError) as refused:
        venue.rest.new_order(**LIMIT)

    assert refused.value.status_code == -4116
    assert ["wanted"] == _open_ids(venue)


def test_stale_reads_show_the_account_before_the_write(venue: Venue) -> None:
    """For a while, and only reads: the next write meets the truth."""
    venue.fault(FaultKind.STALE_READS, method="POST", duration_ms=3_000)
    venue.rest.new_order(**LIMIT)
    assert _open_ids(venue) == []
    venue.refused(-4116, venue.rest.new_order, **LIMIT)

    venue.pass_time(3_001)
    assert ["wanted"] == _open_ids(venue)


def test_a_hidden_order_is_missing_from_lists_and_lookups(venue: Venue) -> None:
    """-2013 for an order that lives, until the delay is over."""
    venue.rest.new_order(**LIMIT | {"new_client_order_id": "seen"})
    venue.fault(FaultKind.HIDDEN_ORDER, method="POST", duration_ms=2_000)
    venue.rest.new_order(**LIMIT)
    assert ["seen"] == _open_ids(venue)
    venue.refused(-2013, venue.rest.query_order, symbol=BTC, orig_client_order_id="wanted")

    venue.pass_time(2_001)
    venue.rest.query_order(symbol=BTC, orig_client_order_id="wanted")
    assert venue.answer["status"] == "NEW"


def test_a_live_algo_order_is_not_found_by_lookup(venue: Venue) -> None:
    """The list of open algo orders has it while the lookup says -2013."""
    venue.rest.new_algo_order(
        algo_type="CONDITIONAL",
        symbol=BTC,
        side="SELL",
        type="STOP_MARKET",
        quantity="0.010",
        trigger_price="45000",
        client_algo_id="stop",
    )
    venue.fault(FaultKind.ALGO_NOT_FOUND)
    venue.refused(-2013, venue.rest.query_algo_order, client_algo_id="stop")
    venue.rest.current_all_algo_open_orders(symbol=BTC)

    assert ["stop"] == [each["clientAlgoId"] for each in venue.answer]
