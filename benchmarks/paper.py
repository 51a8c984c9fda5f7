"""What the paper exchange carries: signed requests in process and over HTTP, and a year of bars with a bracket in it.

In process, requests go through a `requests.Session` with the exchange's transport, as under any client; the face alone
is timed beside it, because most of that time is the session's. Over HTTP, server and clients are two processes,
connections are kept alive, and wall time counts, as it does for somebody who waits. The mix is what a trader sends
around one order: place, look up, list, positions, balance, cancel. Every request is signed, and no limit is in force.
"""

import hashlib
import hmac
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from typing import Final
from urllib.parse import urlencode, urlsplit

import requests

from benchmarks import Peer, take_turns
from withearth.domain.clock import Clock
from withearth.domain.times import Timeframe, to_ms
from withearth.local.clocks import VirtualClock, WallClock
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import Assembled, PaperAccount, assemble_exchange, invented_listing
from withearth.paper.engine.account import Account
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.kinds import AlgoType, OrderSide, OrderType
from withearth.paper.engine.orders import PlaceAlgo, PlaceOrder
from withearth.paper.line import Line
from withearth.paper.server import serving
from withearth.paper.transport import PaperTransport
from withearth.paper.wire.limits import Limits
from withearth.paper.wire.request import WireRequest

IN_PROCESS_TARGET: Final = 2_000
HTTP_TARGET: Final = 400
YEAR_TARGET_S: Final = 20.0
YEAR_BARS: Final = 105_120

SYMBOL: Final = "BTCUSDT"
KEY: Final = "bench"
SECRET: Final = "bench-secret"  # noqa: S105  of an account that lives for a minute
START: Final = datetime(2024, 6, 1, 12, 2, tzinfo=UTC)
UNLIMITED: Final = Limits(weight_1m=10**9, orders_1m=10**9, orders_10s=10**9, funding_5m=10**9)
BAR: Final = timedelta(minutes=5)
BETWEEN_REQUESTS: Final = timedelta(milliseconds=100)
ROUNDS: Final = 7
ORDERS_A_ROUND: Final = 100
HTTP_ORDERS: Final = 150
HTTP_CLIENTS: Final = 2
STOP_FRAC: Final = Decimal("0.985")
PROFIT_FRAC: Final = Decimal("1.03")
QUANTITY: Final = Decimal("0.010")

Send = Callable[[str, str, str], object]
"""Sends a signed request: method, path, query."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the mix."""

    method: str
    path: str
    names_order: bool = False
    places_order: bool = False


MIX: Final = (
    Step("POST", "/fapi/v1/order", names_order=True, places_order=True),
    Step("GET", "/fapi/v1/order", names_order=True),
    Step("GET", "/fapi/v1/openOrders"),
    Step("GET", "/fapi/v3/positionRisk"),
    Step("GET", "/fapi/v3/balance"),
    Step("DELETE", "/fapi/v1/order", names_order=True),
)


def run() -> list[str]:
    """Print the tables and return the targets that were missed."""
    return [*_in_process(), *_over_http(), *_a_year()]


# Requests


def _exchange(clock: Clock) -> Assembled:
    market = SyntheticMarket(7, [SYMBOL], start=clock.now() - timedelta(days=2), spread_bps=Decimal(2))
    account = PaperAccount(KEY, SECRET, Decimal(100_000))
    return assemble_exchange(market, invented_listing(market, [SYMBOL]), clock, [account], limits=UNLIMITED)


def _send_mix(send: Send, price: str, clock: Clock, prefix: str, orders: int) -> None:
    """Take `orders` orders through their lives, one request after the other."""
    for number in range(orders):
        for step in MIX:
            send(step.method, step.path, _signed(step, f"{prefix}-{number}", price, to_ms(clock.now())))


def _signed(step: Step, client_id: str, price: str, now_ms: int) -> str:
    values = {"symbol": SYMBOL} if step.path != "/fapi/v3/balance" else {}
    if step.places_order:
        values |= {"side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": price, "timeInForce": "GTC"}
    if step.names_order:
        values["newClientOrderId" if step.places_order else "origClientOrderId"] = client_id
    query = urlencode({**values, "timestamp": now_ms})
    return f"{query}&signature={hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()}"


def _resting_price(exchange: PaperExchange) -> str:
    """A price five percent below the market: no order fills while the benchmark runs."""
    tick = exchange.instrument(SYMBOL).tick_size
    return format((exchange.last_price(SYMBOL) * Decimal("0.95") / tick).to_integral_value() * tick, "f")


def _in_process() -> Iterator[str]:
    clock = VirtualClock(START)
    assembled = _exchange(clock)
    price = _resting_price(assembled.face.exchange)
    senders = {
        "face alone": _moving(clock, _to_face(assembled)),
        "requests session": _moving(clock, _to_session(assembled)),
    }
    mixes = [
        Peer(name, partial(_send_mix, send, price, clock, name[:4], ORDERS_A_ROUND)) for name, send in senders.items()
    ]
    comparison = take_turns(mixes, ROUNDS)
    print(f"\nSigned requests in process: median of {ROUNDS} rounds of {ORDERS_A_ROUND * len(MIX)}, CPU time")
    for name in senders:
        rate = ORDERS_A_ROUND * len(MIX) * 1_000_000 / comparison.cpu_us(name)
        yield from _judged(name, rate, IN_PROCESS_TARGET, "requests per second")


def _moving(clock: VirtualClock, send: Send) -> Send:
    """Let the market move on between two requests."""

    def moving(method: str, path: str, query: str) -> None:
        send(method, path, query)
        clock.set(clock.now() + BETWEEN_REQUESTS)

    return moving


def _to_face(assembled: Assembled) -> Send:
    def send(method: str, path: str, query: str) -> None:
        answer = assembled.face.answer(WireRequest(method, path, query, api_key=KEY))
        _refuse_failure(answer.status, answer.body)

    return send


def _to_session(assembled: Assembled) -> Send:
    session = requests.Session()
    session.trust_env = False
    session.headers["X-MBX-APIKEY"] = KEY
    session.mount("https://", PaperTransport(assembled.face, faults=assembled.faults))

    def send(method: str, path: str, query: str) -> None:
        answer = session.request(method, f"https://fapi.binance.com{path}?{query}")
        _refuse_failure(answer.status_code, answer.content)

    return send


def _refuse_failure(status: int, body: bytes) -> None:
    if status != requests.codes.ok:
        raise RuntimeError(f"a request of the benchmark was refused with {status}: {body.decode()}")


def _judged(name: str, value: float, target: float, unit: str) -> Iterator[str]:
    print(f"{name:<20}{value:>14,.0f} {unit} (target ≥ {target:,.0f})")
    if value < target:
        yield f"{name}: {value:,.0f} {unit}, the target is {target:,.0f}"


# HTTP


def _over_http() -> Iterator[str]:
    with _server() as (url, price):
        rates = [_http_round(url, price, turn) for turn in range(3)]
    print(f"\nSigned requests over HTTP: median of 3 rounds, {HTTP_CLIENTS} clients in one process, wall time")
    yield from _judged("HTTP, keep-alive", statistics.median(rates), HTTP_TARGET, "requests per second")


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """An exchange that another process serves: its URL, and a price at which orders rest."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join()


def _serve(parent: Connection) -> None:
    assembled = _exchange(WallClock())
    with serving(Line(assembled.face, assembled.faults), 0) as url:
        parent.send((url, _resting_price(assembled.face.exchange)))
        parent.recv()


def _http_round(url: str, price: str, turn: int) -> float:
    """Requests per second of all clients together."""
    clients = [_HttpClient(url) for _ in range(HTTP_CLIENTS)]
    clock = WallClock()
    with ThreadPoolExecutor(HTTP_CLIENTS) as pool:
        start = time.perf_counter()
        works = [
            pool.submit(_send_mix, client.send, price, clock, f"http-{turn}-{number}", HTTP_ORDERS)
            for number, client in enumerate(clients)
        ]
        for work in works:
            work.result()
        elapsed = time.perf_counter() - start
    for client in clients:
        client.close()
    return HTTP_CLIENTS * HTTP_ORDERS * len(MIX) / elapsed


class _HttpClient:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc)

    def send(self, method: str, path: str, query: str) -> None:
        self._connection.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": KEY})
        answer = self._connection.getresponse()
        _refuse_failure(answer.status, answer.read())

    def close(self) -> None:
        self._connection.close()


# A year


def _a_year() -> Iterator[str]:
    market = SyntheticMarket(7, [SYMBOL], start=START, spread_bps=Decimal(2))
    market.candles(SYMBOL, Timeframe.M5, START + YEAR_BARS * BAR, 1)  # the market's own year is not the exchange's
    clock = VirtualClock(START)
    account = PaperAccount(KEY, SECRET, Decimal(100_000))
    assembled = assemble_exchange(market, invented_listing(market, [SYMBOL]), clock, [account])
    start = time.process_time()
    brackets = _trade_a_year(assembled.face.exchange)
    elapsed = time.process_time() - start
    print(f"\nA year of {YEAR_BARS:,} bars of one symbol, always with a bracket open: CPU time")
    print(f"{brackets} brackets{'':<12}{elapsed:>10.1f} s (target < {YEAR_TARGET_S:.0f})")
    if elapsed >= YEAR_TARGET_S:
        yield f"a year with a bracket took {elapsed:.1f} s, the target is {YEAR_TARGET_S:.0f}"


def _trade_a_year(exchange: PaperExchange) -> int:
    """Go from close to close for a year; where no position is left, enter anew. Gives how often that was."""
    account, brackets, now_ms = exchange.account(KEY), 0, exchange.now_ms
    for bar in range(YEAR_BARS):
        exchange.advance(now_ms + bar * Timeframe.M5.ms)
        if not account.held(SYMBOL):
            exchange.cancel_all_algo(account, SYMBOL)
            _enter_with_bracket(exchange, account)
            brackets += 1
    return brackets


def _enter_with_bracket(exchange: PaperExchange, account: Account) -> None:
    price, tick = exchange.last_price(SYMBOL), exchange.instrument(SYMBOL).tick_size
    exchange.place(account, PlaceOrder(symbol=SYMBOL, side=OrderSide.BUY, type=OrderType.MARKET, quantity=QUANTITY))
    for kind, factor in ((AlgoType.STOP_MARKET, STOP_FRAC), (AlgoType.TAKE_PROFIT_MARKET, PROFIT_FRAC)):
        trigger = (price * factor / tick).to_integral_value() * tick
        exchange.place_algo(
            account,
            PlaceAlgo(
                symbol=SYMBOL,
                side=OrderSide.SELL,
                type=kind,
                quantity=QUANTITY,
                trigger_price=trigger,
                reduce_only=True,
            ),
        )
