"""`withearth tick` and `withearth settings`: look at one decision, or at what is set."""

import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from withearth.bootstrap import assemble, open_store
from withearth.cli.console import console, instant, settings_with
from withearth.cli.predicting import FromRun, Who, predictor_options
from withearth.decision.spend import usd
from withearth.domain.canonical import canonical_json
from withearth.domain.reasons import Reason
from withearth.domain.times import floor_to_tick
from withearth.flow.trader import decision_now, summary
from withearth.flow.universe import find_symbols
from withearth.local.clocks import FastClock, VirtualClock, WallClock
from withearth.local.state import open_bus, remember_latest
from withearth.settings import Settings, describe
from withearth.store.port import Document


def tick(
    symbol: Annotated[str, typer.Option(help="The symbol to decide on.")] = "BTCUSDT",
    data: Annotated[Path | None, typer.Option(help="Directory of recorded data; without it MARKET decides.")] = None,
    at: Annotated[str | None, typer.Option(help="Instant (UTC) as of which to decide; without it now.")] = None,
    predictor: Who = None,
    from_run: FromRun = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole decision document.")] = False,
) -> None:
    """Make one decision for one symbol and print it. Nothing is traded; only what a model was paid for is kept."""
    recorded = {} if data is None else {"MARKET": "recorded", "DATA_DIR": str(data)}
    settings = settings_with({"SYMBOLS": symbol, **recorded, **predictor_options(predictor, None, from_run)})
    decision = _decide_once(settings, WallClock().now() if at is None else instant(at, "--at"))
    if as_json:
        sys.stdout.write(canonical_json(decision) + "\n")
    else:
        _print_decision(decision)


def _decide_once(settings: Settings, now: datetime) -> Document:
    """Decide in books that are thrown away, or, where the answer costs money, in books of their own that are kept."""
    at, paid = floor_to_tick(now), settings.asks_models
    with TemporaryDirectory(prefix="withearth-") as passing:
        kept = settings.state_dir / "ticks" if paid else Path(passing)
        kept.mkdir(parents=True, exist_ok=True)
        # Time stands still for who answers at once; a model's answer takes some, and is timed.
        clock = FastClock(at, 1.0) if paid else VirtualClock(at)
        runtime = assemble(settings, clock, open_store(kept), open_bus(Path(passing), clock))
        if paid:
            remember_latest(settings.state_dir, kept)
        return decision_now(runtime, find_symbols(runtime, at)[0])


def _print_decision(decision: Document) -> None:
    table = Table(title=f"{decision['symbol']} as of {decision['as_of']:%Y-%m-%d %H:%M} UTC", show_header=False)
    table.add_row("market", decision["market"])
    table.add_row("predictor", decision["predictor"] or "was not asked")
    shown = summary(decision)
    for name in ("direction", "prob", "entry", "tp", "sl", "rr"):
        table.add_row(name, "–" if shown[name] is None else str(shown[name]))
    if decision["asked"] is not None:
        asked = decision["asked"]
        table.add_row("cost", f"{usd(asked['cost_micro_usd'])} USD, {asked['tokens']} tokens")
        table.add_row("latency", f"{asked['latency_ms']} ms")
    for code in decision["reasons"]:
        table.add_row("blocked by", f"{code}: {Reason[code].sentence}")
    if not decision["reasons"]:
        table.add_row("verdict", "would be traded")
    console.print(table)


def settings() -> None:
    """Show every setting with its value, where it comes from, and what is allowed."""
    table = Table("setting", "value", "from", "default", "allowed", "meaning")
    for row in describe(settings_with({})):
        table.add_row(row.key, row.value, row.source, row.default, row.allowed, row.description)
    console.print(table)
