"""Two installations on one account, which decide the same: neither takes the other's orders for its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from tests.builders.trading import MINUTE, Act, Process, Trading, World
from tests.builders.trading_stories import BEYOND_TARGET, an_intent, filled
from withearth.execution.lineage import Leg, lineage
from withearth.flow.documents import TRADES, intent_ref
from withearth.store.port import Query


class Interrupted(Process):
    """A process at whose side something else happens, once, just before one of its deeds."""

    def __init__(self, at: int, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._at = at
        self._meanwhile = meanwhile

    @contextmanager
    def deed(self, name: str) -> Iterator[None]:
        """One call to the exchange, or one commit."""
        with super().deed(name):
            if len(self.deeds) == self._at:
                self._meanwhile()
            yield


def demo(*acts: Act) -> World:
    """An exchange that others may trade on too."""
    world = World(*acts)
    world.kind = "DEMO"
    return world


def marks(world: World) -> set[str]:
    """By whose entries something was bought."""
    bought = (each for each in world.orders(Leg.ENTRY) if each.executed)
    return {origin.mark for each in bought if (origin := lineage(each.symbol, each.client_order_id))}


def test_one_intent_is_entered_by_one_of_them(tmp_path: Path) -> None:
    """Whenever the second comes to the same intent, one of them enters, and what is held is covered throughout."""
    with Trading(tmp_path / "calm", demo(*filled(BEYOND_TARGET)), process := Process()) as calm:
        calm.reconcile()
        before = len(process.deeds)
        calm.deliver(an_intent())

    assert {1} == {met(tmp_path / str(at), at) for at in range(before + 1, len(process.deeds) + 1)}


def met(directory: Path, at: int) -> int:
    """How many entered, where the second delivers the whole intent just before this deed of the first."""
    world, intent = demo(*filled(BEYOND_TARGET)), an_intent()
    with Trading(directory / "second", world) as second:
        world.sleep(MINUTE / 60)
        second.reconcile()
        process = Interrupted(at, lambda: second.deliver(intent))
        with Trading(directory / "first", world, process) as first:
            first.reconcile()
            first.deliver(intent)
            held = sum((each.executed for each in world.orders(Leg.ENTRY)), Decimal(0))
            assert held in {Decimal(0), intent.qty}, f"at {process.deeds[at - 1]} {at}: {held} entered"
            first.see_through(intent)
            second.see_through(intent)
            assert [] == world.watch.stretches
            assert Decimal(0) == world.held()
            assert [] == [*world.account.open_orders.values(), *world.account.open_algos.values()]
            rows = [*first.store.query(Query(TRADES)), *second.store.query(Query(TRADES))]
            assert world.earned() == sum((Decimal(each.data["net_pnl"]) for each in rows), Decimal(0))
    return len(marks(world))


def test_a_mark_stays_with_the_books(tmp_path: Path) -> None:
    """Restarted over the same books, an installation knows its orders again."""
    world, intent = demo(*filled(BEYOND_TARGET)), an_intent()
    with Trading(tmp_path, world) as trading:
        trading.reconcile()
        trading.deliver(intent)
        stored = trading.store.get(intent_ref(intent.intent_id))
        assert stored is not None
        mark = stored.data["execution"]["terms"]["mark"]
    with Trading(tmp_path, world) as trading:
        trading.see_through(intent)

    assert len(mark) == 3
    assert {mark} == marks(world)
