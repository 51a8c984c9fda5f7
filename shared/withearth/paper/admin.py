"""The admin face: moves prices and the clock, injects faults, opens accounts. JSON in, JSON out.

Off unless it is asked for, and reached from the loopback address only: whoever can reach it, rules the exchange.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from withearth.domain.errors import Misconfigured
from withearth.paper.clocks import SteeredClock
from withearth.paper.engine.errors import VenueError
from withearth.paper.face import Face
from withearth.paper.faults import FaultQueue, fault_from
from withearth.paper.steered import SteeredFeed
from withearth.paper.wire.request import JSON, WireAnswer, WireRequest
from withearth.paper.wire.security import ApiKey

PREFIX: Final = "/admin/"
_HEADERS: Final = {"Content-Type": JSON}


class Admin:
    """Rules one exchange. The face's clock has to be `clock`, its engine's feed `feed`, its line's faults `faults`."""

    def __init__(self, face: Face, clock: SteeredClock, feed: SteeredFeed, faults: FaultQueue) -> None:
        self._face = face
        self._clock = clock
        self._feed = feed
        self._faults = faults
        self._actions: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
            ("GET", "state"): self._state,
            ("POST", "price"): self._price,
            ("POST", "clock"): self._move_clock,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "accounts"): self._open_account,
            ("GET", "snapshot"): lambda _: self._face.exchange.snapshot(),
            ("POST", "snapshot"): self._restore,
        }

    def answer(self, request: WireRequest) -> WireAnswer:
        """Answer a request to a path under `/admin/`."""
        action = self._actions.get((request.method, request.path.removeprefix(PREFIX)))
        if action is None:
            return _answer(404, {"error": f"no {request.method} {request.path}"})
        try:
            with self._face.lock:
                return _answer(200, action(_document(request.body)))
        except (Misconfigured, VenueError, ValueError, KeyError, TypeError, InvalidOperation) as error:
            return _answer(400, {"error": f"{type(error).__name__}: {error}"})

    def _state(self, _: Mapping[str, Any]) -> dict[str, Any]:
        exchange = self._face.exchange
        return {
            "now": self._face.now_ms(),
            "accounts": list(exchange.accounts),
            "prices": {symbol: str(exchange.last_price(symbol)) for symbol in exchange.instruments},
            **self._list_faults({}),
        }

    def _price(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """`{"symbol", "price"}`, or `{"symbol", "path": [[milliseconds from now, price], …]}`."""
        symbol = self._face.exchange.instrument(document["symbol"]).symbol
        # A price that is to be acted on lies in the future: the engine has already been here.
        path = document.get("path") or [[1, document["price"]]]
        now_ms = self._face.now_ms()
        points = [(now_ms + max(1, int(after_ms)), self._on_grid(symbol, price)) for after_ms, price in path]
        self._feed.steer(symbol, points)
        return {"symbol": symbol, "points": [[at_ms, str(price)] for at_ms, price in points]}

    def _on_grid(self, symbol: str, price: object) -> Decimal:
        value, tick = Decimal(str(price)), self._face.exchange.instrument(symbol).tick_size
        if not value.is_finite() or value <= 0 or value % tick:
            raise ValueError(f"{price} is not a price of {symbol}, which moves in steps of {tick}")
        return value

    def _move_clock(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """`{"advance_ms"}`, or `{"to"}` in milliseconds since 1970."""
        now_ms = self._face.now_ms()
        self._clock.advance(int(document["advance_ms"] if "advance_ms" in document else document["to"] - now_ms))
        self._face.exchange.advance(self._face.now_ms())
        return {"now": self._face.now_ms()}

    def _list_faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "pending": [asdict(fault) for fault in self._faults.pending],
            "fired": [asdict(fired) for fired in self._faults.fired],
        }

    def _add_faults(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """One fault, or `{"faults": [fault, …]}`."""
        self._faults.add(*[fault_from(each) for each in document.get("faults", [document])])
        return self._list_faults({})

    def _clear_faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._faults.clear()
        return self._list_faults({})

    def _open_account(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """`{"key", "secret", "deposits": {asset: amount}}`; a secret may be a public key in PEM form."""
        deposits = {asset: Decimal(str(amount)) for asset, amount in document["deposits"].items()}
        key = ApiKey(document["key"], document["secret"], document["key"])
        self._face.exchange.open_account(key.account, deposits)
        self._face.gate.admit(key)
        return {"key": key.key}

    def _restore(self, document: Mapping[str, Any]) -> dict[str, Any]:
        self._face.exchange.restore(document)
        return {"now": self._face.now_ms()}


def _document(body: str) -> Mapping[str, Any]:
    document = json.loads(body) if body else {}
    if not isinstance(document, dict):
        raise TypeError("the body is a JSON object")
    return document


def _answer(status: int, document: Any) -> WireAnswer:
    return WireAnswer(status, json.dumps(document).encode(), _HEADERS)
