"""`withearth run` and `withearth demo`: the local cloud on a running clock."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

import typer
from rich.table import Table

from withearth.bootstrap import assemble, open_store
from withearth.cli.console import console, notices, progress_bar, settings_with, stop_signals, wait_until
from withearth.cli.predicting import Who
from withearth.domain.errors import MarketFault, Misconfigured, Unavailable
from withearth.domain.times import TICK
from withearth.execution.paper_venue import PaperVenue
from withearth.execution.venue import LIVE
from withearth.flow.runtime import Runtime
from withearth.flow.trading_state import begin_live, persistently
from withearth.local.clocks import WallClock
from withearth.local.cloud import LocalCloud
from withearth.local.demo import START, WARM_UP, running_demo
from withearth.local.live import LiveRun
from withearth.local.logs import configure_logging
from withearth.local.report import closed_trades, report
from withearth.local.scheduler import CLOUD_JOBS, SLOW_JOBS, Scheduler
from withearth.local.server import PAGE, serving
from withearth.local.state import exclusive, open_bus, refuse_other_market, remember_latest
from withearth.risk.limits import active, limits_of

DEMO_SYMBOLS: Final = "BTCUSDT,ETHUSDT,SOLUSDT,BNBUSDT"
CHECK_SECONDS: Final = 180
"""How long `demo --check` waits for a shadow trade to close while the demo runs."""

log = logging.getLogger(__name__)


def run(
    market: Annotated[str | None, typer.Option(help="Where prices come from: synthetic, recorded or live.")] = None,
    predictor: Who = None,
    execute: Annotated[bool, typer.Option(help="Send orders to the venue, instead of shadow trades.")] = False,
    venue: Annotated[str | None, typer.Option(help="Where orders go: paper, demo or live.")] = None,
) -> None:
    """Run the whole system on this machine, on the wall's clock, until it is stopped."""
    chosen = {"MARKET": market, "PREDICTOR": predictor, "VENUE": venue}
    settings = settings_with(chosen | {"EXECUTE_TRADES": "true" if execute else None})
    if settings.store == "cloud":
        raise Misconfigured("STORE is cloud: there the functions run by themselves; set STORE to local to run here.")
    clock = WallClock()
    configure_logging(settings)
    with exclusive(settings.state_dir):
        bus = open_bus(settings.state_dir, clock)
        runtime = assemble(settings, clock, open_store(settings.state_dir), bus)
        refuse_other_market(runtime.store, runtime.market.origin, settings.state_dir)
        if isinstance(runtime.venue, PaperVenue):
            runtime.venue.keep_in(settings.state_dir / "paper-exchange.json")
        remember_latest(settings.state_dir, settings.state_dir)
        # At once, so that no resume of the minute before the first pass is overtaken by it.
        persistently(clock, "begin", partial(begin_live, runtime))
        cloud = LocalCloud(runtime, bus)
        jobs = CLOUD_JOBS if settings.sentiment == "off" else (*CLOUD_JOBS, *SLOW_JOBS)
        # A dispatcher may wait for the exchange's next minute, and a reconciler that protects waits for nobody.
        live = LiveRun(cloud, *(Scheduler([job], clock.now()) for job in jobs))
        with stop_signals() as stopped, live, serving(runtime, settings.port) as address:
            _announce(runtime, address)
            wait_until(lambda: stopped() or _keep_up(runtime))
        bus.close()


def demo(
    check: Annotated[bool, typer.Option(help="Wait for a shadow trade to close, print a summary, and stop.")] = False,
) -> None:
    """Show the whole system on a seeded synthetic market, a minute to the second."""
    settings = settings_with({"MARKET": "synthetic", "SYMBOLS": DEMO_SYMBOLS})
    configure_logging(settings)
    directory = settings.state_dir / "demo"
    with progress_bar("warming up", WARM_UP // TICK) as (progress, task):
        warmed = running_demo(settings, directory, lambda at: progress.update(task, completed=(at - START) // TICK))
        with warmed as runtime, stop_signals() as stopped, serving(runtime, 0 if check else settings.port) as address:
            progress.stop()
            remember_latest(settings.state_dir, directory)
            _announce(runtime, address)
            closed_before = closed_trades(runtime.store, runtime.mode)
            closed = _closes_another(runtime, closed_before) if check else stopped
            wait_until(lambda: stopped() or closed())
            _print_summary(runtime, closed_before)


def _keep_up(runtime: Runtime) -> bool:
    """Let the paper exchange follow the live prices between its requests, if it does, and never be done."""
    if isinstance(runtime.venue, PaperVenue):
        try:
            runtime.venue.keep_up()
        except MarketFault as fault:
            log.warning("paper_prices_unread: %s", fault)
    return False


def _announce(runtime: Runtime, address: str) -> None:
    market, predictor = runtime.market.origin.value, runtime.predictor.name
    console.print(f"withEarth runs on a {market} market with the predictor {predictor}.", soft_wrap=True)
    money = ", with real money" if runtime.mode == LIVE else ""
    console.print(f"Its trades are {runtime.mode} trades{money}.")
    if runtime.venue is not None:
        console.print(f"Limits: {', '.join(active(limits_of(runtime.settings, runtime.mode)))}", soft_wrap=True)
    console.print(f"Dashboard: {address}{PAGE}", soft_wrap=True)
    notices.print("Stop it with Ctrl-C.")


def _closes_another(runtime: Runtime, closed_before: int) -> Callable[[], bool]:
    """Whether a shadow trade has closed since. Raises Unavailable when none does in CHECK_SECONDS."""
    deadline = time.monotonic() + CHECK_SECONDS

    def closed() -> bool:
        if time.monotonic() > deadline:
            raise Unavailable(f"no shadow trade closed within {CHECK_SECONDS} s of the running demo")
        return closed_trades(runtime.store, runtime.mode) > closed_before

    return closed


def _print_summary(runtime: Runtime, closed_before: int) -> None:
    found = report(runtime.store, runtime.mode)
    table = Table(title=f"Demo, {runtime.market.origin.value} market", show_header=False, title_justify="left")
    table.add_row("decisions", str(found.decisions))
    for code, count in found.outcomes.items():
        table.add_row(f"  {code}", str(count))
    table.add_row("shadow trades", f"{found.closed_trades} closed, {found.open_trades} open")
    table.add_row("  of these while it ran", f"{found.closed_trades - closed_before} closed")
    table.add_row("net pnl", f"{found.net} USDT")
    console.print(table)
