"""The filters of `exchangeInfo`: what a price, a quantity and a notional have to be."""

from decimal import Decimal
from typing import Final

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.instruments import PaperInstrument, decimals
from withearth.paper.engine.kinds import OrderSide, OrderType
from withearth.paper.engine.orders import ZERO

_NUMBER: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
# Nobody outside knows the real factors of -4210 and -4211; these keep out typing errors only.
_TRIGGER_CAP: Final = Decimal(5)
_TRIGGER_FLOOR: Final = Decimal("0.05")


def require(value: Decimal | None, name: str) -> Decimal:
    """A number that was sent. Raises VenueError -1102 when it was not, -1100 when it is NaN or infinite."""
    if value is None:
        raise VenueError(Refusal.MANDATORY_PARAMETER, name)
    if not value.is_finite():
        raise VenueError(Refusal.ILLEGAL_CHARS, name, _NUMBER)
    return value


def check_price(instrument: PaperInstrument, price: Decimal) -> None:
    """PRICE_FILTER. Raises VenueError -4001, -4002, -4013, -4014 or -1111."""
    if price < 0:
        raise VenueError(Refusal.PRICE_BELOW_ZERO)
    if price > instrument.max_price:
        raise VenueError(Refusal.PRICE_ABOVE_MAX)
    if price < instrument.min_price:
        raise VenueError(Refusal.PRICE_BELOW_MIN)
    check_tick(instrument, price)


def check_tick(instrument: PaperInstrument, price: Decimal) -> None:
    """The grid of PRICE_FILTER, which begins at the lowest price. Raises VenueError -4014 or -1111."""
    if not (price - instrument.min_price) % instrument.tick_size:
        return
    if decimals(price) > instrument.price_precision:
        raise VenueError(Refusal.PRECISION)
    raise VenueError(Refusal.PRICE_OFF_TICK)


def check_trigger(instrument: PaperInstrument, trigger: Decimal, mark: Decimal) -> None:
    """The trigger price of a conditional order. Raises VenueError -4006, -4007, -4210, -4211, -4013, -4014 or -1111."""
    if trigger <= 0:
        raise VenueError(Refusal.STOP_PRICE_BELOW_ZERO)
    if trigger > instrument.max_price:
        raise VenueError(Refusal.STOP_PRICE_ABOVE_MAX)
    if trigger > mark * _TRIGGER_CAP:
        raise VenueError(Refusal.STOP_ABOVE_BAND)
    if trigger < mark * _TRIGGER_FLOOR:
        raise VenueError(Refusal.STOP_BELOW_BAND)
    check_price(instrument, trigger)


def check_quantity(instrument: PaperInstrument, quantity: Decimal, order_type: OrderType) -> None:
    """LOT_SIZE or MARKET_LOT_SIZE. Raises VenueError -4003, -4004, -4005, -4023 or -1111."""
    if order_type is OrderType.MARKET:
        low, high, step = instrument.market_min_qty, instrument.market_max_qty, instrument.market_step_size
    else:
        low, high, step = instrument.min_qty, instrument.max_qty, instrument.step_size
    if quantity <= 0:
        raise VenueError(Refusal.QTY_NOT_POSITIVE)
    if quantity > high:
        raise VenueError(Refusal.QTY_ABOVE_MAX)
    if quantity % step:
        over = decimals(quantity) > instrument.quantity_precision
        raise VenueError(Refusal.PRECISION if over else Refusal.QTY_OFF_STEP)
    if quantity < low:
        raise VenueError(Refusal.QTY_BELOW_MIN)


def check_notional(instrument: PaperInstrument, notional: Decimal, refusal: Refusal = Refusal.MIN_NOTIONAL) -> None:
    """MIN_NOTIONAL. Raises VenueError -4164, or what else is given."""
    if notional < instrument.min_notional:
        raise VenueError(refusal, format(instrument.min_notional, "f"))


def check_band(instrument: PaperInstrument, side: OrderSide, price: Decimal, mark: Decimal) -> None:
    """PERCENT_PRICE of a limit order, one-sided: a bid far below the market is fine. Raises VenueError -4016, -4024."""
    if side is OrderSide.BUY and price > mark * instrument.multiplier_up:
        raise VenueError(Refusal.PRICE_ABOVE_BAND)
    if side is OrderSide.SELL and price < mark * instrument.multiplier_down:
        raise VenueError(Refusal.PRICE_BELOW_BAND)


def check_stop_band(instrument: PaperInstrument, side: OrderSide, price: Decimal, trigger: Decimal) -> None:
    """PERCENT_PRICE of a stop-limit order, against its trigger. Raises VenueError -4183 or -4184."""
    if side is OrderSide.BUY and price > trigger * instrument.multiplier_up:
        raise VenueError(Refusal.LIMIT_ABOVE_STOP_BAND)
    if side is OrderSide.SELL and price < trigger * instrument.multiplier_down:
        raise VenueError(Refusal.LIMIT_BELOW_STOP_BAND)


def check_best(instrument: PaperInstrument, side: OrderSide, best: Decimal | None, mark: Decimal) -> None:
    """PERCENT_PRICE of a market order: the best price it meets. Raises VenueError -4131."""
    beyond = (
        best is None
        or (side is OrderSide.BUY and best > mark * instrument.multiplier_up)
        or (side is OrderSide.SELL and best < mark * instrument.multiplier_down)
    )
    if beyond:
        raise VenueError(Refusal.MARKET_BEYOND_BAND)


def down_to_step(instrument: PaperInstrument, quantity: Decimal) -> Decimal:
    """The largest whole number of steps in `quantity`."""
    return quantity - quantity % instrument.step_size if quantity > 0 else ZERO
