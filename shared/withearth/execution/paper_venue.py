"""The paper exchange in this process, traded through the one Binance adapter, the official SDK and all."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from withearth.domain.clock import Clock
from withearth.execution.binance import BinanceVenue, Connection
from withearth.execution.binance_answers import Heard
from withearth.market.port import Market, MarketOrigin
from withearth.paper.assembly import Assembled, PaperAccount, assemble_exchange, invented_listing, recorded_listing
from withearth.paper.transport import PaperTransport
from withearth.settings import Settings

KIND: Final = "PAPER"
BASE_URL: Final = "https://paper.invalid"
"""Answered by the transport. The name can never be resolved, so a slip cannot reach anybody."""
ACCOUNT: Final = "paper"


class PaperVenue(BinanceVenue):
    """The adapter over an exchange that can be looked into. `watch` is called after every request."""

    def __init__(self, assembled: Assembled, connection: Connection, clock: Clock) -> None:
        super().__init__(connection, clock)
        self.exchange = assembled.face.exchange
        self.watch: Callable[[], None] = lambda: None

    def _ask(self, call: Callable[[], Any], at: datetime) -> Heard:
        heard = super()._ask(call, at)
        self.watch()
        return heard


def open_paper_venue(settings: Settings, market: Market, clock: Clock) -> PaperVenue:
    """A fresh account with PAPER_DEPOSIT_USDT. Raises Misconfigured when a symbol has no price yet."""
    recorded = settings.data_dir if market.origin is MarketOrigin.RECORDED else None
    listed = recorded_listing(recorded, settings.symbols) if recorded else invented_listing(market, settings.symbols)
    account = PaperAccount(ACCOUNT, ACCOUNT, settings.paper_deposit_usdt)
    assembled = assemble_exchange(market, listed, clock, [account])
    transport = PaperTransport(assembled.face, faults=assembled.faults)
    connection = Connection(KIND, BASE_URL, ACCOUNT, ACCOUNT, settings.binance_http_timeout_ms, transport)
    return PaperVenue(assembled, connection, clock)
