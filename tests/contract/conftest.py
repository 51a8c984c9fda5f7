"""The adapters under contract. One more joins the documents contract by a line in `ADAPTERS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Final, Protocol

import pytest

from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from tests.fakes.emulator_bus import EmulatorBus
from tests.fakes.inbox import ORDERED, PLAIN, Open, run_dry
from withearth.messaging.local_bus import Chaos, LocalBus, Subscription
from withearth.messaging.port import Message
from withearth.messaging.subscriptions import Delivery
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


AUDIT: Final = Subscription("audit-ticks", "ticks", "audit", ordered=False)
HEARD: Final = (PLAIN, AUDIT, ORDERED)

Push = Callable[[Delivery], int]
ADAPTERS: Final[dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[DocumentStore]]]] = {
    "firestore": _firestore,
    "sqlite": _sqlite,
}


@pytest.fixture(params=sorted(ADAPTERS))
def store(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    """An empty store of each adapter."""
    with ADAPTERS[request.param](request) as opened:
        yield opened


class Bus(Protocol):
    """A bus with both its ends, as the contract looks at it."""

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """Publish."""
        ...

    def deliver_due(self, push: Push) -> object:
        """Push what there is."""
        ...

    def run_dry(self, push: Push) -> None:
        """Push until nothing comes any more."""
        ...

    def dead(self, subscription: Subscription) -> list[Message]:
        """What died in a subscription."""
        ...


class _LocalBusWithItsClock:
    """The local bus, whose back-offs pass at once."""

    def __init__(self, bus: LocalBus, clock: ManualClock) -> None:
        self._bus, self._clock = bus, clock
        self.publish, self.deliver_due = bus.publish, bus.deliver_due

    def run_dry(self, push: Push) -> None:
        """Push until nothing comes any more."""
        run_dry(self._bus, self._clock, push)

    def dead(self, subscription: Subscription) -> list[Message]:
        """What died in a subscription."""
        return [each.message for each in self._bus.dead_letters() if each.subscription == subscription.name]


@pytest.fixture(params=["local", "pubsub"])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """An empty bus of each adapter, with two subscriptions of `ticks` and an ordered one of `intents`."""
    if request.param == "pubsub":
        emulator, project = (request.getfixturevalue(name) for name in ("pubsub_emulator", "project"))
        with closing(EmulatorBus(emulator, project, HEARD)) as opened:
            yield opened
        return
    clock = ManualClock(NOON)
    with closing(LocalBus(request.getfixturevalue("tmp_path") / "bus.db", clock, HEARD)) as local:
        yield _LocalBusWithItsClock(local, clock)


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
