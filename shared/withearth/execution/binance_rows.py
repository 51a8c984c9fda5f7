"""Rows of the exchange's answers as values of the venue port. Numbers arrive as text and become Decimal unrounded."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from withearth.execution.orders import Action, PositionSide, Trigger
from withearth.execution.shown import (
    Balance,
    ConditionalState,
    ConditionalStatus,
    Fill,
    FundingFee,
    FundingRate,
    Income,
    OrderState,
    OrderStatus,
    Position,
)

Row = Mapping[str, Any]


def order_state(row: Row) -> OrderState:
    """A row of GET /order, openOrders or allOrders. A price of zero means none."""
    return OrderState(
        symbol=row["symbol"],
        client_id=row["clientOrderId"],
        order_id=str(row["orderId"]),
        action=Action(row["side"]),
        status=OrderStatus(row["status"]),
        qty=Decimal(row["origQty"]),
        filled=Decimal(row["executedQty"]),
        price=_or_none(row["price"]),
        average_price=_or_none(row.get("avgPrice", "0")),
        reduce_only=bool(row["reduceOnly"]),
        updated_ms=int(row["updateTime"]),
        position_side=PositionSide(row["positionSide"]),
    )


def conditional_state(row: Row) -> ConditionalState | None:
    """A row of the algo lists, None for a kind of conditional order that is never ours."""
    if row["orderType"] not in set(Trigger):
        return None
    return ConditionalState(
        symbol=row["symbol"],
        client_id=row["clientAlgoId"],
        algo_id=str(row["algoId"]),
        action=Action(row["side"]),
        status=ConditionalStatus(row["algoStatus"]),
        qty=Decimal(row["quantity"] or 0),
        trigger=Trigger(row["orderType"]),
        trigger_price=Decimal(row["triggerPrice"]),
        reduce_only=bool(row["reduceOnly"]),
        position_side=PositionSide(row["positionSide"]),
    )


def position(symbol: str, side: PositionSide, rows: list[Row]) -> Position:
    """One position of a symbol. The list omits flat symbols: absent means zero."""
    for row in rows:
        if row["symbol"] == symbol and row["positionSide"] == side:
            return _position(row)
    return Position(symbol, Decimal(0), Decimal(0), side)


def positions(rows: list[Row]) -> tuple[Position, ...]:
    """Every position that is not flat."""
    return tuple(each for each in map(_position, rows) if each.qty)


def _position(row: Row) -> Position:
    side = PositionSide(row["positionSide"])
    liquidation = Decimal(row["liquidationPrice"])
    return Position(
        row["symbol"],
        Decimal(row["positionAmt"]),
        Decimal(row["entryPrice"]),
        side,
        liquidation if liquidation > 0 else None,
    )


def fill(row: Row) -> Fill:
    """A row of userTrades."""
    return Fill(
        trade_id=int(row["id"]),
        order_id=str(row["orderId"]),
        symbol=row["symbol"],
        action=Action(row["side"]),
        price=Decimal(row["price"]),
        qty=Decimal(row["qty"]),
        realized=Decimal(row["realizedPnl"]),
        commission=Decimal(row["commission"]),
        commission_asset=row["commissionAsset"],
        maker=bool(row["maker"]),
        at_ms=int(row["time"]),
    )


def funding_fee(row: Row) -> FundingFee:
    """A row of income with type FUNDING_FEE."""
    return FundingFee(row["symbol"], Decimal(row["income"]), row["asset"], int(row["time"]))


def funding_rate(row: Row) -> FundingRate:
    """A row of the settlements of a symbol."""
    return FundingRate(Decimal(row["fundingRate"]), int(row["fundingTime"]))


def balance(asset: str, rows: list[Row]) -> Balance:
    """The money in one asset of GET /v3/account, which omits what is empty."""
    for row in rows:
        if row["asset"] == asset:
            amounts = (Decimal(row[name]) for name in ("walletBalance", "unrealizedProfit", "availableBalance"))
            return Balance(asset, *amounts)
    return Balance(asset, Decimal(0), Decimal(0), Decimal(0))


def income(row: Row) -> Income:
    """A row of income. A transaction's id is different for every row of its kind only."""
    key = "/".join(str(row[name]) for name in ("incomeType", "asset", "tranId", "symbol", "tradeId"))
    return Income(key, row["incomeType"], row["symbol"], Decimal(row["income"]), row["asset"], int(row["time"]))


def _or_none(text: str) -> Decimal | None:
    return Decimal(text) or None
