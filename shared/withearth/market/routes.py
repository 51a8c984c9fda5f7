"""How public market data are asked for: by plain REST, or by the official SDK with REST behind it, call by call.

A route makes one request and brings what was answered, whatever it says. `Calls` decides who is asked, how often, and
what an answer that is no good means. A 429 or 418 is never met with another request, and neither is a refusal: only
what did not come, and what the exchange failed to serve, is asked again.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from withearth.domain.clock import Timer
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.market.fallbacks import tell
from withearth.market.traffic import BANNED, LIMITED, Traffic

OK: Final = 200
POOL: Final = 32
_SERVER_ERROR: Final = 500
_BAD_REQUEST: Final = 400
_NO_SYMBOL: Final = frozenset({-1121, -1122})
"""The codes for a symbol that is none, or none any more: they are about that symbol, and not about who asks."""
_REFUSALS: Final = {
    LIMITED: Reason.EXCHANGE_LIMITED,
    BANNED: Reason.EXCHANGE_BANNED,
    451: Reason.REGION_REFUSED,
}

log = logging.getLogger(__name__)

Query = Mapping[str, Any]
Note = Callable[[str], None]
"""Hears which call another route made, and how the one before failed."""


def unheard(_told: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the market is, and how patiently and by how many at once it is asked.

    `transport` answers instead of the network.
    """

    base_url: str
    timeout_ms: int = 10_000
    retries: int = 3
    backoff_ms: int = 1_000
    concurrency: int = 8
    candle_wait_sec: int = 5
    transport: BaseAdapter | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class NoReply(Exception):
    """No answer came, and why."""


class Route(Protocol):
    """One way to the exchange."""

    @property
    def name(self) -> str:
        """What the journal calls it."""
        ...

    def ask(self, path: str, query: Query) -> Reply:
        """Make one GET request. Raises NoReply."""
        ...


class RestRoute:
    """Plain HTTPS over a pool of connections that stay open. May be used from any thread."""

    name: Final = "REST"

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session = requests.Session()
        # Without this a proxy variable or a .netrc of the machine would change who is asked.
        self._session.trust_env = False
        self._session.mount(access.base_url, access.transport or HTTPAdapter(pool_maxsize=POOL))

    def ask(self, path: str, query: Query) -> Reply:
        """Make one GET request. Raises NoReply. A redirection is an answer: whoever sends one is not the exchange."""
        try:
            answer = self._session.get(
                self._access.base_url + path,
                params=query,
                timeout=self._access.timeout_ms / 1000,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise NoReply(type(error).__name__) from error
        return Reply(answer.status_code, answer.content, answer.headers)


class Calls:
    """Asks the exchange, and counts what that costs. `note` hears whenever another route had to step in."""

    def __init__(
        self,
        routes: Sequence[Route],
        access: Access,
        clock: Timer,
        traffic: Traffic,
        note: Note = unheard,
    ) -> None:
        self._routes = routes
        self._access = access
        self._clock = clock
        self._traffic = traffic
        self._note = note

    def get(self, path: str, weight: int, query: Query | None = None) -> bytes:
        """The body of a good answer. Raises MarketFault when the exchange does not give one."""
        for attempt in range(self._access.retries + 1):
            if attempt:
                self._clock.sleep(timedelta(milliseconds=self._access.backoff_ms * attempt))
            try:
                reply = self._routed(path, weight, query or {})
            except NoReply as error:
                fault = MarketFault(Reason.MARKET_UNREACHABLE, f"{path}: {error}")
                continue
            if reply.status == OK:
                return reply.body
            fault = _refusal(path, reply)
            if reply.status < _SERVER_ERROR:
                break
        raise fault

    def _routed(self, path: str, weight: int, query: Query) -> Reply:
        """The answer of the first route that has one. Raises NoReply when none has."""
        *others, last = self._routes
        for route in others:
            try:
                reply = self._counted(route, path, weight, query)
            except NoReply as error:
                self._step_in(route, path, str(error))
                continue
            if reply.status < _SERVER_ERROR:
                return reply
            self._step_in(route, path, f"HTTP {reply.status}")
        return self._counted(last, path, weight, query)

    def _step_in(self, route: Route, path: str, why: str) -> None:
        told = f"{path} by {self._routes[-1].name}, after {route.name}: {why}"
        log.warning("market_fallback %s", told)
        tell(told)
        self._note(told)

    def _counted(self, route: Route, path: str, weight: int, query: Query) -> Reply:
        self._traffic.admit(weight)
        asked_at = self._traffic.exchange_now()
        reply = route.ask(path, query)
        self._traffic.heard(reply.status, reply.headers, asked_at)
        return reply


def _refusal(path: str, reply: Reply) -> MarketFault:
    text = reply.body[:120].decode("utf-8", "replace")
    unknown = reply.status == _BAD_REQUEST and _code(reply.body) in _NO_SYMBOL
    reason = Reason.INSTRUMENT_UNKNOWN if unknown else _REFUSALS.get(reply.status, Reason.MARKET_REFUSED)
    return MarketFault(reason, f"{path}: HTTP {reply.status} {text}")


def _code(body: bytes) -> int | None:
    """The exchange's own code in a refusal, None where there is none."""
    try:
        return int(json.loads(body)["code"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
