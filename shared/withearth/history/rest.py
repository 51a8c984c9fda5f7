"""The last days, which the archive has not yet, from the exchange's REST API.

Weight-aware: candles are asked for in pages of 499, the cheapest a bar, and at most half of a minute's weight is used,
so that a trader behind the same address goes on. Once the exchange has refused, or could not be
reached, it is not asked again in this run.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import pyarrow as pa

from withearth.domain.clock import Timer
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, to_ms
from withearth.history.periods import Span
from withearth.history.tables import Settlements, bars_from_rows, sound_settlements
from withearth.market.binance import BinanceMarket

PAGE: Final = 499
_MINUTE: Final = timedelta(minutes=1)
WEIGHT_A_MINUTE: Final = 1_200
"""Half of what the exchange allows an address (2400)."""
_PAGE_WEIGHT: Final = 2
_LISTING_WEIGHT: Final = 1
_MINUTES_WAITED: Final = 3
_FUNDING_WEIGHT: Final = 20
"""Funding has no weight, but 500 requests in five minutes to itself: counted so that 60 a minute are made."""
_FINAL: Final = frozenset(
    {
        Reason.REGION_REFUSED,
        Reason.MARKET_REFUSED,
        Reason.MARKET_UNREACHABLE,
        Reason.EXCHANGE_LIMITED,
        Reason.EXCHANGE_BANNED,
    }
)


class RestHistory:
    """Candles, funding and listings of the exchange, asked for gently. May be asked from any thread."""

    def __init__(self, market: BinanceMarket, timer: Timer) -> None:
        self._market = market
        self._timer = timer
        self._lock = threading.Lock()
        self._minute = timer.now()
        self._spent = 0
        self._refusal: MarketFault | None = None

    def bars(self, symbol: str, timeframe: Timeframe, span: Span) -> pa.Table:
        """The candles of a span that are closed by now. Raises MarketFault."""
        closed = to_ms(self._timer.now()) - timeframe.ms
        rows: list[Any] = []
        start_ms, last_ms = to_ms(span.start), min(to_ms(span.end) - 1, closed)
        while start_ms <= last_ms:
            query = {"symbol": symbol, "interval": timeframe.value, "startTime": start_ms, "endTime": last_ms}
            page = self._get("/fapi/v1/klines", query | {"limit": PAGE}, _PAGE_WEIGHT)
            rows += page
            if len(page) < PAGE:
                break
            start_ms = _after(page, timeframe)
        return bars_from_rows(rows, timeframe, span)

    def settlements(self, symbol: str, span: Span) -> Settlements:
        """The settled funding of a span. Raises MarketFault."""
        return sound_settlements(self._asked(lambda: self._settlements(symbol, span), _FUNDING_WEIGHT), span)

    def listing(self, path: str) -> Any:
        """One of the exchange's lists of all symbols. Raises MarketFault."""
        return self._get(path, {}, _LISTING_WEIGHT)

    def _settlements(self, symbol: str, span: Span) -> Settlements:
        before = timedelta(milliseconds=1)
        until = min(span.end - before, self._timer.now())
        found = self._market.settlements(symbol, span.start - before, until)
        return [(to_ms(each.at), format(each.rate, "f")) for each in found]

    def _get(self, path: str, query: Mapping[str, Any], weight: int) -> Any:
        return self._asked(lambda: self._market.get(path, query, weight), weight)

    def _asked(self, call: Callable[[], Any], weight: int) -> Any:
        """What a call brings, one at a time, so that a refusal is known to whoever comes next."""
        with self._lock:
            return self._patiently(call, weight)

    def _patiently(self, call: Callable[[], Any], weight: int) -> Any:
        """What a call brings; where others have used the minute's weight up, in one of the next minutes."""
        for minutes_left in reversed(range(_MINUTES_WAITED + 1)):
            if self._refusal is not None:
                raise MarketFault(self._refusal.reason, self._refusal.detail)
            self._pace(weight)
            try:
                return call()
            except MarketFault as fault:
                if fault.reason in _FINAL:
                    self._refusal = fault
                if fault.reason is not Reason.WEIGHT_SPENT or not minutes_left:
                    raise
            self._timer.sleep(_MINUTE)
        raise AssertionError  # pragma: no cover  the last attempt returns or raises

    def _pace(self, weight: int) -> None:
        """Wait for the next minute where this one's share of weight is used up."""
        if self._timer.now() - self._minute >= _MINUTE:
            self._minute, self._spent = self._timer.now(), 0
        if self._spent + weight > WEIGHT_A_MINUTE:
            self._timer.sleep(max(self._minute + _MINUTE - self._timer.now(), timedelta()))
            self._minute, self._spent = self._timer.now(), 0
        self._spent += weight


def _after(page: list[Any], timeframe: Timeframe) -> int:
    try:
        return int(page[-1][0]) + timeframe.ms
    except (TypeError, ValueError, LookupError) as error:
        raise MarketFault(Reason.DATA_UNREADABLE, f"candles of another shape: {error!r}") from error


def listed_since(exchange_info: Mapping[str, Any]) -> Mapping[str, int]:
    """When each symbol of an `exchangeInfo` was listed, in milliseconds since 1970."""
    found: Mapping[str, int] = {
        each["symbol"]: int(each.get("onboardDate", 0)) for each in exchange_info.get("symbols", ())
    }
    return found
