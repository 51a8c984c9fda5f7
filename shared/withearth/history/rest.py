"""The last days, which the archive has not yet, from the exchange's REST API.

Weight-aware: candles are asked for in pages of 499, the cheapest a bar, and none when half of a minute's weight is
used, by whomever, so that a trader behind the same address goes on. Once the exchange has refused, or could not be
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
from withearth.market import weights
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.traffic import Traffic

PAGE: Final = 499
LEFT_TO_OTHERS_PCT: Final = 50
_MINUTE: Final = timedelta(minutes=1)
_MINUTES_WAITED: Final = 3
_FUNDING_PAUSE: Final = timedelta(seconds=1)
"""Funding has no weight, but 500 requests in five minutes to itself."""
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

    def __init__(self, access: Access, timer: Timer) -> None:
        traffic = Traffic(access.base_url, timer, reserved_pct=LEFT_TO_OTHERS_PCT)
        self._market = BinanceMarket(access, timer, traffic)
        self._timer = timer
        self._lock = threading.Lock()
        self._refusal: MarketFault | None = None
        self._next_funding = timer.now()

    def bars(self, symbol: str, timeframe: Timeframe, span: Span) -> pa.Table:
        """The candles of a span that are closed by now. Raises MarketFault."""
        closed = to_ms(self._timer.now()) - timeframe.ms
        rows: list[Any] = []
        start_ms, last_ms = to_ms(span.start), min(to_ms(span.end) - 1, closed)
        while start_ms <= last_ms:
            query = {"symbol": symbol, "interval": timeframe.value, "startTime": start_ms, "endTime": last_ms}
            page = self._get("/fapi/v1/klines", query | {"limit": PAGE}, weights.klines(PAGE))
            rows += page
            if len(page) < PAGE:
                break
            start_ms = _after(page, timeframe)
        return bars_from_rows(rows, timeframe, span)

    def settlements(self, symbol: str, span: Span) -> Settlements:
        """The settled funding of a span. Raises MarketFault."""
        return sound_settlements(self._asked(lambda: self._settlements(symbol, span)), span)

    def listing(self, path: str) -> Any:
        """One of the exchange's lists of all symbols. Raises MarketFault."""
        return self._get(path, {}, weights.LISTING)

    def _settlements(self, symbol: str, span: Span) -> Settlements:
        before = timedelta(milliseconds=1)
        until = min(span.end - before, self._timer.now())
        self._timer.sleep(max(self._next_funding - self._timer.now(), timedelta()))
        self._next_funding = self._timer.now() + _FUNDING_PAUSE
        found = self._market.settlements(symbol, span.start - before, until)
        return [(to_ms(each.at), format(each.rate, "f")) for each in found]

    def _get(self, path: str, query: Mapping[str, Any], weight: int) -> Any:
        return self._asked(lambda: self._market.get(path, query, weight))

    def _asked(self, call: Callable[[], Any]) -> Any:
        """What a call brings, one at a time, so that a refusal is known to whoever comes next."""
        with self._lock:
            return self._patiently(call)

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """What a call brings; where the minute's weight is used up, in one of the next minutes."""
        for minutes_left in reversed(range(_MINUTES_WAITED + 1)):
            if self._refusal is not None:
                raise MarketFault(self._refusal.reason, self._refusal.detail)
            try:
                return call()
            except MarketFault as fault:
                if fault.reason in _FINAL:
                    self._refusal = fault
                if fault.reason is not Reason.WEIGHT_SPENT or not minutes_left:
                    raise
            self._timer.sleep(_MINUTE)
        raise AssertionError  # pragma: no cover  the last attempt returns or raises


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
