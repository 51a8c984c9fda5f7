"""Twelve executors at once, on one installation's books: together they never exceed a limit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any, Final, cast

import pytest

from tests.builders.installation import AlwaysLong, settings_of
from tests.builders.trading import START, a_long
from tests.fakes.clock import ManualClock
from withearth.bootstrap import SYNTHETIC_START, open_store
from withearth.domain.errors import Contention, Unavailable
from withearth.domain.times import decision_id, tick_id
from withearth.execution.orders import PositionSide
from withearth.execution.shown import AccountModes, Balance, Position, SymbolModes, Truth
from withearth.execution.venue import Venue
from withearth.flow.documents import POSITIONS, book_ref, intent_ref
from withearth.flow.execute import execute
from withearth.flow.runtime import Runtime
from withearth.market.synthetic import SyntheticMarket
from withearth.messaging.events import TradeIntent
from withearth.messaging.port import Publisher
from withearth.risk.book import Book, book_from
from withearth.store.port import Query
from withearth.store.sqlite import SqliteStore

RACERS: Final = 12
SYMBOLS: Final = tuple(f"COIN{number}USDT" for number in range(RACERS))


class Fallen:
    """An exchange that knows its account, and is not to be reached as soon as there is work: slots stay taken."""

    kind = "PAPER"

    def __init__(self) -> None:
        self._read = set[str]()

    def truth(self, symbol: str, position_side: PositionSide = PositionSide.BOTH) -> Truth:
        """Once for the preparation; then it is gone."""
        if symbol in self._read:
            raise Unavailable("the exchange is not to be reached")
        self._read.add(symbol)
        return Truth(Position(symbol, Decimal(0), Decimal(0), position_side), (), ())

    def modes(self) -> AccountModes:
        """One-way and single-asset."""
        return AccountModes(hedge_mode=False, multi_assets=False, can_trade=True)

    def symbol_modes(self, _symbol: str) -> SymbolModes:
        """As the settings want them."""
        return SymbolModes("ISOLATED", 5)

    def balance(self) -> Balance:
        """Enough for everybody."""
        return Balance("USDT", Decimal(10_000), Decimal(0), Decimal(10_000))

    def __getattr__(self, name: str) -> Any:
        def answer(*_: Any) -> Any:
            raise Unavailable(f"{name}: the exchange is not to be reached")

        return answer


def raced(directory: Path, intents: list[TradeIntent], **changes: str) -> SqliteStore:
    """The books after every intent was delivered at once, each on a thread and in books opened of its own."""
    directory.mkdir(exist_ok=True)
    settings = settings_of(directory, SYMBOLS=",".join(SYMBOLS), EXECUTE_TRADES="true", **changes)
    market = SyntheticMarket(7, SYMBOLS, start=SYNTHETIC_START, spread_bps=Decimal(1))
    barrier, clock = Barrier(len(intents)), ManualClock(START)

    def deliver(intent: TradeIntent) -> None:
        store = open_store(directory)
        runtime = Runtime(
            settings, clock, market, store, cast(Publisher, None), AlwaysLong(), venue=cast(Venue, Fallen())
        )
        barrier.wait()
        _until_acknowledged(lambda: execute(runtime, intent))
        store.close()

    with ThreadPoolExecutor(len(intents)) as pool:
        list(pool.map(deliver, intents))
    return open_store(directory)


def _until_acknowledged(attempt: Callable[[], object]) -> None:
    """One delivery: contention and an exchange that is gone leave the rest to the next one."""
    try:
        attempt()
    except (Contention, Unavailable):
        return


def book_of(store: SqliteStore) -> Book:
    """What counts for the limits."""
    stored = store.get(book_ref("PAPER"))
    return Book() if stored is None else book_from(stored.data)


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({"MAX_OPEN_POSITIONS": "3", "MAX_TOTAL_NOTIONAL_USDT": "0"}, 3),
        ({"MAX_OPEN_POSITIONS": "600", "MAX_TOTAL_NOTIONAL_USDT": "2499"}, 4),
        ({"MAX_OPEN_POSITIONS": "600", "MAX_TOTAL_NOTIONAL_USDT": "0", "MAX_ENTRIES_PER_HOUR": "2"}, 2),
    ],
    ids=["positions", "notional", "entries"],
)
@pytest.mark.parametrize("turn", range(3))
def test_twelve_executors_on_different_symbols_keep_the_limit(
    tmp_path: Path, changes: dict[str, str], most: int, turn: int
) -> None:
    """However they race, no more slots are taken than allowed, and each slot has its position and its execution."""
    intents = [
        a_long(symbol=symbol, intent_id=decision_id(symbol, tick_id(START)), expires_at=a_long().expires_at)
        for symbol in SYMBOLS
    ]
    store = raced(tmp_path / str(turn), intents, **changes)
    book = book_of(store)
    occupied = {each.data["symbol"]: each.data["trade_id"] for each in store.query(Query(POSITIONS))}

    assert 1 <= len(book.slots) <= most
    assert occupied == {symbol: slot.intent_id for symbol, slot in book.slots.items()}
    assert set(book.entries) == set(occupied.values())
    assert book.notional == 500 * len(book.slots)
    for id_ in occupied.values():
        stored = store.get(intent_ref(id_))
        assert stored is not None
        assert "execution" in stored.data
    store.close()


def test_twelve_executors_on_one_intent_take_one_slot(tmp_path: Path) -> None:
    """The same message twelve times at once: one slot, one entry, one position."""
    intent = a_long(symbol=SYMBOLS[0], intent_id=decision_id(SYMBOLS[0], tick_id(START)))
    store = raced(tmp_path, [intent] * RACERS)

    assert [intent.intent_id] == list(book_of(store).entries)
    assert [intent.intent_id] == [slot.intent_id for slot in book_of(store).slots.values()]
    assert 1 == store.count(Query(POSITIONS))
    store.close()
