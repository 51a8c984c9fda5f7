"""The command line. A wrong call or a wrong setting is one sentence on standard error and exit code 2."""

import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from withearth import __version__
from withearth.cli import (
    control,
    cost,
    data,
    dead_letters,
    decisions,
    doctor,
    export,
    inspect,
    live,
    paper,
    replay,
    schedules,
)
from withearth.domain.errors import WithEarthError

app = typer.Typer(
    name="withearth",
    help="Trade Binance USDⓈ-M perpetual futures from your own cloud, or look at it on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS: Final[tuple[Callable[..., None], ...]] = (
    live.run,
    live.demo,
    replay.replay,
    inspect.tick,
    inspect.settings,
    doctor.doctor,
    control.halt,
    control.reduce,
    control.resume,
    control.flatten,
    control.status,
    dead_letters.dead_letters,
    cost.cost,
    paper.paper_exchange,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(export.app, name="export")
app.add_typer(decisions.app, name="decisions")
app.add_typer(schedules.app, name="schedules")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"withearth {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Options that stand before a command."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except WithEarthError as error:
        typer.echo(f"withearth: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
