"""The documents port over one SQLite file: the default store of everything that runs on one machine.

Safe for many threads and many processes. A commit has the file to itself (`BEGIN IMMEDIATE`), so create-only, versions
and increments hold without retries. Versions are the number of the commit that wrote the document; a document that was
deleted and made anew never gets an old version back.
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, assert_never

from withearth.store import sqlite_query
from withearth.store.indexes import INDEXES, Index
from withearth.store.port import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    InvalidDocument,
    Query,
    Ref,
    Replace,
    Stored,
    VersionMismatch,
    Write,
)
from withearth.store.query_rules import check_query, unordered
from withearth.store.sqlite_file import BUSY_TIMEOUT_S, Layout, SqliteFile
from withearth.store.values import check_amounts, check_ref, check_size, decode, encode

APPLICATION_ID: Final = 0x77453031
LAYOUT_VERSION: Final = 1
_TABLES: Final = (
    """
    CREATE TABLE documents (
        collection TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (collection, id)
    )
    """,
    "CREATE TABLE commits (last INTEGER NOT NULL)",
    "INSERT INTO commits VALUES (0)",
)
_BY_VERSION: Final = {"documents_by_version": "CREATE INDEX documents_by_version ON documents (version)"}
_CHANGED: Final = """
    SELECT DISTINCT collection, CASE WHEN collection IN (SELECT value FROM json_each(?)) THEN id ELSE '' END
    FROM documents WHERE version > ? ORDER BY 1, 2
"""
_LAST: Final = "SELECT last FROM commits"
_GET: Final = "SELECT version, body FROM documents WHERE collection = ? AND id = ?"
_CREATE: Final = "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PUT: Final = (
    "INSERT INTO documents VALUES (?, ?, ?, ?) "
    "ON CONFLICT (collection, id) DO UPDATE SET version = excluded.version, body = excluded.body"
)
_REPLACE: Final = "UPDATE documents SET version = ?, body = ? WHERE collection = ? AND id = ? AND version = ?"
_DELETE: Final = "DELETE FROM documents WHERE collection = ? AND id = ?"
_DELETE_VERSION: Final = "DELETE FROM documents WHERE collection = ? AND id = ? AND version = ?"
_NEXT_COMMIT: Final = "UPDATE commits SET last = last + 1 RETURNING last"


class SqliteStore:
    """Documents in one file. `indexes` are the queries it answers without looking at every document."""

    def __init__(self, path: Path, indexes: Sequence[Index] = INDEXES, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        made = {sqlite_query.index_name(index): sqlite_query.create_index(index) for index in indexes}
        layout = Layout("a withEarth document store", APPLICATION_ID, LAYOUT_VERSION, _TABLES, made | _BY_VERSION)
        self._indexes = indexes
        self._index_names = frozenset(made)
        self._file = SqliteFile(path, layout, busy_timeout_s)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def get(self, ref: Ref) -> Stored | None:
        """The document, or None."""
        check_ref(ref)
        with self._file.reading() as connection:
            return _read(connection, ref)

    def get_many(self, refs: Sequence[Ref]) -> list[Stored | None]:
        """One answer for each ref, in their order, read at one instant."""
        for ref in refs:
            check_ref(ref)
        with self._file.snapshot() as connection:
            return [_read(connection, ref) for ref in refs]

    def commit(self, writes: Sequence[Write]) -> str:
        """Apply all writes or none, and return the version that the first one's document now has.

        Raises AlreadyExists, VersionMismatch or InvalidDocument.
        """
        check_size(writes)
        # Before the file is taken: the others do not wait for our encoding.
        bodies = [_body(write) for write in writes]
        with self._file.writing() as connection:
            ((version,),) = connection.execute(_NEXT_COMMIT).fetchall()
            for write, body in zip(writes, bodies, strict=True):
                _apply(connection, write, body, version)
        return str(version)

    def query(self, query: Query) -> list[Stored]:
        """The documents that match, in order."""
        check_query(query, self._indexes)
        with self._file.reading() as connection:
            rows = connection.execute(*sqlite_query.select(query, self._index_names)).fetchall()
        if any(rank >= sqlite_query.UNORDERED_RANK for *_, rank in rows):
            raise unordered(query)
        return [Stored(Ref(query.collection, id_), decode(body), str(version)) for id_, version, body, _ in rows]

    def count(self, query: Query) -> int:
        """How many documents match, ignoring `limit` and `after`."""
        check_query(query, self._indexes)
        with self._file.reading() as connection:
            (number,) = connection.execute(*sqlite_query.count(query, self._index_names)).fetchone()
        return int(number)

    def last_change(self) -> int:
        """The number of the newest commit."""
        with self._file.reading() as connection:
            ((last,),) = connection.execute(_LAST).fetchall()
        return int(last)

    def changed_since(self, number: int, by_id: Sequence[str] = ()) -> list[str]:
        """The collections in which a commit after this one wrote, those of `by_id` with each document's id.

        What was deleted is not told.
        """
        with self._file.reading() as connection:
            rows = connection.execute(_CHANGED, (json.dumps(by_id), number)).fetchall()
        return [f"{collection}/{id_}" if id_ else collection for collection, id_ in rows]


def _read(connection: sqlite3.Connection, ref: Ref) -> Stored | None:
    row = connection.execute(_GET, (ref.collection, ref.id)).fetchone()
    return None if row is None else Stored(ref, decode(row[1]), str(row[0]))


def _body(write: Write) -> str:
    check_ref(write.ref)
    match write:
        case Create() | Replace():
            return encode(write.data)
        case Increment():
            check_amounts(write.amounts)
    return ""


def _apply(connection: sqlite3.Connection, write: Write, body: str, version: int) -> None:
    match write:
        case Create():
            _create(connection, write, body, version)
        case Replace():
            _replace(connection, write, body, version)
        case Delete():
            _delete(connection, write)
        case Increment():
            _increment(connection, write, version)
        case _:
            assert_never(write)


def _create(connection: sqlite3.Connection, write: Create, body: str, version: int) -> None:
    if not connection.execute(_CREATE, (*_address(write.ref), version, body)).rowcount:
        raise AlreadyExists(f"{write.ref} exists already")


def _replace(connection: sqlite3.Connection, write: Replace, body: str, version: int) -> None:
    if write.if_version is None:
        connection.execute(_PUT, (*_address(write.ref), version, body))
    elif not connection.execute(_REPLACE, (version, body, *_address(write.ref), write.if_version)).rowcount:
        raise VersionMismatch(f"{write.ref} is not the version that was read")


def _delete(connection: sqlite3.Connection, write: Delete) -> None:
    if write.if_version is None:
        connection.execute(_DELETE, _address(write.ref))
    elif not connection.execute(_DELETE_VERSION, (*_address(write.ref), write.if_version)).rowcount:
        raise VersionMismatch(f"{write.ref} is not the version that was read")


def _increment(connection: sqlite3.Connection, write: Increment, version: int) -> None:
    stored = _read(connection, write.ref)
    data = {} if stored is None else dict(stored.data)
    for name, amount in write.amounts.items():
        before = data.get(name, 0)
        if type(before) is not int:
            raise InvalidDocument(f"{name}: only an integer can be incremented, {write.ref} holds {before!r}")
        data[name] = before + amount
    connection.execute(_PUT, (*_address(write.ref), version, encode(data)))


def _address(ref: Ref) -> tuple[str, str]:
    return ref.collection, ref.id
