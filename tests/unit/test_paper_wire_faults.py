from collections.abc import Callable

import pytest
import requests
from requests.exceptions import ConnectionError as BrokenConnection
from requests.exceptions import ReadTimeout

from tests.builders.wire import BTC, KEY, Counter, read, refusal
from withearth.domain.errors import Misconfigured
from withearth.paper.faults import Fault, FaultKind, FaultQueue, fault_from
from withearth.paper.line import Delivery, Lost
from withearth.paper.transport import PaperTransport
from withearth.paper.wire.request import WireRequest

UNKNOWN = "Unknown error, please check your request or try again later."
INTERNAL = "Internal error; unable to process your request. Please try again."


@pytest.mark.parametrize(
    ("kind", "lost", "executed"),
    [
        (FaultKind.TIMEOUT_BEFORE, Lost.ANSWER, 0),
        (FaultKind.TIMEOUT_AFTER, Lost.ANSWER, 1),
        (FaultKind.RESET_BEFORE, Lost.CONNECTION, 0),
        (FaultKind.RESET_AFTER, Lost.CONNECTION, 1),
    ],
)
def test_an_answer_is_lost(kind: FaultKind, lost: Lost, executed: int) -> None:
    """With and without execution; the next request goes through."""
    counter = Counter(Fault(kind, method="POST"))

    delivery = counter.buy()

    assert Delivery(None, lost) == delivery
    assert executed == len(counter.open_orders())
    assert counter.buy().answer is not None


@pytest.mark.parametrize(
    ("kind", "status", "document", "executed"),
    [
        (FaultKind.UNAVAILABLE, 503, {"code": 0, "msg": "Service Unavailable."}, 0),
        (FaultKind.INTERNAL_ERROR, 503, {"code": -1001, "msg": INTERNAL}, 0),
        (FaultKind.UNKNOWN_BEFORE, 503, {"code": -1000, "msg": UNKNOWN}, 0),
        (FaultKind.UNKNOWN_AFTER, 503, {"code": -1000, "msg": UNKNOWN}, 1),
    ],
)
def test_a_server_error_comes_instead(kind: FaultKind, status: int, document: object, executed: int) -> None:
    """The bodies of 503 that the exchange documents: two failed, one nobody knows."""
    counter = Counter(Fault(kind))

    answer = counter.buy().answer

    assert answer is not None
    assert status == answer.status
    assert document == read(answer)
    assert executed == len(counter.open_orders())


@pytest.mark.parametrize(
    ("kind", "executed"), [(FaultKind.BACKEND_TIMEOUT_BEFORE, 0), (FaultKind.BACKEND_TIMEOUT_AFTER, 1)]
)
def test_the_backend_does_not_answer(kind: FaultKind, executed: int) -> None:
    """408 with -1007 says nothing about execution."""
    counter = Counter(Fault(kind))

    answer = counter.buy().answer

    assert (408, -1007) == refusal(answer)
    assert executed == len(counter.open_orders())


def test_throttling_lets_exits_through() -> None:
    """-1008 meets entries; orders that reduce and cancels are exempt."""
    counter = Counter(Fault(FaultKind.THROTTLED, times=3))

    assert (503, -1008) == refusal(counter.buy().answer)
    assert (400, -2022) == refusal(counter.buy(reduceOnly="true").answer)
    assert (400, -2011) == refusal(counter.send("DELETE", "order", symbol=BTC, orderId=1).answer)


def test_somebody_else_used_up_the_weight() -> None:
    """429 now and until the minute ends, though this client did little."""
    counter = Counter(Fault(FaultKind.TOO_MANY))

    assert (429, -1003) == refusal(counter.buy().answer)
    assert (429, -1003) == refusal(counter.buy().answer)
    assert counter.faults.pending == []
    counter.clock.advance(60_000)
    assert counter.open_orders() == []


def test_an_address_is_banned() -> None:
    """418 until the ban ends."""
    counter = Counter(Fault(FaultKind.BANNED))

    assert (418, -1003) == refusal(counter.buy().answer)
    counter.clock.advance(119_999)
    assert (418, -1003) == refusal(counter.buy().answer)
    counter.clock.advance(1)
    assert counter.open_orders() == []


def test_an_answer_comes_empty() -> None:
    """200 without a body, and the order stands."""
    counter = Counter(Fault(FaultKind.EMPTY_ANSWER))

    answer = counter.buy().answer

    assert answer is not None
    assert (200, b"") == (answer.status, answer.body)
    assert 1 == len(counter.open_orders())


def test_an_old_answer_comes_again() -> None:
    """The one before it, to the same method and path."""
    counter = Counter(Fault(FaultKind.REPEATED_ANSWER, skip=1))
    first = counter.buy(newClientOrderId="first").answer

    second = counter.buy(newClientOrderId="second").answer

    assert first == second
    assert ["first", "second"] == [row["clientOrderId"] for row in counter.open_orders()]


def test_a_request_is_executed_twice() -> None:
    """A proxy that sends again: without a client's id of its own, two orders stand."""
    counter = Counter(Fault(FaultKind.EXECUTED_TWICE))

    answer = read(counter.buy().answer)

    assert [answer["orderId"] - 1, answer["orderId"]] == [row["orderId"] for row in counter.open_orders()]


def test_a_request_arrives_late() -> None:
    """Too late for its window, it is refused by its timestamp."""
    counter = Counter(Fault(FaultKind.LATE_ARRIVAL, duration_ms=5_001))

    assert (400, -1021) == refusal(counter.buy().answer)


def test_an_answer_comes_late() -> None:
    """The order was executed at once."""
    counter = Counter(Fault(FaultKind.LATE_ANSWER, duration_ms=700))

    delivery = counter.buy()

    assert 700 == delivery.late_ms
    assert "NEW" == read(delivery.answer)["status"]


def test_reads_lag_behind_a_write() -> None:
    """Signed reads show the books from before it for a while, public ones the present."""
    counter = Counter(Fault(FaultKind.STALE_READS, duration_ms=2_000))
    counter.buy(newClientOrderId="unseen")

    assert [] == counter.open_orders()
    assert (400, -2013) == refusal(counter.ask("GET", "order", symbol=BTC, origClientOrderId="unseen"))
    assert (400, -4116) == refusal(counter.buy(newClientOrderId="unseen").answer)
    counter.clock.advance(2_000)
    assert 1 == len(counter.open_orders())


def test_an_order_is_not_seen_at_first() -> None:
    """-2013 and absent from lists for a while, though it stands."""
    counter = Counter(Fault(FaultKind.HIDDEN_ORDER, duration_ms=1_000))
    order_id = read(counter.buy().answer)["orderId"]

    assert [] == counter.open_orders()
    assert (400, -2013) == refusal(counter.ask("GET", "order", symbol=BTC, orderId=order_id))
    assert (400, -2013) == refusal(counter.ask("GET", "openOrder", symbol=BTC, orderId=order_id))
    assert [] == read(counter.ask("GET", "allOrders", symbol=BTC))
    counter.clock.advance(1_000)
    assert [order_id] == [row["orderId"] for row in counter.open_orders()]


def _stop(counter: Counter) -> int:
    sent = {"algoType": "CONDITIONAL", "symbol": BTC, "side": "SELL", "type": "STOP_MARKET"}
    placed = read(counter.send("POST", "algoOrder", **sent, quantity="0.01", triggerPrice="60000").answer)
    algo_id = placed["algoId"]
    assert isinstance(algo_id, int)
    return algo_id


def test_a_live_stop_is_said_not_to_exist() -> None:
    """GET /algoOrder answers -2013 for what openAlgoOrders lists."""
    counter = Counter(Fault(FaultKind.ALGO_NOT_FOUND))
    algo_id = _stop(counter)

    assert (400, -2013) == refusal(counter.send("GET", "algoOrder", algoId=algo_id).answer)
    assert [algo_id] == [row["algoId"] for row in read(counter.ask("GET", "openAlgoOrders", symbol=BTC))]
    assert algo_id == read(counter.send("GET", "algoOrder", algoId=algo_id).answer)["algoId"]


def test_a_stop_is_hidden_like_an_order() -> None:
    """From openAlgoOrders, allAlgoOrders and GET /algoOrder."""
    counter = Counter(Fault(FaultKind.HIDDEN_ORDER, duration_ms=1_000))
    algo_id = _stop(counter)

    assert [] == read(counter.ask("GET", "openAlgoOrders", symbol=BTC))
    assert [] == read(counter.ask("GET", "allAlgoOrders", symbol=BTC))
    assert (400, -2013) == refusal(counter.ask("GET", "algoOrder", algoId=algo_id))


def test_every_kind_of_fault_is_carried_out() -> None:
    """None is left without an effect on the line."""
    for kind in FaultKind:
        counter = Counter(Fault(kind, duration_ms=10))
        method, path = ("GET", "algoOrder") if kind is FaultKind.ALGO_NOT_FOUND else ("POST", "order")

        counter.send(method, path, symbol=BTC, algoId=1) if method == "GET" else counter.buy()

        assert [kind] == [fired.fault.kind for fired in counter.faults.fired]


def test_a_fault_chooses_its_requests() -> None:
    """By method, path and symbol, after some that are let go."""
    queue = FaultQueue()
    queue.add(Fault(FaultKind.RESET_AFTER, method="POST", path="/order", symbol=BTC, skip=1, times=2))
    asked = [("GET", "/order", BTC), ("POST", "/order", "ETHUSDT"), *[("POST", "/fapi/v1/order", BTC)] * 4]

    met = [queue.take(method, path, symbol, 7) is not None for method, path, symbol in asked]

    assert [False, False, False, True, True, False] == met
    assert [7, 7] == [fired.at_ms for fired in queue.fired]


def test_chance_is_seeded() -> None:
    """The same seed meets the same requests, another one others."""

    def met(seed: int) -> list[bool]:
        queue = FaultQueue(seed)
        queue.add(Fault(FaultKind.RESET_AFTER, probability=0.5, times=1_000))
        return [queue.take("POST", "/order", None, 0) is not None for _ in range(64)]

    assert met(1) == met(1)
    assert met(1) != met(2)
    assert 16 < sum(met(1)) < 48


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "sabotage"},
        {"kind": "reset_after", "times": 0},
        {"kind": "reset_after", "skip": -1},
        {"kind": "reset_after", "probability": 0},
        {"kind": "reset_after", "duration_ms": "long"},
        {"kind": "reset_after", "colour": "red"},
    ],
)
def test_a_fault_that_is_none_is_refused(document: dict[str, object]) -> None:
    """With a sentence that says what is wrong."""
    with pytest.raises(Misconfigured, match=r"is not a fault|out of range"):
        fault_from(document)


def _session(counter: Counter) -> requests.Session:
    session = requests.Session()
    session.mount("https://", PaperTransport(counter.face, faults=counter.faults, pause=counter.clock.advance))
    session.headers["X-MBX-APIKEY"] = KEY
    return session


def _posts(counter: Counter) -> Callable[[], requests.Response]:
    sent = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "60000", "timeInForce": "GTC"}
    query = counter.signed("POST", "order", **sent).query
    return lambda: _session(counter).post(f"https://fapi.binance.com/fapi/v1/order?{query}", timeout=(1, 2))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(FaultKind.TIMEOUT_AFTER), ReadTimeout),
        (Fault(FaultKind.RESET_AFTER), BrokenConnection),
        (Fault(FaultKind.LATE_ANSWER, duration_ms=2_001), ReadTimeout),
    ],
)
def test_a_session_sees_what_a_network_would_show(fault: Fault, error: type[Exception]) -> None:
    """A lost answer is a ReadTimeout, a broken connection a ConnectionError; the order stands in either case."""
    counter = Counter(fault)

    with pytest.raises(error):
        _posts(counter)()

    assert 1 == len(counter.open_orders())


def test_a_session_waits_for_an_answer_in_time() -> None:
    """The time that passes meanwhile is the exchange's."""
    counter = Counter(Fault(FaultKind.LATE_ANSWER, duration_ms=1_999))
    before = counter.face.now_ms()

    answer = _posts(counter)()

    assert 1_999 == counter.face.now_ms() - before
    assert ("NEW", "1") == (answer.json()["status"], answer.headers["x-mbx-order-count-10s"])


def test_a_form_is_read_as_a_body() -> None:
    """What clients post as a form arrives as they signed it."""
    counter = Counter()
    body = counter.signed("POST", "", symbol=BTC, leverage=7).query

    answer = _session(counter).post("https://any.host/fapi/v1/leverage", data=body)

    assert 7 == answer.json()["leverage"]


def test_an_unreadable_request_meets_faults_too() -> None:
    """A parameter sent twice does not protect from a broken connection."""
    counter = Counter(Fault(FaultKind.RESET_BEFORE))

    delivery = counter.line.deliver(WireRequest("GET", "/fapi/v1/time", "a=1&a=2"))

    assert delivery.lost is Lost.CONNECTION
