"""The whole state of the exchange, and the few moves on it that everything else is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import AlgoStatus, IncomeType, MarginType, OrderStatus
from withearth.paper.engine.ledger import Income
from withearth.paper.engine.orders import AlgoOrder, Order
from withearth.paper.feed import PriceFeed, Tick

YEAR_MS: Final = 365 * 86_400_000
NEVER_MS: Final = 2**62
# The ranges that ids on the real exchange have today, so that nobody relies on small ones.
_FIRST_ORDER: Final = 33_000_000_000
_FIRST_ALGO: Final = 4_000_001_900_000_000
_FIRST_TRADE: Final = 1_190_000_000
_FIRST_TRANSACTION: Final = 9_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What is not known of the real exchange, or differs between its environments.

    `reduce_only_without_position`: a reduce-only conditional order is accepted while there is no position (else -2022).
    `triggers_knock_out`: a triggered reduce-only order takes the place of resting ones that already cover the position
    (else it is rejected, as a direct order is).
    """

    reduce_only_without_position: bool = True
    triggers_knock_out: bool = True


@dataclass(slots=True)
class Counters:
    """The newest number of each kind that was given out."""

    order: int = _FIRST_ORDER
    algo: int = _FIRST_ALGO
    trade: int = _FIRST_TRADE
    transaction: int = _FIRST_TRANSACTION
    amendment: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Nothing happens to a symbol while its prices stay above `low` and below `high`; None is no bound."""

    low: Decimal | None
    high: Decimal | None


@dataclass(slots=True)
class SymbolState:
    """What rests on one symbol, of all accounts, oldest first; and what was taken from the outside book.

    `taken` holds for the outside tick of `taken_ms`: the next tick brings a fresh book. `holders` are the keys of the
    accounts with a position.
    """

    orders: dict[int, Order] = field(default_factory=dict)
    algos: dict[int, AlgoOrder] = field(default_factory=dict)
    holders: dict[str, None] = field(default_factory=dict)
    taken: dict[Decimal, Decimal] = field(default_factory=dict)
    taken_ms: int = 0
    funding_ms: int = NEVER_MS
    bounds: Bounds | None = None
    bounds_version: int = -1

    @property
    def is_active(self) -> bool:
        """Whether a price can change anything here."""
        return bool(self.orders or self.algos or self.holders)


class Venue:
    """Instruments, accounts, what rests, and the time. `version` grows with every change that matters to a price."""

    def __init__(
        self, instruments: dict[str, PaperInstrument], feed: PriceFeed, now_ms: int, seed: int, switches: Switches
    ) -> None:
        self.instruments = instruments
        self.feed = feed
        self.now_ms = now_ms
        self.seed = seed
        self.switches = switches
        self.accounts: dict[str, Account] = {}
        self.states: dict[str, SymbolState] = {}
        self.counters = Counters()
        self.version = 0
        self.deadline_ms = NEVER_MS
        self.deadline_version = -1

    def instrument(self, symbol: str) -> PaperInstrument:
        """One symbol. Raises VenueError -1121."""
        found = self.instruments.get(symbol)
        if found is None:
            raise VenueError(Refusal.INVALID_SYMBOL)
        return found

    def state(self, symbol: str) -> SymbolState:
        """What rests on a symbol."""
        found = self.states.get(symbol)
        if found is None:
            found = self.states[symbol] = SymbolState()
        return found

    def tick(self, symbol: str) -> Tick:
        """The outside prices now."""
        return self.feed.tick(symbol, self.now_ms)

    def leverage(self, account: Account, instrument: PaperInstrument) -> int:
        """The leverage that holds: the one set, or what the symbol allows where that is less."""
        return min(account.leverage(instrument.symbol), instrument.max_leverage)

    def is_isolated(self, account: Account, symbol: str) -> bool:
        """Whether positions of the symbol stand alone."""
        return account.margin_type(symbol) is MarginType.ISOLATED

    def changed(self) -> None:
        """Forget what was computed about when something can happen next."""
        self.version += 1

    # Orders

    def open_order(self, account: Account, order: Order) -> None:
        """Let an order rest behind everything that rests already."""
        account.open_orders[order.order_id] = order
        self.state(order.symbol).orders[order.order_id] = order
        self.changed()

    def end_order(self, order: Order, status: OrderStatus) -> None:
        """Give an order its last status and take it from the books."""
        account = self.accounts[order.account]
        order.status, order.updated_ms = status, self.now_ms
        account.open_orders.pop(order.order_id, None)
        self.state(order.symbol).orders.pop(order.order_id, None)
        if order.algo_id is not None:
            algo = account.algos[order.algo_id]
            algo.status, algo.updated_ms = AlgoStatus.FINISHED, self.now_ms
        self.changed()

    def open_algo(self, account: Account, algo: AlgoOrder) -> None:
        """Let a conditional order wait."""
        account.algos[algo.algo_id] = account.open_algos[algo.algo_id] = algo
        account.algo_ids[algo.client_algo_id] = algo.algo_id
        self.state(algo.symbol).algos[algo.algo_id] = algo
        self.changed()

    def end_algo(self, algo: AlgoOrder, status: AlgoStatus) -> None:
        """Give a waiting conditional order another status and take it from those that wait."""
        algo.status, algo.updated_ms = status, self.now_ms
        self.accounts[algo.account].open_algos.pop(algo.algo_id, None)
        self.state(algo.symbol).algos.pop(algo.algo_id, None)
        self.changed()

    # Money

    def pay(self, account: Account, income_type: IncomeType, asset: str, amount: Decimal, **about: str) -> Income:
        """Change the wallet and write down why. The wallet is the sum of these rows, to the last digit."""
        self.counters.transaction += 1
        row = Income(
            tran_id=self.counters.transaction,
            symbol=about.get("symbol", ""),
            type=income_type,
            amount=amount,
            asset=asset,
            info=about.get("info", income_type.value),
            time_ms=self.now_ms,
            trade_id=about.get("trade_id", ""),
        )
        account.wallet[asset] = account.wallet.get(asset, Decimal(0)) + amount
        account.income.append(row)
        return row

    # Deadlines

    def next_deadline(self) -> int:
        """When something is due whatever the price does: an expiry, a countdown, a funding settlement."""
        if self.deadline_version != self.version:
            self.deadline_ms = min(self._deadlines(), default=NEVER_MS)
            self.deadline_version = self.version
        return self.deadline_ms

    def _deadlines(self) -> Iterable[int]:
        for state in self.states.values():
            yield from (expiry_ms(order) for order in state.orders.values())
            yield from (algo.good_till_date for algo in state.algos.values() if algo.good_till_date)
            if state.holders:
                yield state.funding_ms
        for account in self.accounts.values():
            yield from account.countdowns.values()


def expiry_ms(order: Order) -> int:
    """When an order expires: at its goodTillDate, or after a year."""
    return order.good_till_date or order.created_ms + YEAR_MS
