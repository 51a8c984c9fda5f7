"""The one Binance adapter: the official SDK behind the venue port, for the paper exchange, demo and live alike.

Chosen on purpose:
- The SDK signs and sends; what came back is read from the raw answer, kept by a response hook, because the SDK throws
  away the body of a 5xx and drops fields it does not know.
- `retries=0`: the SDK would re-send cancels by itself. Whether anything is sent again is not this adapter's decision.
- Numbers go out as plain decimal text; the SDK would send a float as `1e-05`.
- The timestamp of a request is our clock plus the measured offset; the SDK offers no parameter for it, only the
  module-level function it calls for each attempt.

Impure: talks to the exchange, from any thread.
"""

import functools
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, ParamSpec, TypeVar

import binance_common.utils
import requests
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import Error, NetworkError
from binance_sdk_derivatives_trading_usds_futures.rest_api import DerivativesTradingUsdsFuturesRestAPI
from requests.adapters import BaseAdapter

from withearth.domain.clock import Clock
from withearth.domain.errors import Unavailable
from withearth.domain.times import to_ms
from withearth.execution.binance_answers import Heard, classify, parsed
from withearth.execution.binance_rows import (
    Row,
    conditional_state,
    fill,
    funding_fee,
    order_state,
    position,
    positions,
)
from withearth.execution.venue import (
    Accepted,
    AccountModes,
    Answer,
    Conditional,
    ConditionalState,
    Fill,
    FundingFee,
    Order,
    OrderState,
    Position,
    SymbolModes,
    Truth,
)
from withearth.settings import Settings, reveal

Params = ParamSpec("Params")
Value = TypeVar("Value")

PAGE: Final = 1_000
ABSENT_CODES: Final = frozenset({-2011, -2013})
"""Codes by which the exchange says that it has no such order. Not always true."""


def _reading(method: Callable[Params, Value]) -> Callable[Params, Value]:
    """The method, for which an answer of a shape that nobody knows is no answer. Raises Unavailable."""

    @functools.wraps(method)
    def read(*args: Params.args, **kwargs: Params.kwargs) -> Value:
        try:
            return method(*args, **kwargs)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise Unavailable(f"the exchange answered {method.__name__} in a way that cannot be read") from error

    return read


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to trade. `transport` answers instead of the network, as the paper exchange does in process."""

    kind: str
    base_url: str
    api_key: str
    api_secret: str = field(repr=False)
    timeout_ms: int = 10_000
    transport: BaseAdapter | None = None


class BinanceVenue:
    """An account on Binance USDⓈ-M futures in one-way mode."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        configuration = ConfigurationRestAPI(
            api_key=connection.api_key,
            api_secret=connection.api_secret,
            base_path=connection.base_url,
            timeout=connection.timeout_ms,
            retries=0,
        )
        # Any: the SDK's hints want enums and floats where it takes, and we send, plain text.
        self._rest: Any = DerivativesTradingUsdsFuturesRestAPI(configuration)
        self._kind = connection.kind
        self._clock = clock
        self._offset = timedelta()
        session = self._rest._session  # noqa: SLF001 - the SDK has no other place for a hook or a transport
        # Without this a proxy variable or a .netrc of the machine would change where orders go.
        session.trust_env = False
        session.hooks["response"].append(_remember)
        if connection.transport is not None:
            session.mount(connection.base_url, connection.transport)

    @property
    def kind(self) -> str:
        """PAPER, DEMO or LIVE."""
        return self._kind

    @_reading
    def synchronise(self) -> timedelta:
        """Measure the exchange's clock against ours, use it from now on, and return the difference."""
        before = self._clock.now()
        payload = self._read(self._rest.check_server_time)
        middle = before + (self._clock.now() - before) / 2
        self._offset = timedelta(milliseconds=int(payload["serverTime"]) - to_ms(middle))
        return self._offset

    def place(self, order: Order, at: datetime) -> Answer:
        """Send an ordinary order."""
        limit = {} if order.price is None else {"price": _text(order.price), "time_in_force": order.time_in_force.value}
        return self._change(
            order.client_id,
            "clientOrderId",
            at,
            lambda: self._rest.new_order(
                symbol=order.symbol,
                side=order.action.value,
                type="MARKET" if order.price is None else "LIMIT",
                quantity=_text(order.qty),
                reduce_only="true" if order.reduce_only else None,
                new_client_order_id=order.client_id,
                new_order_resp_type="RESULT",
                **limit,
            ),
        )

    def arm(self, conditional: Conditional, at: datetime) -> Answer:
        """Send a reduce-only conditional order that triggers on the mark price."""
        return self._change(
            conditional.client_id,
            "clientAlgoId",
            at,
            lambda: self._rest.new_algo_order(
                algo_type="CONDITIONAL",
                symbol=conditional.symbol,
                side=conditional.action.value,
                type=conditional.trigger.value,
                quantity=_text(conditional.qty),
                trigger_price=_text(conditional.trigger_price),
                working_type="MARK_PRICE",
                reduce_only="true",
                client_algo_id=conditional.client_id,
            ),
        )

    def modify(self, order: Order, at: datetime) -> Answer:
        """Move an open limit order; -5027, nothing to change, counts as done."""
        return self._change(
            order.client_id,
            "clientOrderId",
            at,
            lambda: self._rest.modify_order(
                symbol=order.symbol,
                side=order.action.value,
                quantity=_text(order.qty),
                price=None if order.price is None else _text(order.price),
                orig_client_order_id=order.client_id,
            ),
        )

    def cancel(self, symbol: str, client_id: str, at: datetime) -> Answer:
        """Cancel an ordinary order."""
        return self._change(
            client_id,
            "clientOrderId",
            at,
            lambda: self._rest.cancel_order(symbol=symbol, orig_client_order_id=client_id),
        )

    def disarm(self, client_id: str, at: datetime) -> Answer:
        """Cancel a conditional order."""
        return self._change(
            client_id,
            "clientAlgoId",
            at,
            lambda: self._rest.cancel_algo_order(client_algo_id=client_id),
        )

    @_reading
    def touch(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Best bid and best ask. Raises Unavailable."""
        row = self._read(lambda: self._rest.symbol_order_book_ticker(symbol=symbol))
        return Decimal(row["bidPrice"]), Decimal(row["askPrice"])

    @_reading
    def truth(self, symbol: str) -> Truth:
        """Position and open orders of one symbol. Raises Unavailable."""
        held = self._read(lambda: self._rest.position_information_v3(symbol=symbol))
        orders = self._read(lambda: self._rest.current_all_open_orders(symbol=symbol))
        return Truth(position(symbol, held), tuple(map(order_state, orders)), self._open_conditionals(symbol))

    @_reading
    def order(self, symbol: str, client_id: str) -> OrderState | None:
        """One ordinary order in whatever state. Raises Unavailable."""
        row = self._find(
            client_id, "clientOrderId", lambda: self._rest.query_order(symbol=symbol, orig_client_order_id=client_id)
        )
        return None if row is None else order_state(row)

    @_reading
    def conditional(self, symbol: str, client_id: str) -> ConditionalState | None:
        """One conditional order in whatever state, looked for in every list there is. Raises Unavailable.

        The query by id has answered -2013 for orders that the list of open ones showed.
        """
        row = self._find(client_id, "clientAlgoId", lambda: self._rest.query_algo_order(client_algo_id=client_id))
        if row is not None:
            return conditional_state(row)
        everywhere = (self._open_conditionals(symbol), self._all_conditionals(symbol))
        return next((each for listed in everywhere for each in listed if each.client_id == client_id), None)

    @_reading
    def fills(self, symbol: str, since_ms: int) -> tuple[Fill, ...]:
        """All executions since an instant. Raises Unavailable.

        The exchange cuts a long list at its newest end, so the next page begins after the last id.
        """
        rows: list[Row] = self._read(
            lambda: self._rest.account_trade_list(symbol=symbol, start_time=since_ms, limit=PAGE),
        )
        while len(rows) % PAGE == 0 and rows:
            following = int(rows[-1]["id"]) + 1
            page = self._read(lambda: self._rest.account_trade_list(symbol=symbol, from_id=following, limit=PAGE))  # noqa: B023 - called at once
            if not page:
                break
            rows = [*rows, *page]
        return tuple(sorted(map(fill, rows), key=lambda each: each.trade_id))

    @_reading
    def funding_fees(self, symbol: str, since_ms: int) -> tuple[FundingFee, ...]:
        """All funding payments since an instant. Raises Unavailable."""
        rows = self._read(
            lambda: self._rest.get_income_history(
                symbol=symbol, income_type="FUNDING_FEE", start_time=since_ms, limit=PAGE
            ),
        )
        return tuple(sorted(map(funding_fee, rows), key=lambda each: each.at_ms))

    @_reading
    def modes(self) -> AccountModes:
        """The account's modes. Raises Unavailable."""
        row = self._read(self._rest.futures_account_configuration)
        return AccountModes(row["dualSidePosition"], row["multiAssetsMargin"], row["canTrade"])

    @_reading
    def symbol_modes(self, symbol: str) -> SymbolModes:
        """The modes of one symbol. Raises Unavailable."""
        rows = self._read(lambda: self._rest.symbol_configuration(symbol=symbol))
        row = next((each for each in rows if each["symbol"] == symbol), None)
        if row is None:
            raise Unavailable(f"the exchange did not say how {symbol} is set up")
        return SymbolModes(row["marginType"], int(row["leverage"]))

    def set_margin_type(self, symbol: str, margin_type: str, at: datetime) -> Answer:
        """Change ISOLATED or CROSSED; -4046, it is so already, counts as done."""
        return self._configure(
            symbol, at, lambda: self._rest.change_margin_type(symbol=symbol, margin_type=margin_type)
        )

    def set_leverage(self, symbol: str, leverage: int, at: datetime) -> Answer:
        """Change the leverage."""
        return self._configure(symbol, at, lambda: self._rest.change_initial_leverage(symbol=symbol, leverage=leverage))

    @_reading
    def everything(self) -> tuple[tuple[Position, ...], tuple[OrderState, ...], tuple[ConditionalState, ...]]:
        """Every position and open order of the account. Raises Unavailable."""
        held = positions(self._read(self._rest.position_information_v3))
        orders = tuple(map(order_state, self._read(self._rest.current_all_open_orders)))
        return held, orders, _conditionals(self._read(self._rest.current_all_algo_open_orders))

    def _configure(self, symbol: str, at: datetime, call: Callable[[], Any]) -> Answer:
        """A change that has no client id: what it changed is read back, so any good answer will do."""
        heard = self._ask(call, at)
        if heard.status == requests.codes.ok:
            return Accepted(symbol)
        return classify(symbol, heard, id_field="symbol")

    def _open_conditionals(self, symbol: str) -> tuple[ConditionalState, ...]:
        return _conditionals(self._read(lambda: self._rest.current_all_algo_open_orders(symbol=symbol)))

    def _all_conditionals(self, symbol: str) -> tuple[ConditionalState, ...]:
        return _conditionals(self._read(lambda: self._rest.query_all_algo_orders(symbol=symbol)))

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
        """Make one call of the SDK, and return what was heard on the wire, whatever the SDK made of it."""
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
        heard: requests.Response | None = _line.heard
        return Heard(None, "", sent) if heard is None else Heard(heard.status_code, heard.text)


def open_demo_venue(settings: Settings, clock: Clock) -> BinanceVenue:
    """The owner's account on Binance's demo exchange, with the clocks compared.

    Raises Misconfigured when a key is missing, and Unavailable when the exchange does not answer.
    """
    key, secret = (reveal(settings, name) for name in ("BINANCE_API_KEY", "BINANCE_API_SECRET"))
    address = settings.binance_fapi_testnet_base
    venue = BinanceVenue(Connection("DEMO", address, key, secret, settings.binance_http_timeout_ms), clock)
    venue.synchronise()
    return venue


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


def _conditionals(rows: Sequence[Row]) -> tuple[ConditionalState, ...]:
    return tuple(state for state in map(conditional_state, rows) if state is not None)


def _text(value: Decimal) -> str:
    return format(value, "f")
