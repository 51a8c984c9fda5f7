"""What happened, as the exchange tells it: with its windows, its limits, and what it forgets."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.kinds import IncomeType, OrderStatus
from withearth.paper.engine.ledger import Fill, Income
from withearth.paper.engine.orders import AlgoOrder, Order
from withearth.paper.engine.venue import Venue

_DAY_MS: Final = 86_400_000
_WINDOW_MS: Final = 7 * _DAY_MS
_INCOME_MS: Final = 90 * _DAY_MS
# An order that ended without a fill is forgotten after three days, any order after ninety.
_UNFILLED_MS: Final = 3 * _DAY_MS
_ORDERS_MS: Final = 90 * _DAY_MS

_Row = TypeVar("_Row", Fill, Income)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time as a client sends it, and how many rows it wants."""

    start_ms: int | None
    end_ms: int | None
    limit: int

    @property
    def is_open(self) -> bool:
        """Whether the client named no time at all."""
        return self.start_ms is None and self.end_ms is None

    def resolve(self, now_ms: int, longest_ms: int = _WINDOW_MS) -> tuple[int, int]:
        """First and last millisecond. Raises VenueError -1023 or -4165."""
        end = self.end_ms
        if end is None:
            end = now_ms if self.start_ms is None else min(now_ms, self.start_ms + longest_ms)
        start = end - longest_ms if self.start_ms is None else self.start_ms
        if self.start_ms is not None and self.end_ms is not None:
            if start > end:
                raise VenueError(Refusal.START_AFTER_END)
            if end - start > longest_ms:
                raise VenueError(Refusal.INTERVAL_TOO_LONG, longest_ms // _DAY_MS)
        return start, end


def find_order(account: Account, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
    """The order of an id; of a client id the newest. Raises VenueError -1102 without either."""
    if order_id is None and client_order_id is None:
        raise VenueError(Refusal.EITHER_PARAMETER, "orderId", "origClientOrderId")
    if order_id is None:
        order_id = account.order_ids.get((symbol, client_order_id or ""), 0)
    order = account.orders.get(order_id)
    return order if order is not None and order.symbol == symbol else None


def query(venue: Venue, account: Account, symbol: str, order_id: int | None, client_order_id: str | None) -> Order:
    """One order. Raises VenueError -2013, also when the exchange has forgotten it."""
    venue.instrument(symbol)
    order = find_order(account, symbol, order_id, client_order_id)
    if order is None or is_forgotten(order, venue.now_ms):
        raise VenueError(Refusal.NO_SUCH_ORDER)
    return order


def is_forgotten(order: Order, now_ms: int) -> bool:
    """Whether the exchange no longer answers questions about an order."""
    if order.is_open:
        return False
    unfilled = not order.executed and order.status is not OrderStatus.FILLED
    return now_ms - order.created_ms > _ORDERS_MS or (unfilled and now_ms - order.updated_ms > _UNFILLED_MS)


def open_orders(venue: Venue, account: Account, symbol: str | None) -> list[Order]:
    """Open ordinary orders, oldest first."""
    if symbol is None:
        return list(account.open_orders.values())
    venue.instrument(symbol)
    return account.orders_of(symbol)


def all_orders(venue: Venue, account: Account, symbol: str | None, order_id: int | None, window: Window) -> list[Order]:
    """Orders in any state, oldest first. The limit keeps the newest; with `order_id` the first from there on."""
    if symbol is not None:
        venue.instrument(symbol)
    start, end = window.resolve(venue.now_ms)
    found = [
        order
        for order in account.orders.values()
        if symbol in {None, order.symbol} and not is_forgotten(order, venue.now_ms)
    ]
    if order_id is not None:
        return [order for order in found if order.order_id >= order_id][: window.limit]
    return [order for order in found if start <= order.created_ms <= end][-window.limit :]


def query_algo(account: Account, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
    """One conditional order in any state. Raises VenueError -1102 or -2013."""
    algo = find_algo(account, algo_id, client_algo_id)
    if algo is None:
        raise VenueError(Refusal.NO_SUCH_ORDER)
    return algo


def find_algo(account: Account, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder | None:
    """The conditional order of an id; of a client id the newest. Raises VenueError -1102 without either."""
    if algo_id is None and client_algo_id is None:
        raise VenueError(Refusal.EITHER_PARAMETER, "algoId", "clientAlgoId")
    if algo_id is None:
        algo_id = account.algo_ids.get(client_algo_id or "", 0)
    return account.algos.get(algo_id)


def open_algos(venue: Venue, account: Account, symbol: str | None) -> list[AlgoOrder]:
    """Those that wait for their trigger, oldest first."""
    if symbol is None:
        return list(account.open_algos.values())
    venue.instrument(symbol)
    return account.algos_of(symbol)


def all_algos(venue: Venue, account: Account, symbol: str, algo_id: int | None, window: Window) -> list[AlgoOrder]:
    """Conditional orders in any state, newest first."""
    venue.instrument(symbol)
    start, end = window.resolve(venue.now_ms)
    found = [algo for algo in reversed(account.algos.values()) if algo.symbol == symbol]
    if algo_id is not None:
        return [algo for algo in found if algo.algo_id >= algo_id][-window.limit :]
    return [algo for algo in found if start <= algo.created_ms <= end][: window.limit]


def user_trades(
    venue: Venue, account: Account, symbol: str, order_id: int | None, from_id: int | None, window: Window
) -> Sequence[Fill]:
    """Fills of a symbol, oldest first: from an id on, of an order, or of a window."""
    venue.instrument(symbol)
    if from_id is not None and not window.is_open:
        raise VenueError(Refusal.BAD_COMBINATION)
    rows = _between(account.fills, *window.resolve(venue.now_ms)) if from_id is None else account.fills

    def wanted(fill: Fill) -> bool:
        return (
            fill.symbol == symbol
            and order_id in {None, fill.order_id}
            and (from_id is None or fill.trade_id >= from_id)
        )

    return _cut(rows, wanted, window.limit, newest=window.is_open and from_id is None)


def income(
    venue: Venue, account: Account, symbol: str | None, income_type: IncomeType | None, window: Window
) -> Sequence[Income]:
    """Changes of the wallet, oldest first."""
    start, end = window.resolve(venue.now_ms, _WINDOW_MS if window.is_open else _INCOME_MS)

    def wanted(row: Income) -> bool:
        return symbol in {None, row.symbol} and income_type in {None, row.type}

    return _cut(_between(account.income, start, end), wanted, window.limit, newest=window.is_open)


def _between(rows: list[_Row], start_ms: int, end_ms: int) -> Sequence[_Row]:
    first = bisect_left(rows, start_ms, key=lambda row: row.time_ms)
    return rows[first : bisect_right(rows, end_ms, key=lambda row: row.time_ms)]


def _cut(rows: Sequence[_Row], wanted: Callable[[_Row], bool], limit: int, *, newest: bool) -> Sequence[_Row]:
    found = [row for row in rows if wanted(row)]
    return found[-limit:] if newest else found[:limit]
