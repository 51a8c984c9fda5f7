"""How the doctor asks over HTTP: once, without repeating, and whatever the answer says is an answer.

The one signed request is that for the key's own permissions, at Binance's spot address: the futures API has none.
https://developers.binance.com/docs/wallet/account/api-key-permission
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import requests
from requests.adapters import BaseAdapter

from withearth.domain.errors import Unavailable

PERMISSIONS: Final = "/sapi/v1/account/apiRestrictions"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered. `payload` is None where it was no JSON."""

    status: int
    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Line:
    """A line to one address. `transport` answers instead of the network."""

    def __init__(self, base_url: str, timeout_ms: int, transport: BaseAdapter | None = None) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_ms / 1000
        self._session = requests.Session()
        self._session.trust_env = False
        if transport is not None:
            self._session.mount(base_url, transport)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to one GET request. Raises Unavailable when none came."""
        try:
            answer = self._session.get(
                self._base_url + path, headers=headers, timeout=self._timeout_s, allow_redirects=False
            )
        except requests.RequestException as error:
            raise Unavailable(
                f"{self._base_url} did not answer ({type(error).__name__}): look at the network of this machine."
            ) from error
        try:
            payload = json.loads(answer.content)
        except ValueError:
            payload = None
        return Reply(answer.status_code, payload, answer.headers)

    def permissions(self, key: str, secret: str, at_ms: int) -> Reply:
        """What the key may do, as the exchange says it. Raises Unavailable."""
        query = urlencode({"recvWindow": 5000, "timestamp": at_ms})
        signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        return self.get(f"{PERMISSIONS}?{query}&signature={signature}", {"X-MBX-APIKEY": key})
