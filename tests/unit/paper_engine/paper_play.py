"""Random sequences of requests, as a client that knows no rules would send them."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import VenueError
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.kinds import (
    AlgoType,
    MarginType,
    OrderSide,
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    TimeInForce,
    WorkingType,
)
from withearth.paper.engine.orders import ModifyOrder, PlaceAlgo, PlaceOrder

GARBAGE: Final = st.sampled_from(
    [Decimal(text) for text in ("0", "-1", "NaN", "sNaN", "Infinity", "1e400", "1e-400", "0.00000001", "123456789.123")]
)


def _mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Sense nine times of ten, so that sequences get somewhere."""
    return st.integers(0, 9).flatmap(lambda number: odd if number == 9 else usual)


QUANTITIES: Final = _mostly(
    (st.integers(2, 60) | st.integers(200, 3_000)).map(lambda steps: Decimal(steps) / 1000), GARBAGE
)
# As a share of the last price, rounded to the tick where it is used.
DISTANCES: Final = st.integers(-30, 30).map(lambda permille: Decimal(permille) / 1000)
ODD_PRICES: Final = _mostly(st.none(), GARBAGE)
REDUCE_ONLY: Final = _mostly(st.sampled_from([True, None]), st.just(value=False))
SIDES: Final = st.sampled_from(OrderSide)
# None: the side that fits the position mode.
POSITION_SIDES: Final = _mostly(st.none(), st.sampled_from(PositionSide))
CLIENT_IDS: Final = _mostly(st.none(), st.sampled_from(["a", "b", "c"]))
TIMES: Final = st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX])


@dataclass(frozen=True)
class Step:
    """One call with its arguments, to be made on a symbol by its number."""

    call: str
    values: dict[str, Any]


def _step(call: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.just(call), st.fixed_dictionaries({"symbol": st.integers(0, 1), **values}))


_LIMIT: Final = _step(
    "limit",
    side=SIDES,
    quantity=QUANTITIES,
    distance=DISTANCES,
    garbage=ODD_PRICES,
    time_in_force=_mostly(TIMES, st.none() | st.sampled_from(TimeInForce)),
    position_side=POSITION_SIDES,
    reduce_only=REDUCE_ONLY,
    client_order_id=CLIENT_IDS,
    price_match=_mostly(st.just(PriceMatch.NONE), st.sampled_from(PriceMatch)),
    self_trade_prevention=st.sampled_from(SelfTradePrevention),
    good_till=st.none(),
)
_GTD: Final = _step(
    "limit",
    side=SIDES,
    quantity=QUANTITIES,
    distance=DISTANCES,
    garbage=st.none(),
    time_in_force=st.just(TimeInForce.GTD),
    position_side=POSITION_SIDES,
    good_till=st.integers(0, 10_000_000),
)
_MARKET: Final = _step(
    "market",
    side=SIDES,
    quantity=QUANTITIES,
    position_side=POSITION_SIDES,
    reduce_only=_mostly(st.none(), st.booleans()),
    self_trade_prevention=st.sampled_from(SelfTradePrevention),
)
_ALGO: Final = _step(
    "algo",
    side=SIDES,
    type=st.sampled_from([kind for kind in AlgoType if kind is not AlgoType.TRAILING_STOP_MARKET]),
    quantity=QUANTITIES,
    distance=DISTANCES,
    garbage=ODD_PRICES,
    limit=DISTANCES,
    time_in_force=_mostly(st.just(TimeInForce.GTC), st.none() | st.sampled_from(TimeInForce)),
    position_side=POSITION_SIDES,
    working_type=st.sampled_from(WorkingType),
    price_protect=st.booleans(),
    reduce_only=REDUCE_ONLY,
    client_algo_id=CLIENT_IDS,
)
_CLOSER: Final = _step(
    "closer",
    side=SIDES,
    type=st.sampled_from([AlgoType.STOP_MARKET, AlgoType.TAKE_PROFIT_MARKET]),
    distance=DISTANCES,
    time_in_force=st.sampled_from([None, TimeInForce.GTE_GTC]),
    working_type=st.sampled_from(WorkingType),
)
_TRAILING: Final = _step(
    "trailing",
    side=SIDES,
    quantity=QUANTITIES,
    callback_rate=_mostly(st.integers(1, 30).map(lambda tenths: Decimal(tenths) / 10), GARBAGE),
    activate=st.none() | DISTANCES,
    working_type=st.sampled_from(WorkingType),
    reduce_only=REDUCE_ONLY,
)
_ADVANCE: Final = _step("advance", ms=st.sampled_from([1, 7_000, 60_000, 300_000, 3_600_000, 30_000_000]))
STEPS: Final = st.one_of(
    _LIMIT,
    _LIMIT,
    _LIMIT,
    _GTD,
    _MARKET,
    _MARKET,
    _ALGO,
    _ALGO,
    _CLOSER,
    _TRAILING,
    _ADVANCE,
    _ADVANCE,
    _ADVANCE,
    _step("modify", number=st.integers(0, 2), quantity=QUANTITIES, distance=DISTANCES, garbage=ODD_PRICES),
    _step("cancel", number=st.integers(0, 5)),
    _step("cancel_all"),
    _step("cancel_algo", number=st.integers(0, 5)),
    _step("countdown", ms=st.sampled_from([0, 1_000, 400_000])),
    _step("leverage", leverage=st.sampled_from([0, 1, 5, 20, 50, 125])),
    _step("margin_type", kind=st.sampled_from(MarginType)),
    _step("dual", flag=st.booleans()),
    _step("margin", amount=_mostly(st.integers(1, 300).map(Decimal), GARBAGE), add=st.booleans()),
    _step("transfer", amount=st.sampled_from([Decimal(100), Decimal(-100), Decimal("NaN"), Decimal("0.000000001")])),
)


class Player:
    """Makes the calls of a sequence on an exchange."""

    def __init__(self, exchange: PaperExchange, account: Account, move: Callable[[int], None]) -> None:
        self._exchange = exchange
        self.account = account
        self._move = move

    def play(self, step: Step) -> None:
        """Make one call; a refusal is an answer like any other."""
        values = dict(step.values)
        symbol = list(self._exchange.instruments)[values.pop("symbol")]
        try:
            getattr(self, f"_{step.call}")(symbol, **values)
        except VenueError:
            return

    def _price(self, symbol: str, distance: Decimal, garbage: Decimal | None = None) -> Decimal:
        tick = self._exchange.instrument(symbol).tick_size
        last = self._exchange.last_price(symbol)
        return garbage if garbage is not None else (last * (1 + distance) / tick).to_integral_value() * tick

    def _side(self, given: PositionSide | None, values: dict[str, Any]) -> PositionSide | None:
        if not self.account.dual_side or given is not None:
            return given
        # In hedge mode reduce-only is not sent: the position side says it.
        closes = bool(values.pop("reduce_only", None))
        return PositionSide.LONG if (values["side"] is OrderSide.BUY) is not closes else PositionSide.SHORT

    def _limit(
        self, symbol: str, distance: Decimal, garbage: Decimal | None, good_till: int | None, **values: Any
    ) -> None:
        values["position_side"] = self._side(values["position_side"], values)
        matched = values.get("price_match", PriceMatch.NONE) is not PriceMatch.NONE
        request = PlaceOrder(
            symbol=symbol,
            type=OrderType.LIMIT,
            price=None if matched else self._price(symbol, distance, garbage),
            good_till_date=None if good_till is None else self._exchange.now_ms + good_till,
            **values,
        )
        self._exchange.place(self.account, request)

    def _market(self, symbol: str, **values: Any) -> None:
        values["position_side"] = self._side(values["position_side"], values)
        self._exchange.place(self.account, PlaceOrder(symbol=symbol, type=OrderType.MARKET, **values))

    def _algo(self, symbol: str, distance: Decimal, garbage: Decimal | None, limit: Decimal, **values: Any) -> None:
        values["position_side"] = self._side(values["position_side"], values)
        request = PlaceAlgo(
            symbol=symbol,
            trigger_price=self._price(symbol, distance, garbage),
            price=self._price(symbol, limit) if values["type"].is_limit else None,
            **values,
        )
        self._exchange.place_algo(self.account, request)

    def _closer(self, symbol: str, distance: Decimal, **values: Any) -> None:
        side = self._side(None, {**values, "reduce_only": True})
        trigger = self._price(symbol, distance)
        request = PlaceAlgo(symbol=symbol, trigger_price=trigger, close_position=True, position_side=side, **values)
        self._exchange.place_algo(self.account, request)

    def _trailing(self, symbol: str, activate: Decimal | None, **values: Any) -> None:
        side = self._side(None, values)
        request = PlaceAlgo(
            symbol=symbol,
            type=AlgoType.TRAILING_STOP_MARKET,
            position_side=side,
            activate_price=None if activate is None else self._price(symbol, activate),
            **values,
        )
        self._exchange.place_algo(self.account, request)

    def _modify(self, symbol: str, number: int, quantity: Decimal, distance: Decimal, garbage: Decimal | None) -> None:
        orders = self._exchange.open_orders(self.account, symbol)
        if number < len(orders):
            order = orders[number]
            price = self._price(symbol, distance, garbage)
            change = ModifyOrder(
                symbol=symbol, side=order.side, quantity=quantity, price=price, order_id=order.order_id
            )
            self._exchange.modify(self.account, change)

    def _cancel(self, symbol: str, number: int) -> None:
        orders = list(self.account.orders)
        self._exchange.cancel(self.account, symbol, orders[-number] if number < len(orders) and orders else number)

    def _cancel_all(self, symbol: str) -> None:
        self._exchange.cancel_all(self.account, symbol)

    def _cancel_algo(self, symbol: str, number: int) -> None:
        algos = self._exchange.open_algo_orders(self.account, symbol)
        self._exchange.cancel_algo(self.account, algos[number].algo_id if number < len(algos) else number)

    def _countdown(self, symbol: str, ms: int) -> None:
        self._exchange.countdown_cancel(self.account, symbol, ms)

    def _leverage(self, symbol: str, leverage: int) -> None:
        self._exchange.set_leverage(self.account, symbol, leverage)

    def _margin_type(self, symbol: str, kind: MarginType) -> None:
        self._exchange.set_margin_type(self.account, symbol, kind)

    def _dual(self, symbol: str, *, flag: bool) -> None:
        assert symbol
        self._exchange.set_position_mode(self.account, dual_side=flag)

    def _margin(self, symbol: str, amount: Decimal, *, add: bool) -> None:
        self._exchange.modify_isolated_margin(self.account, symbol, amount, add=add)

    def _transfer(self, symbol: str, amount: Decimal) -> None:
        asset = self._exchange.instrument(symbol).margin_asset
        self._exchange.transfer(self.account, asset, amount)

    def _advance(self, symbol: str, ms: int) -> None:
        assert symbol
        self._move(ms)
