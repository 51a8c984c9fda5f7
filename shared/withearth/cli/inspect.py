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
from withearth.domain.canonical import canonical_json
from withearth.domain.reasons import Reason
from withearth.domain.times import floor_to_tick
from withearth.flow.trader import decision_now, summary
from withearth.local.clocks import VirtualClock, WallClock
from withearth.local.state import open_bus
from withearth.settings import Settings, describe
from withearth.store.port import Document


def tick(
    symbol: Annotated[str, typer.Option(help="The symbol to decide on.")] = "BTCUSDT",
    data: Annotated[Path | None, typer.Option(help="Directory of recorded data; without it MARKET decides.")] = None,
    at: Annotated[str | None, typer.Option(help="Instant (UTC) as of which to decide; without it now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole decision document.")] = False,
) -> None:
    """Make one decision for one symbol and print it. Nothing is kept, nothing is traded."""
    recorded = {} if data is None else {"MARKET": "recorded", "DATA_DIR": str(data)}
    settings = settings_with({"SYMBOLS": symbol, **recorded})
    decision = _decide_once(settings, WallClock().now() if at is None else instant(at, "--at"))
    if as_json:
        sys.stdout.write(canonical_json(decision) + "\n")
    else:
        _print_decision(decision)


def _decide_once(settings: Settings, now: datetime) -> Document:
    with TemporaryDirectory(prefix="withearth-") as directory:
        clock = VirtualClock(floor_to_tick(now))
        bus = open_bus(Path(directory), clock)
        runtime = assemble(settings, clock, open_store(Path(directory)), bus)
        return decision_now(runtime, settings.symbols[0])


def _print_decision(decision: Document) -> None:
    table = Table(title=f"{decision['symbol']} as of {decision['as_of']:%Y-%m-%d %H:%M} UTC", show_header=False)
    table.add_row("market", decision["market"])
    table.add_row("predictor", decision["predictor"])
    shown = summary(decision)
    for name in ("direction", "prob", "entry", "tp", "sl", "rr"):
        table.add_row(name, "–" if shown[name] is None else str(shown[name]))
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
