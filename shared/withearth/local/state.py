"""The state directory of one machine: who may use it, and where the books and the bus lie in it."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from withearth.domain.clock import Clock
from withearth.domain.errors import Misconfigured
from withearth.flow.documents import view_ref
from withearth.market.port import MarketOrigin
from withearth.messaging.local_bus import Chaos, LocalBus, Subscription
from withearth.messaging.port import MARKET_TICKS, TRADE_INTENTS
from withearth.store.port import DocumentStore

SUBSCRIPTIONS: Final[Sequence[Subscription]] = (
    Subscription("worker-ticks", MARKET_TICKS, "worker", ordered=False),
    Subscription("executor-intents", TRADE_INTENTS, "executor", ordered=True),
)

_LATEST: Final = "latest"


@contextmanager
def exclusive(directory: Path, called: str = "STATE_DIR") -> Iterator[None]:
    """Hold the directory for this process. Raises Misconfigured, by the name it is `called`, when another one holds it.

    The lock is the operating system's, so it ends with the process however that ends.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = (directory / "lock").open("w")
    except OSError as error:
        raise Misconfigured(
            f"{called} {directory} cannot be written ({error.strerror}): choose another one."
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(
                f"{called} {directory} is in use by another withearth process: stop it, or choose another {called}.",
            ) from error
        yield


def refuse_other_market(store: DocumentStore, market: MarketOrigin, directory: Path) -> None:
    """Raise Misconfigured where the books hold what came of another market: their sums would be nobody's results."""
    overview = store.get(view_ref("overview"))
    known = market.value if overview is None else overview.data.get("market", market.value)
    if known != market.value:
        raise Misconfigured(
            f"STATE_DIR {directory} holds what came of a {known} market, and MARKET is {market.value} now: "
            "set STATE_DIR to another directory, or move that one away.",
        )


def remember_latest(state_dir: Path, directory: Path) -> None:
    """Note which books were written last, for who looks at them next."""
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / _LATEST).write_text(str(directory.resolve()), encoding="utf-8")


def latest_books(state_dir: Path) -> Path:
    """The directory of the books that were written last. Raises Misconfigured when there are none yet."""
    note = state_dir / _LATEST
    if not note.is_file():
        raise Misconfigured(f"There are no books in {state_dir} yet: run `withearth replay`, `run` or `demo` first.")
    return Path(note.read_text(encoding="utf-8"))


def open_bus(directory: Path, clock: Clock, chaos: Chaos | None = None) -> LocalBus:
    """The bus of one machine, with the subscriptions the cloud has."""
    return LocalBus(directory / "bus.db", clock, SUBSCRIPTIONS, chaos)
