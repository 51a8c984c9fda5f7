"""Which recorded answer each endpoint's answer is compared with, and how strictly.

Real answers come first (`annium/` of 2026-09, then the market-wide captures), the documentation's examples where
there is nothing better. A difference that is right is named with its reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from tests.builders.paper import data_dir
from tests.contract.paper.shapes import Strictness, differences

NO_DATA: Final = "the recorded answers are not on this machine: set WITHEARTH_DATA to the directory that holds them"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file under the data directory; `within` is the key its answer lies under, if it is not the whole file."""

    file: str
    strictness: Strictness
    within: str | None = None
    allowed: Mapping[str, str] = field(default_factory=dict)

    def answer(self) -> Any:
        """The recorded document. Skips the test where the data are not."""
        directory = data_dir()
        if directory is None:
            pytest.skip(NO_DATA)
        document = json.loads((directory / self.file).read_text())
        return document if self.within is None else document[self.within]

    def differences(self, answered: Any) -> list[str]:
        """What is different in an answer, and not allowed to be."""
        return differences(self.answer(), answered, self.strictness, allowed=self.allowed)


def _real(name: str, within: str | None = None) -> Recording:
    """An answer of the live exchange to an account, 2026-09, about DOTUSDT."""
    return Recording(f"binance_wire/annium/{name}.json", Strictness.SAME_PRECISION, within)


def _captured(name: str, allowed: Mapping[str, str] | None = None) -> Recording:
    """A public answer of the live exchange."""
    return Recording(f"market/api/recorded/{name}.json", Strictness.RECORDED, allowed=allowed or {})


def _documented(method: str, allowed: Mapping[str, str] | None = None) -> Recording:
    """The documentation's example for a method of the SDK."""
    file = f"binance_wire/connector_python/rest/{method}.json"
    return Recording(file, Strictness.DOCUMENTED, "response", allowed or {})


RATE_TYPE: Final = "the exchange added it on 2026-07-23, after the recording"
NEVER_TRAILING: Final = "of the example's trailing stop, which lives among the algo orders since 2025-12-09"
_TRAILING: Final = {"$.activatePrice": NEVER_TRAILING, "$.priceRate": NEVER_TRAILING}
_TRAILING_ROWS: Final = {"$[].activatePrice": NEVER_TRAILING, "$[].priceRate": NEVER_TRAILING}
LIVE_ROW: Final = "the live row of 2026-09 has it, the documentation's does not"
_V2_ROW: Final = ("$.positions[].breakEvenPrice", "$.positions[].notional", "$.positions[].isolatedWallet")

RECORDINGS: Final[Mapping[str, Recording]] = {
    # Public
    "time": _documented("check_server_time"),
    "exchangeInfo": _captured(
        "2026-07-04T1556Z/fapi-v1-exchangeInfo",
        {"$.symbols[].filters[]": "the exchange lists a filter's keys in another order for every symbol"},
    ),
    "klines": _captured("2022-09-17/fapi-v1-klines-BTCUSDT-1m"),
    "continuousKlines": _captured("2022-09-17/fapi-v1-klines-BTCUSDT-1m"),
    "depth": _captured("2024-08-08T2354Z/fapi-v1-depth-BTCUSDT-limit1000"),
    "bookTicker": _captured("2026-07-15T0651Z/fapi-v1-ticker-bookTicker-BTCUSDT"),
    "bookTickers": _captured("2026-07-15T0651Z/fapi-v1-ticker-bookTicker"),
    "premiumIndex": _captured("2026-07-13/fapi-v1-premiumIndex-BTCUSDT"),
    "premiumIndexes": _captured("2026-07-04T1556Z/fapi-v1-premiumIndex"),
    "fundingRate": _captured("2026-07-13/fapi-v1-fundingRate-BTCUSDT-limit1000", {"$[].rateType": RATE_TYPE}),
    "fundingInfo": _captured("2026-07-04T1556Z/fapi-v1-fundingInfo"),
    "price": _real("market_order/cap.ticker.200"),
    "prices": _captured("2025-06-29/fapi-ticker-price"),
    "ticker24hr": _documented("ticker24hr_price_change_statistics"),
    "aggTrades": _documented("compressed_aggregate_trades_list"),
    "openInterest": _documented("open_interest"),
    # Ordinary orders
    "order.placed": _real("market_order/cap.place-RESULT.200"),
    "order.reduced": _real("market_order/cap.close.200"),
    "order.queried": _real("market_order/cap.query.200"),
    "orders.all": _real("market_order/cap.allOrders.200"),
    "trades": _real("market_order/cap.trades.200"),
    "order.documented": _documented("new_order"),
    "order.cancelled": _documented("cancel_order", _TRAILING),
    "order.modified": _documented("modify_order"),
    "order.tested": _documented("test_order", _TRAILING),
    "order.open": _documented("query_current_open_order", _TRAILING),
    "orders.open": _documented("current_all_open_orders", _TRAILING_ROWS),
    "orders.cancelled": _documented("cancel_all_open_orders"),
    "orders.countdown": _documented("auto_cancel_all_open_orders"),
    "orders.modified": _documented(
        "modify_multiple_orders", dict.fromkeys(("$[].code", "$[].msg"), "the example is an order and an error in one")
    ),
    "amendments": _documented("get_order_modify_history"),
    "orders.forced": _documented("users_force_orders"),
    # Conditional orders
    "algo.placed": _real("algo_probe/algoOrder.place.200"),
    "algo.open": _real("algo_probe/openAlgoOrders.populated.200"),
    "algo.all": _real("algo_probe/allAlgoOrders.after-trigger.200"),
    "algo.triggered": _real("algo_probe/allOrders.triggered-row.200"),
    "algo.cancelled": _real("algo_probe/algoOrder.cancel.200"),
    "algo.all.cancelled": _documented("cancel_all_algo_open_orders"),
    # Account
    "leverage": _documented("change_initial_leverage"),
    "marginType": _documented("change_margin_type"),
    "positionMode": _documented("get_current_position_mode"),
    "positionMode.changed": _documented("change_position_mode"),
    "assetsMode": _documented("get_current_multi_assets_mode"),
    "assetsMode.changed": _documented("change_multi_assets_mode"),
    "leverageBracket": _captured("2026-05-07/fapi-v1-leverageBracket"),
    "accountConfig": _documented("futures_account_configuration"),
    "symbolConfig": _documented("symbol_configuration"),
    "account.v2": _documented("account_information_v2", dict.fromkeys(_V2_ROW, LIVE_ROW)),
    # The symbol of this row has two places of quantity.
    "account.v2.position": replace(_real("algo_probe/account.positions-row", "row"), strictness=Strictness.RECORDED),
    "account.v3": _documented("account_information_v3"),
    "balance.v2": _documented("futures_account_balance_v2"),
    "balance.v3": _documented("futures_account_balance_v3"),
    "positionRisk.v2": _documented("position_information_v2"),
    "positionRisk.v3": _documented("position_information_v3"),
    "income": _documented("get_income_history"),
    "commissionRate": _documented("user_commission_rate"),
    "positionMargin": _documented(
        "modify_isolated_position_margin", {"$.amount": "a number with a fraction, which the example's 100 has lost"}
    ),
    "adlQuantile": _documented(
        "position_adl_quantile_estimation",
        dict.fromkeys((f"$[].adlQuantile.{side}" for side in ("LONG", "SHORT", "BOTH")), "lost from the example"),
    ),
    "rateLimits": _documented("query_user_rate_limit"),
    "tradingStatus": _documented(
        "futures_trading_quantitative_rules_indicators",
        dict.fromkeys((f"$.indicators.{name}" for name in ("ACCOUNT", "BTCUSDT", "ETHUSDT")), "no rule is broken here"),
    ),
    "feeBurn": _documented("get_bnb_burn_status"),
    "feeBurn.changed": _documented("toggle_bnb_burn_on_futures_trade"),
    "listenKey": _documented("start_user_data_stream"),
    "listenKey.kept": _documented("keepalive_user_data_stream"),
}
