"""The table of endpoints. Requests are dispatched by it, and docs/paper-exchange.md is written from it."""

from collections.abc import Mapping
from typing import Final

from withearth.paper.wire import account, conditional, configuration, market_data, trading
from withearth.paper.wire.limits import BATCH, FUNDING_POOL, ONE_ORDER
from withearth.paper.wire.security import Security
from withearth.paper.wire.table import Endpoint, by_limit, fixed, one_or_all

_PUBLIC: Final = Security.NONE
_FREE: Final = fixed(0)
_BARS: Final = by_limit((99, 1), (499, 2), (1_000, 5), (1_500, 10))
_BOOK: Final = by_limit((50, 2), (100, 5), (500, 10), (1_000, 20))
_TIMES: Final = "startTime endTime limit"
_ORDER: Final = (
    "symbol* side* type* positionSide timeInForce quantity reduceOnly price newClientOrderId newOrderRespType "
    "priceMatch selfTradePreventionMode goodTillDate stopPrice closePosition activationPrice activatePrice "
    "callbackRate workingType priceProtect"
)
_ALGO: Final = (
    "algoType* symbol* side* type* positionSide timeInForce quantity price triggerPrice workingType priceMatch "
    "closePosition priceProtect reduceOnly activatePrice callbackRate clientAlgoId newOrderRespType "
    "selfTradePreventionMode goodTillDate"
)
_MODIFY: Final = (
    "orderId origClientOrderId symbol* side* quantity* price* priceMatch modifyId reduceOnly positionSide stopPrice"
)
_ORDER_ID: Final = "orderId origClientOrderId"
_ALGO_ID: Final = "algoId clientAlgoId"

ENDPOINTS: Final = (
    # Market data
    Endpoint("GET", "/fapi/v1/ping", "", market_data.ping, _PUBLIC),
    Endpoint("GET", "/fapi/v1/time", "", market_data.server_time, _PUBLIC),
    Endpoint("GET", "/fapi/v1/exchangeInfo", "", market_data.exchange_info, _PUBLIC),
    Endpoint("GET", "/fapi/v1/depth", "symbol* limit", market_data.depth, _PUBLIC, _BOOK),
    Endpoint("GET", "/fapi/v1/klines", f"symbol* interval* {_TIMES}", market_data.klines, _PUBLIC, _BARS),
    Endpoint(
        "GET",
        "/fapi/v1/continuousKlines",
        f"pair* contractType* interval* {_TIMES}",
        market_data.continuous_klines,
        _PUBLIC,
        _BARS,
        note="PERPETUAL only",
    ),
    Endpoint("GET", "/fapi/v1/premiumIndex", "symbol", market_data.premium_index, _PUBLIC, one_or_all(1, 10)),
    Endpoint(
        "GET",
        "/fapi/v1/fundingRate",
        f"symbol {_TIMES}",
        market_data.funding_rate,
        _PUBLIC,
        _FREE,
        pool=FUNDING_POOL,
        note="500 requests in 5 min together with fundingInfo",
    ),
    Endpoint("GET", "/fapi/v1/fundingInfo", "", market_data.funding_info, _PUBLIC, _FREE, pool=FUNDING_POOL),
    Endpoint("GET", "/fapi/v1/ticker/bookTicker", "symbol", market_data.book_ticker, _PUBLIC, one_or_all(2, 5)),
    Endpoint("GET", "/fapi/v1/ticker/price", "symbol", market_data.price, _PUBLIC, one_or_all(1, 2)),
    Endpoint("GET", "/fapi/v2/ticker/price", "symbol", market_data.price, _PUBLIC, one_or_all(1, 2)),
    Endpoint("GET", "/fapi/v1/ticker/24hr", "symbol", market_data.day, _PUBLIC, one_or_all(1, 40)),
    Endpoint(
        "GET",
        "/fapi/v1/aggTrades",
        f"symbol* fromId {_TIMES}",
        market_data.aggregate_trades,
        _PUBLIC,
        fixed(20),
        note="one trade for each point of the price path",
    ),
    Endpoint("GET", "/fapi/v1/openInterest", "symbol*", market_data.open_interest, _PUBLIC, note="modelled"),
    # Ordinary orders
    Endpoint("POST", "/fapi/v1/order", _ORDER, trading.place, weight=_FREE, orders=ONE_ORDER),
    Endpoint("PUT", "/fapi/v1/order", _MODIFY, trading.modify, weight=_FREE, orders=ONE_ORDER),
    Endpoint("GET", "/fapi/v1/order", f"symbol* {_ORDER_ID}", trading.query),
    Endpoint("DELETE", "/fapi/v1/order", f"symbol* {_ORDER_ID}", trading.cancel),
    Endpoint("POST", "/fapi/v1/order/test", _ORDER, trading.test, weight=_FREE),
    Endpoint("POST", "/fapi/v1/batchOrders", "batchOrders*", trading.place_batch, weight=fixed(5), orders=BATCH),
    Endpoint("PUT", "/fapi/v1/batchOrders", "batchOrders*", trading.modify_batch, weight=fixed(5), orders=BATCH),
    Endpoint(
        "DELETE",
        "/fapi/v1/batchOrders",
        "symbol* orderIdList origClientOrderIdList orderidlist origclientorderidlist",
        trading.cancel_batch,
    ),
    Endpoint("GET", "/fapi/v1/openOrder", f"symbol* {_ORDER_ID}", trading.query_open),
    Endpoint("GET", "/fapi/v1/openOrders", "symbol", trading.open_orders, weight=one_or_all(1, 40)),
    Endpoint("GET", "/fapi/v1/allOrders", f"symbol orderId {_TIMES}", trading.all_orders, weight=fixed(5)),
    Endpoint("DELETE", "/fapi/v1/allOpenOrders", "symbol*", trading.cancel_all, note="algo orders stay"),
    Endpoint(
        "POST",
        "/fapi/v1/countdownCancelAll",
        "symbol* countdownTime*",
        trading.countdown,
        weight=fixed(10),
        note="algo orders stay",
    ),
    Endpoint("GET", "/fapi/v1/orderAmendment", f"symbol* {_ORDER_ID} {_TIMES}", trading.amendments),
    Endpoint(
        "GET",
        "/fapi/v1/forceOrders",
        f"symbol autoCloseType {_TIMES}",
        trading.force_orders,
        weight=one_or_all(20, 50),
    ),
    # Conditional orders
    Endpoint("POST", "/fapi/v1/algoOrder", _ALGO, conditional.place, weight=_FREE, orders=ONE_ORDER),
    Endpoint("GET", "/fapi/v1/algoOrder", f"symbol {_ALGO_ID}", conditional.query),
    Endpoint("DELETE", "/fapi/v1/algoOrder", f"symbol {_ALGO_ID}", conditional.cancel),
    Endpoint(
        "GET", "/fapi/v1/openAlgoOrders", "algoType symbol algoId", conditional.open_orders, weight=one_or_all(1, 40)
    ),
    Endpoint(
        "GET",
        "/fapi/v1/allAlgoOrders",
        f"symbol* algoId {_TIMES} page",
        conditional.all_orders,
        weight=fixed(5),
        note="newest first",
    ),
    Endpoint("DELETE", "/fapi/v1/algoOpenOrders", "symbol*", conditional.cancel_all),
    # Account
    Endpoint("GET", "/fapi/v2/account", "", account.account_v2, weight=fixed(5)),
    Endpoint("GET", "/fapi/v3/account", "", account.account_v3, weight=fixed(5)),
    Endpoint("GET", "/fapi/v2/balance", "", account.balances, weight=fixed(5)),
    Endpoint("GET", "/fapi/v3/balance", "", account.balances, weight=fixed(5)),
    Endpoint("GET", "/fapi/v2/positionRisk", "symbol", account.position_risk_v2, weight=fixed(5)),
    Endpoint("GET", "/fapi/v3/positionRisk", "symbol", account.position_risk_v3, weight=fixed(5)),
    Endpoint("GET", "/fapi/v1/userTrades", f"symbol* orderId fromId {_TIMES}", account.user_trades, weight=fixed(5)),
    Endpoint("GET", "/fapi/v1/income", f"symbol incomeType {_TIMES} page", account.income, weight=fixed(30)),
    Endpoint("GET", "/fapi/v1/adlQuantile", "symbol", account.adl_quantile, weight=fixed(5), note="modelled"),
    # Settings
    Endpoint("POST", "/fapi/v1/leverage", "symbol* leverage*", configuration.set_leverage),
    Endpoint("POST", "/fapi/v1/marginType", "symbol* marginType*", configuration.set_margin_type),
    Endpoint(
        "POST", "/fapi/v1/positionMargin", "symbol* amount* type* positionSide", configuration.set_position_margin
    ),
    Endpoint("GET", "/fapi/v1/positionSide/dual", "", configuration.position_mode, weight=fixed(30)),
    Endpoint("POST", "/fapi/v1/positionSide/dual", "dualSidePosition*", configuration.set_position_mode),
    Endpoint("GET", "/fapi/v1/multiAssetsMargin", "", configuration.assets_mode, weight=fixed(30)),
    Endpoint("POST", "/fapi/v1/multiAssetsMargin", "multiAssetsMargin*", configuration.set_assets_mode),
    Endpoint("GET", "/fapi/v1/leverageBracket", "symbol", configuration.leverage_brackets),
    Endpoint("GET", "/fapi/v1/accountConfig", "", configuration.account_config, weight=fixed(5)),
    Endpoint("GET", "/fapi/v1/symbolConfig", "symbol", configuration.symbol_config, weight=fixed(5)),
    Endpoint("GET", "/fapi/v1/commissionRate", "symbol*", configuration.commission_rate, weight=fixed(20)),
    Endpoint("GET", "/fapi/v1/rateLimit/order", "", configuration.order_rate_limits),
    Endpoint("GET", "/fapi/v1/apiTradingStatus", "symbol", configuration.trading_status, weight=one_or_all(1, 10)),
    Endpoint("GET", "/fapi/v1/feeBurn", "", configuration.fee_burn, weight=fixed(30)),
    Endpoint("POST", "/fapi/v1/feeBurn", "feeBurn*", configuration.set_fee_burn, note="remembered, without effect"),
    # Stream
    Endpoint("POST", "/fapi/v1/listenKey", "", configuration.start_stream, Security.KEY, note="there is no stream"),
    Endpoint("PUT", "/fapi/v1/listenKey", "listenKey", configuration.keep_stream, Security.KEY),
    Endpoint("DELETE", "/fapi/v1/listenKey", "listenKey", configuration.close_stream, Security.KEY),
)

TABLE: Final[Mapping[tuple[str, str], Endpoint]] = {(each.method, each.path): each for each in ENDPOINTS}
