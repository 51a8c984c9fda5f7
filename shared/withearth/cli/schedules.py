"""`withearth schedules`: the schedules of the installation that STORE names, here or in the cloud."""

from typing import Annotated

import typer
from rich.table import Table

from withearth.bootstrap import open_cloud_schedules
from withearth.cli.books import local_books
from withearth.cli.console import console, settings_with
from withearth.local.clocks import WallClock
from withearth.local.schedules import LocalSchedules, Schedules, calling

app = typer.Typer(help="Look at the schedules, pause, resume, or run one now.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The function that the schedule calls, such as dispatcher.")]


@app.command("list")
def list_() -> None:
    """Every schedule with its next run."""
    table = Table("schedule", "cron (UTC)", "state", "next", "last")
    for each in _schedules().all():
        table.add_row(each.name, each.cron, "paused" if each.paused else "on", each.next_at, each.last)
    console.print(table)


@app.command()
def pause(name: Name) -> None:
    """Let a schedule fire no more. Without the dispatcher nothing new is decided; leave the reconciler on."""
    _schedules().pause(name)
    console.print(f"{name} is paused.")


@app.command()
def resume(name: Name) -> None:
    """Let a paused schedule fire again."""
    _schedules().resume(name)
    console.print(f"{name} is on.")


@app.command()
def run(name: Name) -> None:
    """Call a schedule's function now."""
    _schedules().run(name)
    console.print(f"{name} was called.")


def _schedules() -> Schedules:
    settings, clock = settings_with({}), WallClock()
    if settings.store == "cloud":
        return open_cloud_schedules(settings)
    return LocalSchedules(local_books(settings), clock, calling(settings.port))
