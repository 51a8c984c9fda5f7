"""The live market: Binance's public endpoints behind the market port, by the cheapest plan the limits allow.

What a call cannot bring is a MarketFault under a reason, so it becomes that symbol's decision; nothing here waits
longer than the settings allow.

Chosen on purpose:
- A bar is asked for a second after its close by the exchange's clock, and the answer is made to end with it: a bar
  that is still forming never comes, and would be dropped if it did.
- Closed candles are kept, and topped up by the newest ones (`candle_cache`). All four timeframes of a symbol have to
  tell the same closes, so that an answer about another symbol is noticed although candles name none.
- The answer of `exchangeInfo` is kept an hour, and used longer when there is no newer one.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np

from withearth.domain.book import Level, OrderBook, Quote, is_near
from withearth.domain.candles import CLOSE, Candles
from withearth.domain.clock import Timer
from withearth.domain.errors import MarketFault
from withearth.domain.instrument import Instrument, instrument_from_exchange_info, is_tradable
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market import weights
from withearth.market.candle_cache import CHEAP_BARS, KEPT_BARS, OVERLAP, CandleCache, Kept, has_gap
from withearth.market.klines import candles_from
from withearth.market.port import MarketOrigin, Settlement
from withearth.market.routes import Access, Calls, Note, RestRoute, Route, unheard
from withearth.market.server_clock import ServerClock
from withearth.market.traffic import Traffic

KLINES_MAX: Final = 1_500
DEPTH_LEVELS: Final = 20
LISTING_VALID_FOR: Final = timedelta(hours=1)
LISTING_AGAIN: Final = timedelta(minutes=1)
"""How long the kept listing is used before a newer one is asked for again that did not come."""
BAR_SETTLES: Final = timedelta(seconds=1)
"""How long after its close a bar is not asked for yet: the exchange takes a moment to finish it."""
ASK_AGAIN: Final = timedelta(milliseconds=500)
ONE_BY_ONE_MAX: Final = 4
"""Up to this many symbols are cheaper quoted one by one than all at once."""

_UNREADABLE: Final = (KeyError, TypeError, ValueError, IndexError, ArithmeticError, AttributeError)
"""What reading an answer of another shape than documented ends in."""

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")

log = logging.getLogger(__name__)


class BinanceMarket:
    """Prices of Binance USDⓈ-M futures, live. May be asked from any thread."""

    def __init__(
        self,
        access: Access,
        clock: Timer,
        traffic: Traffic | None = None,
        *,
        sdk_first: bool = False,
        note: Note = unheard,
    ) -> None:
        self._traffic = Traffic(access.base_url, clock) if traffic is None else traffic
        self._calls = Calls(_routes(access, sdk_first=sdk_first), access, clock, self._traffic, note)
        self._clock = clock
        self._candle_wait = timedelta(seconds=access.candle_wait_sec)
        self._server_clock = ServerClock(clock, self._traffic, partial(self.get, "/fapi/v1/time", weight=weights.TIME))
        self._cache = CandleCache()
        self._pool = ThreadPoolExecutor(access.concurrency, thread_name_prefix="market")
        self._listing: _Listing | None = None
        self._listing_lock = threading.Lock()

    @property
    def origin(self) -> MarketOrigin:
        """Where the prices come from."""
        return MarketOrigin.LIVE

    def get(self, path: str, query: Mapping[str, Any] | None = None, weight: int = 1) -> Any:
        """The JSON of a public endpoint. Raises MarketFault when the exchange does not give it."""
        body = self._calls.get(path, weight, query)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise MarketFault(Reason.DATA_UNREADABLE, f"{path}: not JSON") from error

    def instrument(self, symbol: str) -> Instrument:
        """The filters of a perpetual, also of one that is about to leave. Raises MarketFault."""
        entry = self.listed().get(symbol)
        if entry is None:
            raise MarketFault(Reason.INSTRUMENT_UNKNOWN, f"the exchange does not list {symbol}")
        return instrument_from_exchange_info(entry)

    def tradable(self, as_of: datetime) -> tuple[str, ...]:  # noqa: ARG002 - live is now
        """Every symbol that may be entered now, in alphabetical order. Raises MarketFault."""
        with _readable("exchangeInfo"):
            return tuple(sorted(symbol for symbol, entry in self.listed().items() if is_tradable(entry)))

    def turnover(self, as_of: datetime) -> Mapping[str, float]:  # noqa: ARG002 - live is now
        """What each symbol traded in the last 24 hours, in the quote asset. Raises MarketFault."""
        with _readable("24hr"):
            rows = _of_all(self.get("/fapi/v1/ticker/24hr", weight=weights.DAY_TICKER_ALL))
            return {symbol: float(row["quoteVolume"]) for symbol, row in rows.items()}

    def listed(self) -> Mapping[str, Any]:
        """The symbols of `exchangeInfo`, as the exchange tells them. Raises MarketFault."""
        with self._listing_lock:
            if self._listing is None or self._clock.now() >= self._listing.valid_until:
                self._listing = self._newer_listing()
            return self._listing.entries

    def _newer_listing(self) -> "_Listing":
        try:
            answer = self.get("/fapi/v1/exchangeInfo", weight=weights.LISTING)
            with _readable("exchangeInfo"):
                symbols = _of_all(answer["symbols"])
                self._traffic.learn_limits(answer.get("rateLimits"))
        except MarketFault as fault:
            if self._listing is None:
                raise
            log.warning("listing_kept: %s", fault)
            return replace(self._listing, valid_until=self._clock.now() + LISTING_AGAIN)
        return _Listing(self._clock.now() + LISTING_VALID_FOR, symbols)

    def best_prices(self) -> tuple[Any, Any]:
        """The rows of bookTicker and of premiumIndex for all symbols, as they are told. Raises MarketFault."""
        tickers = self.get("/fapi/v1/ticker/bookTicker", weight=weights.BOOK_TICKER_ALL)
        return tickers, self.get("/fapi/v1/premiumIndex", weight=weights.PREMIUM_INDEX_ALL)

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Mapping[str, Quote]:  # noqa: ARG002 - live is now
        """The present quote of each symbol: of many by the two calls that bring all. It is as old as the question.

        A row that cannot be read is that symbol's own loss. Raises MarketFault when there is nothing that can.
        """
        wanted, now = set(symbols), self._clock.now()
        tickers, premiums = self.best_prices() if len(wanted) > ONE_BY_ONE_MAX else self._prices_of(wanted)
        rows, funding = _by_symbol(tickers), _by_symbol(premiums)
        found: dict[str, Quote] = {}
        for symbol in wanted.intersection(rows):
            try:
                found[symbol] = _quote(rows[symbol], funding.get(symbol), now)
            except _UNREADABLE as error:
                log.warning("quote_unreadable %s: %r", symbol, error)
        if wanted.intersection(rows) and not found:
            raise MarketFault(Reason.DATA_UNREADABLE, "quotes")
        return found

    def _prices_of(self, symbols: Iterable[str]) -> tuple[Any, Any]:
        """The same rows, one by one and side by side: what fails is that symbol's own loss, unless all of them do."""
        outcomes = self._side_by_side(self._price_of, sorted(set(symbols).intersection(self.listed())))
        found = [each for each in outcomes if not isinstance(each, MarketFault)]
        faults = [each for each in outcomes if isinstance(each, MarketFault)]
        if faults and not found:
            raise faults[0]
        return [ticker for ticker, _ in found], [premium for _, premium in found]

    def _price_of(self, symbol: str) -> tuple[Any, Any] | MarketFault:
        try:
            ticker = self.get("/fapi/v1/ticker/bookTicker", {"symbol": symbol}, weights.BOOK_TICKER)
            return ticker, self.get("/fapi/v1/premiumIndex", {"symbol": symbol}, weights.PREMIUM_INDEX)
        except MarketFault as fault:
            log.warning("quote_missing %s: %s", symbol, fault)
            return fault

    def windows(self, symbol: str, as_of: datetime, limit: int) -> Mapping[Timeframe, Candles]:
        """The newest `limit` bars of every timeframe, all of them closed at `as_of`.

        What is not kept is fetched at once; where the timeframes contradict one another, everything is, once. Raises
        MarketFault: CANDLE_LATE when the newest bar did not come in time, DATA_MISMATCH when they still do.
        """
        self._settle(as_of)
        windows = self._gathered(symbol, as_of, limit)
        if _contradicts(windows) is None:
            return windows
        self._cache.forget(symbol)
        windows = self._gathered(symbol, as_of, limit)
        timeframe = _contradicts(windows)
        if timeframe is not None:
            self._cache.forget(symbol)
            raise MarketFault(Reason.DATA_MISMATCH, f"5m and {timeframe} close at different prices")
        return windows

    def _gathered(self, symbol: str, as_of: datetime, limit: int) -> Mapping[Timeframe, Candles]:
        known = {each: self._known(symbol, each, to_ms(each.last_close(as_of)), limit) for each in Timeframe}
        unknown = [each for each, window in known.items() if window is None]
        fetch = partial(self._awaited, symbol, as_of, limit)
        found = self._side_by_side(fetch, unknown) if len(unknown) > 1 else list(map(fetch, unknown))
        windows = {each: window for each, window in known.items() if window is not None}
        return windows | dict(zip(unknown, found, strict=True))

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        """The newest `limit` bars closed at `as_of`, as far as the exchange has them. Raises MarketFault."""
        self._server_clock.keep()
        settled = min(as_of, self._traffic.exchange_now() - BAR_SETTLES)
        closed_ms = to_ms(timeframe.last_close(settled))
        known = self._known(symbol, timeframe, closed_ms, limit)
        return self._fetched(symbol, timeframe, closed_ms, limit) if known is None else known

    def depth(self, symbol: str, as_of: datetime) -> OrderBook:  # noqa: ARG002 - live is now
        """The present order book. Raises MarketFault."""
        answer = self.get("/fapi/v1/depth", {"symbol": symbol, "limit": DEPTH_LEVELS}, weights.DEPTH)
        with _readable(f"{symbol} depth"):
            book = OrderBook(_levels(answer["bids"]), _levels(answer["asks"]), self._clock.now())
        kept = self._cache.get(symbol, Timeframe.M5)
        if kept is not None and not is_near(float(book.mid), float(kept.bars.ohlcv[CLOSE, -1])):
            raise MarketFault(Reason.DATA_MISMATCH, f"the book of {symbol} stands at {book.mid}")
        return book

    def settlements(self, symbol: str, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """Funding settlements with after < at ≤ until. Raises MarketFault."""
        query = {"symbol": symbol, "startTime": to_ms(after) + 1, "endTime": to_ms(until), "limit": 1000}
        rows = self.get("/fapi/v1/fundingRate", query, weights.FUNDING)
        with _readable(f"{symbol} funding"):
            if any(row["symbol"] != symbol for row in rows):
                raise MarketFault(Reason.DATA_MISMATCH, f"funding of {symbol} was asked for")
            return tuple(Settlement(from_ms(row["fundingTime"]), _number(row["fundingRate"])) for row in rows)

    def _side_by_side(self, call: Callable[[_Asked], _Found], asked: Sequence[_Asked]) -> list[_Found]:
        """What a call brings for each, all at once, with every thread in the context of who asks."""
        contexts = [copy_context() for _ in asked]
        return list(self._pool.map(lambda context, each: context.run(call, each), contexts, asked))

    def _settle(self, as_of: datetime) -> None:
        """Wait until the bars that close at an instant are final. Raises MarketFault when that would be too long."""
        self._server_clock.keep()
        early = as_of + BAR_SETTLES - self._traffic.exchange_now()
        if early > self._candle_wait:
            raise MarketFault(Reason.CANDLE_LATE, f"by the exchange's clock the bar is not closed for {early}")
        if early > timedelta():
            self._clock.sleep(early)

    def _awaited(self, symbol: str, as_of: datetime, limit: int, timeframe: Timeframe) -> Candles:
        """The window once its newest bar is there. Raises MarketFault with CANDLE_LATE when that is too late.

        The wait ends at a fixed instant after the close: when all symbols are late, none waits for the others.
        """
        closed_ms, deadline = to_ms(timeframe.last_close(as_of)), as_of + self._candle_wait
        while True:
            window = self._fetched(symbol, timeframe, closed_ms, limit)
            if not len(window) or window.last_close_ms == closed_ms:
                return window
            if self._traffic.exchange_now() + ASK_AGAIN > deadline:
                raise MarketFault(Reason.CANDLE_LATE, f"{timeframe}, the newest closed {from_ms(window.last_close_ms)}")
            self._clock.sleep(ASK_AGAIN)

    def _known(self, symbol: str, timeframe: Timeframe, closed_ms: int, limit: int) -> Candles | None:
        kept = self._cache.get(symbol, timeframe)
        return None if kept is None else kept.window(closed_ms, limit)

    def _fetched(self, symbol: str, timeframe: Timeframe, closed_ms: int, limit: int) -> Candles:
        """Bars that are not kept, by a top-up where there is something to top up."""
        kept = self._cache.get(symbol, timeframe)
        if limit > KEPT_BARS or (kept is not None and kept.missing(closed_ms) <= 0):
            return self._asked(symbol, timeframe, closed_ms, min(limit, KLINES_MAX))
        topped = None if kept is None else self._topped_up(symbol, kept, closed_ms)
        fresh = topped or self._history(symbol, timeframe, closed_ms)
        if not len(fresh.bars) or has_gap(fresh.bars):
            return fresh.bars.closed_at(closed_ms, limit)
        self._cache.put(symbol, fresh)
        return fresh.bars.closed_at(closed_ms, limit)

    def _topped_up(self, symbol: str, kept: Kept, closed_ms: int) -> Kept | None:
        count = kept.missing(closed_ms) + OVERLAP
        if count > CHEAP_BARS:
            return None
        topped = kept.with_newer(self._asked(symbol, kept.bars.timeframe, closed_ms, count))
        if topped is None:
            log.warning("history_contradicted %s %s: fetched anew", symbol, kept.bars.timeframe)
        return topped

    def _history(self, symbol: str, timeframe: Timeframe, closed_ms: int) -> Kept:
        bars = self._asked(symbol, timeframe, closed_ms, KEPT_BARS)
        return Kept(bars, whole=len(bars) < KEPT_BARS)

    def _asked(self, symbol: str, timeframe: Timeframe, closed_ms: int, limit: int) -> Candles:
        """The bars up to the one that closes at an instant, fresh from the exchange."""
        query = {"symbol": symbol, "interval": timeframe.value, "limit": limit, "endTime": closed_ms - 1}
        body = self._calls.get("/fapi/v1/klines", weights.klines(limit), query)
        return candles_from(body, timeframe).closed_at(closed_ms, limit)


@dataclass(frozen=True, slots=True)
class _Listing:
    """The answer of `exchangeInfo` by symbol, and when a newer one is asked for."""

    valid_until: datetime
    entries: Mapping[str, Any]


def _routes(access: Access, *, sdk_first: bool) -> list[Route]:
    rest = RestRoute(access)
    if not sdk_first:
        return [rest]
    from withearth.market.sdk_route import SdkRoute  # noqa: PLC0415 - only where it is asked for

    return [SdkRoute(access), rest]


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Turn an answer of another shape than documented into a MarketFault."""
    try:
        yield
    except _UNREADABLE as error:
        raise MarketFault(Reason.DATA_UNREADABLE, f"{what}: {error!r}") from error


def _by_symbol(rows: Any) -> dict[str, Any]:
    """The rows of an answer by their symbol; what is no such row is left out. Raises MarketFault where all of it is."""
    listed = rows if isinstance(rows, list) else []
    found = {row["symbol"]: row for row in listed if isinstance(row, dict) and isinstance(row.get("symbol"), str)}
    if rows and not found:
        raise MarketFault(Reason.DATA_UNREADABLE, "an answer without symbols")
    return found


def _of_all(rows: Any) -> dict[str, Any]:
    """The rows of an answer about the whole exchange, which is never without a symbol. Raises MarketFault."""
    found = _by_symbol(rows)
    if not found:
        raise MarketFault(Reason.DATA_UNREADABLE, "an answer about no symbol at all")
    return found


def _contradicts(windows: Mapping[Timeframe, Candles]) -> Timeframe | None:
    """A timeframe whose newest bar does not close where the 5m bars did: they cannot be of one symbol."""
    return next((each for each, bars in windows.items() if not _closes_alike(windows[Timeframe.M5], bars)), None)


def _closes_alike(shorter: Candles, longer: Candles) -> bool:
    """Whether the newest longer bar closes where the shorter ones did; true where the latter do not reach back."""
    if not len(longer):
        return True
    closes = shorter.ohlcv[CLOSE, shorter.close_ms == longer.last_close_ms]
    return bool(np.all(closes == longer.ohlcv[CLOSE, -1]))


def _levels(rows: Iterable[Sequence[str]]) -> tuple[Level, ...]:
    levels = tuple(Level(_number(price), _number(qty)) for price, qty in rows)
    if any(level.price <= 0 or level.qty <= 0 for level in levels):
        raise ValueError("a level without a price or a quantity")
    return levels


def _number(told: str) -> Decimal:
    """A number as it is told. Raises ValueError, or what Decimal raises, for what is none."""
    number = Decimal(told)
    if not number.is_finite():
        raise ValueError(f"{told} is no number")
    return number


def _quote(ticker: Mapping[str, Any], premium: Mapping[str, Any] | None, now: datetime) -> Quote:
    """A row of bookTicker with its row of premiumIndex. An empty side of the book is told as 0."""
    funded = premium is not None and premium.get("lastFundingRate") and premium.get("nextFundingTime")
    return Quote(
        symbol=ticker["symbol"],
        bid=Decimal(ticker["bidPrice"]),
        ask=Decimal(ticker["askPrice"]),
        observed_at=now,
        funding_rate=Decimal(premium["lastFundingRate"]) if premium is not None and funded else None,
        next_funding_at=from_ms(premium["nextFundingTime"]) if premium is not None and funded else None,
    )
