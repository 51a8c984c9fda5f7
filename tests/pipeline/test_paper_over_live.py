"""Paper trading at live prices: decisions from the live market adapter, orders to a paper exchange that follows it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.installation import START, SYMBOLS, AlwaysLong, Installation, settings_of
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.domain.times import to_ms
from withearth.execution.binance_answers import NOT_SENT
from withearth.execution.orders import Action, Conditional, Order, Rejected, TimeInForce, Trigger
from withearth.execution.paper_venue import ACCOUNT, PaperVenue, open_paper_venue
from withearth.flow.runtime import Runtime
from withearth.local.clocks import VirtualClock
from withearth.local.cloud import run_until
from withearth.local.scheduler import RECONCILER, Scheduler
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import Assembled, assemble_exchange, invented_listing
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import IncomeType
from withearth.paper.faults import Fault, FaultKind
from withearth.paper.transport import PaperTransport
from withearth.paper.wire.request import WireRequest
from withearth.store.port import Query

TRUTH = SyntheticMarket(7, SYMBOLS.split(","), start=datetime(2026, 1, 1, tzinfo=UTC), spread_bps=Decimal(1))
LISTED = invented_listing(TRUTH, SYMBOLS.split(","))
SYMBOL = "BTCUSDT"
POLL = timedelta(seconds=2)


class Outside:
    """A live exchange, which another paper exchange stands in for."""

    def __init__(self, clock: VirtualClock, listed: Mapping[str, PaperInstrument] = LISTED) -> None:
        self.clock = clock
        self.assembled: Assembled = assemble_exchange(TRUTH, listed, clock, [])
        transport = PaperTransport(self.assembled.face, faults=self.assembled.faults)
        self.market = BinanceMarket(Access("https://outside.invalid", retries=0, transport=transport), clock)

    def moves(self, price: Decimal) -> None:
        """The price of SYMBOL is another one, and some time passes."""
        body = f'{{"symbol": "{SYMBOL}", "price": "{price}"}}'
        assert 200 == self.assembled.admin.answer(WireRequest("POST", "/admin/price", body=body)).status
        self.clock.sleep(POLL)

    def venue(self, directory: Path, **changes: str) -> PaperVenue:
        """A paper exchange at its prices."""
        return open_paper_venue(settings_of(directory, **changes), self.market, self.clock)


def holding(outside: Outside, venue: PaperVenue) -> Decimal:
    """Let the account hold a long of SYMBOL, and give the price."""
    entered = Order(SYMBOL, "entry", Action.BUY, Decimal("0.1"), None, TimeInForce.GTC)
    venue.place(entered, outside.clock.now())
    position = venue.truth(SYMBOL).position
    assert Decimal("0.1") == position.qty
    return position.entry_price


def over_live(installation: Installation) -> Runtime:
    """The installation's runtime on a live market."""
    market = Outside(installation.clock).market
    venue = open_paper_venue(installation.runtime.settings, market, installation.clock)
    return replace(installation.runtime, market=market, venue=venue, predictor=AlwaysLong())


def test_trades_open_and_close_at_live_prices(tmp_path: Path) -> None:
    """Every trade ends in the journal as PAPER on LIVE prices, and its net pnl is the paper exchange's income."""
    installation = Installation(tmp_path, MIN_VOL_FRAC="0", HORIZON_MIN="10")
    installation.runtime = over_live(installation)
    installation.run(1)
    clock = installation.clock
    let_end = Scheduler([RECONCILER], clock.now())
    run_until(installation.cloud(), clock, let_end, clock.now() + timedelta(minutes=20), lambda _at: None)

    trades = [each.data for each in installation.store.query(Query("trades"))]
    assert len(trades) > 3
    assert {(each["mode"], each["market"], each["status"]) for each in trades} == {("PAPER", "LIVE", "CLOSED")}
    venue = installation.runtime.venue
    assert isinstance(venue, PaperVenue)
    journal = sum((Decimal(each["net_pnl"]) for each in trades), installation.runtime.settings.paper_deposit_usdt)
    assert venue.exchange.account(ACCOUNT).wallet["USDT"] == journal


def test_a_wick_between_two_requests_fires_the_stop(tmp_path: Path) -> None:
    """Nobody asks while the price falls through the stop and comes back; the position is closed all the same."""
    outside = Outside(VirtualClock(START))
    venue = outside.venue(tmp_path)
    price = holding(outside, venue).quantize(Decimal(1))
    stop = Conditional(SYMBOL, "stop", Action.SELL, Decimal("0.1"), Trigger.STOP, price - 100)
    venue.arm(stop, outside.clock.now())
    for passing in (price - 200, price):
        outside.moves(passing)
        venue.keep_up()

    assert Decimal(0) == venue.truth(SYMBOL).position.qty


def test_a_symbol_settles_as_often_as_on_the_real_exchange(tmp_path: Path) -> None:
    """Every four hours where the exchange says so, not every eight as most do."""
    outside = Outside(VirtualClock(START), {SYMBOL: replace(LISTED[SYMBOL], funding_interval_hours=4)})
    venue = outside.venue(tmp_path, SYMBOLS=SYMBOL)
    holding(outside, venue)
    outside.clock.set(START + timedelta(hours=4))
    venue.keep_up()

    paid = [row for row in venue.exchange.account(ACCOUNT).income if row.type is IncomeType.FUNDING_FEE]
    assert [to_ms(datetime(2026, 1, 5, 4, tzinfo=UTC))] == [row.time_ms for row in paid]


def test_without_prices_the_exchange_cannot_be_reached(tmp_path: Path) -> None:
    """An order is not sent, and a reading brings nothing: neither is a fault of the market to whoever trades."""
    outside = Outside(VirtualClock(START))
    venue = outside.venue(tmp_path)
    outside.assembled.faults.add(Fault(FaultKind.UNAVAILABLE, times=2))
    order = Order(SYMBOL, "entry", Action.BUY, Decimal("0.1"), None, TimeInForce.GTC)
    outside.clock.sleep(POLL)
    answer = venue.place(order, outside.clock.now())
    outside.clock.sleep(POLL)
    with pytest.raises(Unavailable):
        venue.truth(SYMBOL)

    assert isinstance(answer, Rejected)
    assert NOT_SENT == answer.code
    outside.clock.sleep(POLL)
    assert Decimal(0) == venue.truth(SYMBOL).position.qty


def test_many_threads_leave_whole_books(tmp_path: Path) -> None:
    """Executor and reconciler ask at once; the file holds what the exchange holds."""
    outside, books = Outside(VirtualClock(START)), tmp_path / "paper-exchange.json"
    venue = outside.venue(tmp_path)
    venue.keep_in(books)

    def rests(number: int) -> None:
        low = Order(SYMBOL, f"low-{number}", Action.BUY, Decimal("0.1"), Decimal(1000 + number), TimeInForce.GTC)
        venue.place(low, outside.clock.now())
        venue.truth(SYMBOL)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(rests, range(40)))
    again = outside.venue(tmp_path)
    again.keep_in(books)

    assert {f"low-{number}" for number in range(40)} == {each.client_id for each in again.truth(SYMBOL).orders}


def test_books_of_a_symbol_that_is_no_longer_listed_stop_the_start(tmp_path: Path) -> None:
    """A position cannot be followed without prices: one sentence says which symbol to add."""
    outside, books = Outside(VirtualClock(START)), tmp_path / "paper-exchange.json"
    venue = outside.venue(tmp_path)
    venue.keep_in(books)
    holding(outside, venue)

    with pytest.raises(Misconfigured, match="holds BTCUSDT, which SYMBOLS does not list: add it"):
        outside.venue(tmp_path, SYMBOLS="ETHUSDT").keep_in(books)
