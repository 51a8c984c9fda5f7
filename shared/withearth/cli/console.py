"""What all commands share: the terminal, progress, and settings with options laid over the environment."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from withearth.domain.errors import Misconfigured
from withearth.settings import Settings, load_settings

LOOK_SECONDS: Final = 0.25

console = Console(highlight=False)
"""For what was asked for: tables, summaries, addresses."""
notices = Console(highlight=False, stderr=True)
"""For what happens on the way: progress and notices, so that output can be piped."""


def settings_with(options: Mapping[str, str | None]) -> Settings:
    """The process's settings, with the given options over them. Raises Misconfigured."""
    given = {key: value for key, value in options.items() if value is not None}
    return load_settings({**os.environ, **given})


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or a termination signal has come; within it, they do not end the process where it stands.

    To be entered before anyone is told that the process runs: from then on it may be asked to stop.
    """
    # Not an Event: a handler runs in the main thread, also where that holds the lock an Event is set under.
    come: list[int] = []
    before = {
        name: signal.signal(name, lambda number, _: come.append(number)) for name in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(come)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for `done`, which is asked every LOOK_SECONDS."""
    while not done():
        time.sleep(LOOK_SECONDS)


def instant(text: str, option: str) -> datetime:
    """A date or an ISO instant, in UTC unless it says otherwise. Raises Misconfigured naming the option."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"{option} is {text!r}: write a date such as 2024-01-31, or 2024-01-31T12:00.") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on standard error; silent where that is not a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notices, disable=not notices.is_terminal) as progress:
        yield progress, progress.add_task(label, total=total)
