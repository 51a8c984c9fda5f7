"""The line to Binance: the official SDK's session, and what is heard on it.

Chosen on purpose:
- The SDK signs and sends; what came back is read from the raw answer, kept by a response hook, because the SDK throws
  away the body of a 5xx and drops fields it does not know.
- `retries=0`: the SDK would re-send cancels by itself. Whether anything is sent again is not this adapter's decision.
- The timestamp of a request is our clock plus the measured offset; the SDK offers no parameter for it, only the
  module-level function it calls for each attempt.

Impure: talks to the exchange, from any thread.
"""

import functools
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, ParamSpec, TypeVar

import binance_common.utils
import requests
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import Error, NetworkError
from requests.adapters import BaseAdapter

from withearth.domain.clock import Clock
from withearth.domain.errors import Unavailable, WithEarthError
from withearth.domain.times import to_ms
from withearth.execution.binance_answers import Heard, classify, parsed
from withearth.execution.binance_rows import Row
from withearth.execution.environment import REFUSED_KEYS
from withearth.execution.orders import Answer
from withearth.market.traffic import Traffic

Params = ParamSpec("Params")
Value = TypeVar("Value")

log = logging.getLogger(__name__)

CLOCK_CODES: Final = frozenset({-1021, -5028})
"""Codes by which gateway and matching engine refuse a request whose timestamp is outside the receive window."""
LIMIT_CODE: Final = -1003
"""The code with which 429 and 418 come."""
ABSENT_CODES: Final = frozenset({-2011, -2013})
"""Codes by which the exchange says that it has no such order. Not always true."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to trade. `transport` answers instead of the network, as the paper exchange does in process.

    `traffic` is told what answers say of limits, and asked whether the exchange has banned us.
    """

    kind: str
    base_url: str
    api_key: str
    api_secret: str = field(repr=False)
    timeout_ms: int = 10_000
    transport: BaseAdapter | None = None
    renewed: Callable[[], tuple[str, str]] | None = field(default=None, repr=False)
    """The key and its secret anew, asked for when the exchange refuses the ones it has."""
    traffic: Traffic | None = None
    """The account of its limits: told what answers say, and asked whether the exchange has banned us."""


def reading(method: Callable[Params, Value]) -> Callable[Params, Value]:
    """The method, for which an answer of a shape that nobody knows is no answer. Raises Unavailable."""

    @functools.wraps(method)
    def read(*args: Params.args, **kwargs: Params.kwargs) -> Value:
        try:
            return method(*args, **kwargs)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise Unavailable(f"the exchange answered {method.__name__} in a way that cannot be read") from error

    return read


class BinanceLine:
    """A session with the exchange. `_rest` is the SDK's client; its answers are read by the methods here only."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._pair = (connection.api_key, connection.api_secret)
        # Any: the SDK's hints want enums and floats where it takes, and we send, plain text.
        self._rest: Any = _client(connection, self._pair)
        self._kind = connection.kind
        self._clock = clock
        self._offset = timedelta()
        self._traffic = connection.traffic

    @property
    def kind(self) -> str:
        """PAPER, DEMO or LIVE."""
        return self._kind

    @reading
    def synchronise(self) -> timedelta:
        """Measure the exchange's clock against ours, use it from now on, and return the difference."""
        before = self._clock.now()
        payload = self._read(self._rest.check_server_time)
        middle = before + (self._clock.now() - before) / 2
        self._offset = timedelta(milliseconds=int(payload["serverTime"]) - to_ms(middle))
        if self._traffic is not None:
            self._traffic.measured(self._offset)
        return self._offset

    def _change(self, client_id: str, id_field: str, at: datetime, call: Callable[[], Any]) -> Answer:
        """Make an account-changing call signed as of `at`, and say what its answer means. Never raises."""
        return classify(client_id, self._ask(call, at), id_field)

    def _read(self, call: Callable[[], Any]) -> Any:
        """The JSON of a reading call. Raises Unavailable for anything but a good answer."""
        heard = self._ask(call, self._clock.now())
        if heard.status != requests.codes.ok:
            raise Unavailable(f"the exchange did not answer a reading: HTTP {heard.status} {heard.body[:200]}")
        try:
            return json.loads(heard.body)
        except ValueError as error:
            raise Unavailable("the exchange's answer to a reading is not JSON") from error

    def _find(self, client_id: str, id_field: str, call: Callable[[], Any]) -> Row | None:
        """The row of this client id, or None when the exchange says that it has none. Raises Unavailable.

        An answer about another order is one to another question, as a proxy on the way gives it.
        """
        heard = self._ask(call, self._clock.now())
        payload = parsed(heard.body)
        if heard.status == requests.codes.ok and payload is not None and payload.get(id_field) == client_id:
            return payload
        if payload is not None and payload.get("code") in ABSENT_CODES:
            return None
        raise Unavailable(f"the exchange did not answer a query: HTTP {heard.status} {heard.body[:200]}")

    def _ask(self, call: Callable[[], Any], at: datetime) -> Heard:
        """Make one call of the SDK, and return what was heard on the wire, whatever the SDK made of it.

        While the exchange has banned us nothing is sent: the answer is the one it would give, and asking prolongs it.
        """
        ban = None if self._traffic is None else self._traffic.banned()
        if ban is not None:
            return Heard(ban.status, json.dumps({"code": LIMIT_CODE, "msg": f"not sent: banned until {ban.until}"}))
        _line.timestamp, _line.heard = to_ms(at + self._offset), None
        sent = True
        try:
            call()
        except NetworkError as error:
            sent = not binance_common.utils.request_not_sent(error.__cause__)
        except (Error, ValueError, AttributeError):
            # The SDK raises for what it cannot read, too; the raw answer tells more than its exception.
            pass
        finally:
            _line.timestamp = 0
        answer: requests.Response | None = _line.heard
        heard = Heard(None, "", sent) if answer is None else Heard(answer.status_code, answer.text)
        if answer is not None and self._traffic is not None:
            self._traffic.heard(answer.status_code, answer.headers)
        self._mend_clock(heard)
        self._mend_key(heard)
        return heard

    def _mend_clock(self, heard: Heard) -> None:
        """Measure the clock again when the exchange says that it is off; the request itself stays refused."""
        payload = parsed(heard.body)
        if payload is None or payload.get("code") not in CLOCK_CODES:
            return
        try:
            self.synchronise()
        except Unavailable as error:
            log.warning("clock_unmeasured: %s", error)

    def _mend_key(self, heard: Heard) -> None:
        """Take up a newer key when the exchange refuses the one there is; the request itself stays refused."""
        payload, renewed = parsed(heard.body), self._connection.renewed
        if renewed is None or payload is None or payload.get("code") not in REFUSED_KEYS:
            return
        try:
            pair = renewed()
        except WithEarthError as error:
            log.warning("key_not_renewed: %s", error)
            return
        if pair != self._pair:
            self._pair, self._rest = pair, _client(self._connection, pair)
            log.info("key_renewed")


def _client(connection: Connection, pair: tuple[str, str]) -> Any:
    # Its thousands of models take most of a second to import: whoever opens no line does not wait for them.
    from binance_sdk_derivatives_trading_usds_futures.rest_api import (  # noqa: PLC0415
        DerivativesTradingUsdsFuturesRestAPI,
    )

    key, secret = pair
    configuration = ConfigurationRestAPI(
        api_key=key, api_secret=secret, base_path=connection.base_url, timeout=connection.timeout_ms, retries=0
    )
    client = DerivativesTradingUsdsFuturesRestAPI(configuration)
    session: requests.Session = client._session  # noqa: SLF001 - the SDK has no other place for a hook or a transport
    # Without this a proxy variable or a .netrc of the machine would change where orders go.
    session.trust_env = False
    session.hooks["response"].append(_remember)
    if connection.transport is not None:
        session.mount(connection.base_url, connection.transport)
    return client


class _Line(threading.local):
    """The request of this thread: the timestamp it is signed with, and the last answer to it."""

    timestamp: int = 0
    heard: requests.Response | None = None


_line = _Line()
_the_sdk_s_own = binance_common.utils.get_timestamp


def _timestamp() -> int:
    """The timestamp of this thread's request; the SDK's own for whoever else uses it in this process."""
    return _line.timestamp or _the_sdk_s_own()


binance_common.utils.get_timestamp = _timestamp


def _remember(response: requests.Response, **_options: Any) -> None:
    _line.heard = response
