"""Client order ids: pure functions of the decision, the leg and the attempt, so that every order explains itself.

    BTCUSDT-20240101T0005Z-s0      the first stop of that decision
    BTCUSDT-20240101T0005Z-s0k7q   the same, of the installation with the mark k7q

The exchange takes 36 characters of `[.A-Z:/a-z0-9_-]`. A symbol that is too long, or has other letters, stands as a
digest of itself; which symbol an order belongs to is known from the order. Where others may trade on the account too,
every id ends with the mark of its installation: two of them may decide the same, and neither may take the other's order
for its own.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_]{1,15}")
_OURS: Final = re.compile(
    r"(?P<stem>[A-Za-z0-9_.]{1,15})-(?P<tick>\d{8}T\d{4}Z)-(?P<leg>[estx])(?P<attempt>[0-9a-z])(?P<mark>[0-9a-z]{3})?"
)
_THE_EXCHANGE_S: Final = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
"""How client ids begin of the orders by which the exchange itself liquidates, deleverages or settles a position."""
ATTEMPTS_MAX: Final = len(_DIGITS)


class Leg(StrEnum):
    """The parts of a trade."""

    ENTRY = "e"
    STOP = "s"
    TARGET = "t"
    EXIT = "x"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an order comes from."""

    intent_id: str
    leg: Leg
    attempt: int
    mark: str = ""


def mark_of(seed: str) -> str:
    """Three characters for an installation; the same seed gives the same ones."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    return "".join(_DIGITS[number // len(_DIGITS) ** place % len(_DIGITS)] for place in range(3))


def client_id(intent_id: str, leg: Leg, attempt: int, mark: str = "") -> str:
    """The id of one attempt at one leg. Raises ValueError when the attempts are used up."""
    if not 0 <= attempt < ATTEMPTS_MAX:
        raise ValueError(f"an attempt is 0 to {ATTEMPTS_MAX - 1}, was {attempt}")
    symbol, _, tick = intent_id.rpartition("-")
    return f"{_stem(symbol)}-{tick}-{leg.value}{_DIGITS[attempt]}{mark}"


def lineage(symbol: str, order_client_id: str) -> Lineage | None:
    """The intent, leg, attempt and mark an order of this symbol names; None for an order that is not of our form."""
    found = _OURS.fullmatch(order_client_id)
    if found is None or found["stem"] != _stem(symbol):
        return None
    return Lineage(f"{symbol}-{found['tick']}", Leg(found["leg"]), _DIGITS.index(found["attempt"]), found["mark"] or "")


def is_marked(symbol: str, order_client_id: str, mark: str) -> bool:
    """Whether an order is of the installation with this mark."""
    origin = lineage(symbol, order_client_id)
    return origin is not None and origin.mark == mark


def is_the_exchange_s(order_client_id: str) -> bool:
    """Whether the exchange itself closed a position by this order."""
    return order_client_id.startswith(_THE_EXCHANGE_S)


def _stem(symbol: str) -> str:
    return symbol if _PLAIN.fullmatch(symbol) else "." + hashlib.sha256(symbol.encode()).hexdigest()[:14]
