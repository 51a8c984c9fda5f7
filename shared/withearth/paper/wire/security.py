"""Who sends a request: API keys, the timestamp rule and signatures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.wire import errors
from withearth.paper.wire.params import Params
from withearth.paper.wire.request import WireRequest
from withearth.paper.wire.signatures import Verifier, split_payload, verifier_of

WINDOW_MS: Final = 5_000
LONGEST_WINDOW_MS: Final = 60_000
AHEAD_MS: Final = 1_000
_KEY: Final = re.compile(r"[!-~]{1,128}")


class Security(Enum):
    """What an endpoint asks of who calls it."""

    NONE = "none"
    KEY = "API key"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key an account is reached with. `secret` is the HMAC secret, or the public key in PEM form."""

    key: str
    secret: str
    account: str


class Gate:
    """Knows the keys, and lets a request through to the account it belongs to."""

    def __init__(self, keys: Iterable[ApiKey], *, check_time: bool = True) -> None:
        self._check_time = check_time
        self._keys: dict[str, tuple[str, Verifier]] = {}
        for key in keys:
            self.admit(key)

    def admit(self, key: ApiKey) -> None:
        """Register a key, or give it another secret. Raises Misconfigured for a public key that is none."""
        self._keys[key.key] = (key.account, verifier_of(key.secret))

    def owner(self, key: str | None) -> str | None:
        """The account that a key belongs to, whoever holds it."""
        known = self._keys.get(key or "")
        return known[0] if known else None

    def account_of(self, request: WireRequest, params: Params, security: Security, now_ms: int) -> str | None:
        """The account's name, None where the endpoint needs none. Raises VenueError."""
        if security is Security.NONE:
            return None
        if not request.api_key or not _KEY.fullmatch(request.api_key):
            raise VenueError(Refusal.BAD_KEY_FORMAT)
        known = self._keys.get(request.api_key)
        if known is None:
            raise VenueError(Refusal.REJECTED_KEY)
        account, verify = known
        if security is Security.SIGNED:
            _check_time(params, now_ms if self._check_time else None)
            _check_signature(request, verify)
        return account


def _check_time(params: Params, now_ms: int | None) -> None:
    """The exchange's rule: timestamp < now + 1000 and now − timestamp ≤ recvWindow. Without a time, any will do."""
    params.required("timestamp")
    timestamp, window = params.integer("timestamp") or 0, params.integer("recvWindow")
    if window is not None and window > LONGEST_WINDOW_MS:
        raise errors.invalid("recvWindow")
    if now_ms is None:
        return
    if timestamp >= now_ms + AHEAD_MS:
        raise VenueError(Refusal.TIMESTAMP_AHEAD)
    if now_ms - timestamp > (WINDOW_MS if window is None else window):
        raise VenueError(Refusal.TIMESTAMP_OUTSIDE_WINDOW)


def _check_signature(request: WireRequest, verify: Verifier) -> None:
    payload, signature = split_payload(request.query, request.body)
    if not signature:
        # A signature elsewhere than at the end does not cover what follows it.
        if "signature=" in request.query + request.body:
            raise VenueError(Refusal.INVALID_SIGNATURE)
        raise errors.missing("signature")
    if not verify(payload.encode(), signature):
        raise VenueError(Refusal.INVALID_SIGNATURE)
