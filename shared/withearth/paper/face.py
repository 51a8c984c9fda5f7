"""The wire face: a request in the exchange's own format goes in, the exchange's answer comes out.

Every request first moves the engine to the clock's present. Nothing here knows of sockets: `transport.py` puts the
face under a `requests.Session`, `server.py` behind HTTP. Requests of many threads are answered one at a time.
"""

import json
import threading
from collections.abc import Iterable
from typing import Any, Final

from withearth.domain.clock import Clock
from withearth.domain.times import to_ms
from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import VenueError
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.wire import errors
from withearth.paper.wire.bars import BarSource, FeedBars
from withearth.paper.wire.call import Call, Desk
from withearth.paper.wire.endpoints import TABLE
from withearth.paper.wire.limits import Limits, Meter
from withearth.paper.wire.params import Params
from withearth.paper.wire.request import JSON, WireAnswer, WireRequest, read_parameters
from withearth.paper.wire.security import ApiKey, Gate
from withearth.paper.wire.table import Endpoint

_OK: Final = 200


class Face:
    """The exchange, as a client sees it.

    `keys` name accounts that are open in the engine. `bars` are the closed candles of the past; without them, candles
    are put together from the engine's feed. Without `check_time` any timestamp is accepted.
    """

    def __init__(
        self,
        exchange: PaperExchange,
        clock: Clock,
        keys: Iterable[ApiKey],
        *,
        bars: BarSource | None = None,
        limits: Limits | None = None,
        check_time: bool = True,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.gate = Gate(keys, check_time=check_time)
        self.meter = Meter(limits)
        self.desk = Desk(bars or FeedBars(exchange.feed), self.meter.limits)
        self.lock = threading.RLock()
        self._past: dict[str, tuple[int, PaperExchange]] = {}

    def answer(self, request: WireRequest) -> WireAnswer:
        """Answer one request."""
        with self.lock:
            now_ms = self.now_ms()
            self.exchange.advance(now_ms)
            endpoint = TABLE.get((request.method, request.path))
            if endpoint is None:
                return self._unknown(request, now_ms)
            return self._admitted(endpoint, request, now_ms)

    def now_ms(self) -> int:
        """The clock's present, as the exchange counts it."""
        return to_ms(self.clock.now())

    def look_back(self, account: str, until_ms: int) -> None:
        """Until then, show an account's signed reads as its books are now."""
        past = PaperExchange(self.exchange.instruments, self.exchange.feed, now_ms=self.exchange.now_ms)
        past.restore(self.exchange.snapshot())
        self._past[account] = (until_ms, past)

    def refused(self, request: WireRequest, status: int, document: Any) -> WireAnswer:
        """An answer that is made up here, with the headers every answer has."""
        return self._answer(request.address, status, document, self.now_ms())

    def _admitted(self, endpoint: Endpoint, request: WireRequest, now_ms: int) -> WireAnswer:
        account: str | None = None
        try:
            params = self._charged(endpoint, request, now_ms)
            account = self.gate.account_of(request, params, endpoint.security, now_ms)
            _refuse_strange(endpoint, params)
            if account is not None and endpoint.orders.in_1m:
                self.meter.charge_orders(account, endpoint.orders, now_ms)
            document, status = endpoint.handler(self._call(endpoint, params, account, now_ms)), _OK
        except VenueError as error:
            document, status = errors.document(error), error.http_status
            if isinstance(error, errors.Limited):
                return self._answer(request.address, status, document, now_ms, error.headers)
        counts = self.meter.order_headers(account, now_ms) if account and endpoint.orders.in_1m else None
        return self._answer(request.address, status, document, now_ms, counts)

    def _charged(self, endpoint: Endpoint, request: WireRequest, now_ms: int) -> Params:
        """The parameters, once their weight is paid for. What cannot be read costs the least."""
        try:
            params = Params(read_parameters(request.query, request.body))
            weight = endpoint.weight.of(params)
        except VenueError:
            self.meter.charge(request.address, 1, now_ms, endpoint.pool)
            raise
        self.meter.charge(request.address, weight, now_ms, endpoint.pool)
        return params

    def _call(self, endpoint: Endpoint, params: Params, account: str | None, now_ms: int) -> Call:
        exchange = self.exchange
        if self._past and account is not None and endpoint.method == "GET":
            exchange = self._seen_by(account, now_ms)
        caller: Account | None = None if account is None else exchange.account(account)
        return Call(exchange, self.desk, params, now_ms, caller)

    def _seen_by(self, account: str, now_ms: int) -> PaperExchange:
        until_ms, past = self._past.get(account, (0, self.exchange))
        if now_ms < until_ms:
            return past
        self._past.pop(account, None)
        return self.exchange

    def _unknown(self, request: WireRequest, now_ms: int) -> WireAnswer:
        message = f"Path {request.path}, Method {request.method} is invalid"
        return self._answer(request.address, errors.NOT_FOUND, {"code": -5000, "msg": message}, now_ms)

    def _answer(self, address: str, status: int, document: Any, now_ms: int, headers: Any = None) -> WireAnswer:
        text = document if isinstance(document, bytes) else _dumped(document)
        always = {"Content-Type": JSON, **self.meter.weight_header(address, now_ms)}
        return WireAnswer(status, text, {**always, **headers} if headers else always)


_encoder: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _dumped(document: Any) -> bytes:
    # `json.dumps` with arguments makes a new encoder for every call.
    return _encoder.encode(document).encode()


def _refuse_strange(endpoint: Endpoint, params: Params) -> None:
    """Raise VenueError when a mandatory parameter is missing, or one came that the endpoint does not have."""
    for name in endpoint.mandatory:
        params.required(name)
    names = params.names()
    read = len(endpoint.known.intersection(names))
    if read != len(names):
        raise errors.unread(read, len(names))
