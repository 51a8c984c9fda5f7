"""The one adapter, every method of it, against the paper exchange through the official SDK."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from tests.builders.trading import OTHER, SYMBOL, Move, World, with_fault
from withearth.domain.errors import Unavailable
from withearth.domain.times import to_ms
from withearth.execution.binance import PAGE, BinanceVenue
from withearth.execution.orders import (
    Accepted,
    Action,
    Answer,
    Conditional,
    Order,
    Rejected,
    TimeInForce,
    Trigger,
    Unknown,
)
from withearth.execution.shown import ConditionalStatus, OrderStatus
from withearth.paper.clocks import SteeredClock
from withearth.paper.engine.kinds import OrderSide, OrderType
from withearth.paper.engine.orders import PlaceOrder
from withearth.paper.faults import FaultKind

QTY = Decimal("0.010")
FLAT = Decimal(0)


def an_order(client_id: str = "e", **changed: Any) -> Order:
    """A buy at the market."""
    fields: dict[str, Any] = {"symbol": SYMBOL, "client_id": client_id, "action": Action.BUY, "qty": QTY}
    return Order(**fields | changed)


def a_bid(price: str, client_id: str = "e", **changed: Any) -> Order:
    """A buy that may rest."""
    return an_order(client_id, price=Decimal(price), **changed)


def a_stop(client_id: str = "s", **changed: Any) -> Conditional:
    """A stop under a long."""
    fields: dict[str, Any] = {
        "symbol": SYMBOL,
        "client_id": client_id,
        "action": Action.SELL,
        "qty": QTY,
        "trigger": Trigger.STOP,
        "trigger_price": Decimal(49_750),
    }
    return Conditional(**fields | changed)


@pytest.fixture
def world() -> World:
    """An exchange of its own."""
    return World(symbols=(SYMBOL, OTHER))


@pytest.fixture
def venue(world: World) -> BinanceVenue:
    """The adapter to it."""
    return world.adapter()


def test_a_market_order_becomes_a_position(world: World, venue: BinanceVenue) -> None:
    """Placed, accepted under the exchange's own id, filled, and there in every reading."""
    answer = venue.place(an_order(), world.now())
    state = venue.order(SYMBOL, "e")
    held = venue.truth(SYMBOL)

    assert isinstance(answer, Accepted)
    assert state is not None
    assert (answer.order_id, OrderStatus.FILLED, QTY) == (state.order_id, state.status, state.filled)
    assert (state.average_price, state.price) == (held.position.entry_price, None)
    assert (QTY, (), ()) == (held.position.qty, held.orders, held.conditionals)
    assert FLAT == venue.truth(OTHER).position.qty
    assert (QTY,) == tuple(each.qty for each in venue.everything()[0])


def test_a_limit_order_rests_moves_and_goes(world: World, venue: BinanceVenue) -> None:
    """Placed, modified, cancelled: each seen in the list, and its end in the query."""
    assert isinstance(venue.place(a_bid("49900"), world.now()), Accepted)
    assert isinstance(venue.modify(a_bid("49950"), world.now()), Accepted)
    (resting,) = venue.truth(SYMBOL).orders
    assert (Decimal(49_950), OrderStatus.NEW, False) == (resting.price, resting.status, resting.reduce_only)
    assert resting == venue.truth(SYMBOL).order("e")

    assert isinstance(venue.cancel(SYMBOL, "e", world.now()), Accepted)
    ended = venue.order(SYMBOL, "e")
    assert ended is not None
    assert ((), OrderStatus.CANCELED) == (venue.truth(SYMBOL).orders, ended.status)


def test_a_change_to_what_is_so_already_is_done(world: World, venue: BinanceVenue) -> None:
    """-5027 says that the order stands as it was asked for."""
    venue.place(a_bid("49900"), world.now())

    assert isinstance(venue.modify(a_bid("49900"), world.now()), Accepted)


def test_refusals_carry_the_exchanges_code(world: World, venue: BinanceVenue) -> None:
    """A no is a no, under the code of the exchange."""
    cases: Mapping[int, Callable[[], Answer]] = {
        -2011: lambda: venue.cancel(SYMBOL, "never", world.now()),
        -2021: lambda: venue.arm(a_stop(trigger_price=Decimal(50_100)), world.now()),
        -2022: lambda: venue.place(an_order("x", action=Action.SELL, reduce_only=True), world.now()),
        -5022: lambda: venue.place(a_bid("50100", time_in_force=TimeInForce.GTX), world.now()),
        -4015: lambda: venue.place(an_order("no spaces"), world.now()),
        -1111: lambda: venue.place(an_order(qty=Decimal("0.00001")), world.now()),
        -2019: lambda: venue.place(an_order(qty=Decimal(5)), world.now()),
    }
    answers = {code: call() for code, call in cases.items()}

    assert dict.fromkeys(cases, Rejected) == {code: type(answer) for code, answer in answers.items()}
    assert list(cases) == [answer.code for answer in answers.values() if isinstance(answer, Rejected)]
    assert FLAT == world.held()


def test_a_duplicate_id_is_refused_only_while_the_first_is_open(world: World, venue: BinanceVenue) -> None:
    """The exchange keeps nobody from buying twice under one id: that is why none is ever used again."""
    venue.place(a_bid("49900"), world.now())
    duplicate = venue.place(a_bid("49900"), world.now())
    assert isinstance(duplicate, Rejected)
    assert -4116 == duplicate.code

    for _ in range(2):
        venue.place(an_order("m"), world.now())
    assert 2 * QTY == world.held()


def test_stops_and_targets_stand_and_go(world: World, venue: BinanceVenue) -> None:
    """R1: armed and disarmed through the algo endpoints, seen in their own list, and their end in the query."""
    target = a_stop("t", trigger=Trigger.TARGET, trigger_price=Decimal(50_450))
    assert isinstance(venue.arm(a_stop(), world.now()), Accepted)
    assert isinstance(venue.arm(target, world.now()), Accepted)
    standing = venue.truth(SYMBOL).conditionals
    assert [("s", Trigger.STOP), ("t", Trigger.TARGET)] == [(each.client_id, each.trigger) for each in standing]
    assert all(each.reduce_only and each.status.is_open and each.qty == QTY for each in standing)
    assert standing == venue.everything()[2]

    assert isinstance(venue.disarm("s", world.now()), Accepted)
    gone = venue.conditional(SYMBOL, "s")
    assert gone is not None
    assert ConditionalStatus.CANCELED is gone.status
    assert isinstance(venue.disarm("s", world.now()), Rejected)


def test_a_stop_that_went_off_is_an_order_of_its_id(world: World, venue: BinanceVenue) -> None:
    """A triggered stop is told by the ordinary order that it became."""
    venue.place(an_order(), world.now())
    venue.arm(a_stop(), world.now())
    world.play([Move(timedelta(seconds=1), Decimal(49_700))])
    world.sleep(timedelta(seconds=2))
    gone_off, became = venue.conditional(SYMBOL, "s"), venue.order(SYMBOL, "s")

    assert gone_off is not None
    assert became is not None
    assert ConditionalStatus.FINISHED is gone_off.status
    assert (OrderStatus.FILLED, QTY, True) == (became.status, became.filled, became.reduce_only)
    assert FLAT == venue.truth(SYMBOL).position.qty


def test_a_stop_is_found_although_the_query_denies_it(world: World, venue: BinanceVenue) -> None:
    """R3: -2013 is answered for stops that live; the lists of open and of all tell."""
    venue.arm(a_stop(), world.now())
    with_fault(world, kind=FaultKind.ALGO_NOT_FOUND, times=2)

    found = venue.conditional(SYMBOL, "s")
    assert found is not None
    assert ConditionalStatus.NEW is found.status
    venue.disarm("s", world.now())
    gone = venue.conditional(SYMBOL, "s")
    assert gone is not None
    assert ConditionalStatus.CANCELED is gone.status


def test_what_never_was_is_none(venue: BinanceVenue) -> None:
    """The exchange says that it has no such order: a reading, not an error."""
    assert venue.order(SYMBOL, "never") is None
    assert venue.conditional(SYMBOL, "never") is None


def test_every_fill_comes_once_and_in_order(world: World, venue: BinanceVenue) -> None:
    """The list is cut at its newest end: the pages after it are read, too."""
    first = PlaceOrder(symbol=SYMBOL, side=OrderSide.BUY, type=OrderType.MARKET, quantity=Decimal("0.002"))
    world.exchange.place(world.account, first)
    world.sleep(timedelta(seconds=1))
    since_ms = to_ms(world.now())
    for number in range(PAGE + 5):
        side = OrderSide.SELL if number % 2 else OrderSide.BUY
        world.exchange.place(
            world.account, PlaceOrder(symbol=SYMBOL, side=side, type=OrderType.MARKET, quantity=Decimal("0.002"))
        )
    fills = venue.fills(SYMBOL, since_ms)

    assert PAGE + 5 == len(fills)
    assert sorted({each.trade_id for each in fills}) == [each.trade_id for each in fills]
    assert sum(each.commission for each in fills) == sum(each.commission for each in world.account.fills[1:])
    assert sum(each.realized for each in fills) == sum(each.realized_pnl for each in world.account.fills[1:])
    assert {"USDT"} == {each.commission_asset for each in fills}
    assert () == venue.fills(OTHER, since_ms)


def test_what_was_filled_more_than_a_week_later_is_read_too(world: World, venue: BinanceVenue) -> None:
    """The exchange shows a week from the instant that it is asked about."""
    began_ms = to_ms(world.now())
    venue.place(an_order(), world.now())
    world.sleep(timedelta(days=8))
    venue.place(an_order("x", action=Action.SELL, reduce_only=True), world.now())

    assert [Action.BUY, Action.SELL] == [each.action for each in venue.fills(SYMBOL, began_ms)]


def test_funding_is_read_as_it_was_paid(world: World, venue: BinanceVenue) -> None:
    """A long pays a positive rate, at the settlement."""
    world.feed.set_funding(SYMBOL, "0.0001")
    venue.place(an_order(), world.now())
    began_ms = to_ms(world.now())
    world.sleep(timedelta(hours=8))
    (fee,) = venue.funding_fees(SYMBOL, began_ms)

    assert Decimal("-0.05") == fee.amount
    assert (SYMBOL, "USDT") == (fee.symbol, fee.asset)
    assert () == venue.funding_fees(SYMBOL, to_ms(world.now()))


def test_the_touch_is_the_books(world: World, venue: BinanceVenue) -> None:
    """Best bid, then best ask."""
    tick = world.exchange.tick(SYMBOL)

    assert (tick.bid, tick.ask) == venue.touch(SYMBOL)


@pytest.mark.parametrize("offset_s", [-40, 40])
def test_r15_a_clock_that_is_off_is_measured_and_used(world: World, offset_s: int) -> None:
    """R15: the first request is refused with -1021, which has the difference measured; the next one is accepted."""
    theirs = SteeredClock(world)
    theirs.advance(40_000)
    ours = SteeredClock(world)
    ours.advance(40_000 - offset_s * 1000)
    world.face.clock = theirs
    venue = world.adapter()
    venue._clock = ours
    refused = venue.place(an_order(), ours.now())
    assert isinstance(refused, Rejected)
    assert -1021 == refused.code

    assert timedelta(seconds=offset_s) == venue._offset
    assert isinstance(venue.place(an_order(), ours.now()), Accepted)


def test_a_process_that_slept_through_its_lease_cannot_act(world: World, venue: BinanceVenue) -> None:
    """A request is signed with the instant of its lease: the exchange itself refuses every change that comes late."""
    venue.place(a_bid("49900"), world.now())
    venue.arm(a_stop(), world.now())
    held_at = world.now()
    world.sleep(timedelta(seconds=6))
    late = [
        venue.place(an_order("late"), held_at),
        venue.arm(a_stop("late"), held_at),
        venue.modify(a_bid("49950"), held_at),
        venue.cancel(SYMBOL, "e", held_at),
        venue.disarm("s", held_at),
    ]

    assert [-1021] * 5 == [answer.code for answer in late if isinstance(answer, Rejected)]
    assert [Decimal(49_900)] == [each.price for each in venue.truth(SYMBOL).orders]
    assert ["s"] == [each.client_id for each in venue.truth(SYMBOL).conditionals]


LOST = (
    FaultKind.TIMEOUT_AFTER,
    FaultKind.RESET_AFTER,
    FaultKind.UNKNOWN_AFTER,
    FaultKind.BACKEND_TIMEOUT_AFTER,
    FaultKind.EMPTY_ANSWER,
)


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_unknown_and_found_by_its_id(world: World, venue: BinanceVenue, kind: FaultKind) -> None:
    """R10: nobody knows, until the exchange is asked by the client id."""
    with_fault(world, kind=kind, method="POST")
    answer = venue.place(an_order(), world.now())
    found = venue.order(SYMBOL, "e")

    assert isinstance(answer, Unknown)
    assert found is not None
    assert OrderStatus.FILLED is found.status


def test_an_answer_about_another_order_is_no_answer(world: World, venue: BinanceVenue) -> None:
    """A proxy that gives the answer before once more does not turn one order into another."""
    venue.place(a_bid("49900"), world.now())
    venue.place(an_order("m"), world.now())
    assert venue.order(SYMBOL, "e") is not None
    with_fault(world, kind=FaultKind.REPEATED_ANSWER, method="GET")

    with pytest.raises(Unavailable):
        venue.order(SYMBOL, "m")


@pytest.mark.parametrize("kind", [*LOST, FaultKind.TOO_MANY, FaultKind.BANNED, FaultKind.UNAVAILABLE])
def test_a_reading_that_fails_is_no_reading(world: World, venue: BinanceVenue, kind: FaultKind) -> None:
    """What cannot be read is not empty: it is unavailable."""
    venue.place(an_order(), world.now())
    with_fault(world, kind=kind, method="GET")

    with pytest.raises(Unavailable):
        venue.truth(SYMBOL)


class Proxy(BaseAdapter):
    """Something on the way that answers everything itself."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__()
        self._status = status
        self._body = body

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """The same for every request."""
        response = Response()
        response.status_code = self._status
        response._content = self._body.encode()
        response.request = request
        response.url = str(request.url)
        return response

    def close(self) -> None:
        """Nothing to close."""


PAGES = [
    "<html>Please log in</html>",
    "{}",
    "[]",
    '{"code": 200, "msg": "success"}',
    '[{"symbol": 1}]',
    "null",
    '{"bid',
]


@pytest.mark.parametrize("body", PAGES)
def test_a_proxy_is_not_the_exchange(world: World, body: str) -> None:
    """A page that answers 200 for the exchange never makes an order, and never makes a reading."""
    venue = world.adapter(Proxy(200, body))

    assert isinstance(venue.place(an_order(), world.now()), Unknown)
    assert isinstance(venue.disarm("s", world.now()), Unknown)
    readings: list[Callable[[], object]] = [
        lambda: venue.touch(SYMBOL),
        lambda: venue.order(SYMBOL, "e"),
        venue.modes,
        venue.synchronise,
    ]
    for reading in readings:
        with pytest.raises(Unavailable):
            reading()


def test_conditional_orders_go_to_the_algo_endpoints_only(world: World, venue: BinanceVenue) -> None:
    """R1: no request to /order ever carries a trigger; every one that does goes to /algoOrder, and reduces only."""
    asked = list[tuple[str, str, str]]()
    answer = world.face.answer

    def heard(request: Any) -> Any:
        asked.append((request.method, request.path, request.query))
        return answer(request)

    world.face.answer = heard  # type: ignore[method-assign]
    venue.place(a_bid("49900"), world.now())
    venue.place(an_order("m"), world.now())
    venue.arm(a_stop(), world.now())
    venue.arm(a_stop("t", trigger=Trigger.TARGET, trigger_price=Decimal(50_450)), world.now())
    conditional = [each for each in asked if "triggerPrice" in each[2]]

    assert [("POST", "/fapi/v1/algoOrder")] * 2 == [(method, path) for method, path, _ in conditional]
    assert all("reduceOnly=true" in query and "workingType=MARK_PRICE" in query for *_, query in conditional)
    assert not any("STOP" in query for _, path, query in asked if path == "/fapi/v1/order")
