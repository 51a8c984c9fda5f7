"""`withearth cost`: what a month in the cloud costs, item by item."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from withearth.cli.console import console, settings_with
from withearth.cost.data import prices, usage
from withearth.cost.estimate import Choice, Line, estimate, total_usd
from withearth.domain.canonical import canonical_json
from withearth.settings.kinds import SYMBOLS_MAX


def cost(
    symbols: Annotated[int, typer.Option(min=1, max=SYMBOLS_MAX, help="How many symbols are traded.")] = 2,
    model: Annotated[bool, typer.Option(help="Whether a model is asked, up to MODEL_BUDGET_USD a day.")] = True,
    static_egress: Annotated[bool, typer.Option(help="Whether orders leave by a fixed address.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the items as JSON.")] = False,
) -> None:
    """Estimate what Google and the model's provider charge for a month."""
    budget = float(settings_with({}).model_budget_usd)
    lines = estimate(symbols, Choice(model, budget, static_egress))
    if as_json:
        items = {line.item: {"amount": line.amount, "free": line.free, "usd": line.usd} for line in lines}
        sys.stdout.write(canonical_json({"symbols": symbols, "usd": total_usd(lines), "items": items}) + "\n")
        return
    console.print(_table(symbols, lines))
    console.print(
        f"Usage measured {usage().measured}, prices read {min(price.read for price in prices().values())} or later. "
        "Not counted: taxes, the exchange's fees, backups, what alerts may come to cost."
    )


def _table(symbols: int, lines: list[Line]) -> Table:
    table = Table("a month", "used", "free", "USD", title=f"{symbols} symbols", title_justify="left")
    for line in lines:
        table.add_row(line.unit, f"{line.amount:,.2f}", f"{line.free:,}", f"{line.usd:.2f}")
    table.add_row("all of it", "", "", f"{total_usd(lines):.2f}", style="bold")
    return table
