"""What an HTTP answer of the exchange to an account-changing call means: accepted, rejected, or unknown.

Pure: the adapter records status and body, this module reads them. The classes follow the exchange's general
information page and its error table; in doubt an answer is unknown, which costs a look and never an order.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from withearth.execution.orders import Accepted, Answer, Rejected, Unknown
from withearth.execution.venue import ALREADY_SO

NOT_SENT: Final = 0
"""The code of a rejection by the network itself: the request never left this machine."""
OVERLOADED: Final = -1008
"""Sent with HTTP 503, and the one 503 that says the order was not executed."""
UNCLEAR_CODES: Final = frozenset({-1000, -1001, -1006, -1007})
"""Codes under which the exchange does not know itself: internal error, disconnected, unexpected answer, timeout."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last HTTP answer of a call. `status` is None when there was none; `sent` is False when nothing left us."""

    status: int | None
    body: str
    sent: bool = True


def classify(client_id: str, heard: Heard, id_field: str) -> Answer:
    """The meaning of an answer. `id_field` names the field in which a good answer repeats our client id."""
    if not heard.sent:
        return Rejected(client_id, NOT_SENT, "the request could not be sent")
    payload = parsed(heard.body)
    if heard.status is None or payload is None:
        return Unknown(client_id, f"HTTP {heard.status}, no readable answer")
    if heard.status == HTTPStatus.OK:
        return _good(client_id, payload, id_field)
    return _refusal(client_id, heard.status, payload)


def _refusal(client_id: str, status: int, payload: dict[str, Any]) -> Answer:
    code, message = payload.get("code"), str(payload.get("msg", ""))
    if not isinstance(code, int) or code in UNCLEAR_CODES:
        return Unknown(client_id, f"HTTP {status}, code {code}: {message}")
    if code in ALREADY_SO:
        return Accepted(client_id)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR or code == OVERLOADED:
        return Rejected(client_id, code, message)
    return Unknown(client_id, f"HTTP {status}, code {code}: {message}")


def _good(client_id: str, payload: dict[str, Any], id_field: str) -> Answer:
    """A 200 counts only when it names our order: a proxy between us and the exchange can answer 200 too."""
    if payload.get(id_field) != client_id:
        return Unknown(client_id, f"HTTP 200 that does not name {client_id}")
    return Accepted(client_id, str(payload.get("orderId", payload.get("algoId", ""))))


def parsed(body: str) -> dict[str, Any] | None:
    """The JSON object in a body, None when it is none."""
    try:
        payload = json.loads(body)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None
