"""Public endpoints: what anybody may ask about symbols and prices.

Modelled, because neither candles nor a feed know it: trade counts and ids, taker volume (half of the volume), open
interest (a quarter of the day's volume), funding caps, and one aggregate trade for every point of the feed.
"""

import json
from decimal import Decimal
from typing import Any, Final

from withearth.domain.errors import MarketFault
from withearth.domain.times import Timeframe
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.feed import PriceLevel, Tick
from withearth.paper.wire import errors
from withearth.paper.wire.bars import INTERVALS, Bar, Window, bars_of
from withearth.paper.wire.call import Call
from withearth.paper.wire.numbers import Places, money

DEPTH_LIMITS: Final = (5, 10, 20, 50, 100, 500, 1000)
MOST_BARS: Final = 1_500
_HOUR_MS: Final = Timeframe.H1.ms
_INTEREST_RATE: Final = "0.00010000"
_FUNDING_CAP: Final = "0.02000000"
_TRADE_NOTIONAL: Final = 1_000
_ASSETS: Final = (
    ("USDT", "-10000"),
    ("BTC", "-0.10000000"),
    ("BNB", "0"),
    ("ETH", "0"),
    ("USDC", "-10000"),
)


def ping(_: Call) -> dict[str, Any]:
    """Nothing, as proof of life."""
    return {}


def server_time(call: Call) -> dict[str, Any]:
    """The exchange's clock."""
    return {"serverTime": call.now_ms}


def exchange_info(call: Call) -> bytes:
    """Every symbol with its filters."""
    if call.desk.listing is None:
        # A megabyte for the whole exchange, and only the time in it changes.
        symbols = [dict(each.raw) for each in call.exchange.instruments.values()]
        call.desk.listing = json.dumps(symbols, separators=(",", ":"), ensure_ascii=False)
    head = {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [weight_limit(call), *order_limits(call)],
        "exchangeFilters": [],
        "assets": [{"asset": name, "marginAvailable": True, "autoAssetExchange": least} for name, least in _ASSETS],
    }
    return f'{json.dumps(head, separators=(",", ":"))[:-1]},"symbols":{call.desk.listing}}}'.encode()


def weight_limit(call: Call) -> dict[str, Any]:
    """The limit of request weight."""
    return _limit("REQUEST_WEIGHT", "MINUTE", 1, call.desk.limits.weight_1m)


def order_limits(call: Call) -> list[dict[str, Any]]:
    """The two limits of orders."""
    limits = call.desk.limits
    return [_limit("ORDERS", "MINUTE", 1, limits.orders_1m), _limit("ORDERS", "SECOND", 10, limits.orders_10s)]


def _limit(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def depth(call: Call) -> dict[str, Any]:
    """The order book."""
    symbol, limit = call.symbol(), call.params.integer("limit")
    if limit is not None and limit not in DEPTH_LIMITS:
        raise VenueError(Refusal.INVALID_DEPTH_LIMIT, limit)
    bids, asks = call.exchange.book(symbol, limit or 500)
    places = call.places(symbol)
    return {
        "lastUpdateId": call.now_ms,
        "E": call.now_ms,
        "T": call.now_ms,
        "bids": [_level(level, places) for level in bids],
        "asks": [_level(level, places) for level in asks],
    }


def _level(level: PriceLevel, places: Places) -> list[str]:
    return [places.pad_price(level.price), places.pad_qty(level.quantity)]


def book_ticker(call: Call) -> Any:
    """Best bid and ask of one symbol, or of all."""
    return _one_or_all(call, [_book_ticker(call, symbol) for symbol in call.symbols()])


def _book_ticker(call: Call, symbol: str) -> dict[str, Any]:
    places, (bids, asks) = call.places(symbol), call.exchange.book(symbol, 1)
    nothing = PriceLevel(Decimal(0), Decimal(0))
    bid, ask = _level((bids or [nothing])[0], places), _level((asks or [nothing])[0], places)
    return {
        "symbol": symbol,
        "bidPrice": bid[0],
        "bidQty": bid[1],
        "askPrice": ask[0],
        "askQty": ask[1],
        "time": call.now_ms,
        "lastUpdateId": call.now_ms,
    }


def premium_index(call: Call) -> Any:
    """Mark price, index price and the funding that is due, of one symbol or of all."""
    return _one_or_all(call, [_premium_index(call, symbol) for symbol in call.symbols()])


def _premium_index(call: Call, symbol: str) -> dict[str, Any]:
    tick, funding = call.exchange.tick(symbol), call.exchange.funding(symbol)
    return {
        "symbol": symbol,
        "markPrice": money(tick.mark),
        "indexPrice": money(tick.index),
        "estimatedSettlePrice": money(tick.index),
        "lastFundingRate": money(funding.rate),
        "interestRate": _INTEREST_RATE,
        "nextFundingTime": funding.next_ms,
        "time": call.now_ms,
    }


def funding_rate(call: Call) -> list[dict[str, Any]]:
    """Funding as it was settled, oldest first: the newest rows, or the first ones from `startTime` on."""
    start, end = time_range(call)
    limit = call.params.limit(100 if "symbol" in call.params else 200, 1_000)
    rows = [row for symbol in call.symbols() for row in _settled(call, symbol, start, end, limit)]
    rows.sort(key=lambda row: row["fundingTime"])
    return rows[-limit:] if start is None else rows[:limit]


def _settled(call: Call, symbol: str, start: int | None, end: int | None, limit: int) -> list[dict[str, Any]]:
    until = call.now_ms if end is None else min(end, call.now_ms)
    after = until - limit * call.exchange.funding(symbol).interval_ms if start is None else start - 1
    settled = call.exchange.feed.settlements(symbol, after, until)
    chosen = settled[-limit:] if start is None else settled[:limit]
    return [
        {
            "symbol": symbol,
            "fundingTime": at_ms,
            "fundingRate": money(rate),
            "markPrice": _mark_at(call, symbol, at_ms),
            "rateType": "Regular",
        }
        for at_ms, rate in chosen
    ]


def _mark_at(call: Call, symbol: str, at_ms: int) -> str:
    try:
        return money(call.exchange.feed.tick(symbol, at_ms).mark)
    except (KeyError, MarketFault):
        return ""  # as the exchange answers for years of which it kept no mark price


def funding_info(call: Call) -> list[dict[str, Any]]:
    """Cap, floor and interval of funding."""
    return [
        {
            "symbol": each.symbol,
            "adjustedFundingRateCap": _FUNDING_CAP,
            "adjustedFundingRateFloor": f"-{_FUNDING_CAP}",
            "fundingIntervalHours": each.funding_interval_hours,
            "disclaimer": False,
            "updateTime": each.raw["onboardDate"],
        }
        for each in call.exchange.instruments.values()
    ]


def price(call: Call) -> Any:
    """The price traded last, of one symbol or of all."""
    rows = [_price(call, symbol) for symbol in call.symbols()]
    if "symbol" in call.params:
        # One symbol comes with its keys in another order than a list, as recorded.
        return {"price": rows[0]["price"], "symbol": rows[0]["symbol"], "time": rows[0]["time"]}
    return rows


def _price(call: Call, symbol: str) -> dict[str, Any]:
    last = call.places(symbol).pad_price(call.exchange.last_price(symbol))
    return {"symbol": symbol, "price": last, "time": call.now_ms}


def day(call: Call) -> Any:
    """The statistics of the last 24 hours, of one symbol or of all."""
    return _one_or_all(call, [_day(call, symbol) for symbol in call.symbols()])


def _day(call: Call, symbol: str) -> dict[str, Any]:
    places, bars = call.places(symbol), _last_day(call, symbol)
    last = float(call.exchange.last_price(symbol))
    first, volume = bars[0].ohlcv[0] if bars else last, sum(bar.ohlcv[4] for bar in bars)
    quote, count = sum(_quote(bar) for bar in bars), sum(_count(bar) for bar in bars)
    pads = _Pads(places)
    return {
        "symbol": symbol,
        "priceChange": pads.price(last - first),
        "priceChangePercent": f"{(last / first - 1) * 100:.3f}",
        "weightedAvgPrice": pads.price(quote / volume if volume else last),
        "lastPrice": pads.price(last),
        "lastQty": pads.qty(float(call.exchange.tick(symbol).volume)),
        "openPrice": pads.price(first),
        "highPrice": pads.price(max((bar.ohlcv[1] for bar in bars), default=last)),
        "lowPrice": pads.price(min((bar.ohlcv[2] for bar in bars), default=last)),
        "volume": pads.qty(volume),
        "quoteVolume": pads.money(quote),
        "openTime": bars[0].open_ms if bars else call.now_ms,
        "closeTime": call.now_ms,
        "firstId": 1,
        "lastId": max(1, count),
        "count": count,
    }


def _last_day(call: Call, symbol: str) -> list[Bar]:
    window = Window(None, None, 288, call.now_ms)
    return bars_of(call.desk.bars, call.exchange.feed, symbol, INTERVALS["5m"], window)


def open_interest(call: Call) -> dict[str, Any]:
    """Open interest, modelled."""
    symbol = call.symbol()
    held = sum(bar.ohlcv[4] for bar in _last_day(call, symbol)) / 4
    return {"openInterest": _Pads(call.places(symbol)).qty(held), "symbol": symbol, "time": call.now_ms}


def klines(call: Call) -> list[list[Any]]:
    """Candles of one symbol. The last one may still be forming."""
    return _klines(call, call.symbol())


def continuous_klines(call: Call) -> list[list[Any]]:
    """Candles of a pair's perpetual contract."""
    pair, kind = call.params.required("pair"), call.params.required("contractType")
    if kind != "PERPETUAL":
        raise errors.invalid("contractType")
    return _klines(call, call.exchange.instrument(pair).symbol)


def _klines(call: Call, symbol: str) -> list[list[Any]]:
    interval = INTERVALS.get(call.params.required("interval"))
    if interval is None:
        raise VenueError(Refusal.INVALID_INTERVAL)
    start, end = time_range(call)
    window = Window(start, end, call.params.limit(500, MOST_BARS), call.now_ms)
    pads = _Pads(call.places(symbol))
    return [_kline(bar, pads) for bar in bars_of(call.desk.bars, call.exchange.feed, symbol, interval, window)]


def _kline(bar: Bar, pads: "_Pads") -> list[Any]:
    opened, high, low, close, volume = bar.ohlcv
    quote = _quote(bar)
    return [
        bar.open_ms,
        pads.price(opened),
        pads.price(high),
        pads.price(low),
        pads.price(close),
        pads.qty(volume),
        bar.end_ms - 1,
        pads.money(quote),
        _count(bar),
        pads.qty(volume / 2),
        pads.money(quote / 2),
        "0",
    ]


def aggregate_trades(call: Call) -> list[dict[str, Any]]:
    """One trade for every point of the feed."""
    symbol, (start, end) = call.symbol(), time_range(call)
    limit, places = call.params.limit(500, 1_000), call.places(symbol)
    until = call.now_ms if end is None else min(end, call.now_ms)
    since = until - _HOUR_MS if start is None else start
    ticks = call.exchange.feed.steps(symbol, since - 1, until)
    return [_trade(tick, places) for tick in (ticks[-limit:] if start is None else ticks[:limit])]


def _trade(tick: Tick, places: Places) -> dict[str, Any]:
    quantity = places.pad_qty(tick.volume)
    return {
        "a": tick.time_ms,
        "p": places.pad_price(tick.last),
        "q": quantity,
        "nq": quantity,
        "f": tick.time_ms,
        "l": tick.time_ms,
        "T": tick.time_ms,
        "m": tick.last <= tick.bid,
    }


def time_range(call: Call) -> tuple[int | None, int | None]:
    """`startTime` and `endTime`. Raises VenueError when they are in the wrong order."""
    start, end = call.params.integer("startTime"), call.params.integer("endTime")
    if start is not None and end is not None and start > end:
        raise VenueError(Refusal.START_AFTER_END)
    return start, end


def _one_or_all(call: Call, rows: list[dict[str, Any]]) -> Any:
    return rows[0] if "symbol" in call.params else rows


def _quote(bar: Bar) -> float:
    """The turnover of a bar, of which only prices and volume are known."""
    return bar.ohlcv[4] * sum(bar.ohlcv[:4]) / 4


def _count(bar: Bar) -> int:
    return max(1, int(_quote(bar) / _TRADE_NOTIONAL)) if bar.ohlcv[4] else 0


class _Pads:
    """`Places` for the floats of candles."""

    __slots__ = ("_both", "_price", "_qty")

    def __init__(self, places: Places) -> None:
        self._price, self._qty, self._both = places.price, places.qty, places.price + places.qty

    def price(self, value: float) -> str:
        return f"{value:.{self._price}f}"

    def qty(self, value: float) -> str:
        return f"{value:.{self._qty}f}"

    def money(self, value: float) -> str:
        return f"{value:.{self._both}f}"
