"""What a conditional order has to be before it may wait."""

from decimal import Decimal
from typing import Final

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.filters import (
    check_notional,
    check_price,
    check_quantity,
    check_stop_band,
    check_trigger,
    require,
)
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import AlgoType, OrderSide, OrderType, PositionSide, PriceMatch, TimeInForce
from withearth.paper.engine.orders import ZERO, PlaceAlgo
from withearth.paper.engine.placing import (
    check_client_id,
    check_good_till_date,
    check_reduce_only_flag,
    closing,
    position_side_of,
)
from withearth.paper.engine.venue import Venue

OPEN_ALGOS_MAX: Final = 200
_CALLBACK_MIN: Final = Decimal("0.1")
_CALLBACK_MAX: Final = Decimal(20)


def check_request(venue: Venue, account: Account, request: PlaceAlgo) -> PositionSide:
    """Every rule but whether it would fire at once; the position side it means. Raises VenueError."""
    instrument = venue.instrument(request.symbol)
    side = position_side_of(account, request.position_side)
    check_client_id(request.client_algo_id)
    _check_flags(account, request, side)
    _check_unique(account, request.client_algo_id)
    if not instrument.is_trading:
        raise VenueError(Refusal.NOT_OPEN_FOR_TRADING)
    if request.type is AlgoType.TRAILING_STOP_MARKET:
        _check_trailing(venue, instrument, request)
    else:
        trigger = require(request.trigger_price, "triggerprice")
        check_trigger(instrument, trigger, venue.tick(request.symbol).mark)
        _check_limit(instrument, request, trigger)
    closes = request.close_position or closing(account, request.side, side, reduce_only=request.reduce_only)
    if not request.close_position:
        _check_size(venue, instrument, request, closes=closes)
    check_good_till_date(venue, request.time_in_force, request.good_till_date)
    _check_position(venue, account, request, side, closes=closes)
    if len(account.open_algos) >= OPEN_ALGOS_MAX:
        raise VenueError(Refusal.MAX_ALGO_ORDERS)
    return side


def _check_flags(account: Account, request: PlaceAlgo, side: PositionSide) -> None:
    check_reduce_only_flag(account, reduce_only=request.reduce_only)
    if not request.close_position:
        return
    if request.type.is_limit or request.type is AlgoType.TRAILING_STOP_MARKET:
        raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "closeposition")
    if request.quantity:
        raise VenueError(Refusal.QTY_WITH_CLOSE_POSITION)
    if request.reduce_only:
        raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "reduceonly")
    if request.reduce_only is not None:
        raise VenueError(Refusal.REDUCE_ONLY_WITH_CLOSE_POSITION)
    opens = (request.side is OrderSide.BUY) is (side is PositionSide.LONG)
    if account.dual_side and opens:
        raise VenueError(Refusal.BAD_COMBINATION)
    _check_only_closer(account, request, side)


def _check_only_closer(account: Account, request: PlaceAlgo, side: PositionSide) -> None:
    for algo in account.algos_of(request.symbol):
        if (
            algo.close_position
            and (algo.side, algo.position_side) == (request.side, side)
            and algo.type.is_take_profit is request.type.is_take_profit
        ):
            raise VenueError(Refusal.CLOSE_POSITION_EXISTS)


def _check_unique(account: Account, client_id: str | None) -> None:
    known = account.algo_ids.get(client_id) if client_id is not None else None
    if known is not None and known in account.open_algos:
        raise VenueError(Refusal.DUPLICATED_CLIENT_ID)


def _check_trailing(venue: Venue, instrument: PaperInstrument, request: PlaceAlgo) -> None:
    rate = require(request.callback_rate, "callbackrate")
    if not _CALLBACK_MIN <= rate <= _CALLBACK_MAX or rate % _CALLBACK_MIN:
        raise VenueError(Refusal.INVALID_PARAMETER, "callbackRate")
    if request.activate_price is None:
        return
    price, last = require(request.activate_price, "activateprice"), venue.tick(request.symbol).last
    check_price(instrument, price)
    if price >= last if request.side is OrderSide.BUY else price <= last:
        raise VenueError(Refusal.INVALID_ACTIVATION_PRICE)


def _check_limit(instrument: PaperInstrument, request: PlaceAlgo, trigger: Decimal) -> None:
    for name, sent in (("callbackrate", request.callback_rate), ("activateprice", request.activate_price)):
        if sent is not None:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, name)
    if not request.type.is_limit:
        if request.price is not None:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "price")
        if request.price_match is not PriceMatch.NONE:
            raise VenueError(Refusal.PRICE_MATCH_NOT_SUPPORTED)
        return
    if request.price_match is not PriceMatch.NONE:
        if request.price is not None:
            raise VenueError(Refusal.PARAMETER_NOT_REQUIRED, "price")
        return
    price = require(request.price, "price")
    check_price(instrument, price)
    check_stop_band(instrument, request.side, price, trigger)


def _check_size(venue: Venue, instrument: PaperInstrument, request: PlaceAlgo, *, closes: bool) -> None:
    quantity = require(request.quantity, "quantity")
    check_quantity(instrument, quantity, OrderType.LIMIT if request.type.is_limit else OrderType.MARKET)
    if not closes:
        price = request.price or request.trigger_price or venue.tick(request.symbol).mark
        check_notional(instrument, quantity * price)


def _check_position(venue: Venue, account: Account, request: PlaceAlgo, side: PositionSide, *, closes: bool) -> None:
    facing = -account.position(request.symbol, side).quantity * request.side.sign
    if facing > ZERO:
        return
    needs_one = request.time_in_force is TimeInForce.GTE_GTC
    if needs_one or (closes and not venue.switches.reduce_only_without_position):
        raise VenueError(Refusal.REDUCE_ONLY_REJECTED)
