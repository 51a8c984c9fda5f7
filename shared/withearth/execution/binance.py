"""The one Binance adapter: the official SDK behind the venue port, for the paper exchange, demo and live alike.

It translates and decides nothing. Numbers go out as plain decimal text; the SDK would send a float as `1e-05`.
"""

import functools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter

from withearth.domain.clock import Clock
from withearth.domain.errors import Unavailable
from withearth.domain.times import from_ms
from withearth.execution.binance_answers import classify, parsed
from withearth.execution.binance_line import BinanceLine, Connection, reading
from withearth.execution.binance_rows import (
    Row,
    balance,
    conditional_state,
    fill,
    funding_fee,
    funding_rate,
    income,
    order_state,
    position,
    positions,
)
from withearth.execution.environment import address_of, refuse_environment, refuse_key
from withearth.execution.orders import Accepted, Answer, Conditional, Order, PositionSide
from withearth.execution.shown import (
    QUOTE_ASSET,
    AccountModes,
    Balance,
    ConditionalState,
    Fill,
    FundingFee,
    FundingRate,
    Income,
    OrderState,
    Position,
    SymbolModes,
    Truth,
)
from withearth.market.traffic import Traffic
from withearth.settings import SecretSource, Settings, reveal, reveal_anew

PAGE: Final = 1_000
SHOWN_AT_ONCE: Final = timedelta(days=7)
"""The longest window in which the exchange lists executions."""


class BinanceVenue(BinanceLine):
    """An account on Binance USDⓈ-M futures.

    In hedge mode the position side says what an order may do, and `reduceOnly`, refused there with -1106, is left out.
    """

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
                position_side=order.position_side.value,
                reduce_only="true" if order.reduce_only and order.position_side is PositionSide.BOTH else None,
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
                position_side=conditional.position_side.value,
                reduce_only="true" if conditional.position_side is PositionSide.BOTH else None,
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

    @reading
    def touch(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Best bid and best ask. Raises Unavailable."""
        row = self._read(lambda: self._rest.symbol_order_book_ticker(symbol=symbol))
        return Decimal(row["bidPrice"]), Decimal(row["askPrice"])

    @reading
    def truth(self, symbol: str, position_side: PositionSide = PositionSide.BOTH) -> Truth:
        """Position and open orders of one symbol, or one side of it. Raises Unavailable."""
        held = self._read(lambda: self._rest.position_information_v3(symbol=symbol))
        orders = map(order_state, self._read(lambda: self._rest.current_all_open_orders(symbol=symbol)))
        return Truth(
            position(symbol, position_side, held),
            tuple(each for each in orders if each.position_side is position_side),
            tuple(each for each in self._open_conditionals(symbol) if each.position_side is position_side),
        )

    @reading
    def order(self, symbol: str, client_id: str) -> OrderState | None:
        """One ordinary order in whatever state. Raises Unavailable."""
        row = self._find(
            client_id, "clientOrderId", lambda: self._rest.query_order(symbol=symbol, orig_client_order_id=client_id)
        )
        return None if row is None else order_state(row)

    @reading
    def orders(self, symbol: str, since_ms: int) -> tuple[OrderState, ...]:
        """Every ordinary order since an instant. Raises Unavailable."""
        rows = self._read(lambda: self._rest.all_orders(symbol=symbol, start_time=since_ms, limit=PAGE))
        return tuple(map(order_state, rows))

    @reading
    def conditional(self, symbol: str, client_id: str) -> ConditionalState | None:
        """One conditional order in whatever state, looked for in every list there is. Raises Unavailable.

        The query by id has answered -2013 for orders that the list of open ones showed.
        """
        row = self._find(client_id, "clientAlgoId", lambda: self._rest.query_algo_order(client_algo_id=client_id))
        if row is not None:
            return conditional_state(row)
        everywhere = (self._open_conditionals(symbol), self._all_conditionals(symbol))
        return next((each for listed in everywhere for each in listed if each.client_id == client_id), None)

    @reading
    def fills(self, symbol: str, since_ms: int) -> tuple[Fill, ...]:
        """All executions since an instant. Raises Unavailable.

        The exchange shows a week from an instant on, and cuts a long list at its newest end: what follows is read by
        the last id, which no window bounds.
        """
        rows = self._trades(symbol, start_time=since_ms)
        is_cut = len(rows) == PAGE or self._clock.now() - from_ms(since_ms) >= SHOWN_AT_ONCE
        while rows and is_cut:
            page = self._trades(symbol, from_id=int(rows[-1]["id"]) + 1)
            rows, is_cut = [*rows, *page], len(page) == PAGE
        return tuple(sorted(map(fill, rows), key=lambda each: each.trade_id))

    @reading
    def funding_fees(self, symbol: str, since_ms: int) -> tuple[FundingFee, ...]:
        """All funding payments since an instant. Raises Unavailable."""
        rows = self._read(
            lambda: self._rest.get_income_history(
                symbol=symbol, income_type="FUNDING_FEE", start_time=since_ms, limit=PAGE
            ),
        )
        return tuple(sorted(map(funding_fee, rows), key=lambda each: each.at_ms))

    @reading
    def funding_rates(self, symbol: str, since_ms: int) -> tuple[FundingRate, ...]:
        """The rate of every settlement since an instant. Raises Unavailable."""
        rows = self._read(
            lambda: self._rest.get_funding_rate_history(symbol=symbol, start_time=since_ms, limit=PAGE),
        )
        return tuple(sorted(map(funding_rate, rows), key=lambda each: each.at_ms))

    @reading
    def modes(self) -> AccountModes:
        """The account's modes. Raises Unavailable."""
        row = self._read(self._rest.futures_account_configuration)
        burns = self._read(self._rest.get_bnb_burn_status)["feeBurn"]
        return AccountModes(row["dualSidePosition"], row["multiAssetsMargin"], row["canTrade"], burns)

    def try_key(self) -> None:
        """Make a first signed call. Raises Misconfigured when the exchange refuses the key, Unavailable otherwise."""
        heard = self._ask(self._rest.futures_account_configuration, self._clock.now())
        if heard.status == requests.codes.ok:
            return
        refuse_key(self.kind, parsed(heard.body) or {})
        raise Unavailable(f"the exchange did not answer the first signed call: HTTP {heard.status}")

    @reading
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

    @reading
    def positions(self) -> tuple[Position, ...]:
        """Every position of the account that is not flat. Raises Unavailable."""
        return positions(self._read(self._rest.position_information_v3))

    @reading
    def everything(self) -> tuple[tuple[Position, ...], tuple[OrderState, ...], tuple[ConditionalState, ...]]:
        """Every position and open order of the account. Raises Unavailable."""
        held = self.positions()
        orders = tuple(map(order_state, self._read(self._rest.current_all_open_orders)))
        return held, orders, _conditionals(self._read(self._rest.current_all_algo_open_orders))

    @reading
    def balance(self) -> Balance:
        """The account's USDT. Raises Unavailable."""
        return balance(QUOTE_ASSET, self._read(self._rest.account_information_v3)["assets"])

    @reading
    def income(self, since_ms: int) -> tuple[Income, ...]:
        """Every change of the wallet since an instant. Raises Unavailable.

        The SDK has no parameter for a page, so each next one begins at the instant of the last row.
        """
        found: dict[str, Income] = {}
        while True:
            rows = self._read(lambda: self._rest.get_income_history(start_time=since_ms, limit=PAGE))  # noqa: B023 - called at once
            page = {each.key: each for each in map(income, rows)}
            news, found = page.keys() - found.keys(), {**found, **page}
            if len(rows) < PAGE or not news:
                return tuple(sorted(found.values(), key=lambda each: each.at_ms))
            since_ms = max(each.at_ms for each in page.values())

    def _configure(self, symbol: str, at: datetime, call: Callable[[], Any]) -> Answer:
        """A change that has no client id: what it changed is read back, so any good answer will do."""
        heard = self._ask(call, at)
        if heard.status == requests.codes.ok:
            return Accepted(symbol)
        return classify(symbol, heard, id_field="symbol")

    def _trades(self, symbol: str, **since: int) -> list[Row]:
        rows: list[Row] = self._read(lambda: self._rest.account_trade_list(symbol=symbol, limit=PAGE, **since))
        return rows

    def _open_conditionals(self, symbol: str) -> tuple[ConditionalState, ...]:
        return _conditionals(self._read(lambda: self._rest.current_all_algo_open_orders(symbol=symbol)))

    def _all_conditionals(self, symbol: str) -> tuple[ConditionalState, ...]:
        return _conditionals(self._read(lambda: self._rest.query_all_algo_orders(symbol=symbol)))


def open_binance_venue(
    settings: Settings,
    clock: Clock,
    transport: BaseAdapter | None = None,
    secrets: SecretSource | None = None,
    traffic: Traffic | None = None,
) -> BinanceVenue:
    """The owner's account on the exchange that VENUE names, with the clocks compared and the key tried.

    `transport` answers instead of the network, `secrets` are where a key is fetched that the settings only refer to,
    and `traffic` counts what is asked. Raises Misconfigured when address, key and VENUE do not belong together, or the
    exchange refuses the key, and Unavailable when it does not answer.
    """
    kind, address = settings.venue.upper(), address_of(settings)
    refuse_environment(settings)

    def pair(read: Callable[[Settings, str, SecretSource | None], str] = reveal) -> tuple[str, str]:
        return read(settings, "BINANCE_API_KEY", secrets), read(settings, "BINANCE_API_SECRET", secrets)

    renewed = None if secrets is None else functools.partial(pair, reveal_anew)
    timeout_ms = settings.binance_http_timeout_ms
    venue = BinanceVenue(Connection(kind, address, *pair(), timeout_ms, transport, renewed, traffic), clock)
    venue.synchronise()
    venue.try_key()
    return venue


def _conditionals(rows: Sequence[Row]) -> tuple[ConditionalState, ...]:
    return tuple(state for state in map(conditional_state, rows) if state is not None)


def _text(value: Decimal) -> str:
    return format(value, "f")
