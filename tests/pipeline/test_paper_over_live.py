"""Paper trading at live prices: decisions from the live market adapter, orders to a paper exchange that follows it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.builders.installation import SYMBOLS, AlwaysLong, Installation
from withearth.execution.paper_venue import ACCOUNT, PaperVenue, open_paper_venue
from withearth.flow.runtime import Runtime
from withearth.local.cloud import run_until
from withearth.local.scheduler import RECONCILER, Scheduler
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import assemble_exchange, invented_listing
from withearth.paper.transport import PaperTransport
from withearth.store.port import Query


def over_live(installation: Installation) -> Runtime:
    """The installation's runtime on a live market, which another paper exchange stands in for."""
    symbols, clock = SYMBOLS.split(","), installation.clock
    truth = SyntheticMarket(7, symbols, start=datetime(2026, 1, 1, tzinfo=UTC), spread_bps=Decimal(1))
    outside = assemble_exchange(truth, invented_listing(truth, symbols), clock, [])
    market = BinanceMarket(Access("https://outside.invalid", transport=PaperTransport(outside.face)), clock)
    venue = open_paper_venue(installation.runtime.settings, market, clock)
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
