"""The world outside: a paper exchange in the place of Binance, and a line to it on which anything can go wrong."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter

from withearth.domain.clock import Timer
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.synthetic import SyntheticMarket
from withearth.market.traffic import Traffic
from withearth.paper.assembly import Assembled, assemble_exchange, invented_listing
from withearth.paper.transport import PaperTransport

ADDRESS: Final = "https://outside.invalid"
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
KLINES: Final = "/fapi/v1/klines"
DEPTH: Final = "/fapi/v1/depth"
BOOK_TICKER: Final = "/fapi/v1/ticker/bookTicker"
PREMIUM_INDEX: Final = "/fapi/v1/premiumIndex"
LISTING: Final = "/fapi/v1/exchangeInfo"

Spoil = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong with the requests to one path, of one symbol or of all.

    `error` is raised instead of asking; `status` answers instead; `spoil` changes the body of a good answer; `instead`
    asks about another symbol.
    """

    path: str = ""
    symbol: str | None = None
    error: Exception | None = None
    status: int | None = None
    body: bytes = b""
    spoil: Spoil | None = None
    instead: str | None = None

    def meets(self, path: str, symbol: str | None) -> bool:
        """Whether it is about such a request."""
        return path.endswith(self.path) and self.symbol in {None, symbol}


@dataclass
class Network(BaseAdapter):
    """The line to the exchange. `asked` is every request that got through, as path and parameters."""

    inner: PaperTransport
    mishap: Mishap | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """The exchange's answer, or what the mishap makes of it."""
        parts = urlsplit(request.url or "")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path, query))
        mishap = self.mishap
        if mishap is None or not mishap.meets(parts.path, query.get("symbol")):
            return self.inner.send(request, **options)
        return self._gone_wrong(mishap, request, options)

    def _gone_wrong(
        self, mishap: Mishap, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        if mishap.error is not None:
            raise mishap.error
        if mishap.instead is not None:
            request.url = (request.url or "").replace(f"symbol={mishap.symbol}", f"symbol={mishap.instead}")
        response = self.inner.send(request, **options)
        if mishap.status is not None:
            response.status_code, response._content = mishap.status, mishap.body
        if mishap.spoil is not None:
            response._content = mishap.spoil(response.content)
        return response

    def close(self) -> None:
        """Nothing is open."""

    def count(self, path: str) -> int:
        """How many requests to a path got through."""
        return sum(path == asked for asked, _ in self.asked)


@dataclass
class Outside:
    """A paper exchange on a synthetic market, and the network that leads to it."""

    truth: SyntheticMarket
    exchange: Assembled
    network: Network

    @classmethod
    def with_symbols(cls, symbols: Sequence[str], clock: Timer) -> "Outside":
        """An exchange that lists these symbols."""
        truth = SyntheticMarket(7, symbols, start=START, spread_bps=Decimal(1))
        exchange = assemble_exchange(truth, invented_listing(truth, symbols), clock, [])
        return cls(truth, exchange, Network(PaperTransport(exchange.face)))

    def market(self, clock: Timer, traffic: Traffic | None = None, **options: Any) -> BinanceMarket:
        """The live market adapter over this network."""
        return BinanceMarket(Access(ADDRESS, transport=self.network), clock, traffic, **options)

    @property
    def used_weight(self) -> int:
        """What the exchange has counted in its present minute."""
        now_ms = self.exchange.face.now_ms()
        headers = self.exchange.face.meter.weight_header(self.network.inner._address, now_ms)
        return int(headers["X-MBX-USED-WEIGHT-1M"])


def rows(change: Callable[[list[Any]], list[Any]]) -> Spoil:
    """A spoilt answer of rows."""
    return lambda body: json.dumps(change(json.loads(body))).encode()
