"""A wire face to be spoken to in its own words, without any client's help."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from withearth.domain.times import from_ms, to_ms
from withearth.local.clocks import VirtualClock
from withearth.market.synthetic_listing import listing_of
from withearth.paper.clocks import SteeredClock
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.instruments import made_up_instrument
from withearth.paper.face import Face
from withearth.paper.faults import Fault, FaultQueue
from withearth.paper.feed_series import ScriptedFeed
from withearth.paper.line import Delivery, Line
from withearth.paper.steered import SteeredBars, SteeredFeed
from withearth.paper.wire.bars import FeedBars
from withearth.paper.wire.limits import Limits
from withearth.paper.wire.request import WireAnswer, WireRequest
from withearth.paper.wire.security import ApiKey

BTC: Final = "BTCUSDT"
PRICE: Final = Decimal(65_000)
NOON_MS: Final = to_ms(datetime(2026, 9, 19, 12, tzinfo=UTC))
KEY: Final = "k" * 64
SECRET: Final = "s" * 64
NO_LIMITS: Final = Limits(10**9, 10**9, 10**9, 10**9)


class Counter:
    """The counter of an exchange with one symbol, one account and a clock that stands still until it is moved."""

    def __init__(
        self, *faults: Fault, limits: Limits | None = None, keys: Iterable[ApiKey] = (ApiKey(KEY, SECRET, KEY),)
    ) -> None:
        instruments = {BTC: made_up_instrument(listing_of(BTC).instrument)}
        self.prices = ScriptedFeed(instruments)
        self.prices.set_price(BTC, NOON_MS - 86_400_000, PRICE)
        self.feed = SteeredFeed(self.prices)
        self.clock = SteeredClock(VirtualClock(from_ms(NOON_MS)))
        exchange = PaperExchange(instruments, self.feed, now_ms=NOON_MS)
        exchange.open_account(KEY, {"USDT": Decimal(10_000)})
        bars = SteeredBars(FeedBars(self.prices), self.feed)
        self.face = Face(exchange, self.clock, keys, bars=bars, limits=limits)
        self.faults = FaultQueue(pending=list(faults))
        self.line = Line(self.face, self.faults, self.clock.advance)

    def get(self, path: str, **sent: object) -> WireAnswer:
        """Ask without a key."""
        return self.face.answer(WireRequest("GET", f"/fapi/v1/{path}", urlencode(sent)))

    def signed(self, method: str, path: str, **sent: object) -> WireRequest:
        """A request of the account, correctly signed."""
        query = signed_query({**sent, "timestamp": sent.get("timestamp", self.face.now_ms())})
        return WireRequest(method, f"/fapi/v1/{path}", query, api_key=KEY)

    def ask(self, method: str, path: str, **sent: object) -> WireAnswer:
        """Send it, past the line and its faults."""
        return self.face.answer(self.signed(method, path, **sent))

    def send(self, method: str, path: str, **sent: object) -> Delivery:
        """Send it over the line."""
        return self.line.deliver(self.signed(method, path, **sent))

    def buy(self, **changes: object) -> Delivery:
        """Send a limit order to buy, far below the price, over the line."""
        order = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "60000"}
        return self.send("POST", "order", **{**order, "timeInForce": "GTC", **changes})

    def open_orders(self) -> list[Any]:
        """What GET /openOrders answers, past the line."""
        rows = read(self.ask("GET", "openOrders", symbol=BTC))
        assert isinstance(rows, list)
        return rows


def signed_query(sent: dict[str, object], secret: str = SECRET) -> str:
    """A query with its signature at the end."""
    query = urlencode(sent)
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"


def read(answer: WireAnswer | None) -> Any:
    """The document of an answer that came."""
    assert answer is not None
    return json.loads(answer.body)


def refusal(answer: WireAnswer | None) -> tuple[int, int]:
    """The HTTP status and the exchange's code of a refusal."""
    assert answer is not None
    return answer.status, read(answer)["code"]
