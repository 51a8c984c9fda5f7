"""The adapters under contract. One more joins the documents contract by a line in `ADAPTERS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Final

import pytest

from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from tests.fakes.inbox import ORDERED, PLAIN, Open
from withearth.messaging.local_bus import Chaos, LocalBus, Subscription
from withearth.store.firestore import FirestoreStore
from withearth.store.indexes import Index
from withearth.store.port import DocumentStore
from withearth.store.sqlite import SqliteStore
from withearth.store.sqlite_file import BUSY_TIMEOUT_S

INDEXES: Final = (
    Index("things", (), "at"),
    Index("things", ("kind",), "at"),
    Index("things", ("kind",), "at", "descending"),
)


def _sqlite(request: pytest.FixtureRequest) -> AbstractContextManager[DocumentStore]:
    return closing(SqliteStore(request.getfixturevalue("tmp_path") / "store.db", INDEXES))


def _firestore(request: pytest.FixtureRequest) -> AbstractContextManager[DocumentStore]:
    emulator = request.getfixturevalue("firestore_emulator")
    return closing(FirestoreStore(request.getfixturevalue("project"), emulator=emulator, indexes=INDEXES))


ADAPTERS: Final[dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[DocumentStore]]]] = {
    "firestore": _firestore,
    "sqlite": _sqlite,
}


@pytest.fixture(params=sorted(ADAPTERS))
def store(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    """An empty store of each adapter."""
    with ADAPTERS[request.param](request) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon."""
    return ManualClock(NOON)


@pytest.fixture
def open_bus(tmp_path: Path, clock: ManualClock) -> Iterator[Open]:
    """Open the one bus file, as often as a test wants to."""
    opened: list[LocalBus] = []

    def open_it(
        *subscriptions: Subscription, chaos: Chaos | None = None, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> LocalBus:
        receivers = subscriptions or (PLAIN, ORDERED)
        opened.append(LocalBus(tmp_path / "bus.db", clock, receivers, chaos, busy_timeout_s))
        return opened[-1]

    yield open_it
    for bus in opened:
        bus.close()
