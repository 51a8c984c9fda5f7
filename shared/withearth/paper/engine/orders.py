"""Requests to trade, and the two families of orders that come of them.

Orders are live objects of the books: the engine alone changes them. Keep a copy with `dataclasses.replace`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from withearth.paper.engine.kinds import (
    AlgoStatus,
    AlgoType,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    TimeInForce,
    WorkingType,
)

ZERO: Final = Decimal(0)
_PERCENT: Final = Decimal(100)
_ENDED: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """`POST /order`. None means that the parameter was not sent."""

    symbol: str
    side: OrderSide
    type: OrderType
    quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    position_side: PositionSide | None = None
    reduce_only: bool | None = None
    client_order_id: str | None = None
    price_match: PriceMatch = PriceMatch.NONE
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    good_till_date: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyOrder:
    """`PUT /order`: the order is named by `order_id` or `client_order_id`."""

    symbol: str
    side: OrderSide
    quantity: Decimal
    price: Decimal
    order_id: int | None = None
    client_order_id: str | None = None
    reduce_only: bool | None = None
    modify_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAlgo:
    """`POST /algoOrder` with `algoType=CONDITIONAL`. None means that the parameter was not sent."""

    symbol: str
    side: OrderSide
    type: AlgoType
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    position_side: PositionSide | None = None
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    close_position: bool = False
    price_protect: bool = False
    reduce_only: bool | None = None
    activate_price: Decimal | None = None
    callback_rate: Decimal | None = None
    client_algo_id: str | None = None
    price_match: PriceMatch = PriceMatch.NONE
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    good_till_date: int | None = None


@dataclass(slots=True, kw_only=True)
class Order:
    """An ordinary order. `price` is 0 for MARKET; `closes` says that it can only shrink its position.

    `closes` is wider than the wire's `reduce_only`: it also holds for SELL of a LONG and BUY of a SHORT in hedge mode.
    `queue` is what others have to trade at its price before it does, None until the price first gets there.
    """

    order_id: int
    account: str
    symbol: str
    client_order_id: str
    side: OrderSide
    position_side: PositionSide
    type: OrderType
    time_in_force: TimeInForce
    price: Decimal
    quantity: Decimal
    reduce_only: bool
    closes: bool
    created_ms: int
    updated_ms: int
    status: OrderStatus = OrderStatus.NEW
    executed: Decimal = ZERO
    quote: Decimal = ZERO
    queue: Decimal | None = None
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    price_match: PriceMatch = PriceMatch.NONE
    good_till_date: int = 0
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    price_protect: bool = False
    close_position: bool = False
    modified: int = 0
    modify_id: int | None = None
    algo_id: int | None = None
    liquidation: bool = False

    @property
    def remaining(self) -> Decimal:
        """What has not been executed."""
        return self.quantity - self.executed

    @property
    def average_price(self) -> Decimal:
        """Mean price of its fills, 0 without a fill, not rounded."""
        return self.quote / self.executed if self.executed else ZERO

    @property
    def is_open(self) -> bool:
        """Whether it can still trade or be cancelled."""
        return self.status not in _ENDED


@dataclass(slots=True, kw_only=True)
class AlgoOrder:
    """A conditional order. `trigger_price` is 0 for TRAILING_STOP_MARKET, `quantity` is 0 with `close_position`.

    `reject_reason` is the exchange's text when the order it made was refused. `extreme` is the best price since a
    trailing stop was activated.
    """

    algo_id: int
    account: str
    symbol: str
    client_algo_id: str
    side: OrderSide
    position_side: PositionSide
    type: AlgoType
    time_in_force: TimeInForce
    quantity: Decimal
    price: Decimal
    trigger_price: Decimal
    working_type: WorkingType
    close_position: bool
    price_protect: bool
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    price_match: PriceMatch
    good_till_date: int
    created_ms: int
    updated_ms: int
    status: AlgoStatus = AlgoStatus.NEW
    triggered_ms: int = 0
    actual_order_id: int | None = None
    actual_quantity: Decimal = ZERO
    actual_price: Decimal = ZERO
    reject_reason: str = ""
    activate_price: Decimal | None = None
    callback_rate: Decimal | None = None
    is_activated: bool = False
    extreme: Decimal = ZERO

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its trigger."""
        return self.status is AlgoStatus.NEW

    @property
    def fires_above(self) -> bool:
        """Whether it waits for the price to rise: a BUY stop or a SELL take-profit."""
        return (self.side is OrderSide.BUY) is not self.type.is_take_profit

    @property
    def callback_price(self) -> Decimal:
        """Where an activated trailing stop fires: one callback rate from the best price."""
        turn = self.extreme * (self.callback_rate or ZERO) / _PERCENT
        return self.extreme + turn if self.side is OrderSide.BUY else self.extreme - turn

    @property
    def actual_type(self) -> OrderType:
        """The type of the order it becomes."""
        return OrderType.LIMIT if self.type.is_limit else OrderType.MARKET


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change of an open order, as `GET /orderAmendment` lists it."""

    amendment_id: int
    order_id: int
    symbol: str
    client_order_id: str
    time_ms: int
    price_before: Decimal
    price_after: Decimal
    quantity_before: Decimal
    quantity_after: Decimal
    count: int
    modify_id: int | None
