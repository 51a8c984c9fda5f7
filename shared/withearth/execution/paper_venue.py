"""The paper exchange in this process, traded through the one Binance adapter, the official SDK and all."""

from typing import Final

from withearth.domain.clock import Clock
from withearth.execution.binance import BinanceVenue, Connection
from withearth.market.port import Market, MarketOrigin
from withearth.paper.assembly import PaperAccount, assemble_exchange, invented_listing, recorded_listing
from withearth.paper.transport import PaperTransport
from withearth.settings import Settings

KIND: Final = "PAPER"
BASE_URL: Final = "https://paper.invalid"
"""Answered by the transport. The name can never be resolved, so a slip cannot reach anybody."""
KEY: Final = "paper"


def open_paper_venue(settings: Settings, market: Market, clock: Clock) -> BinanceVenue:
    """A fresh account with PAPER_DEPOSIT_USDT. Raises Misconfigured when a symbol has no price yet."""
    recorded = settings.data_dir if market.origin is MarketOrigin.RECORDED else None
    listed = recorded_listing(recorded, settings.symbols) if recorded else invented_listing(market, settings.symbols)
    account = PaperAccount(KEY, KEY, settings.paper_deposit_usdt)
    exchange = assemble_exchange(market, listed, clock, [account])
    transport = PaperTransport(exchange.face, faults=exchange.faults)
    return BinanceVenue(Connection(KIND, BASE_URL, KEY, KEY, settings.binance_http_timeout_ms, transport), clock)
