"""The paper exchange in this process, traded through the one Binance adapter, the official SDK and all."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from withearth.domain.clock import Clock
from withearth.domain.errors import MarketFault, Misconfigured
from withearth.execution.binance import BinanceVenue
from withearth.execution.binance_answers import Heard
from withearth.execution.binance_line import Connection
from withearth.market.binance import BinanceMarket
from withearth.market.port import Market, MarketOrigin
from withearth.paper.assembly import Assembled, PaperAccount, assemble_exchange, invented_listing, recorded_listing
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.live_prices import LivePrices
from withearth.paper.transport import PaperTransport
from withearth.settings import Settings

KIND: Final = "PAPER"
BASE_URL: Final = "https://paper.invalid"
"""Answered by the transport. The name can never be resolved, so a slip cannot reach anybody."""
ACCOUNT: Final = "paper"

log = logging.getLogger(__name__)


class PaperVenue(BinanceVenue):
    """The adapter over an exchange that can be looked into. `watch` is called after every request.

    With live `prices` it asks for them before every request; while they cannot be had, it cannot be reached.
    """

    def __init__(
        self,
        assembled: Assembled,
        connection: Connection,
        clock: Clock,
        *,
        hedge_mode: bool = False,
        prices: LivePrices | None = None,
    ) -> None:
        super().__init__(connection, clock)
        self.exchange = assembled.face.exchange
        self._face = assembled.face
        self._hedge_mode = hedge_mode
        self._prices = prices
        self._set_up()
        self.watch: Callable[[], None] = lambda: None

    def keep_in(self, books: Path) -> None:
        """Go on with the exchange's books in this file, if it exists, and write them there after every request.

        Raises Misconfigured when the file holds no such books, or something on a symbol that is not listed now.
        """
        if books.exists():
            try:
                self.exchange.restore(json.loads(books.read_bytes()))
            except (ValueError, KeyError, TypeError) as error:
                raise Misconfigured(f"{books} does not hold a paper exchange's books: move it away.") from error
            unlisted = sorted(self._symbols_in_use() - self.exchange.instruments.keys())
            if unlisted:
                raise Misconfigured(
                    f"{books} holds {', '.join(unlisted)}, which SYMBOLS does not list: add it, or move the file away."
                )
        self._set_up()
        self.watch = lambda: self._write(books)

    def keep_up(self) -> None:
        """Let what waits meet the newest of the live prices, also while nobody asks. Raises MarketFault."""
        with self._face.lock:
            if self._prices is not None and self._symbols_in_use() and self._prices.keep_up():
                self.exchange.advance(self._face.now_ms())
                self.watch()

    def _symbols_in_use(self) -> set[str]:
        """Where something is held, or waits."""
        account = self.exchange.account(ACCOUNT)
        places = (account.held(), account.open_orders.values(), account.open_algos.values())
        return {each.symbol for place in places for each in place}

    def _set_up(self) -> None:
        """Bring the account into the position mode that is wanted, as its owner would; one in use stays as it is."""
        account = self.exchange.account(ACCOUNT)
        if account.dual_side is not self._hedge_mode and not self._symbols_in_use():
            self.exchange.set_position_mode(account, dual_side=self._hedge_mode)

    def _ask(self, call: Callable[[], Any], at: datetime) -> Heard:
        if not self._has_prices():
            return Heard(None, "", sent=False)
        heard = super()._ask(call, at)
        self.watch()
        return heard

    def _has_prices(self) -> bool:
        if self._prices is None:
            return True
        try:
            with self._face.lock:
                self._prices.keep_up()
        except MarketFault as fault:
            log.warning("paper_prices_unread: %s", fault)
            return False
        return True

    def _write(self, books: Path) -> None:
        # Several threads ask at once: the books are read, and their file is replaced, by one at a time.
        with self._face.lock:
            _write_whole(books, self.exchange.snapshot())


def _write_whole(path: Path, document: Mapping[str, Any]) -> None:
    """Replace the file in one step, so that a crash leaves the old or the new one."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(document), encoding="utf-8")
    beside.replace(path)


def open_paper_venue(settings: Settings, market: Market, clock: Clock) -> PaperVenue:
    """A fresh account with PAPER_DEPOSIT_USDT. Raises Misconfigured when a symbol has no price yet."""
    if isinstance(market, BinanceMarket):
        return _over_live_prices(settings, market, clock)
    recorded = settings.data_dir if market.origin is MarketOrigin.RECORDED else None
    symbols = listed_symbols(settings, market, clock)
    listed = recorded_listing(recorded, symbols) if recorded else invented_listing(market, symbols)
    return _opened(settings, market, listed, clock)


def listed_symbols(settings: Settings, market: Market, clock: Clock) -> tuple[str, ...]:
    """What the paper exchange lists: the named symbols, or all there are now where SYMBOLS names none."""
    return settings.symbols if settings.names_symbols else market.tradable(clock.now())


def _over_live_prices(settings: Settings, market: BinanceMarket, clock: Clock) -> PaperVenue:
    """The paper exchange at the real one's prices, looked up again while it is being asked."""
    prices = LivePrices(market, listed_symbols(settings, market, clock), clock)
    return _opened(settings, market, prices.instruments, clock, prices)


def _opened(
    settings: Settings,
    market: Market,
    listed: Mapping[str, PaperInstrument],
    clock: Clock,
    prices: LivePrices | None = None,
) -> PaperVenue:
    account = PaperAccount(ACCOUNT, ACCOUNT, settings.paper_deposit_usdt)
    assembled = assemble_exchange(market, listed, clock, [account], prices=None if prices is None else prices.feed)
    transport = PaperTransport(assembled.face, faults=assembled.faults)
    connection = Connection(KIND, BASE_URL, ACCOUNT, ACCOUNT, settings.binance_http_timeout_ms, transport)
    hedge_mode = settings.position_mode == "HEDGE"
    return PaperVenue(assembled, connection, clock, hedge_mode=hedge_mode, prices=prices)
