"""The official SDK as a route to market data.

The SDK makes the request; what was answered is read from the raw answer, which a response hook keeps: its models drop
what they do not know, and its errors drop the headers that tell the weight. It is imported with the first request and
never before: that costs a process about two seconds and sixty megabytes.
"""

import threading
from typing import Any, Final

from withearth.market.routes import POOL, Access, NoReply, Query, Reply

_METHODS: Final = {
    "/fapi/v1/klines": "kline_candlestick_data",
    "/fapi/v1/depth": "order_book",
    "/fapi/v1/ticker/bookTicker": "symbol_order_book_ticker",
    "/fapi/v1/premiumIndex": "mark_price",
    "/fapi/v1/exchangeInfo": "exchange_information",
    "/fapi/v1/ticker/24hr": "ticker24hr_price_change_statistics",
    "/fapi/v1/fundingRate": "get_funding_rate_history",
    "/fapi/v1/fundingInfo": "get_funding_rate_info",
    "/fapi/v1/time": "check_server_time",
}
_PARAMETERS: Final = {"startTime": "start_time", "endTime": "end_time"}


class SdkRoute:
    """Market data through the official SDK. May be used from any thread."""

    name: Final = "SDK"

    def __init__(self, access: Access) -> None:
        self._access = access
        self._opening = threading.Lock()
        self._rest: Any = None
        self._heard = threading.local()

    def ask(self, path: str, query: Query) -> Reply:
        """Make one GET request. Raises NoReply when the SDK is not there, or brings no answer."""
        self._heard.answer = None
        try:
            method = getattr(self._client(), _METHODS[path])
            method(**{_PARAMETERS.get(name, name): value for name, value in query.items()})
        except Exception as error:
            # Whatever the SDK makes of an answer, the answer itself is what counts.
            if self._heard.answer is None:
                raise NoReply(type(error).__name__) from error
        answer = self._heard.answer
        if answer is None:
            raise NoReply("the SDK asked nobody")
        return Reply(answer.status_code, answer.content, answer.headers)

    def _client(self) -> Any:
        with self._opening:
            if self._rest is None:
                self._rest = self._opened()
            return self._rest

    def _opened(self) -> Any:
        from binance_common.configuration import ConfigurationRestAPI  # noqa: PLC0415
        from binance_sdk_derivatives_trading_usds_futures.rest_api import (  # noqa: PLC0415
            DerivativesTradingUsdsFuturesRestAPI,
        )
        from requests.adapters import HTTPAdapter  # noqa: PLC0415

        configuration = ConfigurationRestAPI(
            base_path=self._access.base_url, timeout=self._access.timeout_ms, retries=0
        )
        rest: Any = DerivativesTradingUsdsFuturesRestAPI(configuration)
        session = rest._session  # noqa: SLF001 - the SDK has no other place for a hook or a transport
        session.trust_env = False
        session.hooks["response"].append(self._remember)
        session.mount(self._access.base_url, self._access.transport or HTTPAdapter(pool_maxsize=POOL))
        return rest

    def _remember(self, response: Any, **_options: Any) -> None:
        self._heard.answer = response
