"""The live market: Binance's public REST endpoints behind the market port.

Plain HTTPS, because these endpoints need no signature. What a call cannot bring is a MarketFault under a reason, so
it becomes that symbol's decision; nothing here waits longer than the settings allow.

Chosen on purpose: candles are asked for with one bar more than is wanted, since the list ends with the bar that is
still forming, and what is not closed at the asked instant is dropped. The answer of `exchangeInfo` is kept an hour.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util.retry import Retry

from withearth.domain.book import Level, OrderBook, Quote
from withearth.domain.candles import Candles, normalise
from withearth.domain.clock import Clock
from withearth.domain.errors import MarketFault
from withearth.domain.instrument import Instrument, instrument_from_exchange_info
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market.port import MarketOrigin, Settlement

KLINES_MAX: Final = 1_500
DEPTH_LEVELS: Final = 20
LISTING_VALID_FOR: Final = timedelta(hours=1)
RETRIED_STATUSES: Final = (500, 502, 503, 504)
"""Never 429 or 418: asking again is what turns a limit into a ban."""
_OHLCV: Final = slice(1, 6)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Where the market is, and how patiently it is asked. `transport` answers instead of the network."""

    base_url: str
    timeout_ms: int = 10_000
    retries: int = 3
    backoff_ms: int = 1_000
    transport: BaseAdapter | None = None


class BinanceMarket:
    """Prices of Binance USDⓈ-M futures, live. May be asked from any thread."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(access.base_url, access.transport or _patient(access))
        self._listing: tuple[datetime, dict[str, Any]] | None = None
        self._listing_lock = threading.Lock()

    @property
    def origin(self) -> MarketOrigin:
        """Where the prices come from."""
        return MarketOrigin.LIVE

    def instrument(self, symbol: str) -> Instrument:
        """The filters of a tradable perpetual. Raises MarketFault."""
        entry = self.listed().get(symbol)
        if entry is None:
            raise MarketFault(Reason.INSTRUMENT_UNKNOWN, f"the exchange does not list {symbol}")
        return instrument_from_exchange_info(entry)

    def listed(self) -> Mapping[str, Any]:
        """The symbols of `exchangeInfo`, as the exchange tells them. Raises MarketFault."""
        with self._listing_lock:
            now = self._clock.now()
            if self._listing is None or now - self._listing[0] >= LISTING_VALID_FOR:
                answer = self.get("/fapi/v1/exchangeInfo")
                with _readable("exchangeInfo"):
                    self._listing = (now, {entry["symbol"]: entry for entry in answer["symbols"]})
            return self._listing[1]

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Mapping[str, Quote]:  # noqa: ARG002 - live is now
        """The present quote of each symbol, by the two calls that bring all of them."""
        try:
            return self._quotes(set(symbols))
        except MarketFault as fault:
            log.warning("quotes_missing: %s", fault)
            return {}

    def _quotes(self, wanted: set[str]) -> Mapping[str, Quote]:
        tickers, premiums = self.get("/fapi/v1/ticker/bookTicker"), self.get("/fapi/v1/premiumIndex")
        now = self._clock.now()
        with _readable("quotes"):
            funding = {row["symbol"]: row for row in premiums}
            rows = {row["symbol"]: row for row in tickers if row["symbol"] in wanted}
            return {symbol: _quote(row, funding.get(symbol), now) for symbol, row in rows.items()}

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        """The newest `limit` bars closed at `as_of`. Raises MarketFault."""
        bars = min(limit + 1, KLINES_MAX)
        query = {"symbol": symbol, "interval": timeframe.value, "limit": bars, "endTime": to_ms(as_of)}
        rows = self.get("/fapi/v1/klines", query)
        with _readable(f"{symbol} {timeframe} candles"):
            open_ms = np.array([row[0] for row in rows], dtype=np.int64)
            ohlcv = np.array([row[_OHLCV] for row in rows], dtype=np.float64).reshape(-1, 5).T
        return normalise(timeframe, open_ms, ohlcv).closed_at(to_ms(as_of), limit)

    def depth(self, symbol: str, as_of: datetime) -> OrderBook:  # noqa: ARG002 - live is now
        """The present order book. Raises MarketFault."""
        answer = self.get("/fapi/v1/depth", {"symbol": symbol, "limit": DEPTH_LEVELS})
        with _readable(f"{symbol} depth"):
            return OrderBook(_levels(answer["bids"]), _levels(answer["asks"]), self._clock.now())

    def settlements(self, symbol: str, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """Funding settlements with after < at ≤ until. Raises MarketFault."""
        query = {"symbol": symbol, "startTime": to_ms(after) + 1, "endTime": to_ms(until), "limit": 1000}
        rows = self.get("/fapi/v1/fundingRate", query)
        with _readable(f"{symbol} funding"):
            return tuple(Settlement(from_ms(row["fundingTime"]), Decimal(row["fundingRate"])) for row in rows)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a public endpoint. Raises MarketFault when the exchange does not give it."""
        try:
            answer = self._session.get(
                self._access.base_url + path, params=query, timeout=self._access.timeout_ms / 1000
            )
        except requests.RequestException as error:
            raise MarketFault(Reason.MARKET_UNREACHABLE, f"{path}: {type(error).__name__}") from error
        if answer.status_code == requests.codes.unavailable_for_legal_reasons:
            raise MarketFault(Reason.REGION_REFUSED)
        if answer.status_code != requests.codes.ok:
            raise MarketFault(Reason.MARKET_REFUSED, f"{path}: HTTP {answer.status_code} {answer.text[:120]}")
        try:
            return answer.json()
        except requests.JSONDecodeError as error:
            raise MarketFault(Reason.DATA_UNREADABLE, f"{path}: not JSON") from error


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Turn an answer of another shape than documented into a MarketFault."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError) as error:
        raise MarketFault(Reason.DATA_UNREADABLE, f"{what}: {error!r}") from error


def _levels(rows: Iterable[Sequence[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(qty)) for price, qty in rows)


def _patient(access: Access) -> HTTPAdapter:
    retry = Retry(
        total=access.retries,
        backoff_factor=access.backoff_ms / 1000,
        status_forcelist=RETRIED_STATUSES,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    return HTTPAdapter(max_retries=retry, pool_maxsize=32)


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
