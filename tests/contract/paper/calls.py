"""One call of the official SDK for each answer that `recordings` can judge without a story around it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.builders.paper import BTC, DOT

Call = Callable[[Any], Any]

PUBLIC: Final[Mapping[str, Call]] = {
    "time": lambda rest: rest.check_server_time(),
    "exchangeInfo": lambda rest: rest.exchange_information(),
    "klines": lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=5),
    "continuousKlines": lambda rest: rest.continuous_contract_kline_candlestick_data(
        pair=BTC, contract_type="PERPETUAL", interval="5m", limit=5
    ),
    "depth": lambda rest: rest.order_book(symbol=BTC, limit=20),
    "bookTicker": lambda rest: rest.symbol_order_book_ticker(symbol=BTC),
    "bookTickers": lambda rest: rest.symbol_order_book_ticker(),
    "premiumIndex": lambda rest: rest.mark_price(symbol=BTC),
    "premiumIndexes": lambda rest: rest.mark_price(),
    "fundingRate": lambda rest: rest.get_funding_rate_history(symbol=BTC),
    "fundingInfo": lambda rest: rest.get_funding_rate_info(),
    "price": lambda rest: rest.symbol_price_ticker_v2(symbol=DOT),
    "prices": lambda rest: rest.symbol_price_ticker(),
    "ticker24hr": lambda rest: rest.ticker24hr_price_change_statistics(symbol=BTC),
    "aggTrades": lambda rest: rest.compressed_aggregate_trades_list(symbol=BTC),
    "openInterest": lambda rest: rest.open_interest(symbol=BTC),
}
"""What anybody may ask."""

PRIVATE: Final[Mapping[str, Call]] = {
    "account.v2": lambda rest: rest.account_information_v2(),
    "account.v3": lambda rest: rest.account_information_v3(),
    "balance.v2": lambda rest: rest.futures_account_balance_v2(),
    "balance.v3": lambda rest: rest.futures_account_balance_v3(),
    "positionRisk.v2": lambda rest: rest.position_information_v2(symbol=BTC),
    "positionRisk.v3": lambda rest: rest.position_information_v3(),
    "accountConfig": lambda rest: rest.futures_account_configuration(),
    "symbolConfig": lambda rest: rest.symbol_configuration(),
    "leverageBracket": lambda rest: rest.notional_and_leverage_brackets(),
    "positionMode": lambda rest: rest.get_current_position_mode(),
    "assetsMode": lambda rest: rest.get_current_multi_assets_mode(),
    "adlQuantile": lambda rest: rest.position_adl_quantile_estimation(),
    "rateLimits": lambda rest: rest.query_user_rate_limit(),
    "tradingStatus": lambda rest: rest.futures_trading_quantitative_rules_indicators(),
    "feeBurn": lambda rest: rest.get_bnb_burn_status(),
    "feeBurn.changed": lambda rest: rest.toggle_bnb_burn_on_futures_trade(fee_burn="true"),
    "commissionRate": lambda rest: rest.user_commission_rate(symbol=BTC),
    "income": lambda rest: rest.get_income_history(),
    "listenKey": lambda rest: rest.start_user_data_stream(),
    "listenKey.kept": lambda rest: rest.keepalive_user_data_stream(),
}
"""What an account may ask and set."""
