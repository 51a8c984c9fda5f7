"""The local books and the local bus, looked at without opening them for writing. Pure over what was read."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from withearth.doctor.findings import Finding, ok, problem, warning
from withearth.domain.times import tick_time

TICK_LATE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a SQLite file. `application` and `version` are None where it could not be read at all."""

    path: Path
    there: bool
    writable: bool
    application: int | None = None
    version: int | None = None
    rows: Sequence[tuple[str, ...]] = ()
    fault: str = ""


def look_at(path: Path, query: str = "") -> Looked:
    """Read a file's layout, and the rows of one query, leaving no trace."""
    writable = os.access(_nearest(path), os.W_OK)
    if not path.exists():
        return Looked(path, there=False, writable=writable)
    # A reader of a file in WAL mode makes files beside it, unless it is told that nobody writes; an empty log says so.
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=2)) as connection:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            rows: Sequence[tuple[str, ...]] = ()
            with suppress(sqlite3.OperationalError):  # a file of something else has not our tables
                rows = connection.execute(query).fetchall() if query else ()
    except sqlite3.Error as error:
        return Looked(path, there=True, writable=writable, fault=str(error))
    return Looked(path, True, writable, application, version, rows)


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), Path())


def file_state(check: str, looked: Looked, application: int, version: int) -> Finding:
    """Whether a file is ours, of a layout that this version knows, and can be written."""
    if not looked.writable:
        return problem(check, f"{looked.path} cannot be written.", "make it and its folder writable, or set STATE_DIR")
    if not looked.there:
        return ok(check, f"{looked.path} is not there yet; the first run makes it.")
    if looked.fault:
        return problem(check, f"{looked.path} cannot be read ({looked.fault}).", "move it away, or restore a backup")
    return _layout(check, looked, application, version)


def _layout(check: str, looked: Looked, application: int, version: int) -> Finding:
    if (looked.application, looked.version) == (0, 0):
        return ok(check, f"{looked.path} is empty; the next run fills it.")
    if looked.application != application:
        return problem(check, f"{looked.path} is a database of something else.", "set STATE_DIR to another folder")
    if looked.version is None or looked.version > version:
        return problem(
            check,
            f"{looked.path} has layout {looked.version}, this version knows {version}.",
            "update withEarth, or set STATE_DIR to another folder",
        )
    return ok(check, f"{looked.path} can be read and written, layout {looked.version}.")


def dead_letters(count: int) -> Finding:
    """Messages that no attempt could deliver."""
    if count:
        return warning("bus", f"{count} messages could not be delivered.", "run `withearth dead-letters`")
    return ok("bus", "No message is left undelivered.")


def subscriptions(names: Sequence[str]) -> Finding:
    """The subscriptions of the local bus, which are made by the code that starts it."""
    return ok("bus", f"Subscriptions: {', '.join(names)}.")


def schedules(newest_tick: str | None, now: datetime, jobs: Sequence[str]) -> Finding:
    """Whether the schedule is at work, by the newest tick in the books."""
    told = f"Schedule: {', '.join(jobs)}"
    if newest_tick is None:
        return warning("schedules", f"{told}. There was no tick lately.", "start `withearth run`")
    late = now - tick_time(newest_tick)
    if late > TICK_LATE:
        return warning(
            "schedules",
            f"{told}. The newest tick, {newest_tick}, is {late // timedelta(minutes=1)} minutes old.",
            "start `withearth run`, if it is meant to run",
        )
    return ok("schedules", f"{told}. The newest tick is {newest_tick}.")
