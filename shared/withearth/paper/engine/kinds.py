"""The words of the exchange, in its own spelling."""

from enum import StrEnum


class OrderSide(StrEnum):
    """What an order does."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 adds to the signed position, −1 takes from it."""
        return 1 if self is OrderSide.BUY else -1

    @property
    def opposite(self) -> "OrderSide":
        """The side it trades with."""
        return OrderSide.SELL if self is OrderSide.BUY else OrderSide.BUY


class PositionSide(StrEnum):
    """Which position an order belongs to: BOTH in one-way mode, LONG or SHORT in hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class OrderType(StrEnum):
    """Types of ordinary orders."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class AlgoType(StrEnum):
    """Types of conditional orders."""

    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"

    @property
    def is_limit(self) -> bool:
        """Whether a LIMIT order comes of it."""
        return self in {AlgoType.STOP, AlgoType.TAKE_PROFIT}

    @property
    def is_take_profit(self) -> bool:
        """Whether it fires on a better price, not on a worse one."""
        return self in {AlgoType.TAKE_PROFIT, AlgoType.TAKE_PROFIT_MARKET}


class TimeInForce(StrEnum):
    """How long an order lives. GTE_GTC lives as long as its position."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"
    GTE_GTC = "GTE_GTC"


class OrderStatus(StrEnum):
    """States of an ordinary order."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


class AlgoStatus(StrEnum):
    """States of a conditional order."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


class WorkingType(StrEnum):
    """Which price fires a conditional order."""

    CONTRACT_PRICE = "CONTRACT_PRICE"
    MARK_PRICE = "MARK_PRICE"


class SelfTradePrevention(StrEnum):
    """Who gives way when an account meets itself."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class PriceMatch(StrEnum):
    """A price taken from the book: the n-th best of the other side (OPPONENT) or of the own (QUEUE)."""

    NONE = "NONE"
    OPPONENT = "OPPONENT"
    OPPONENT_5 = "OPPONENT_5"
    QUEUE = "QUEUE"
    QUEUE_5 = "QUEUE_5"
    QUEUE_10 = "QUEUE_10"
    QUEUE_20 = "QUEUE_20"


class MarginType(StrEnum):
    """Whether a position shares the wallet or stands alone. `positionRisk` v2 spells them in lower case."""

    CROSSED = "CROSSED"
    ISOLATED = "ISOLATED"


class IncomeType(StrEnum):
    """Why the wallet changed."""

    TRANSFER = "TRANSFER"
    REALIZED_PNL = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"
