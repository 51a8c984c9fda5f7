"""Trading to be tried to destruction: a paper exchange that lives on while the processes that trade on it die.

The exchange is the truth. It is looked into after everything that could have changed it: every call, every new price.
Time passes from price to price and never by itself, so that how long a quantity stood uncovered is measured exactly.
Every call of a process to the exchange takes a tenth of a second.

The market reacts to what the exchange holds, not to the time of day: however long a dead process was away, what is
left to be traded is the same.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from threading import RLock
from typing import Any, Final, Protocol, Self, cast

from requests.adapters import BaseAdapter

from tests.builders.installation import AlwaysLong, Killed, settings_of
from tests.fakes.clock import ManualClock
from withearth.bootstrap import SYNTHETIC_START, open_store
from withearth.domain.errors import Retryable
from withearth.domain.side import Side
from withearth.domain.times import decision_id, from_ms, tick_id, to_ms
from withearth.execution.binance import BinanceVenue
from withearth.execution.binance_line import Connection
from withearth.execution.lineage import Leg, lineage
from withearth.execution.venue import Venue
from withearth.flow.canary import PREFIX as CANARY
from withearth.flow.documents import IntentState, book_ref, intent_ref, trade_ref
from withearth.flow.execute import execute
from withearth.flow.reconcile import reconcile
from withearth.flow.runtime import Runtime
from withearth.market.port import Market
from withearth.market.synthetic import SyntheticMarket
from withearth.market.traffic import Traffic
from withearth.messaging.events import TradeIntent
from withearth.messaging.port import Publisher
from withearth.paper.assembly import invented_listing
from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.kinds import AlgoType, IncomeType, PositionSide
from withearth.paper.engine.orders import Order
from withearth.paper.engine.venue import Switches
from withearth.paper.face import Face
from withearth.paper.faults import Fault, FaultQueue
from withearth.paper.feed import PriceLevel
from withearth.paper.feed_series import ScriptedFeed
from withearth.paper.transport import PaperTransport
from withearth.paper.wire.security import ApiKey
from withearth.risk.book import Book, book_from
from withearth.settings.trading_settings import CONSENT
from withearth.store.port import DocumentStore, Query

SYMBOL: Final = "BTCUSDT"
OTHER: Final = "ETHUSDT"
START: Final = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
PRICE: Final = Decimal(50_000)
DEPTH: Final = Decimal(100)
LATENCY: Final = timedelta(milliseconds=50)
MINUTE: Final = timedelta(minutes=1)
KEY: Final = "tester"
BASE_URL: Final = "https://paper.invalid"
_LEVELS: Final = 100
_EARNINGS: Final = frozenset({IncomeType.REALIZED_PNL, IncomeType.COMMISSION, IncomeType.FUNDING_FEE})


def live_settings(key: str) -> dict[str, str]:
    """Settings of VENUE=live in which everything agrees, with a key that is its own secret."""
    return {
        "EXECUTE_TRADES": "true",
        "VENUE": "live",
        "MARKET": "live",
        "LIVE_TRADING_CONSENT": CONSENT,
        "BINANCE_KEY_ENVIRONMENT": "live",
        "BINANCE_API_KEY": key,
        "BINANCE_API_SECRET": key,
    }


@cache
def a_market() -> Market:
    """One market for all runs: it holds no state but its prices."""
    return SyntheticMarket(7, (SYMBOL, OTHER), start=SYNTHETIC_START, spread_bps=Decimal(1))


class FlatBook(ScriptedFeed):
    """Scripted prices in a book whose levels all hold `depth`, a tick apart: what fills does not depend on when."""

    depth: Decimal = DEPTH

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the book, best price first."""
        tick, size = self.tick(symbol, at_ms), self._instruments[symbol].tick_size
        best, step = (tick.ask, size) if asks else (tick.bid, -size)
        return (PriceLevel(best + step * number, self.depth) for number in range(_LEVELS))


@dataclass(frozen=True, slots=True)
class Move:
    """A price that comes `after` the one before, and trades `through` of an order that waits at exactly this price."""

    after: timedelta
    price: Decimal
    through: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Act:
    """What the market does, once, as soon as the exchange is in a certain state."""

    when: Callable[["World"], bool]
    moves: Sequence[Move]


@dataclass(slots=True)
class Stretch:
    """An uninterrupted time in which more was held than one open stop covers: while a process was at work, and not."""

    at_work: timedelta = timedelta()
    unattended: timedelta = timedelta()


@dataclass(slots=True)
class Watch:
    """How long quantities stood uncovered, by the exchange's own books."""

    stretches: list[Stretch] = field(default_factory=list)
    looked_at: datetime = START
    was_uncovered: bool = False

    def see(self, now: datetime, *, uncovered: bool, at_work: bool) -> None:
        """Add the time since the last look to the stretch it belongs to."""
        if self.was_uncovered:
            passed = now - self.looked_at
            if at_work:
                self.stretches[-1].at_work += passed
            else:
                self.stretches[-1].unattended += passed
        elif uncovered:
            self.stretches.append(Stretch())
        self.looked_at, self.was_uncovered = now, uncovered

    @property
    def longest_at_work(self) -> timedelta:
        """The longest a quantity stood uncovered before the eyes of a process."""
        return max((each.at_work for each in self.stretches), default=timedelta())

    @property
    def longest_unattended(self) -> timedelta:
        """The longest a quantity stood uncovered while no process was at work."""
        return max((each.unattended for each in self.stretches), default=timedelta())


class World:
    """The exchange, the market and the time: what does not die with a process. It is the clock of every process."""

    def __init__(
        self,
        *acts: Act,
        symbols: Sequence[str] = (SYMBOL,),
        switches: Switches | None = None,
        hedge_mode: bool = False,
    ) -> None:
        self._clock = ManualClock(START)
        self._lock = RLock()
        self._acts = list(acts)
        self._due: list[int] = []
        instruments = invented_listing(a_market(), symbols)
        self.feed = FlatBook(instruments)
        for symbol in symbols:
            self.feed.set_price(symbol, to_ms(START), PRICE)
        self.exchange = PaperExchange(instruments, self.feed, now_ms=to_ms(START), switches=switches)
        self.account: Account = self.exchange.open_account(KEY, {"USDT": Decimal(10_000)})
        if hedge_mode:
            self.exchange.set_position_mode(self.account, dual_side=True)
        self.faults = FaultQueue()
        self.face = Face(self.exchange, self, [ApiKey(KEY, KEY, KEY)])
        self.watch = Watch()
        self.at_work = False
        self.kind = "PAPER"
        self.counted = False
        """Whether processes keep an account of the exchange's limits."""

    def now(self) -> datetime:
        """The present instant."""
        return self._clock.now()

    def sleep(self, time: timedelta) -> None:
        """Let time pass, from price to price."""
        with self._lock:
            until = self.now() + time
            while self._due and from_ms(self._due[0]) <= until:
                self._go(max(self.now(), from_ms(self._due.pop(0))))
            self._go(until)

    def _go(self, at: datetime) -> None:
        self._clock.set(at)
        self.exchange.advance(to_ms(at))
        self.look()

    def look(self) -> None:
        """Look into the exchange's books, and let the market react to them."""
        with self._lock:
            uncovered = any(self.uncovered(symbol) for symbol in self.exchange.instruments)
            self.watch.see(self.now(), uncovered=uncovered, at_work=self.at_work)
            if self._acts and self._acts[0].when(self):
                self.play(self._acts.pop(0).moves)

    def play(self, moves: Sequence[Move], symbol: str = SYMBOL) -> None:
        """Let prices follow each other from now on."""
        at = self.now()
        for move in moves:
            at += move.after
            volume = 2 * (DEPTH + move.through) if move.through else Decimal(0)
            self.feed.set_price(symbol, to_ms(at), move.price, volume=volume)
            self._due = sorted([*self._due, to_ms(at)])

    def held(self, symbol: str = SYMBOL) -> Decimal:
        """The position, signed; in hedge mode the sum of both."""
        return sum((each.quantity for each in self.account.held(symbol)), Decimal(0))

    def uncovered(self, symbol: str = SYMBOL) -> bool:
        """Whether more is held, on any side, than the largest open stop of that side covers."""
        return any(self._is_uncovered(each) for each in self.account.held(symbol))

    def _is_uncovered(self, held: Position) -> bool:
        hedges = held.side is not PositionSide.BOTH
        covering = (
            algo.quantity
            for algo in self.account.algos_of(held.symbol)
            if algo.type is AlgoType.STOP_MARKET
            and algo.position_side is held.side
            and (algo.reduce_only or hedges)
            and algo.side.sign * held.quantity < 0
        )
        return abs(held.quantity) > max(covering, default=Decimal(0))

    def orders(self, leg: Leg) -> list[Order]:
        """Every ordinary order of a leg there ever was."""
        found = ((lineage(each.symbol, each.client_order_id), each) for each in self.account.orders.values())
        return [order for origin, order in found if origin is not None and origin.leg is leg]

    def guards(self, symbol: str = SYMBOL) -> dict[AlgoType, Decimal]:
        """The quantities of the open conditional orders by their type."""
        return {each.type: each.quantity for each in self.account.algos_of(symbol)}

    def earned(self) -> Decimal:
        """The exchange's own income records of all trading."""
        return sum((row.amount for row in self.account.income if row.type in _EARNINGS), Decimal(0))

    def strangers(self) -> list[str]:
        """The client ids of orders that no intent explains, and that are no canary."""
        ordinary = ((each.symbol, each.client_order_id) for each in self.account.orders.values())
        waiting = ((each.symbol, each.client_algo_id) for each in self.account.algos.values())
        unknown = [id_ for symbol, id_ in (*ordinary, *waiting) if lineage(symbol, id_) is None]
        return [id_ for id_ in unknown if not id_.startswith(CANARY)]

    def is_untouched(self) -> bool:
        """Whether no order of a trade, of whatever kind, was ever sent."""
        sent = (each.client_algo_id for each in self.account.algos.values())
        return not self.account.orders and all(id_.startswith(CANARY) for id_ in sent)

    def adapter(self, transport: BaseAdapter | None = None, traffic: Traffic | None = None) -> BinanceVenue:
        """The account through the one adapter and the official SDK."""
        line = transport or PaperTransport(self.face, faults=self.faults, pause=self._pause)
        return BinanceVenue(Connection(self.kind, BASE_URL, KEY, KEY, transport=line, traffic=traffic), self)

    def connect(self, process: "Process", traffic: Traffic | None = None) -> Venue:
        """The account as a process sees it."""
        return cast(Venue, _Attended(self.adapter(traffic=traffic), process, self))

    def _pause(self, ms: int) -> None:
        self.sleep(timedelta(milliseconds=ms))


class _Attended:
    """A venue each call of which takes time, is a deed of its process, and is looked at afterwards."""

    def __init__(self, venue: BinanceVenue, process: "Process", world: World) -> None:
        self._venue = venue
        self._process = process
        self._world = world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._venue, name)
        return partial(self._call, name, found) if callable(found) else found

    def _call(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._process.deed(name):
            self._world.sleep(LATENCY)
            answer = call(*args, **kwargs)
            self._world.look()
            self._world.sleep(LATENCY)
        return answer


class Process:
    """What a process does to the outside, in its order; it dies before or after the deed of the number chosen."""

    def __init__(self, kill_at: int | None = None, *, after: bool = False) -> None:
        self.deeds: list[str] = []
        self._kill_at = kill_at
        self._after = after

    @contextmanager
    def deed(self, name: str) -> Iterator[None]:
        """One call to the exchange, or one commit."""
        self.deeds.append(name)
        dies = len(self.deeds) == self._kill_at
        if dies and not self._after:
            raise Killed
        yield
        if dies:
            raise Killed

    def around(self, writing: Callable[[], Any]) -> Callable[[], Any]:
        """The write transaction of a file, as a deed."""

        @contextmanager
        def counted() -> Iterator[Any]:
            with self.deed("commit"), writing() as connection:
                yield connection

        return counted


class Books(DocumentStore, Protocol):
    """A store that is closed with its process."""

    def close(self) -> None:
        """Close it."""
        ...


class Trading:
    """The executor and the reconciler of an installation, over books in a directory, in a world."""

    def __init__(self, directory: Path, world: World, process: Process | None = None, /, **changes: str) -> None:
        """`process` is the first one, which may die; who comes after it does not. `changes` are settings."""
        directory.mkdir(parents=True, exist_ok=True)
        quick = {"LIMIT_TTL_SEC": "2", "LIMIT_MAX_REPRICES": "1", "RISK_USDT": "100000", "MAX_TICK_AGE_SEC": "60"}
        self.settings = settings_of(directory, **{"EXECUTE_TRADES": "true", **quick, **changes})
        self.world = world
        self.deaths = 0
        self._directory = directory
        self._start(process or Process())

    def _start(self, process: Process) -> None:
        self.store: Books = self._open(process)
        self.traffic = Traffic("paper", self.world, self.store) if self.world.counted else None
        self.runtime = Runtime(
            settings=self.settings,
            clock=self.world,
            market=a_market(),
            store=self.store,
            publisher=cast(Publisher, None),
            predictor=AlwaysLong(),
            venue=self.world.connect(process, self.traffic),
            venue_traffic=self.traffic,
        )

    def _open(self, process: Process) -> "Books":
        """The books as this process sees them."""
        store = open_store(self._directory)
        file = store._file
        file.writing = process.around(file.writing)  # type: ignore[method-assign]
        return store

    def deliver(self, intent: TradeIntent) -> bool:
        """Push an intent to the executor, and say whether it was acknowledged."""
        return self._run(lambda runtime: execute(runtime, intent))

    def reconcile(self) -> bool:
        """Call the reconciler, and say whether it came to its end."""
        return self._run(reconcile)

    def _run(self, use_case: Callable[[Runtime], object]) -> bool:
        self.world.at_work = True
        try:
            use_case(self.runtime)
        except Retryable:
            return False
        except Killed:
            self._die()
            return False
        else:
            return True
        finally:
            self.world.look()
            self.world.at_work = False

    def _die(self) -> None:
        self.deaths += 1
        self.store.close()
        self._start(Process())

    def see_through(self, intent: TradeIntent, minutes: int = 30) -> dict[str, Any]:
        """Deliver until it is acknowledged and reconcile every minute until it has ended. Returns its document."""
        acknowledged = False
        for _ in range(minutes):
            acknowledged = acknowledged or self.deliver(intent)
            self.reconcile()
            ended = self.store.get(intent_ref(intent.intent_id))
            if acknowledged and ended is not None and ended.data["state"] != IntentState.CLAIMED:
                return dict(ended.data)
            self.world.sleep(MINUTE)
        raise AssertionError(f"{intent.intent_id} does not come to an end")

    def trade(self, intent: TradeIntent) -> dict[str, Any]:
        """The journal row of an intent."""
        stored = self.store.get(trade_ref(intent.intent_id))
        assert stored is not None, "no journal row"
        return dict(stored.data)

    def journal(self, intent: TradeIntent) -> dict[str, Any]:
        """What the journal row says of quantity, prices, money and reason, without its times."""
        row = self.trade(intent)
        names = ("side", "qty", "entry", "exit", "pnl", "fees", "funding", "net_pnl", "exit_reason", "status")
        return {name: row[name] for name in names}

    def book(self) -> Book:
        """What counts for the limits."""
        stored = self.store.get(book_ref(self.runtime.mode))
        return Book() if stored is None else book_from(stored.data)

    def kinds(self) -> list[str]:
        """The kinds of the recorded events."""
        return [each.data["kind"] for each in self.store.query(Query("events"))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()


def a_long(**changed: Any) -> TradeIntent:
    """An intent to buy 0.010 at 50 000, with its stop at 49 750 and its target at 50 450."""
    symbol = changed.get("symbol", SYMBOL)
    fields: dict[str, Any] = {
        "symbol": symbol,
        "intent_id": decision_id(symbol, tick_id(START)),
        "side": Side.LONG,
        "qty": Decimal("0.010"),
        "entry": PRICE,
        "tp": Decimal(50_450),
        "sl": Decimal(49_750),
        "prob": 0.61,
        "horizon_min": 15,
        "decided_at": START,
        "expires_at": START + timedelta(minutes=9),
    }
    return TradeIntent(**fields | changed)


def with_fault(world: World, **fault: Any) -> World:
    """The world with a fault on the line."""
    world.faults.add(Fault(**fault))
    return world
