"""What a handler is given, and what the wire face remembers beside the engine's books."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.orders import AlgoOrder, Order
from withearth.paper.wire.bars import BarSource
from withearth.paper.wire.limits import Limits
from withearth.paper.wire.numbers import Places
from withearth.paper.wire.params import Params

AnyOrder = TypeVar("AnyOrder", Order, AlgoOrder)

LISTEN_KEY_LIVES_MS: Final = 3_600_000


@dataclass(slots=True)
class Desk:
    """The face's own memory. `hidden` says until when an order's id is kept out of reads."""

    bars: BarSource
    limits: Limits
    places: dict[str, Places] = field(default_factory=dict)
    hidden: dict[int, int] = field(default_factory=dict)
    listen_keys: dict[str, int] = field(default_factory=dict)
    fee_burn: set[str] = field(default_factory=set)
    listing: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request. `now_ms` is the exchange's time, also when a read is answered from an older state."""

    exchange: PaperExchange
    desk: Desk
    params: Params
    now_ms: int
    caller: Account | None = None

    @property
    def account(self) -> Account:
        """Whose request it is."""
        if self.caller is None:
            raise VenueError(Refusal.REJECTED_KEY)
        return self.caller

    def symbol(self) -> str:
        """The mandatory `symbol`. Raises VenueError when it is not listed."""
        return self.exchange.instrument(self.params.required("symbol")).symbol

    def symbol_or_none(self) -> str | None:
        """The optional `symbol`. Raises VenueError when it is not listed."""
        symbol = self.params.text("symbol")
        return None if symbol is None else self.exchange.instrument(symbol).symbol

    def symbols(self) -> tuple[str, ...]:
        """The one symbol that was asked for, or all."""
        symbol = self.symbol_or_none()
        return tuple(self.exchange.instruments) if symbol is None else (symbol,)

    def places(self, symbol: str) -> Places:
        """How a symbol's numbers are printed."""
        known = self.desk.places.get(symbol)
        if known is None:
            instrument = self.exchange.instrument(symbol)
            known = self.desk.places[symbol] = Places(instrument.price_precision, instrument.quantity_precision)
        return known

    def seen(self, orders: Iterable[AnyOrder]) -> list[AnyOrder]:
        """The orders that a read may show now."""
        return list(orders) if not self.desk.hidden else [each for each in orders if not self.hides(_id(each))]

    def visible(self, order: AnyOrder) -> AnyOrder:
        """The order itself. Raises VenueError with -2013 while it is hidden."""
        if self.desk.hidden and self.hides(_id(order)):
            raise VenueError(Refusal.NO_SUCH_ORDER)
        return order

    def hides(self, order_id: int) -> bool:
        """Whether an id is kept out of reads now."""
        return self.now_ms < self.desk.hidden.get(order_id, 0)


def _id(order: Order | AlgoOrder) -> int:
    return order.order_id if isinstance(order, Order) else order.algo_id
