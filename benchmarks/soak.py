"""Three simulated days of 550 symbols on the live market's adapter, for memory and for the exchange's limits.

Everything of ours is real: dispatcher, decisions, market adapter, account of the limits. The exchange is a lean one in
this process: it answers with the candles of ten series and counts weight as the paper exchange does, with the real
limits, so that one 429 ends the soak. Decisions are forgotten once they are made; what is kept is what a worker keeps.

    python -m benchmarks.soak [days]
"""

import json
import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import parse_qsl

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from benchmarks.fleet import NARROW_BPS, SYMBOLS, WIDE_BPS, FleetMarket, is_narrow, names
from withearth.bootstrap import assemble
from withearth.domain.book import BASIS_POINTS
from withearth.domain.times import TICK, Timeframe, from_ms, to_ms
from withearth.flow.decide import decide
from withearth.flow.dispatch import dispatch
from withearth.flow.runtime import Runtime
from withearth.local.clocks import VirtualClock
from withearth.market.binance import BinanceMarket
from withearth.market.port import Market
from withearth.market.routes import Access
from withearth.market.traffic import Traffic
from withearth.messaging.events import MarketTick, decode
from withearth.messaging.port import MARKET_TICKS, Message
from withearth.paper.engine.errors import VenueError
from withearth.paper.wire.endpoints import TABLE
from withearth.paper.wire.limits import Limits, Meter
from withearth.paper.wire.params import Params
from withearth.settings import load_settings
from withearth.store.port import Increment, Query, Ref, Stored, Write
from withearth.store.sqlite import SqliteStore

BEGIN: Final = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
DAYS: Final = 3.0
GROWTH_MAX: Final = 0.05
ADDRESS: Final = "https://lean.invalid"
_PLACES: Final = 8
_FUNDING_MS: Final = 8 * 3_600_000


class LeanExchange(BaseAdapter):
    """Public endpoints over the candles of a market, and the exchange's own count of weight."""

    def __init__(self, clock: VirtualClock, market: Market, symbols: Sequence[str], limit: int = 2_400) -> None:
        super().__init__()
        self._market, self._symbols, self.meter = market, symbols, Meter(Limits(weight_1m=limit))
        self.heaviest = 0
        self.refused = 0
        self._clock = clock
        self._listing = json.dumps({"symbols": [_listed(symbol) for symbol in symbols], "rateLimits": []}).encode()

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        """Count, and answer."""
        path, _, text = (request.url or "").removeprefix(ADDRESS).partition("?")
        query, now_ms = dict(parse_qsl(text)), to_ms(self._clock.now())
        response: Any = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url
        try:
            self.meter.charge("here", TABLE["GET", path].weight.of(Params(query)), now_ms)
            response._content = self._answer(path, query)  # noqa: SLF001 - as the paper exchange's transport does
        except VenueError:
            self.refused += 1
            response.status_code, response._content = 429, b"{}"  # noqa: SLF001 - see above
        headers = self.meter.weight_header("here", now_ms)
        self.heaviest = max(self.heaviest, int(headers["X-MBX-USED-WEIGHT-1M"]))
        response.headers = CaseInsensitiveDict(headers)
        return response  # type: ignore[no-any-return]

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, path: str, query: Mapping[str, str]) -> bytes:
        match path.rpartition("/")[2]:
            case "klines":
                return self._klines(query)
            case "time":
                return json.dumps({"serverTime": to_ms(self._clock.now())}).encode()
            case "exchangeInfo":
                return self._listing
            case "bookTicker":
                return json.dumps([self._ticker(symbol) for symbol in self._symbols]).encode()
            case "premiumIndex":
                return json.dumps([self._premium(symbol) for symbol in self._symbols]).encode()
            case _:
                return json.dumps(self._depth(query["symbol"])).encode()

    def _klines(self, query: Mapping[str, str]) -> bytes:
        timeframe, until = Timeframe(query["interval"]), from_ms(int(query["endTime"]) + 1)
        bars = self._market.candles(query["symbol"], timeframe, until, int(query["limit"]))
        rows = zip(bars.open_ms.tolist(), bars.ohlcv.T.tolist(), strict=True)
        return json.dumps(
            [[at, *map(repr, row), at + timeframe.ms - 1, "0", 1, "0", "0", "0"] for at, row in rows]
        ).encode()

    def _price(self, symbol: str) -> Decimal:
        bars = self._market.candles(symbol, Timeframe.M5, self._clock.now(), 1)
        return Decimal(repr(float(bars.ohlcv[3, -1])))

    def _ticker(self, symbol: str) -> dict[str, Any]:
        close = self._price(symbol)
        half = close * (NARROW_BPS if is_narrow(symbol) else WIDE_BPS) / BASIS_POINTS / 2
        bid, ask = (str(round(price, _PLACES)) for price in (close - half, close + half))
        return {"symbol": symbol, "bidPrice": bid, "askPrice": ask, "bidQty": "1", "askQty": "1"}

    def _premium(self, symbol: str) -> dict[str, Any]:
        due = (to_ms(self._clock.now()) // _FUNDING_MS + 1) * _FUNDING_MS
        return {"symbol": symbol, "lastFundingRate": "0.0001", "nextFundingTime": due}

    def _depth(self, symbol: str) -> dict[str, Any]:
        close = self._price(symbol)
        step = close * NARROW_BPS / BASIS_POINTS / 2
        sides = ([(str(close + sign * step * level), "100") for level in range(1, 21)] for sign in (-1, 1))
        return dict(zip(("bids", "asks"), sides, strict=True))


def _listed(symbol: str) -> dict[str, Any]:
    asset = {"quoteAsset": "USDT", "marginAsset": "USDT", "underlyingType": "COIN", "deliveryDate": 4133404800000}
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.00001", "maxPrice": "1000000", "tickSize": "0.00001"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "1000000", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ]
    return {"symbol": symbol, "status": "TRADING", "contractType": "PERPETUAL", "filters": filters, **asset}


class Forgetful(SqliteStore):
    """Keeps what is shared between ticks, and forgets what a tick leaves behind."""

    FORGOTTEN: Final = frozenset({"decisions", "labels", "events", "charts", "ticks"})

    def commit(self, writes: Sequence[Write]) -> str:
        """Commit what is kept."""
        kept = [each for each in writes if isinstance(each, Increment) or each.ref.collection not in self.FORGOTTEN]
        return super().commit(kept) if kept else "0"

    def get(self, ref: Ref) -> Stored | None:
        """What is kept."""
        return None if ref.collection in self.FORGOTTEN else super().get(ref)

    def query(self, query: Query) -> list[Stored]:
        """What is kept."""
        return [] if query.collection in self.FORGOTTEN else super().query(query)


class Inline:
    """The bus, which hands each message to the worker at once: as fast as a worker can be, at the dearest moment."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.outcomes: Counter[str] = Counter()

    def publish(self, topic: str, messages: Sequence[Message]) -> list[str]:
        """Decide on every symbol; intents are not executed."""
        if self.runtime is not None and topic == MARKET_TICKS:
            for message in messages:
                decision = decide(self.runtime, decode(MarketTick, message.data))
                self.outcomes[str(decision["blocked_by"] or "INTENT")] += 1
        return []


def soak(days: float = DAYS) -> list[str]:
    """Print an hour a line's worth of memory and weight, and return what did not hold."""
    with TemporaryDirectory() as directory:
        clock, inline = VirtualClock(BEGIN), Inline()
        exchange = LeanExchange(clock, FleetMarket(names()), names())
        store = Forgetful(Path(directory) / "store.db")
        values = {"SYMBOLS": "all", "STATE_DIR": directory, "MARKET": "synthetic"}
        chosen = assemble(load_settings(values, env_file=None), clock, store, inline)
        traffic = Traffic("lean", clock, store)
        market = BinanceMarket(Access(ADDRESS, transport=exchange), clock, traffic)
        inline.runtime = runtime = _with(chosen, market, traffic)
        memory = _run(runtime, clock, exchange, inline, days)
        store.close()
    return _verdict(memory, exchange)


def _with(runtime: Runtime, market: BinanceMarket, traffic: Traffic) -> Runtime:
    return replace(runtime, market=market, traffic=traffic)


def _run(
    runtime: Runtime, clock: VirtualClock, exchange: LeanExchange, inline: Inline, days: float
) -> list[tuple[timedelta, float]]:
    """Run the ticks, and return resident megabytes at every simulated hour, from the first one on."""
    memory: list[tuple[timedelta, float]] = []
    ticks = int(timedelta(days=days) / TICK)
    for number in range(ticks):
        clock.set(max(clock.now(), BEGIN + number * TICK))
        dispatch(runtime)
        if number % 12 == 11:  # noqa: PLR2004 - twelve ticks are an hour
            memory.append((clock.now() - BEGIN, _resident_mb()))
            if number % 72 == 71:  # noqa: PLR2004 - a line every six hours
                worst = f"heaviest minute {exchange.heaviest}, refused {exchange.refused}"
                print(f"{memory[-1][0]!s:>18}  {memory[-1][1]:6.0f} MB  {worst}  {dict(inline.outcomes)}", flush=True)
                inline.outcomes.clear()
    return memory


def _verdict(memory: list[tuple[timedelta, float]], exchange: LeanExchange) -> list[str]:
    first, sizes = memory[0][1], [size for _, size in memory]
    growth = max(abs(size / first - 1) for size in sizes)
    print(f"{SYMBOLS} symbols: {first:.0f} MB after the first hour, within ± {growth:.1%} since")
    print(f"heaviest minute: {exchange.heaviest} of {exchange.meter.limits.weight_1m}, {exchange.refused} refused")
    checks = (
        (growth <= GROWTH_MAX, f"memory moved by {growth:.1%} after the first hour, the target is {GROWTH_MAX:.0%}"),
        (exchange.refused == 0, f"the exchange refused {exchange.refused} requests"),
    )
    return [miss for kept, miss in checks if not kept]


def _resident_mb() -> float:
    """Resident memory of the process that runs."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    misses = soak(float(sys.argv[1]) if len(sys.argv) > 1 else DAYS)
    for miss in misses:
        print(f"TARGET MISSED: {miss}", file=sys.stderr)
    sys.exit(1 if misses else 0)
