import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import pytest

from withearth.domain.errors import Misconfigured, Unavailable
from withearth.store import sqlite_query
from withearth.store.indexes import INDEXES, Index
from withearth.store.port import Create, Increment, InvalidDocument, Query, Ref, Replace
from withearth.store.sqlite import SqliteStore

A: Final = Ref("things", "a")
B: Final = Ref("things", "b")
SPAWN: Final = multiprocessing.get_context("spawn")
IMPATIENT_S: Final = 0.05
PAGES: Final = "x" * 20_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a store nobody has opened yet, in a folder that does not exist yet."""
    return tmp_path / "state" / "deep" / "store.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqliteStore]:
    """A new store with one document, that does not wait long for locks."""
    with closing(SqliteStore(file, busy_timeout_s=IMPATIENT_S)) as opened:
        opened.commit([Create(A, {"n": 1})])
        yield opened


def number(store: SqliteStore, ref: Ref) -> int | None:
    """The field `n` of a document, or None when there is no document."""
    stored = store.get(ref)
    return None if stored is None else stored.data["n"]


def limit(store: SqliteStore, pragma: str) -> None:
    """Set a limit of SQLite's own on the one connection the store has."""
    with store._file.reading() as connection:
        connection.execute(pragma).fetchall()


# Processes


def increment_often(file: Path, times: int) -> None:
    """The work of one of several processes."""
    with closing(SqliteStore(file)) as store:
        for _ in range(times):
            store.commit([Increment(A, {"n": 1})])


def write_pairs(file: Path, progress: Connection) -> None:
    """Write two documents that always agree, and tell each number that is committed, until killed."""
    with closing(SqliteStore(file)) as store:
        pair = 0
        while True:
            pair += 1
            store.commit([Replace(A, {"n": pair, "filling": PAGES}), Replace(B, {"n": pair, "filling": PAGES})])
            progress.send(pair)


def test_no_increment_of_another_process_is_lost(file: Path) -> None:
    """Processes that count in the same document, from the making of the file on, add up."""
    processes = [SPAWN.Process(target=increment_often, args=(file, 200)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    with closing(SqliteStore(file)) as store:
        assert [process.exitcode for process in processes] == [0, 0]
        assert number(store, A) == 400


def test_a_killed_process_leaves_whole_commits_only(file: Path) -> None:
    """After SIGKILL in the middle of writing, what was reported is there, and no commit is there by half."""
    ours, theirs = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=write_pairs, args=(file, theirs))
    process.start()
    reported = 0
    while reported < 100:
        reported = ours.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while ours.poll():
        reported = ours.recv()

    with closing(SqliteStore(file)) as store:
        assert number(store, A) == number(store, B)
        assert (number(store, A) or 0) >= reported


def test_many_can_open_a_new_file_at_once(file: Path) -> None:
    """Whoever comes first makes the tables; nobody fails."""

    def open_and_count(_: int) -> None:
        with closing(SqliteStore(file)) as store:
            store.commit([Increment(A, {"n": 1})])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_count, range(8)))

    with closing(SqliteStore(file)) as store:
        assert number(store, A) == 8


# Faults


def test_a_locked_file_is_told_as_unavailable_and_recovers(store: SqliteStore, file: Path) -> None:
    """A writer that holds the file too long delays us; it does not stop reading, and nothing is lost."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match=rf"{file} is locked .* stop the other process"):
            store.commit([Increment(A, {"n": 1})])
        assert number(store, A) == 1
        other.execute("ROLLBACK")

    store.commit([Increment(A, {"n": 1})])
    assert number(store, A) == 2


def test_a_thread_that_holds_the_file_too_long_delays_the_others(store: SqliteStore) -> None:
    """Writers of one process wait for each other as long as for another process."""
    with ThreadPoolExecutor(1) as pool, store._file.writing():
        late = pool.submit(store.commit, [Increment(A, {"n": 1})])
        assert isinstance(late.exception(), Unavailable)

    assert number(store, A) == 1


def test_a_new_file_that_stays_locked_is_unavailable(tmp_path: Path) -> None:
    """Who finds another process making the file waits for it, and not for ever."""
    file = tmp_path / "store.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE unfinished (n INTEGER)")
        with pytest.raises(Unavailable, match="is locked"):
            SqliteStore(file, busy_timeout_s=IMPATIENT_S)
        other.execute("ROLLBACK")

    SqliteStore(file).close()


def test_a_full_disk_asks_for_space_and_loses_nothing(store: SqliteStore, file: Path) -> None:
    """A commit that does not fit is undone as a whole; with space again, writing goes on."""
    limit(store, "PRAGMA max_page_count = 40")

    with pytest.raises(Misconfigured, match=rf"the disk of {file} is full: free some space"):
        store.commit([Increment(A, {"n": 1}), *(Create(Ref("large", str(n)), {"x": PAGES}) for n in range(20))])
    assert number(store, A) == 1
    assert store.count(Query("large")) == 0

    limit(store, "PRAGMA max_page_count = 4000")
    store.commit([Increment(A, {"n": 1})])
    assert number(store, A) == 2


def test_a_file_that_cannot_be_written_asks_for_permission(store: SqliteStore, file: Path) -> None:
    """Reading goes on where writing is refused."""
    limit(store, "PRAGMA query_only = ON")

    with pytest.raises(Misconfigured, match=rf"{file} cannot be written: make the file and its folder writable"):
        store.commit([Increment(A, {"n": 1})])
    assert number(store, A) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told_at_opening(tmp_path: Path) -> None:
    """The process stops at its start, not at its first write."""
    tmp_path.chmod(0o555)

    with pytest.raises(Misconfigured, match=str(tmp_path)):
        SqliteStore(tmp_path / "store.db")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A path that leads through a file is told with the system's reason."""
    (tmp_path / "state").write_text("a file")

    with pytest.raises(Misconfigured, match=rf"{tmp_path}/state/deep cannot be made \(Not a directory\)"):
        SqliteStore(tmp_path / "state" / "deep" / "store.db")


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    """A path that is a folder cannot be a store."""
    with pytest.raises(Misconfigured, match=rf"{tmp_path} cannot be opened: it has to be a file"):
        SqliteStore(tmp_path)


def test_garbage_is_no_store(tmp_path: Path) -> None:
    """A file of something else is refused and left as it was."""
    file = tmp_path / "store.db"
    file.write_bytes(b"not a database " * 1000)

    with pytest.raises(Misconfigured, match=rf"{file} is no database: move it away"):
        SqliteStore(file)
    assert file.read_bytes() == b"not a database " * 1000


def test_a_damaged_store_is_told(file: Path) -> None:
    """Pages that make no sense are not read as an empty store."""
    with closing(SqliteStore(file)) as store:
        store.commit([Create(A, {"n": 1}), *(Create(Ref("large", str(n)), {"x": PAGES}) for n in range(20))])
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with pytest.raises(Misconfigured, match=rf"{file} is damaged: move it away"):
        SqliteStore(file).get(A)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    """A wrong path never puts our tables into somebody's database."""
    file = tmp_path / "store.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE customers (name TEXT)")

    with pytest.raises(Misconfigured, match=rf"{file} is a database of something else, not a withEarth document store"):
        SqliteStore(file)


def test_a_store_of_a_newer_version_is_refused(file: Path) -> None:
    """An older program does not guess what a newer one wrote."""
    SqliteStore(file).close()
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 99")

    with pytest.raises(Misconfigured, match=rf"{file} was written by a newer withEarth \(layout 99.*update withEarth"):
        SqliteStore(file)


def test_an_old_sqlite_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that came with too old a SQLite is told at the start, not at the first query."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))

    with pytest.raises(Misconfigured, match=r"SQLite 3\.38\.0 or newer is needed"):
        SqliteStore(file)


def test_a_text_is_not_counted_up(store: SqliteStore) -> None:
    """A field that holds no integer is not taken for 0."""
    store.commit([Replace(B, {"n": "1", "m": 1})])

    with pytest.raises(InvalidDocument, match="n: only an integer can be incremented, things/b holds '1'"):
        store.commit([Increment(B, {"m": 1, "n": 1})])
    stored = store.get(B)
    assert stored is not None
    assert stored.data == {"n": "1", "m": 1}


def test_a_closed_store_is_unavailable(store: SqliteStore) -> None:
    """A late caller is told, instead of opening the file anew."""
    store.close()

    with pytest.raises(Unavailable, match="closed"):
        store.get(A)


# Indexes


@pytest.mark.parametrize("index", INDEXES, ids=sqlite_query.index_name)
def test_every_declared_query_is_served_by_its_index(store: SqliteStore, index: Index) -> None:
    """No query the system makes looks at every document, or sorts."""
    query = Query(index.collection, dict.fromkeys(index.equal, "X"), index.order_by, index.direction, limit=5)
    sql, parameters = sqlite_query.select(query, store._index_names)
    with store._file.reading() as connection:
        plan = " ".join(str(row[-1]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))

    assert f"USING INDEX {sqlite_query.index_name(index)}" in plan
    assert "TEMP B-TREE" not in plan


def test_a_new_index_is_made_in_an_old_file(file: Path) -> None:
    """An index that a later version declares is built at the next opening."""
    SqliteStore(file, indexes=()).close()

    with closing(SqliteStore(file)) as store, store._file.reading() as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    assert {sqlite_query.index_name(index) for index in INDEXES} <= names
