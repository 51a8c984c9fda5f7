"""`withearth replay`: recorded history through all functions."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from withearth.cli.console import console, instant, notices, progress_bar, settings_with
from withearth.cli.predicting import Answers, FromRun, Who, predictor_options, refuse_own_answers
from withearth.domain.errors import MarketFault, Misbooked, Misconfigured
from withearth.domain.times import TICK, floor_to_tick
from withearth.local.checks import Checks
from withearth.local.replay import Period, Timing, replay_period, state_directory
from withearth.local.report import Report, percentiles_ms, report
from withearth.local.state import remember_latest
from withearth.market.recorded import RecordedMarket
from withearth.messaging.local_bus import Chaos
from withearth.settings import Settings


def replay(
    data: Annotated[Path, typer.Option(help="Directory of recorded market data, with its MANIFEST.json.")],
    symbols: Annotated[str, typer.Option(help="Comma-separated symbols.")],
    start: Annotated[str, typer.Option("--from", help="First day, or instant (UTC).")],
    end: Annotated[str, typer.Option("--to", help="Instant (UTC) at which the last bar closes.")],
    speed: Annotated[
        float, typer.Option(help="Times as fast as the wall's clock; 0 is as fast as it goes.", min=0)
    ] = 0,
    chaos: Annotated[bool, typer.Option(help="Deliver every message twice, late and out of order.")] = False,
    chaos_seed: Annotated[int, typer.Option(help="What kind of disorder.")] = 1,
    execute: Annotated[bool, typer.Option(help="Send orders to the paper exchange, instead of shadow trades.")] = False,
    predictor: Who = None,
    decisions: Answers = None,
    from_run: FromRun = None,
    fresh: Annotated[bool, typer.Option(help="Begin anew, even where a run was cut off.")] = False,
    state: Annotated[Path | None, typer.Option(help="Directory of the run's books.")] = None,
) -> None:
    """Run recorded history through all functions, bar by bar, and print what came of it.

    A run that was cut off goes on where it stopped; a finished one is repeated.
    """
    options: dict[str, str | None] = {"MARKET": "recorded", "DATA_DIR": str(data), "SYMBOLS": symbols}
    options |= predictor_options(predictor, decisions, from_run)
    settings = settings_with(options | {"EXECUTE_TRADES": "true" if execute else None})
    period = _period(instant(start, "--from"), instant(end, "--to"))
    market = open_recorded(settings, data, period)
    disorder = Chaos(seed=chaos_seed, duplicate=True, shuffle=True) if chaos else None
    directory = state or state_directory(settings, period, disorder)
    refuse_own_answers(directory, from_run)
    timing, started = Timing(), time.perf_counter()
    with progress_bar("replaying", period.ticks) as bar:
        after_tick = _pacer(period, bar, speed)
        replayed = replay_period(
            settings,
            period,
            directory,
            chaos=disorder,
            timing=timing,
            after_tick=after_tick,
            market=market,
            fresh=fresh or settings.execute_trades,  # a run cannot go on without its paper account, which is gone
        )
    remember_latest(settings.state_dir, directory)
    if timing.ticks < period.ticks:
        notices.print(f"Went on with a run that was cut off: {period.ticks - timing.ticks} ticks were done before.")
    found = report(replayed.store, "PAPER" if settings.execute_trades else "SHADOW")
    symbol_ticks = timing.ticks * len(settings.symbols) if settings.names_symbols else found.decisions
    print_report(found, timing, symbol_ticks / (time.perf_counter() - started))
    notices.print(f"Books: {directory}", soft_wrap=True)
    if replayed.checks is not None:
        print_checks(replayed.checks)
    if replayed.dead_letters:
        raise Misbooked(f"{replayed.dead_letters} messages could not be handled: the log above says why.")


def print_checks(found: Checks) -> None:
    """Print what was held against the exchange's own books. Raises Misbooked when something does not hold."""
    table = Table(title="Checks against the paper exchange", show_header=False, title_justify="left")
    table.add_row("journal net pnl", f"{found.journal_net} USDT")
    table.add_row("exchange's income", f"{found.exchange_net} USDT")
    table.add_row("orders without lineage", str(found.foreign_orders))
    table.add_row("decisions entered more than once", str(found.doubled_entries))
    table.add_row("longest uncovered quantity", f"{found.longest_uncovered.total_seconds():.1f} s")
    table.add_row("trades still open", str(found.still_open))
    console.print(table)
    if not found.hold:
        raise Misbooked("not all of these checks hold: do not trade with this version")


def open_recorded(settings: Settings, data: Path, period: Period) -> RecordedMarket:
    """The recording, having said where it does not cover the period.

    Raises Misconfigured for a symbol that has none at all.
    """
    market = RecordedMarket(data, spread_bps=settings.model_spread_bps)
    recorded = market.symbols()
    named = settings.symbols if settings.names_symbols else recorded
    missing = [symbol for symbol in named if symbol not in recorded]
    if missing:
        raise Misconfigured(
            f"--symbols names {', '.join(missing)}, of which {data} has no 5m candles: "
            f"choose from {', '.join(recorded)}.",
        )
    for symbol in named:
        _tell_span(market, symbol, period)
    return market


def _tell_span(market: RecordedMarket, symbol: str, period: Period) -> None:
    try:
        first, last = market.span(symbol)
    except MarketFault as fault:
        notices.print(f"{symbol}: {fault}")
        return
    if first > period.start or last < period.end:
        notices.print(f"{symbol} is recorded from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC only.")


def _period(start: datetime, end: datetime) -> Period:
    if floor_to_tick(start) != start or floor_to_tick(end) != end or end - start < TICK:
        raise Misconfigured("--from and --to are full five minutes, and --to comes after --from.")
    return Period(start, end)


def _pacer(period: Period, bar: tuple[Progress, TaskID], speed: float) -> Callable[[datetime], None]:
    """What is done after each tick: show it, and wait where a pace was asked for."""
    progress, task = bar

    def after_tick(at: datetime) -> None:
        progress.update(task, completed=(at - period.start) // TICK)
        if speed:
            time.sleep(TICK.total_seconds() / speed)

    return after_tick


def print_report(found: Report, timing: Timing, symbol_ticks_per_s: float) -> None:
    """Print what a run came to, and how fast it went."""
    table = Table(title="Replay", show_header=False, title_justify="left")
    for label, value in _rows(found):
        table.add_row(label, value)
    worked = timing.seconds.get("worker", [])
    if len(worked) > 1:
        p50, p95 = percentiles_ms(worked)
        table.add_row("decision p50 / p95", f"{p50:.2f} ms / {p95:.2f} ms")
        table.add_row("speed", f"{symbol_ticks_per_s:.0f} symbol-ticks per second")
    console.print(table)


def _rows(found: Report) -> list[tuple[str, str]]:
    rate = "none closed" if found.win_rate is None else f"{found.win_rate:.1%}"
    return [
        ("ticks", str(found.ticks)),
        ("decisions", str(found.decisions)),
        *((f"  {code}", str(count)) for code, count in found.outcomes.items()),
        ("intents", f"{found.traded_intents} traded, {found.refused_intents} refused"),
        ("trades", f"{found.closed_trades} closed, {found.open_trades} open, {found.void_trades} void"),
        ("win rate", rate),
        ("gross pnl", f"{found.gross} USDT"),
        ("fees / funding", f"{found.fees} / {found.funding} USDT"),
        ("net pnl", f"{found.net} USDT"),
        ("max drawdown", f"{found.max_drawdown} USDT"),
    ]
