"""A paper exchange to be tested through its wire: a market moved by hand, the SDK on it, and a server."""

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from Crypto.PublicKey import ECC, RSA

from tests.fakes.clock import ManualClock
from withearth.domain.clock import Clock
from withearth.domain.instrument import Instrument
from withearth.domain.times import Timeframe, to_ms
from withearth.local.clocks import WallClock
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.instruments import PaperInstrument, made_up_instrument, paper_instrument
from withearth.paper.engine.kinds import OrderSide, OrderType
from withearth.paper.engine.orders import PlaceOrder
from withearth.paper.face import Face
from withearth.paper.faults import Fault, FaultKind, FaultQueue, Fired
from withearth.paper.feed import FundingTerms, PriceLevel, Span, Tick
from withearth.paper.line import Line
from withearth.paper.server import serving
from withearth.paper.transport import PaperTransport
from withearth.paper.wire.security import ApiKey

BTC: Final = "BTCUSDT"
DOT: Final = "DOTUSDT"
FUNDING_RATE: Final = Decimal("0.0001")
FUNDING_MS: Final = 8 * 3_600_000
LEVELS: Final = 1_500
NOON: Final = datetime(2026, 9, 19, 12, tzinfo=UTC)
DEPOSIT: Final = Decimal(10_000)
KEY: Final = "key-of-the-tests"
SECRET: Final = "secret-of-the-tests"  # noqa: S105
ACCOUNT: Final = "trader"
LIVE_URL: Final = "https://fapi.binance.com"
_PRICES: Final = {BTC: "50000.0", DOT: "1.1350"}
_BAR_MS: Final = Timeframe.M5.ms
_WAVE: Final = (0, 3, 5, 6, 5, 3, 0, -3, -5, -6, -5, -3)
_DEPTH: Final = Decimal(200)


def data_dir() -> Path | None:
    """`$WITHEARTH_DATA`, else `../shared/data` beside the repository; None where nothing is recorded."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    directory = Path(os.environ.get("WITHEARTH_DATA", beside))
    return directory if (directory / "binance_wire" / "SOURCES.md").is_file() else None


def wire_dir() -> Path | None:
    """Where the recorded answers of the exchange lie, None where they do not."""
    directory = data_dir()
    return None if directory is None else directory / "binance_wire"


@dataclass(slots=True)
class HandFeed:
    """A price feed whose prices are set by hand. Before its start a small wave closes a bar every five minutes.

    The best ask is the last price, the best bid one tick below it; every level holds 200.
    """

    start_ms: int
    prices: dict[str, Decimal]
    tick_sizes: dict[str, Decimal]
    _times: dict[str, list[int]] = field(init=False)
    _set: dict[str, list[Decimal]] = field(init=False)

    def __post_init__(self) -> None:
        self._times = {symbol: [self.start_ms] for symbol in self.prices}
        self._set = {symbol: [price] for symbol, price in self.prices.items()}

    def move(self, symbol: str, at_ms: int, price: Decimal) -> None:
        """From an instant on, later than any other that was set, trade at this price."""
        self._times[symbol].append(at_ms)
        self._set[symbol].append(price)

    def symbols(self) -> Sequence[str]:
        """The symbols that have prices."""
        return tuple(self.prices)

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The tick in force at an instant."""
        if at_ms < self.start_ms:
            return self._wave(symbol, at_ms - at_ms % _BAR_MS)
        index = bisect_right(self._times[symbol], at_ms) - 1
        return self._tick(symbol, self._times[symbol][index], self._set[symbol][index])

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The ticks with after < time ≤ until."""
        first = after_ms - after_ms % _BAR_MS + _BAR_MS
        waves = range(first, min(until_ms + 1, self.start_ms), _BAR_MS)
        times = self._times[symbol]
        by_hand = times[bisect_right(times, after_ms) : bisect_right(times, until_ms)]
        return [self.tick(symbol, at_ms) for at_ms in (*waves, *by_hand)]

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """Bounds of the ticks with after < time ≤ until."""
        prices = [tick.last for tick in self.steps(symbol, after_ms, until_ms)]
        return Span(min(prices), max(prices)) if prices else None

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the book, best price first."""
        tick, size = self.tick(symbol, at_ms), self.tick_sizes[symbol]
        best, step = (tick.ask, size) if asks else (tick.bid, -size)
        return (PriceLevel(best + step * level, _DEPTH) for level in range(LEVELS))

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """The same rate every eight hours."""
        if symbol not in self.prices:
            raise KeyError(symbol)
        return FundingTerms(FUNDING_RATE, at_ms - at_ms % FUNDING_MS + FUNDING_MS, FUNDING_MS)

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """The settlements with after < time ≤ until."""
        first = self.funding(symbol, after_ms).next_ms
        return [(at_ms, FUNDING_RATE) for at_ms in range(first, until_ms + 1, FUNDING_MS)]

    def _wave(self, symbol: str, at_ms: int) -> Tick:
        height = _WAVE[at_ms // _BAR_MS % len(_WAVE)]
        return self._tick(symbol, at_ms, self.prices[symbol] + height * self.tick_sizes[symbol])

    def _tick(self, symbol: str, at_ms: int, last: Decimal) -> Tick:
        bid = last - self.tick_sizes[symbol]
        return Tick(time_ms=at_ms, last=last, mark=last, index=last, bid=bid, ask=last, volume=_DEPTH)


@cache
def listing() -> Mapping[str, PaperInstrument]:
    """BTC as it is listed, and DOT as it was when the live exchange answered for it: with six places of price."""
    btc = _a_listing(BTC, tick="0.1", step="0.001", max_qty="1000", min_notional="50")
    dot = _a_listing(DOT, tick="0.0001", step="0.1", max_qty="1000000", min_notional="5")
    return {
        BTC: paper_instrument({**btc.raw, "pricePrecision": 2, "underlyingSubType": ["PoW"]}),
        DOT: paper_instrument({**dot.raw, "pricePrecision": 6, "underlyingSubType": ["Layer-1"]}),
    }


def _a_listing(symbol: str, *, tick: str, step: str, max_qty: str, min_notional: str) -> PaperInstrument:
    return made_up_instrument(
        Instrument(
            symbol=symbol,
            tick_size=Decimal(tick),
            step_size=Decimal(step),
            min_qty=Decimal(step),
            max_qty=Decimal(max_qty),
            min_notional=Decimal(min_notional),
            min_price=Decimal(tick),
            max_price=Decimal(1_000_000),
        )
    )


def an_exchange(now_ms: int, feed: HandFeed, instruments: Mapping[str, PaperInstrument] | None = None) -> PaperExchange:
    """An exchange with one account that has paid in."""
    exchange = PaperExchange(instruments or listing(), feed, now_ms=now_ms)
    exchange.open_account(ACCOUNT, {"USDT": DEPOSIT})
    return exchange


def a_feed(start_ms: int, instruments: Mapping[str, PaperInstrument] | None = None) -> HandFeed:
    """Every symbol at its first price."""
    tick_sizes = {symbol: each.tick_size for symbol, each in (instruments or listing()).items()}
    return HandFeed(start_ms, {symbol: Decimal(_PRICES.get(symbol, "1")) for symbol in tick_sizes}, tick_sizes)


@cache
def a_key_pair(kind: str, *, other: bool = False) -> tuple[str, str]:
    """A private and a public key of a kind, "RSA" or "Ed25519", as PEM texts; `other` is a second pair."""
    del other
    if kind == "RSA":
        rsa = RSA.generate(2048)
        return rsa.export_key().decode(), rsa.public_key().export_key().decode()
    edwards = ECC.generate(curve="Ed25519")
    return edwards.export_key(format="PEM", use_pkcs8=True), edwards.public_key().export_key(format="PEM")


class Venue:
    """The official SDK's client on a paper exchange in this process, and the hands that move market and time.

    `status`, `headers` and `answer` are those of the newest response, as it came over the wire.
    """

    def __init__(self, instruments: Mapping[str, PaperInstrument] | None = None) -> None:
        self.clock = ManualClock(NOON)
        self.feed = a_feed(self.now_ms(), instruments)
        self.faults = FaultQueue()
        exchange = an_exchange(self.now_ms(), self.feed, instruments)
        self.face = Face(exchange, self.clock, [ApiKey(KEY, SECRET, ACCOUNT)])
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.answer: Any = None
        self._off_ms = 0
        self.rest = self.client(api_secret=SECRET)

    def client(
        self, *, api_secret: str | None = None, private_key: str | None = None, public_key: str | None = None
    ) -> Any:
        """Another client of the account. With a key pair, its public key takes the place of the secret."""
        if public_key is not None:
            self.face.gate.admit(ApiKey(KEY, public_key, ACCOUNT))
        rest: Any = DerivativesTradingUsdsFutures(
            config_rest_api=ConfigurationRestAPI(
                api_key=KEY,
                api_secret=api_secret,
                private_key=private_key,
                base_path=LIVE_URL,
                timeout=5_000,
                retries=0,
            )
        ).rest_api
        rest._session.mount("https://", PaperTransport(self.face, faults=self.faults, pause=self.pass_time))
        rest._session.hooks["response"].append(self._remember)
        return rest

    def _remember(self, response: Any, *_: Any, **__: Any) -> None:
        self.status, self.headers = response.status_code, response.headers
        self.answer = response.json() if response.content else None

    def now_ms(self) -> int:
        """The exchange's time."""
        return to_ms(self.clock.now())

    def client_ms(self) -> int:
        """What the client takes for the time."""
        return self.now_ms() + self._off_ms

    def clock_off_by(self, offset_ms: int) -> None:
        """Let the client's clock go wrong."""
        self._off_ms = offset_ms

    def pass_time(self, ms: int) -> None:
        """Let time pass; nothing is traded meanwhile."""
        self.clock.advance(timedelta(milliseconds=ms))

    def trade_at(self, symbol: str, price: str) -> None:
        """A second later, the market trades at a price."""
        self.pass_time(1_000)
        self.feed.move(symbol, self.now_ms(), Decimal(price))
        self.face.exchange.advance(self.now_ms())

    def patience_ms(self, ms: int) -> None:
        """How long the client waits for an answer."""
        self.rest.configuration.timeout = ms

    def fault(self, kind: FaultKind, **options: Any) -> None:
        """Let a matching request meet a fault."""
        self.faults.add(Fault(kind, **options))

    @property
    def fired(self) -> Sequence[Fired]:
        """The faults that happened."""
        return self.faults.fired

    def forgive(self) -> None:
        """Forget weights used, bans, and the newest answer."""
        self.face.meter = type(self.face.meter)(self.face.meter.limits)
        self.status = self.answer = None

    def refused(self, code: int, call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Make a call that has to be refused with a code, under HTTP status 400."""
        with pytest.raises(BadRequestError) as refusal:
            call(*args, **kwargs)
        assert (code, 400) == (refusal.value.status_code, self.status)


@dataclass(frozen=True, slots=True)
class HttpVenue:
    """A paper exchange behind a loopback port. Its clock is the wall's, as its clients' are."""

    url: str
    key: str
    secret: str
    exchange: PaperExchange
    faults: FaultQueue

    def bought_hours_ago(self, symbol: str, quantity: str) -> None:
        """Give the account a position that was opened before the latest settlement. Only before the first request."""
        account = self.exchange.account(ACCOUNT)
        request = PlaceOrder(symbol=symbol, side=OrderSide.BUY, type=OrderType.MARKET, quantity=Decimal(quantity))
        self.exchange.place(account, request)


@contextmanager
def serve() -> Iterator[HttpVenue]:
    """Serve an exchange whose books begin an hour before the newest settlement, whatever time of day it is."""
    clock: Clock = WallClock()
    now_ms = to_ms(clock.now())
    exchange = an_exchange(now_ms - now_ms % FUNDING_MS - 3_600_000, a_feed(now_ms))
    face = Face(exchange, clock, [ApiKey(KEY, SECRET, ACCOUNT)])
    faults = FaultQueue()
    with serving(Line(face, faults), 0) as url:
        yield HttpVenue(url, KEY, SECRET, exchange, faults)
