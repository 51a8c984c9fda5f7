"""A paper exchange with one account on a scripted price: what the tests of the engine begin with."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import pytest

from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.errors import VenueError
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.instruments import PaperInstrument, paper_instrument
from withearth.paper.engine.kinds import AlgoType, OrderSide, OrderType, PositionSide, TimeInForce
from withearth.paper.engine.orders import AlgoOrder, Order, PlaceAlgo, PlaceOrder
from withearth.paper.engine.venue import Switches
from withearth.paper.feed_series import ScriptedFeed

SYMBOL: Final = "BTCUSDT"
OTHER: Final = "ETHUSDT"
START_MS: Final = 1_735_689_600_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
PRICE: Final = Decimal(50_000)
ZERO: Final = Decimal(0)
Number = float | str | Decimal

# The filters of exchangeInfo as recorded on 2026-07-04, and the first brackets of leverageBracket of 2026-05-07.
LISTED: Final[dict[str, Any]] = {
    "symbol": SYMBOL,
    "pair": SYMBOL,
    "contractType": "PERPETUAL",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "triggerProtect": "0.0500",
    "liquidationFee": "0.012500",
    "marketTakeBound": "0.05",
    "maxMoveOrderLimit": 10000,
    "filters": [
        {"maxPrice": "4529764", "tickSize": "0.10", "minPrice": "556.80", "filterType": "PRICE_FILTER"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "stepSize": "0.001", "maxQty": "1000"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        {"limit": 200, "filterType": "MAX_NUM_ORDERS"},
        {"filterType": "MIN_NOTIONAL", "notional": "50"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
    ],
}
BRACKETS: Final[dict[str, Any]] = {
    "symbol": SYMBOL,
    "brackets": [
        {
            "bracket": 1,
            "initialLeverage": 150,
            "notionalCap": 300000,
            "notionalFloor": 0,
            "maintMarginRatio": 0.004,
            "cum": 0.0,
        },
        {
            "bracket": 2,
            "initialLeverage": 100,
            "notionalCap": 800000,
            "notionalFloor": 300000,
            "maintMarginRatio": 0.005,
            "cum": 300.0,
        },
        {
            "bracket": 3,
            "initialLeverage": 75,
            "notionalCap": 3000000,
            "notionalFloor": 800000,
            "maintMarginRatio": 0.0065,
            "cum": 1500.0,
        },
        {
            "bracket": 4,
            "initialLeverage": 50,
            "notionalCap": 12000000,
            "notionalFloor": 3000000,
            "maintMarginRatio": 0.01,
            "cum": 12000.0,
        },
        {
            "bracket": 5,
            "initialLeverage": 25,
            "notionalCap": 70000000,
            "notionalFloor": 12000000,
            "maintMarginRatio": 0.02,
            "cum": 132000.0,
        },
    ],
}


def dec(text: str | float | Decimal | None) -> Decimal | None:
    """A number as the wire would hand it over, None for one that was not sent."""
    return None if text is None else Decimal(str(text))


def instrument(**changes: Any) -> PaperInstrument:
    """The listing of BTCUSDT, changed where a test says so."""
    return replace(paper_instrument(LISTED, BRACKETS), **changes)


@dataclass
class Stage:
    """An exchange, its feed and one account."""

    exchange: PaperExchange
    feed: ScriptedFeed
    account: Account

    def at(self, last: Number, *, after_ms: int = 1_000, **prices: Any) -> None:
        """Let the price be `last` some time later, and advance to it."""
        now = self.exchange.now_ms + after_ms
        self.feed.set_price(SYMBOL, now, str(last), **prices)
        self.exchange.advance(now)

    def wait(self, ms: int) -> None:
        """Advance without a new price."""
        self.exchange.advance(self.exchange.now_ms + ms)

    def market(self, side: str, quantity: Number, **more: Any) -> Order:
        """Place a MARKET order."""
        return self.exchange.place(self.account, order(side, quantity, None, type=OrderType.MARKET, **more))

    def limit(self, side: str, quantity: Number | None, price: Number | None, **more: Any) -> Order:
        """Place a LIMIT order, GTC unless said otherwise."""
        return self.exchange.place(self.account, order(side, quantity, price, **more))

    def algo(
        self,
        side: str,
        kind: str,
        trigger: Number | None,
        quantity: Number | None = None,
        **more: Any,
    ) -> AlgoOrder:
        """Place a conditional order."""
        return self.exchange.place_algo(self.account, algo(side, kind, trigger, quantity, **more))

    def position(self, side: PositionSide = PositionSide.BOTH) -> Position:
        """What the account holds."""
        return self.account.position(SYMBOL, side)

    @property
    def wallet(self) -> Decimal:
        """The balance in USDT."""
        return self.account.wallet["USDT"]


def order(side: str, quantity: Any, price: Any, **more: Any) -> PlaceOrder:
    """A request for an ordinary order."""
    values: dict[str, Any] = {"symbol": SYMBOL, "type": OrderType.LIMIT, **more}
    if values["type"] is OrderType.LIMIT:
        values.setdefault("time_in_force", TimeInForce.GTC)
    return PlaceOrder(side=OrderSide(side), quantity=dec(quantity), price=dec(price), **values)


def algo(side: str, kind: str, trigger: Any, quantity: Any = None, *, price: Any = None, **more: Any) -> PlaceAlgo:
    """A request for a conditional order."""
    return PlaceAlgo(
        symbol=SYMBOL,
        side=OrderSide(side),
        type=AlgoType(kind),
        trigger_price=dec(trigger),
        quantity=dec(quantity),
        price=dec(price),
        **more,
    )


def staged(
    *,
    wallet: Number = 100_000,
    price: Decimal = PRICE,
    listed: PaperInstrument | None = None,
    switches: Switches | None = None,
    depth: Number | None = None,
) -> Stage:
    """A stage with the price standing still."""
    instruments = {SYMBOL: listed or instrument(), OTHER: instrument(symbol=OTHER)}
    feed = ScriptedFeed(instruments, seed=1)
    feed.set_price(SYMBOL, START_MS, price, depth=dec(depth))
    feed.set_price(OTHER, START_MS, price)
    exchange = PaperExchange(instruments, feed, now_ms=START_MS, switches=switches)
    account = exchange.open_account("key", {"USDT": Decimal(str(wallet))})
    return Stage(exchange, feed, account)


class Refused:
    """`with refused(-2019):` expects the exchange's code."""

    def __init__(self, code: int) -> None:
        self._code = code

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, VenueError):
            pytest.fail(f"expected a refusal with {self._code}, was {error!r}")
        assert self._code == error.code
        return True


def refused(code: int) -> Refused:
    """Expect a refusal with the exchange's code."""
    return Refused(code)
