"""One SQLite file as this system uses it: WAL, connections that are never shared, and errors in its own words.

A connection serves one thread at a time and goes back to the pool. Writers of one process queue on a lock, because
SQLite's own waiting is polling; writers of other processes are met by SQLite's busy timeout. With synchronous=NORMAL a
commit survives the death of the process at once, and that of the machine after the next checkpoint; the file is never
left inconsistent.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Final

from withearth.domain.errors import Misconfigured, Unavailable, WithEarthError

BUSY_TIMEOUT_S: Final = 5.0
_SQLITE_MIN: Final = (3, 38, 0)
_REMEDIES: Final = {
    sqlite3.SQLITE_FULL: "the disk of {path} is full: free some space, then start again",
    sqlite3.SQLITE_READONLY: "{path} cannot be written: make the file and its folder writable",
    sqlite3.SQLITE_PERM: "{path} cannot be written: make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: it has to be a file in a folder that can be written",
    sqlite3.SQLITE_NOTADB: "{path} is no database: move it away, or put a backup in its place",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged: move it away, or put a backup in its place",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file is: its kind in words, SQLite's application id, and the version of its tables.

    `statements` make the tables of a new file. `indexes`, by name, are made whenever one is missing.
    """

    kind: str
    application_id: int
    version: int
    statements: tuple[str, ...]
    indexes: Mapping[str, str]


class SqliteFile:
    """Connections to one file of one layout. Opening makes the folders, the file and its tables."""

    def __init__(self, path: Path, layout: Layout, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self._layout = layout
        self._busy_timeout_s = busy_timeout_s
        self._idle: list[sqlite3.Connection] = []
        self._writer = Lock()
        self._closed = False
        _check_sqlite()
        self._make_folder()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection outside any transaction: each statement sees one instant."""
        connection: sqlite3.Connection | None = None
        try:
            connection = self._borrow()
            yield connection
        except sqlite3.Error as error:
            told = self._in_our_words(error)
            if told is None:
                raise
            raise told from error
        finally:
            if connection is not None:
                self._give_back(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements all see the same instant."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that has the file to itself: committed on leaving, undone by any exception."""
        if not self._writer.acquire(timeout=self._busy_timeout_s):
            raise Unavailable(self._locked_sentence())
        try:
            with self.reading() as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        finally:
            self._writer.release()

    def close(self) -> None:
        """Close the connections. Those still in use close when they are done; later calls raise Unavailable."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _borrow(self) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable(f"{self.path} was closed by this process")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if connection.in_transaction:
            connection.close()
            return
        self._idle.append(connection)
        if self._closed:
            self.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            self._use_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # Two processes that open a new file at once: SQLite answers "locked" here without asking its busy handler.
        give_up_at = monotonic() + self._busy_timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as error:
                if _primary_code(error) != sqlite3.SQLITE_BUSY or monotonic() > give_up_at:
                    raise
                sleep(0.01)
            else:
                return

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"{self.path.parent} cannot be made ({error.strerror}): name a folder that can be written"
            ) from error

    def _prepare(self) -> None:
        # Looked at first without the lock, so that a file that is ready opens while others write; and in one snapshot,
        # because another process may be making the tables at this moment.
        with self.snapshot() as connection:
            if self._is_ready(connection):
                return
        with self.writing() as connection:
            if not self._known(connection):
                self._make_tables(connection)
            for statement in self._missing_indexes(connection):
                connection.execute(statement)

    def _is_ready(self, connection: sqlite3.Connection) -> bool:
        return self._known(connection) and not self._missing_indexes(connection)

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        for statement in self._layout.statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {self._layout.application_id}")
        connection.execute(f"PRAGMA user_version = {self._layout.version}")

    def _missing_indexes(self, connection: sqlite3.Connection) -> list[str]:
        present = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
        return [statement for name, statement in self._layout.indexes.items() if name not in present]

    def _known(self, connection: sqlite3.Connection) -> bool:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not tables:
            return False
        if application_id != self._layout.application_id:
            raise Misconfigured(
                f"{self.path} is a database of something else, not {self._layout.kind}: name another file"
            )
        if version > self._layout.version:
            raise Misconfigured(
                f"{self.path} was written by a newer withEarth (layout {version}, this one knows "
                f"{self._layout.version}): update withEarth, or name another folder"
            )
        return True

    def _locked_sentence(self) -> str:
        return (
            f"{self.path} is locked by another writer for more than {self._busy_timeout_s:g} s: "
            "stop the other process that uses it, or try again"
        )

    def _in_our_words(self, error: sqlite3.Error) -> WithEarthError | None:
        code = _primary_code(error)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return Unavailable(self._locked_sentence())
        if code == sqlite3.SQLITE_IOERR:
            return Unavailable(f"{self.path} could not be read or written ({error}): check the disk, then try again")
        remedy = _REMEDIES.get(code or 0)
        return None if remedy is None else Misconfigured(remedy.format(path=self.path))


def _primary_code(error: sqlite3.Error) -> int | None:
    # Errors of the Python module itself carry no code; extended codes keep the primary one in their low byte.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _check_sqlite() -> None:
    if sqlite3.sqlite_version_info < _SQLITE_MIN:
        raise Misconfigured(
            f"SQLite {'.'.join(map(str, _SQLITE_MIN))} or newer is needed, this Python has {sqlite3.sqlite_version}: "
            "use a newer Python"
        )
