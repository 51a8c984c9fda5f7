"""Puts a paper exchange together from a market of candles: listing, feed, engine, face."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from withearth.domain.clock import Clock
from withearth.domain.errors import MarketFault, Misconfigured
from withearth.domain.times import from_ms, to_ms
from withearth.market.port import Market
from withearth.paper.admin import Admin
from withearth.paper.clocks import SteeredClock
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.instruments import PaperInstrument, listed_instruments, made_up_instrument
from withearth.paper.face import Face
from withearth.paper.faults import FaultQueue
from withearth.paper.feed import PriceFeed
from withearth.paper.feed_market import MarketFeed
from withearth.paper.steered import SteeredBars, SteeredFeed
from withearth.paper.wire.bars import MarketBars
from withearth.paper.wire.limits import Limits
from withearth.paper.wire.security import ApiKey

DEPOSIT_ASSET: Final = "USDT"


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """An account to start with. `secret` is an HMAC secret, or a public key in PEM form."""

    key: str
    secret: str
    deposit: Decimal


@dataclass(frozen=True, slots=True)
class Assembled:
    """An exchange that is ready, and what it can be ruled with."""

    face: Face
    clock: SteeredClock
    faults: FaultQueue
    admin: Admin


def assemble_exchange(
    market: Market,
    instruments: Mapping[str, PaperInstrument],
    clock: Clock,
    accounts: Iterable[PaperAccount],
    *,
    prices: PriceFeed | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    check_time: bool = True,
) -> Assembled:
    """An exchange over a market, at its candles' prices unless other `prices` are given.

    Raises Misconfigured when a symbol has no price at the clock's present.
    """
    steered, faults = SteeredClock(clock), FaultQueue(seed)
    now_ms = to_ms(steered.now())
    feed = SteeredFeed(prices or MarketFeed(market, instruments, seed=seed))
    _refuse_unpriced(feed, instruments, now_ms)
    exchange, keys = PaperExchange(instruments, feed, now_ms=now_ms, seed=seed), []
    for account in accounts:
        exchange.open_account(account.key, {DEPOSIT_ASSET: account.deposit})
        keys.append(ApiKey(account.key, account.secret, account.key))
    bars = SteeredBars(MarketBars(market), feed)
    face = Face(exchange, steered, keys, bars=bars, limits=limits, check_time=check_time)
    return Assembled(face, steered, faults, Admin(face, steered, feed, faults))


def _refuse_unpriced(feed: SteeredFeed, symbols: Iterable[str], now_ms: int) -> None:
    for symbol in symbols:
        try:
            feed.tick(symbol, now_ms)
        except (KeyError, MarketFault) as error:
            at = from_ms(now_ms).isoformat()
            raise Misconfigured(f"{symbol} has no price at {at}: choose another instant, or leave it out.") from error


def invented_listing(market: Market, symbols: Iterable[str]) -> dict[str, PaperInstrument]:
    """Instruments with the market's own filters, and everything else as on most symbols."""
    return {symbol: made_up_instrument(market.instrument(symbol)) for symbol in symbols}


def recorded_listing(directory: Path, symbols: Iterable[str]) -> dict[str, PaperInstrument]:
    """Instruments from the newest recorded exchangeInfo, leverageBracket and fundingInfo. Raises Misconfigured."""
    wanted = tuple(symbols)
    listed = listed_instruments(
        _newest(directory, "fapi-v1-exchangeInfo.json") or {"symbols": []},
        _newest(directory, "fapi-v1-leverageBracket.json") or [],
        _newest(directory, "fapi-v1-fundingInfo.json") or [],
        only=wanted,
    )
    missing = [symbol for symbol in wanted if symbol not in listed]
    if missing:
        raise Misconfigured(f"{', '.join(missing)} is in no exchangeInfo recorded in {directory}: leave it out.")
    return listed


def _newest(directory: Path, name: str) -> Any:
    # The folder above the file is the instant of the recording, so the newest one sorts last.
    found = max(directory.glob(f"api/recorded/*/{name}"), default=None)
    return None if found is None else json.loads(found.read_bytes())
