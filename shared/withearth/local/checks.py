"""Checks: what an executed run on the paper exchange promises, held against the exchange's own books."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from withearth.domain.clock import Clock
from withearth.domain.times import from_ms
from withearth.execution.lineage import Leg, lineage
from withearth.execution.paper_venue import ACCOUNT, PaperVenue
from withearth.flow.documents import TRADES, TradeStatus
from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.kinds import AlgoType, IncomeType, OrderSide, PositionSide
from withearth.paper.engine.orders import AlgoOrder, Order
from withearth.store.port import DocumentStore, Query

BOOKED = frozenset({IncomeType.REALIZED_PNL, IncomeType.COMMISSION, IncomeType.FUNDING_FEE})


@dataclass(slots=True)
class Coverage:
    """Watches, after every request, how long a quantity was held that no open stop covers.

    Time is counted from the exchange's own time of the change that uncovered it, to the sample that saw it covered.
    """

    venue: PaperVenue
    clock: Clock
    since: dict[tuple[str, PositionSide], datetime] = field(default_factory=dict)
    covered_after: timedelta = timedelta()

    @property
    def longest(self) -> timedelta:
        """The longest so far, of what is uncovered now too."""
        now = self.clock.now()
        return max(self.covered_after, *(now - since for since in self.since.values()), timedelta())

    def sample(self) -> None:
        """Look at every position now."""
        account = self.venue.exchange.account(ACCOUNT)
        uncovered = {
            (held.symbol, held.side): from_ms(held.updated_ms)
            for held in account.held()
            if abs(held.quantity) > self._covered(account, held)
        }
        for place in self.since.keys() - uncovered.keys():
            self.covered_after = max(self.covered_after, self.clock.now() - self.since.pop(place))
        self.since = uncovered | self.since

    def _covered(self, account: Account, held: Position) -> Decimal:
        """The quantity of the largest open stop that can only reduce a position."""
        stops = self.venue.exchange.open_algo_orders(account, held.symbol)
        return max((each.quantity for each in stops if _protects(each, held)), default=Decimal(0))


def _protects(stop: AlgoOrder, held: Position) -> bool:
    """Whether a conditional order is a stop that can only reduce this position."""
    closes = OrderSide.SELL if held.quantity > 0 else OrderSide.BUY
    only_reduces = stop.reduce_only or held.side is not PositionSide.BOTH
    is_stop = stop.type is AlgoType.STOP_MARKET
    return is_stop and stop.side is closes and only_reduces and stop.position_side is held.side


@dataclass(frozen=True, slots=True)
class Checks:
    """The findings, and how long a quantity may be uncovered while its stop is on its way."""

    journal_net: Decimal
    exchange_net: Decimal
    foreign_orders: int
    doubled_entries: int
    longest_uncovered: timedelta
    protect_within: timedelta
    still_open: int

    @property
    def hold(self) -> bool:
        """Whether the books agree, every order has its lineage, nothing was entered twice, naked too long, or left."""
        agree, wrong = self.journal_net == self.exchange_net, self.foreign_orders + self.doubled_entries
        return agree and not wrong and self.longest_uncovered <= self.protect_within and not self.still_open


def check(venue: PaperVenue, store: DocumentStore, coverage: Coverage, protect_within: timedelta) -> Checks:
    """Hold the journal against the exchange's income, every order against its lineage, and what was held to its end."""
    exchange = venue.exchange
    account = exchange.account(ACCOUNT)
    orders = list(account.orders.values())
    trades = [each.data for each in store.query(Query(TRADES))]
    closed = [each for each in trades if each["status"] == TradeStatus.CLOSED.value]
    return Checks(
        journal_net=sum((Decimal(each["net_pnl"]) for each in closed), Decimal(0)),
        exchange_net=sum((each.amount for each in account.income if each.type in BOOKED), Decimal(0)),
        foreign_orders=sum(lineage(each.symbol, each.client_order_id) is None for each in orders),
        doubled_entries=_doubled(orders),
        longest_uncovered=coverage.longest,
        protect_within=protect_within,
        still_open=len(trades) - len(closed),
    )


def _doubled(orders: Iterable[Order]) -> int:
    """How many decisions had more than one entry that filled."""
    origins = (lineage(each.symbol, each.client_order_id) for each in orders if each.executed)
    entries = Counter(each.intent_id for each in origins if each is not None and each.leg is Leg.ENTRY)
    return sum(count > 1 for count in entries.values())
