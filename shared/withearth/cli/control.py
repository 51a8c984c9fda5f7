"""`withearth halt|reduce|resume|flatten` and `withearth status`: the owner's hand on the trading state.

They write to the books that STORE names, in STATE_DIR or in the cloud, which are read again before every order.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from withearth.bootstrap import choose_store
from withearth.cli.books import local_books
from withearth.cli.console import console, settings_with
from withearth.domain.errors import Misconfigured
from withearth.flow.control import WORD
from withearth.flow.limits import limits_document
from withearth.flow.trading_state import (
    Standing,
    TradingState,
    ask_to_flatten,
    is_to_begin,
    persistently,
    set_state,
)
from withearth.local.clocks import WallClock
from withearth.local.desk import user
from withearth.settings import Settings
from withearth.store.port import DocumentStore
from withearth.views.contract import LimitRow, Trading

Why = Annotated[str, typer.Option("--why", help="The reason; it is kept.")]
State = Annotated[Path | None, typer.Option(help="Directory of the books; without it those that STORE names.")]


def halt(why: Why, state: State = None) -> None:
    """Let no entry through from the next order on. What is open stays protected and goes on to its end."""
    _set(TradingState.HALTED, why, state)


def reduce(why: Why, state: State = None) -> None:
    """Enter nothing more, and let what is open go on to its end."""
    _set(TradingState.REDUCING, why, state)


def resume(why: Why, state: State = None) -> None:
    """Allow entries again."""
    settings = settings_with({})
    if settings.execute_trades and is_to_begin(_books(settings, state), settings.venue.upper()):
        raise Misconfigured(
            "Nothing was changed: VENUE is live, and real money begins HALTED with the reconciler's first pass. Start "
            "it, look at the limits and the account with `withearth status`, then resume.",
        )
    _set(TradingState.ACTIVE, why, state)


def flatten(
    why: Why,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state: State = None,
) -> None:
    """Halt, and close every position of ours at the market with the reconciler's next pass."""
    store = _books(settings_with({}), state)
    if not yes and typer.prompt(f"Every open position is sold at the market. Type {WORD} to do so") != WORD:
        raise Misconfigured(f"Nothing was changed: the word is {WORD}.")
    clock, who = WallClock(), user()
    persistently(clock, who, lambda: ask_to_flatten(store, who, why, clock.now()))
    console.print("Trading is HALTED; the reconciler closes every position with its next pass.")


def status(
    venue: Annotated[str | None, typer.Option(help="Whose limits to show; without it VENUE's.")] = None,
    state: State = None,
) -> None:
    """Show the trading state, and every limit with its present use."""
    settings = settings_with({"VENUE": venue})
    found = limits_document(_books(settings, state), settings, settings.venue.upper(), WallClock().now())
    console.print(_state_line(found["trading"]), soft_wrap=True)
    if not settings.execute_trades:
        console.print("EXECUTE_TRADES is false: a run without --execute makes shadow trades, which no limit stops.")
    if not found["readable"]:
        console.print("The book of limits, or the account, was not read: nothing is entered until it is.")
    console.print(_table(found["limits"]))


def _set(wanted: TradingState, why: str, state: Path | None) -> None:
    store, clock, who = _books(settings_with({}), state), WallClock(), user()
    persistently(clock, who, lambda: set_state(store, Standing(wanted, who, why), clock.now()))
    console.print(f"Trading is {wanted}.")


def _books(settings: Settings, state: Path | None) -> DocumentStore:
    """The books that a running system shares. Never those of the newest replay: a halt must not miss its target."""
    return choose_store(settings) if state is None and settings.store == "cloud" else local_books(settings, state)


def _state_line(trading: Trading) -> str:
    by = f" by {trading['who']}" if trading["who"] else ""
    why = f": {trading['why']}" if trading["why"] else ""
    return f"Trading is {trading['state']}{_since(trading['at'])}{by}{why}"


def _since(at: datetime | None) -> str:
    return "" if at is None else f" since {at:%Y-%m-%d %H:%M} UTC"


def _table(rows: Sequence[LimitRow]) -> Table:
    table = Table("limit", "value", "used", "stops entries", "lifts at (UTC)", title="Limits", title_justify="left")
    for row in rows:
        value = "off" if row["value"] == "0" else row["value"]
        lifts_at = "" if row["lifts_at"] is None else f"{row['lifts_at']:%Y-%m-%d %H:%M:%S}"
        stops = row["reason"] if row["stops"] else ""
        table.add_row(row["limit"], value, row["used"] or "for each trade", stops, lifts_at)
    return table
