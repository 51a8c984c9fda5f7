"""Every refusal of the exchange, with its code, its own words and its HTTP status."""

from enum import Enum
from http import HTTPStatus
from typing import Self


class Refusal(Enum):
    """A refusal as the exchange words it. `%s` is filled in by what `VenueError` is given."""

    code: int
    text: str
    http_status: int

    def __new__(cls, code: int, text: str, http_status: int = HTTPStatus.BAD_REQUEST) -> Self:
        """A member that carries the code, the text and the HTTP status."""
        member = object.__new__(cls)
        member._value_ = (code, text)
        member.code, member.text, member.http_status = code, text, int(http_status)
        return member

    # The request as such
    UNKNOWN = -1000, "An unknown error occured while processing the request."
    DISCONNECTED = -1001, "Internal error; unable to process your request. Please try again."
    TOO_MANY_REQUESTS = (
        -1003,
        (
            "Too many requests; current limit is %s requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        ),
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    IP_BANNED = (
        -1003,
        "Way too many requests; IP banned until %s. Please use the websocket for live updates to avoid bans.",
        HTTPStatus.IM_A_TEAPOT,
    )
    TIMEOUT = (
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        HTTPStatus.REQUEST_TIMEOUT,
    )
    THROTTLED = (
        -1008,
        "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    TOO_MANY_ORDERS = (
        -1015,
        "Too many new orders; current limit is %s orders per %s.",
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    TIMESTAMP_OUTSIDE_WINDOW = -1021, "Timestamp for this request is outside of the recvWindow."
    TIMESTAMP_AHEAD = -1021, "Timestamp for this request was 1000ms ahead of the server's time."
    INVALID_SIGNATURE = -1022, "Signature for this request is not valid."
    START_AFTER_END = -1023, "Start time is greater than end time."
    ILLEGAL_CHARS = -1100, "Illegal characters found in parameter '%s'; legal range is '%s'."
    TOO_MANY_PARAMETERS = -1101, "Too many parameters sent for this endpoint."
    DUPLICATED_PARAMETER = -1101, "Duplicate values for a parameter detected."
    MANDATORY_PARAMETER = -1102, "Mandatory parameter '%s' was not sent, was empty/null, or malformed."
    EITHER_PARAMETER = -1102, "Param '%s' or '%s' must be sent, but both were empty/null!"
    UNKNOWN_PARAMETER = -1103, "An unknown parameter was sent."
    UNREAD_PARAMETERS = -1104, "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'."
    EMPTY_PARAMETER = -1105, "Parameter '%s' was empty."
    PARAMETER_NOT_REQUIRED = -1106, "Parameter '%s' sent when not required."
    PRECISION = -1111, "Precision is over the maximum defined for this asset."
    INVALID_TIME_IN_FORCE = -1115, "Invalid timeInForce."
    INVALID_ORDER_TYPE = -1116, "Invalid orderType."
    INVALID_SIDE = -1117, "Invalid side."
    INVALID_INTERVAL = -1120, "Invalid interval."
    INVALID_SYMBOL = -1121, "Invalid symbol."
    INVALID_LISTEN_KEY = (
        -1125,
        "This listenKey does not exist. Please use `POST /fapi/v1/listenKey` to recreate `listenKey`",
    )
    BAD_COMBINATION = -1128, "Combination of optional parameters invalid."
    INVALID_PARAMETER = -1130, "Data sent for parameter '%s' is not valid."
    INVALID_RESPONSE_TYPE = -1136, "Invalid newOrderRespType."

    # Orders and keys
    UNKNOWN_ORDER = -2011, "Unknown order sent."
    NO_SUCH_ORDER = -2013, "Order does not exist."
    BAD_KEY_FORMAT = -2014, "API-key format invalid.", HTTPStatus.UNAUTHORIZED
    REJECTED_KEY = -2015, "Invalid API-key, IP, or permissions for action.", HTTPStatus.UNAUTHORIZED
    MARGIN_INSUFFICIENT = -2019, "Margin is insufficient."
    WOULD_TRIGGER = -2021, "Order would immediately trigger."
    REDUCE_ONLY_REJECTED = -2022, "ReduceOnly Order is rejected."
    MAX_OPEN_ORDERS = -2025, "Reach max open order limit."
    MAX_POSITION = -2027, "Exceeded the maximum allowable position at current leverage."
    MIN_LEVERAGE = -2028, "Leverage is smaller than permitted: insufficient margin balance."

    # Filters
    PRICE_BELOW_ZERO = -4001, "Price less than 0."
    PRICE_ABOVE_MAX = -4002, "Price greater than max price."
    QTY_NOT_POSITIVE = -4003, "Quantity less than zero."
    QTY_BELOW_MIN = -4004, "Quantity less than min quantity."
    QTY_ABOVE_MAX = -4005, "Quantity greater than max quantity."
    STOP_PRICE_BELOW_ZERO = -4006, "Stop price less than zero."
    STOP_PRICE_ABOVE_MAX = -4007, "Stop price greater than max price."
    PRICE_BELOW_MIN = -4013, "Price less than min price."
    PRICE_OFF_TICK = -4014, "Price not increased by tick size."
    INVALID_CLIENT_ID = -4015, "Client order id is not valid."
    PRICE_ABOVE_BAND = -4016, "Price is higher than mark price multiplier cap."
    INVALID_DEPTH_LIMIT = -4021, "'%s' is not valid depth limit."
    QTY_OFF_STEP = -4023, "Qty not increased by step size."
    PRICE_BELOW_BAND = -4024, "Price is lower than mark price multiplier floor."
    MIN_NOTIONAL = -4164, "Order's notional must be no smaller than %s (unless you choose reduce only)"
    LIMIT_ABOVE_STOP_BAND = -4183, "Price is higher than stop price multiplier cap."
    LIMIT_BELOW_STOP_BAND = -4184, "Price is lower than stop price multiplier floor."
    STOP_ABOVE_BAND = -4210, "Stop price is higher than price multiplier cap."
    STOP_BELOW_BAND = -4211, "Stop price is lower than price multiplier floor."

    # Account settings
    INVALID_LEVERAGE = -4028, "Leverage `%s` is not valid"
    INVALID_WORKING_TYPE = -4031, "Invalid parameter working type: `%s`"
    TOO_MANY_CANCELS = -4032, "Exceed maximum cancel order size."
    MAX_ALGO_ORDERS = -4045, "Reach max stop order limit."
    SAME_MARGIN_TYPE = -4046, "No need to change margin type."
    MARGIN_TYPE_OPEN_ORDERS = -4047, "Margin type cannot be changed if there exists open orders."
    MARGIN_TYPE_POSITION = -4048, "Margin type cannot be changed if there exists position."
    NOT_ISOLATED = -4049, "Add margin only support for isolated position."
    CROSS_BALANCE_INSUFFICIENT = -4050, "Cross balance insufficient."
    ISOLATED_BALANCE_INSUFFICIENT = -4051, "Isolated balance insufficient."
    NO_POSITION_FOR_MARGIN = -4054, "Cannot add position margin: position is 0."
    AMOUNT_NOT_POSITIVE = -4055, "Amount must be positive."
    SAME_POSITION_MODE = -4059, "No need to change position side."
    INVALID_POSITION_SIDE = -4060, "Invalid position side."
    POSITION_SIDE_MISMATCH = -4061, "Order's position side does not match user's setting."
    POSITION_MODE_OPEN_ORDERS = -4067, "Position side cannot be changed if there exists open orders."
    POSITION_MODE_POSITION = -4068, "Position side cannot be changed if there exists position."
    INVALID_BATCH_SIZE = -4082, "Invalid number of batch place orders."
    BATCH_FAILED = -4083, "Fail to place batch orders."
    ISOLATED_LEVERAGE_CUT = (
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions",
    )
    INTERVAL_TOO_LONG = -4165, "Maximum time interval is %s days"
    ASSETS_MODE_ISOLATED = (
        -4167,
        "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode.",
    )
    ISOLATED_IN_ASSETS_MODE = -4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode."
    ASSETS_MODE_OPEN_ORDERS = -4170, "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures."
    SAME_ASSETS_MODE = (
        -4171,
        "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    )

    # Order rules
    DUPLICATED_CLIENT_ID = -4116, "clientOrderId is duplicated"
    REDUCE_ONLY_MARGIN = -4118, "ReduceOnly Order Failed. Please check your existing position and open orders"
    USE_ALGO_ENDPOINT = (
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    )
    CLOSE_POSITION_EXISTS = (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    )
    MARKET_BEYOND_BAND = -4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit"
    INVALID_ACTIVATION_PRICE = -4135, "Invalid activation price"
    QTY_WITH_CLOSE_POSITION = -4137, "Quantity must be zero with closePosition equals true"
    REDUCE_ONLY_WITH_CLOSE_POSITION = -4138, "Reduce only must be true with closePosition equals true"
    NOT_OPEN_FOR_TRADING = -4140, "Invalid symbol status for opening position"
    SYMBOL_CLOSED = -4141, "Symbol is closed"
    FOK_REJECTED = -5021, "Due to the order could not be filled immediately, the FOK order has been rejected."
    GTX_REJECTED = (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    )
    MODIFY_LIMIT_ONLY = -5025, "Only limit order is supported."
    MODIFY_TOO_OFTEN = -5026, "Exceed maximum modify order limit."
    NOTHING_TO_MODIFY = -5027, "No need to modify the order."
    ENGINE_WINDOW = -5028, "Timestamp for this request is outside of the ME recvWindow."
    MODIFY_MIN_NOTIONAL = -5029, "Order's notional must be no smaller than %s"
    INVALID_PRICE_MATCH = -5037, "Invalid price match"
    PRICE_MATCH_NOT_SUPPORTED = -5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT"
    INVALID_SELF_TRADE_PREVENTION = -5039, "Invalid self trade prevention mode"
    INVALID_GOOD_TILL_DATE = (
        -5040,
        (
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds "
            "and smaller than 253402300799000 (UTC 9999-12-31 23:59:59)"
        ),
    )
    NO_PRICE_TO_MATCH = -5041, "No depth matches this BBO order"
    NOT_REDUCE_ONLY = -5047, "The original order is not a reduce-only order"


class VenueError(Exception):
    """The exchange says no. `str()` is the exchange's message."""

    def __init__(self, refusal: Refusal, *details: object) -> None:
        self.refusal = refusal
        self.code = refusal.code
        self.message = refusal.text % details if details else refusal.text
        self.http_status = refusal.http_status
        super().__init__(self.message)
