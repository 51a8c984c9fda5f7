"""What the exchange says when it says no: its codes, its texts, its HTTP statuses.

The texts are the exchange's own, spelling included: clients match on them.
"""

from collections.abc import Mapping
from typing import Any, Final

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
REQUEST_TIMEOUT: Final = 408
BANNED: Final = 418
TOO_MANY: Final = 429


class Denied(Exception):
    """The exchange's refusal of a request: `{"code": …, "msg": …}` under an HTTP status."""

    def __init__(
        self, code: int, message: str, status: int = BAD_REQUEST, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers: Mapping[str, str] = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The answer's document."""
        return {"code": self.code, "msg": self.message}


def missing(name: str) -> Denied:
    """A mandatory parameter is absent or empty."""
    return Denied(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_either(first: str, second: str) -> Denied:
    """Of two parameters neither was sent."""
    return Denied(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def empty(name: str) -> Denied:
    """A parameter was sent without a value."""
    return Denied(-1105, f"Parameter '{name}' was empty.")


def illegal(name: str, legal: str) -> Denied:
    """A parameter's text is not of its kind."""
    return Denied(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid(name: str) -> Denied:
    """A parameter's value is none of those the endpoint knows."""
    return Denied(-1130, f"Data sent for parameter '{name}' is not valid.")


def not_required(name: str) -> Denied:
    """A parameter contradicts the others by being there."""
    return Denied(-1106, f"Parameter '{name}' sent when not required.")


def unread(read: int, sent: int) -> Denied:
    """Parameters came that the endpoint does not have."""
    return Denied(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def repeated() -> Denied:
    """One parameter was sent twice."""
    return Denied(-1101, "Duplicate values for a parameter detected.")


def bad_key_format() -> Denied:
    """There is no API key, or it cannot be one."""
    return Denied(-2014, "API-key format invalid.", UNAUTHORIZED)


def unknown_key() -> Denied:
    """No account has this API key."""
    return Denied(-2015, "Invalid API-key, IP, or permissions for action.", UNAUTHORIZED)


def bad_signature() -> Denied:
    """The signature is not that of the key's secret over the payload as it was sent."""
    return Denied(-1022, "Signature for this request is not valid.")


def too_late() -> Denied:
    """The timestamp is older than the receive window allows."""
    return Denied(-1021, "Timestamp for this request is outside of the recvWindow.")


def too_early() -> Denied:
    """The timestamp is a second or more in the future."""
    return Denied(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_symbol() -> Denied:
    """No such symbol is listed."""
    return Denied(-1121, "Invalid symbol.")


def no_such_order() -> Denied:
    """The order to be looked up is not known."""
    return Denied(-2013, "Order does not exist.")


def unknown_order() -> Denied:
    """The order to be cancelled is not open."""
    return Denied(-2011, "Unknown order sent.")


def wrong_endpoint() -> Denied:
    """A conditional order was sent to the ordinary order endpoint."""
    return Denied(-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.")


def backend_timeout() -> Denied:
    """The gateway gave up on the matching engine, which may or may not have executed."""
    return Denied(
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        REQUEST_TIMEOUT,
    )
