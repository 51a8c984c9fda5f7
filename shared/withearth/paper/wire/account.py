"""The account as it is: balances, positions, margins, fills, income."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final
from zlib import crc32

from withearth.paper.engine.kinds import IncomeType, MarginType, PositionSide
from withearth.paper.engine.ledger import Fill, Income
from withearth.paper.engine.views import Balance, PositionView
from withearth.paper.wire.call import Call
from withearth.paper.wire.market_data import time_range
from withearth.paper.wire.numbers import Places, money, money_or_zero, plain, plain_point

_ZERO: Final = Decimal(0)
_DOLLAR: Final = "USDT"
_LIQUIDATION_PLACES: Final = Decimal("1e-8")


def account_v3(call: Call) -> dict[str, Any]:
    """GET /v3/account: what is in use."""
    positions = call.exchange.positions_in_use(call.account)
    rows = [_position_v3(each, call.places(each.symbol)) for each in positions]
    balances = call.exchange.balances(call.account)
    return {**_totals(call, balances), "assets": [_asset(each) for each in balances], "positions": rows}


def account_v2(call: Call) -> dict[str, Any]:
    """GET /v2/account: every symbol."""
    positions = call.exchange.positions(call.account)
    rows = [_position_v2(each, call.places(each.symbol)) for each in positions]
    balances = call.exchange.balances(call.account)
    return {
        "feeTier": 0,
        "feeBurn": call.account.key in call.desk.fee_burn,
        **_rights(),
        "updateTime": 0,
        "multiAssetsMargin": call.account.multi_assets,
        "tradeGroupId": -1,
        **_totals(call, balances),
        "assets": [_marginable(_asset(each)) for each in balances],
        "positions": rows,
    }


def _rights() -> dict[str, bool]:
    return {"canTrade": True, "canDeposit": True, "canWithdraw": True}


def _totals(call: Call, balances: Iterable[Balance]) -> dict[str, str]:
    """USDT alone, or in multi-assets mode the sum of all assets, each counted as one dollar."""
    dollars = [each for each in balances if call.account.multi_assets or each.asset == _DOLLAR]
    return {
        "totalInitialMargin": _sum(each.initial_margin for each in dollars),
        "totalMaintMargin": _sum(each.maint_margin for each in dollars),
        "totalWalletBalance": _sum(each.wallet_balance for each in dollars),
        "totalUnrealizedProfit": _sum(each.unrealized_profit for each in dollars),
        "totalMarginBalance": _sum(each.margin_balance for each in dollars),
        "totalPositionInitialMargin": _sum(each.position_initial_margin for each in dollars),
        "totalOpenOrderInitialMargin": _sum(each.open_order_initial_margin for each in dollars),
        "totalCrossWalletBalance": _sum(each.cross_wallet_balance for each in dollars),
        "totalCrossUnPnl": _sum(each.cross_unrealized for each in dollars),
        "availableBalance": _sum(each.available_balance for each in dollars),
        "maxWithdrawAmount": _sum(each.max_withdraw for each in dollars),
    }


def _sum(amounts: Iterable[Decimal]) -> str:
    return money(sum(amounts, _ZERO))


def _asset(balance: Balance) -> dict[str, Any]:
    return {
        "asset": balance.asset,
        "walletBalance": money(balance.wallet_balance),
        "unrealizedProfit": money(balance.unrealized_profit),
        "marginBalance": money(balance.margin_balance),
        "maintMargin": money(balance.maint_margin),
        "initialMargin": money(balance.initial_margin),
        "positionInitialMargin": money(balance.position_initial_margin),
        "openOrderInitialMargin": money(balance.open_order_initial_margin),
        "crossWalletBalance": money(balance.cross_wallet_balance),
        "crossUnPnl": money(balance.cross_unrealized),
        "availableBalance": money(balance.available_balance),
        "maxWithdrawAmount": money(balance.max_withdraw),
        "updateTime": balance.updated_ms,
    }


def _marginable(asset: dict[str, Any]) -> dict[str, Any]:
    updated = asset.pop("updateTime")
    return {**asset, "marginAvailable": True, "updateTime": updated}


def _position_v3(position: PositionView, places: Places) -> dict[str, Any]:
    return {
        "symbol": position.symbol,
        "positionSide": position.position_side.value,
        "positionAmt": places.pad_qty(position.quantity),
        "unrealizedProfit": money(position.unrealized_profit),
        "isolatedMargin": money(position.isolated_margin),
        "notional": money_or_zero(position.notional),
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "initialMargin": money_or_zero(position.initial_margin),
        "maintMargin": money_or_zero(position.maint_margin),
        "updateTime": position.updated_ms,
    }


def _position_v2(position: PositionView, places: Places) -> dict[str, Any]:
    return {
        "symbol": position.symbol,
        "initialMargin": money_or_zero(position.initial_margin),
        "maintMargin": money_or_zero(position.maint_margin),
        "unrealizedProfit": money(position.unrealized_profit),
        "positionInitialMargin": money_or_zero(position.position_initial_margin),
        "openOrderInitialMargin": money_or_zero(position.open_order_initial_margin),
        "leverage": str(position.leverage),
        "isolated": position.margin_type is MarginType.ISOLATED,
        "entryPrice": plain_point(position.entry_price),
        "breakEvenPrice": plain_point(position.break_even_price),
        "maxNotional": plain(position.max_notional),
        "positionSide": position.position_side.value,
        "positionAmt": places.pad_qty(position.quantity),
        "notional": money_or_zero(position.notional),
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "updateTime": position.updated_ms,
        "bidNotional": money_or_zero(position.bid_notional),
        "askNotional": money_or_zero(position.ask_notional),
    }


def balances(call: Call) -> list[dict[str, Any]]:
    """GET /v2/balance and /v3/balance."""
    alias = f"{crc32(call.account.key.encode()):08x}"
    return [_balance(each, alias) for each in call.exchange.balances(call.account)]


def _balance(balance: Balance, alias: str) -> dict[str, Any]:
    return {
        "accountAlias": alias,
        "asset": balance.asset,
        "balance": money(balance.wallet_balance),
        "crossWalletBalance": money(balance.cross_wallet_balance),
        "crossUnPnl": money(balance.cross_unrealized),
        "availableBalance": money(balance.available_balance),
        "maxWithdrawAmount": money(balance.max_withdraw),
        "marginAvailable": True,
        "updateTime": balance.updated_ms,
    }


def position_risk_v3(call: Call) -> list[dict[str, Any]]:
    """GET /v3/positionRisk: symbols with a position or an open order."""
    found = call.exchange.positions_in_use(call.account, call.symbol_or_none())
    return [_risk_v3(each, call.places(each.symbol)) for each in found]


def _risk_v3(position: PositionView, places: Places) -> dict[str, Any]:
    return {
        "symbol": position.symbol,
        "positionSide": position.position_side.value,
        "positionAmt": places.pad_qty(position.quantity),
        "entryPrice": plain_point(position.entry_price),
        "breakEvenPrice": plain_point(position.break_even_price),
        "markPrice": money(position.mark_price),
        "unRealizedProfit": money(position.unrealized_profit),
        "liquidationPrice": _liquidation_price(position),
        "isolatedMargin": money_or_zero(position.isolated_margin),
        "notional": money_or_zero(position.notional),
        "marginAsset": position.margin_asset,
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "initialMargin": money_or_zero(position.initial_margin),
        "maintMargin": money_or_zero(position.maint_margin),
        "positionInitialMargin": money_or_zero(position.position_initial_margin),
        "openOrderInitialMargin": money_or_zero(position.open_order_initial_margin),
        "adl": adl_rank(position),
        "bidNotional": money_or_zero(position.bid_notional),
        "askNotional": money_or_zero(position.ask_notional),
        "updateTime": position.updated_ms,
    }


def position_risk_v2(call: Call) -> list[dict[str, Any]]:
    """GET /v2/positionRisk: every symbol."""
    found = call.exchange.positions(call.account, call.symbol_or_none())
    return [_risk_v2(each, call.places(each.symbol)) for each in found]


def _risk_v2(position: PositionView, places: Places) -> dict[str, Any]:
    isolated = position.margin_type is MarginType.ISOLATED
    return {
        "symbol": position.symbol,
        "positionAmt": places.pad_qty(position.quantity),
        "entryPrice": plain_point(position.entry_price),
        "breakEvenPrice": plain_point(position.break_even_price),
        "markPrice": money(position.mark_price),
        "unRealizedProfit": money(position.unrealized_profit),
        "liquidationPrice": _liquidation_price(position),
        "leverage": str(position.leverage),
        "maxNotionalValue": plain(position.max_notional),
        "marginType": "isolated" if isolated else "cross",
        "isolatedMargin": money(position.isolated_margin),
        "isAutoAddMargin": "false",
        "positionSide": position.position_side.value,
        "notional": money_or_zero(position.notional),
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "updateTime": position.updated_ms,
    }


def _liquidation_price(position: PositionView) -> str:
    return plain(position.liquidation_price.quantize(_LIQUIDATION_PLACES))


def adl_quantile(call: Call) -> list[dict[str, Any]]:
    """GET /adlQuantile, modelled: 1 for a loss, 2 for a profit up to the margin, 4 above."""
    held: dict[str, dict[str, int]] = {}
    for position in call.exchange.positions_in_use(call.account, call.symbol_or_none()):
        if position.quantity:
            held.setdefault(position.symbol, {})[position.position_side.value] = adl_rank(position)
    none = {side.value: 0 for side in (PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH)}
    return [{"symbol": symbol, "adlQuantile": none | ranks} for symbol, ranks in held.items()]


def adl_rank(position: PositionView) -> int:
    """How near a position is to being reduced for others."""
    if not position.quantity:
        return 0
    if position.unrealized_profit <= 0:
        return 1
    return 2 if position.unrealized_profit <= position.position_initial_margin else 4


def user_trades(call: Call) -> list[dict[str, Any]]:
    """GET /userTrades."""
    symbol, (start, end) = call.symbol(), time_range(call)
    fills = call.exchange.user_trades(
        call.account,
        symbol,
        order_id=call.params.integer("orderId"),
        from_id=call.params.integer("fromId"),
        start_ms=start,
        end_ms=end,
        limit=call.params.limit(500, 1_000),
    )
    return [_trade(fill, call.places(symbol)) for fill in fills if not call.hides(fill.order_id)]


def _trade(fill: Fill, places: Places) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "pair": fill.symbol,
        "side": fill.side.value,
        "price": places.pad_price(fill.price),
        "qty": plain(fill.quantity),
        "realizedPnl": money_or_zero(fill.realized_pnl),
        "quoteQty": places.pad_money(fill.quote),
        "commission": money(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "buyer": fill.side.sign > 0,
        "maker": fill.maker,
        "positionSide": fill.position_side.value,
        "baseQty": "0",
        "marginAsset": fill.margin_asset,
    }


def income(call: Call) -> list[dict[str, Any]]:
    """GET /income."""
    start, end = time_range(call)
    limit, page = call.params.limit(100, 1_000), max(1, call.params.integer("page") or 1)
    rows = call.exchange.income(
        call.account,
        call.symbol_or_none(),
        call.params.word("incomeType", IncomeType),
        start_ms=start,
        end_ms=end,
        limit=limit * page,
    )
    return [_income(row) for row in rows[limit * (page - 1) :]]


def _income(row: Income) -> dict[str, Any]:
    return {
        "symbol": row.symbol,
        "incomeType": row.type.value,
        "income": money(row.amount),
        "asset": row.asset,
        "info": row.info,
        "time": row.time_ms,
        "tranId": row.tran_id,
        "tradeId": row.trade_id,
    }
