"""Stories that a market tells a trade, and what holds of every trade however its story went."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from tests.builders.trading import MINUTE, SYMBOL, Act, Move, Trading, World, a_long
from withearth.execution.lineage import Leg
from withearth.flow.documents import CLAIM_LEASE, position_ref
from withearth.messaging.events import TradeIntent
from withearth.paper.engine.kinds import AlgoType, OrderSide, OrderType
from withearth.paper.engine.orders import PlaceOrder
from withearth.settings import Settings

SECOND: Final = timedelta(seconds=1)
HALF: Final = timedelta(milliseconds=500)
PARTIAL: Final = Decimal("0.004")
BID: Final = Decimal("49997.5")
"""The best bid at 50 000, where a limit entry waits first."""
AWAY: Final = Decimal(50_100)
"""Farther than LIMIT_MAX_SLIPPAGE_BPS allows an entry at 50 000 to follow."""
BEYOND_STOP: Final = Decimal(49_700)
BEYOND_TARGET: Final = Decimal(50_500)
REQUESTS: Final = {
    "place": ("POST", "/order"),
    "arm": ("POST", "/algoOrder"),
    "modify": ("PUT", "/order"),
    "cancel": ("DELETE", "/order"),
    "disarm": ("DELETE", "/algoOrder"),
}
"""Every change of orders, with the request that makes it."""
LOOKS: Final = 3 * SECOND
"""The look that finds a quantity, LIMIT_POLL_SEC apart, and the look and the calls that leave it, a second later."""


def an_intent(horizon_min: int = 7) -> TradeIntent:
    """A long whose horizon is over soon, though not before a dead process's lease."""
    return a_long(horizon_min=horizon_min, expires_at=a_long().decided_at + (horizon_min - 1) * MINUTE)


def by_hand(world: World, side: OrderSide, quantity: Decimal, **more: Any) -> None:
    """What the owner does on the exchange without us."""
    order = PlaceOrder(symbol=SYMBOL, side=side, type=OrderType.MARKET, quantity=quantity, **more)
    world.exchange.place(world.account, order)


def entry_waits(world: World) -> bool:
    """An entry is in the book, and nothing of it was traded."""
    return any(order.is_open and not order.executed for order in world.orders(Leg.ENTRY))


def is_set(world: World) -> bool:
    """A position with a stop and a target of its size, and no entry in the book any more."""
    held = abs(world.held())
    fitting = {AlgoType.STOP_MARKET: held, AlgoType.TAKE_PROFIT_MARKET: held}
    return held > 0 and world.guards() == fitting and not any(order.is_open for order in world.orders(Leg.ENTRY))


def partly_filled(leaves_at: Decimal | None) -> tuple[Act, ...]:
    """A part of the entry is traded, then the price goes away; later it comes to `leaves_at`, where that is given."""
    entering = Act(entry_waits, (Move(SECOND + HALF, BID, through=PARTIAL), Move(HALF, AWAY)))
    return (entering,) if leaves_at is None else (entering, Act(is_set, (Move(30 * SECOND, leaves_at),)))


def filled(leaves_at: Decimal | None) -> tuple[Act, ...]:
    """The whole entry is traded; later the price comes to `leaves_at`, where that is given."""
    entering = Act(entry_waits, (Move(HALF, BID - 10),))
    return (entering,) if leaves_at is None else (entering, Act(is_set, (Move(30 * SECOND, leaves_at),)))


def assert_over(world: World, trading: Trading) -> None:
    """Nothing is held, no order is left, nothing was sent without lineage, and the symbol and its slot are free."""
    assert Decimal(0) == world.held()
    assert [] == [*world.account.open_orders.values(), *world.account.open_algos.values()]
    assert [] == world.strangers()
    assert trading.store.get(position_ref(SYMBOL)) is None
    assert {} == trading.book().slots


def assert_entered_once(world: World, intent: TradeIntent) -> None:
    """At most one entry order traded, and not more than was intended."""
    traded = [order.executed for order in world.orders(Leg.ENTRY) if order.executed]

    assert len(traded) <= 1
    assert sum(traded) <= intent.qty


def assert_booked(world: World, trading: Trading, intent: TradeIntent) -> None:
    """The journal's net pnl is the exchange's own income, to the last digit, and counts for the limits once."""
    assert world.earned() == Decimal(trading.trade(intent)["net_pnl"])
    assert [world.earned()] == [each.net for each in trading.book().closed]


def assert_covered(world: World, settings: Settings) -> None:
    """What the protection promises, by the exchange's books.

    before_entry: nothing held was ever uncovered. after_fill: never longer than PROTECT_WITHIN_SEC before the eyes of
    a process, plus the look that finds it and the one that leaves. A dead process protects nothing: its lease and the
    reconciler's minute bound that time.
    """
    if settings.protection == "before_entry":
        assert [] == world.watch.stretches
    else:
        assert world.watch.longest_at_work <= settings.protect_within_sec * SECOND + LOOKS
        assert world.watch.longest_unattended <= CLAIM_LEASE + 2 * MINUTE
