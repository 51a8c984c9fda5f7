"""`withearth paper-exchange`: an exchange on this machine that speaks Binance USDⓈ-M."""

import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import typer

from withearth.bootstrap import choose_market
from withearth.cli.console import console, instant, notices, settings_with, stop_signals, wait_until
from withearth.domain.clock import Clock, Timer
from withearth.domain.errors import MarketFault, Misconfigured
from withearth.execution.paper_venue import listed_symbols
from withearth.local.clocks import FastClock, VirtualClock, WallClock
from withearth.market.binance import BinanceMarket
from withearth.market.port import Market
from withearth.paper.assembly import (
    PaperAccount,
    assemble_exchange,
    invented_listing,
    recorded_listing,
)
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.face import Face
from withearth.paper.line import Line
from withearth.paper.live_prices import LivePrices
from withearth.paper.server import serving
from withearth.settings import Settings

DEFAULT_ACCOUNT: Final = "paper:paper:10000"
DEFAULT_PORT: Final = 8090


def paper_exchange(
    market: Annotated[str, typer.Option(help="synthetic, recorded or live.")] = "synthetic",
    data: Annotated[Path | None, typer.Option(help="Directory of recorded market data.")] = None,
    symbols: Annotated[str, typer.Option(help="Comma-separated symbols.")] = "BTCUSDT,ETHUSDT,SOLUSDT,BNBUSDT",
    port: Annotated[int, typer.Option(help="Port on the loopback address; 0 takes a free one.")] = DEFAULT_PORT,
    start: Annotated[str | None, typer.Option("--from", help="The exchange's time at the start (UTC).")] = None,
    speed: Annotated[float, typer.Option(help="Times as fast as the wall's clock; 0 stands still.", min=0)] = 1,
    account: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY:SECRET:DEPOSIT", help="The secret may name a public key in a PEM file; the deposit is in USDT."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="What shapes prices inside a bar, books and made-up ids.")] = 0,
    admin: Annotated[bool, typer.Option("--admin", help="Answer under /admin/ too: prices, clock, faults.")] = False,
    any_time: Annotated[
        bool, typer.Option("--any-time", help="Accept any timestamp, for clients that live in another time.")
    ] = False,
) -> None:
    """Run an exchange that any Binance USDⓈ-M client can be pointed at, until it is stopped."""
    settings = settings_with({"MARKET": market, "DATA_DIR": str(data) if data else None, "SYMBOLS": symbols})
    clock = _clock(instant(start, "--from") if start else None, speed)
    prices = choose_market(settings, clock)
    live = (
        LivePrices(prices, listed_symbols(settings, prices, clock), clock)
        if isinstance(prices, BinanceMarket)
        else None
    )
    assembled = assemble_exchange(
        prices,
        _listing(settings, prices, clock) if live is None else live.instruments,
        clock,
        [_account(text) for text in account or [DEFAULT_ACCOUNT]],
        prices=None if live is None else live.feed,
        seed=seed,
        check_time=not any_time,
    )
    line = Line(assembled.face, assembled.faults, lambda ms: time.sleep(ms / 1000))
    with stop_signals() as stopped, serving(line, port, admin=assembled.admin if admin else None) as address:
        _announce(address, prices, assembled.face.clock.now(), admin=admin)
        wait_until(lambda: stopped() or _keep_up(live, assembled.face))


def _keep_up(live: LivePrices | None, face: Face) -> bool:
    """Follow the live prices, if there are any, and never be done.

    When they cannot be had, the exchange's stand still.
    """
    if live is None:
        return False
    try:
        with face.lock:
            live.keep_up()
    except MarketFault as fault:
        notices.print(f"The prices stand still: {fault}", soft_wrap=True)
    return False


def _listing(settings: Settings, market: Market, clock: Clock) -> Mapping[str, PaperInstrument]:
    symbols = listed_symbols(settings, market, clock)
    if settings.market == "recorded" and settings.data_dir is not None:
        return recorded_listing(settings.data_dir, symbols)
    return invented_listing(market, symbols)


def _clock(start: datetime | None, speed: float) -> Timer:
    wall = WallClock()
    if start is None and speed == 1:
        return wall
    begun = start or wall.now()
    return FastClock(begun, speed) if speed else VirtualClock(begun)


def _account(text: str) -> PaperAccount:
    """Read KEY:SECRET:DEPOSIT. Raises Misconfigured without repeating the secret."""
    key, _, rest = text.partition(":")
    secret, _, deposit = rest.rpartition(":")
    try:
        amount = Decimal(deposit)
    except InvalidOperation:
        amount = Decimal(0)
    if not key or not secret or not amount.is_finite() or amount <= 0:
        raise Misconfigured(f"--account {key}:…: write KEY:SECRET:DEPOSIT, with a deposit in USDT above 0.")
    file = Path(secret)
    return PaperAccount(key, file.read_text() if file.is_file() else secret, amount)


def _announce(address: str, market: Market, now: datetime, *, admin: bool) -> None:
    console.print(f"A paper exchange on a {market.origin.value} market, at {now:%Y-%m-%d %H:%M:%S} UTC.")
    console.print(f"Base URL: {address}", soft_wrap=True)
    if admin:
        notices.print(f"Whoever reaches {address}/admin/ rules it.", soft_wrap=True)
    notices.print("Stop it with Ctrl-C.")
