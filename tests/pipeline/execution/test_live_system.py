"""The whole system on live, with another paper exchange behind Binance's address: from the schedule to the journal."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests.builders.installation import START, SYMBOLS, AlwaysLong, Installation, settings_of
from tests.builders.outside import START as OUTSIDE_START
from tests.builders.trading import live_settings
from withearth.execution.binance import open_binance_venue
from withearth.flow.documents import account_ref, canary_ref, trading_ref, view_ref
from withearth.flow.trading_state import AT_FIRST, Standing, TradingState, set_state, standing
from withearth.local.cloud import run_until
from withearth.local.scheduler import CLOUD_JOBS, RECONCILER, Job, Scheduler
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import Assembled, PaperAccount, assemble_exchange, invented_listing
from withearth.paper.engine.kinds import IncomeType
from withearth.paper.transport import PaperTransport
from withearth.store.port import Query

OWNER: Final = "owner"
DEPOSIT: Final = Decimal(2_000)
LIVE: Final = live_settings(OWNER) | {"MIN_VOL_FRAC": "0", "HORIZON_MIN": "10"}
EARNINGS: Final = {IncomeType.REALIZED_PNL, IncomeType.COMMISSION, IncomeType.FUNDING_FEE}


def on_live(installation: Installation, directory: Path) -> Assembled:
    """Put the installation on what it takes for Binance, prices and orders both."""
    symbols, clock = SYMBOLS.split(","), installation.clock
    truth = SyntheticMarket(7, symbols, start=OUTSIDE_START, spread_bps=Decimal(1))
    account = PaperAccount(OWNER, OWNER, DEPOSIT)
    outside = assemble_exchange(truth, invented_listing(truth, symbols), clock, [account])
    settings, line = settings_of(directory, **LIVE), PaperTransport(outside.face)
    installation.runtime = replace(
        installation.runtime,
        settings=settings,
        market=BinanceMarket(Access(settings.fapi_base, transport=line), clock),
        venue=open_binance_venue(settings, clock, line),
        predictor=AlwaysLong(),
    )
    return outside


def run(installation: Installation, minutes: int, jobs: list[Job]) -> None:
    """Run the schedule for some minutes from now."""
    now = installation.clock.now()
    until = now + timedelta(minutes=minutes)
    run_until(installation.cloud(), installation.clock, Scheduler(jobs, now), until, lambda _at: None)


def test_real_money_from_the_first_start_to_the_journal(tmp_path: Path) -> None:
    """Halted at first, and nothing is entered; resumed, trades open, close and are booked as LIVE to the last digit."""
    installation = Installation(tmp_path)
    outside = on_live(installation, tmp_path)
    books, account = installation.store, outside.face.exchange.account(OWNER)
    run(installation, 12, list(CLOUD_JOBS))
    halted = standing(books.get(trading_ref()))
    assert (TradingState.HALTED, AT_FIRST) == (halted.state, halted.why)
    assert not account.orders
    assert {"TRADING_HALTED"} == {each.data["blocked_by"] for each in books.query(Query("intents"))}

    set_state(books, Standing(TradingState.ACTIVE, "me", "looked at it"), installation.clock.now())
    run(installation, 40, list(CLOUD_JOBS))
    run(installation, 20, [RECONCILER])

    trades = [each.data for each in books.query(Query("trades"))]
    assert len(trades) > 3
    assert {("LIVE", "LIVE", "CLOSED")} == {(each["mode"], each["market"], each["status"]) for each in trades}
    earned = sum((row.amount for row in account.income if row.type in EARNINGS), Decimal(0))
    assert earned == sum(Decimal(each["net_pnl"]) for each in trades)
    sheet, tried, overview = books.get(account_ref("LIVE")), books.get(canary_ref()), books.get(view_ref("overview"))
    assert sheet is not None
    assert tried is not None
    assert overview is not None
    assert account.wallet["USDT"] == Decimal(sheet.data["equity"]) == Decimal(overview.data["equity"])
    assert ("LIVE", None) == (tried.data["mode"], tried.data["fault"])
    assert START < tried.data["due_at"]
    assert "LIVE" == overview.data["mode"]
    assert not account.open_algos
