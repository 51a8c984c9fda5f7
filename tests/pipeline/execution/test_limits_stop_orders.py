"""Every limit, and the order it stops; the trading state, and what it lets through."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.builders.trading import MINUTE, OTHER, PRICE, START, SYMBOL, Move, Trading, World, a_long
from tests.builders.trading_stories import BEYOND_STOP, BEYOND_TARGET, assert_over, entry_waits, filled, is_set
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.domain.times import decision_id, tick_id
from withearth.execution.lineage import Leg
from withearth.flow.documents import book_ref, flatten_ref, intent_ref, trading_ref, view_ref
from withearth.flow.trading_state import Standing, TradingState, ask_to_flatten, set_state, standing, trip
from withearth.market.port import Market
from withearth.messaging.events import TradeIntent
from withearth.risk.book import Book, Closed, Slot
from withearth.store.port import Replace

OLD: Final = Slot("old", Side.LONG, Decimal(100), START)
SECOND: Final = timedelta(seconds=1)


def closed(net: str, minutes_ago: int, *, by_stop: bool = False) -> Closed:
    """A long in the symbol that ended a while ago."""
    return Closed(START - minutes_ago * MINUTE, SYMBOL, Side.LONG, Decimal(net), by_stop)


STOPPING: Final[Mapping[Reason, tuple[dict[str, str], Book, dict[str, str]]]] = {
    Reason.POSITIONS_FULL: (
        {"MAX_OPEN_POSITIONS": "1", "MAX_TOTAL_NOTIONAL_USDT": "0"},
        Book(slots={OTHER: OLD}),
        {"MAX_OPEN_POSITIONS": "2"},
    ),
    Reason.NOTIONAL_FULL: (
        {"MAX_TOTAL_NOTIONAL_USDT": "599"},
        Book(slots={OTHER: OLD}),
        {"MAX_TOTAL_NOTIONAL_USDT": "600"},
    ),
    Reason.DAILY_LOSS_REACHED: (
        {"MAX_DAILY_LOSS_USDT": "25"},
        Book(closed=(closed("-25", 1439),)),
        {"MAX_DAILY_LOSS_USDT": "0"},
    ),
    Reason.DRAWDOWN_REACHED: (
        {"MAX_DRAWDOWN_PCT": "10"},
        Book(net=Decimal(-100)),
        {"MAX_DRAWDOWN_PCT": "0"},
    ),
    Reason.COOLDOWN: (
        {"COOLDOWN_MIN_AFTER_STOP": "15"},
        Book(closed=(closed("-1", 14, by_stop=True),)),
        {"COOLDOWN_MIN_AFTER_STOP": "14"},
    ),
    Reason.LOSING_STREAK: (
        {"MAX_CONSECUTIVE_LOSSES": "5", "LOSS_PAUSE_MIN": "240"},
        Book(losses=5, lost_at=START - 239 * MINUTE),
        {"LOSS_PAUSE_MIN": "239"},
    ),
    Reason.TOO_MANY_ENTRIES: (
        {"MAX_ENTRIES_PER_HOUR": "1"},
        Book(entries={"old": START - 59 * MINUTE}),
        {"MAX_ENTRIES_PER_HOUR": "2"},
    ),
    # 0.61 × 450 − 0.39 × 250 is 177 on 50 000, or 35.4 bps, of which the fees take 10.04.
    Reason.EDGE_TOO_SMALL: ({"MIN_EDGE_BPS": "25.4"}, Book(), {"MIN_EDGE_BPS": "25.3"}),
}


def with_book(trading: Trading, book: Book) -> Trading:
    """The trading, with something that counts already."""
    trading.store.commit([Replace(book_ref("PAPER"), book.to_document())])
    return trading


def is_untouched(world: World) -> bool:
    """Whether no order of any kind was ever sent."""
    return not world.account.orders and not world.account.algos


@pytest.mark.parametrize("reason", STOPPING)
def test_r28_the_limit_stops_the_order(tmp_path: Path, reason: Reason) -> None:
    """R28: the intent is refused under the limit's code and nothing is sent; a limit just wider lets it enter."""
    strict, book, wide = STOPPING[reason]
    for directory, changes, blocked_by in (("strict", strict, reason.value), ("wide", strict | wide, None)):
        world = World()
        with with_book(Trading(tmp_path / directory, world, None, **changes), book) as trading:
            trading.deliver(a_long())
            stored = trading.store.get(intent_ref(a_long().intent_id))

            assert stored is not None
            assert stored.data["blocked_by"] in {blocked_by, "ENTRY_NOT_FILLED"}
            assert (blocked_by is not None) == is_untouched(world)


class Meddled(World):
    """A world in which a hand does something once, as soon as the exchange is in a certain state."""

    def __init__(self, when: Callable[[World], bool], *acts: Any) -> None:
        super().__init__(*acts)
        self.hand: Callable[[], None] | None = None
        self._when = when

    def look(self) -> None:
        """Look as always, and let the hand act."""
        super().look()
        hand = getattr(self, "hand", None)
        if hand is not None and self._when(self):
            self.hand = None
            hand()


def halted(trading: Trading) -> None:
    """A person halts."""
    set_state(trading.store, Standing(TradingState.HALTED, "me", "enough"), trading.world.now())


def reducing(trading: Trading) -> None:
    """A person lets only reducing orders through."""
    set_state(trading.store, Standing(TradingState.REDUCING, "me", "enough"), trading.world.now())


def lost_meanwhile(trading: Trading) -> None:
    """Another symbol's trade ends with a loss that reaches the daily limit."""
    book = trading.book().with_result(replace(closed("-25", 0), at=trading.world.now(), symbol=OTHER))
    trading.store.commit([Replace(book_ref("PAPER"), book.to_document())])


@pytest.mark.parametrize(
    ("meddle", "reason"),
    [(halted, "TRADING_HALTED"), (reducing, "TRADING_REDUCING"), (lost_meanwhile, "DAILY_LOSS_REACHED")],
)
@pytest.mark.parametrize("when", [entry_waits, lambda world: world.guards() != {}], ids=["resting", "armed"])
def test_state_and_limits_are_asked_again_before_every_order(
    tmp_path: Path, meddle: Callable[[Trading], None], reason: str, when: Callable[[World], bool]
) -> None:
    """What speaks against the entry once its stop stands, or once it rests, takes both away from the next call on."""
    world = Meddled(when)
    with Trading(tmp_path, world) as trading:
        world.hand = lambda: meddle(trading)
        document = trading.see_through(a_long())

        assert reason == document["blocked_by"]
        assert_over(world, trading)
        assert not any(order.executed for order in world.orders(Leg.ENTRY))
        assert len(world.orders(Leg.ENTRY)) == (when is entry_waits)


@pytest.mark.parametrize("change", [halted, reducing])
def test_r29_exits_are_always_allowed(tmp_path: Path, change: Callable[[Trading], None]) -> None:
    """R29: with trading halted or reducing, protection, target and horizon go on, and the trade is booked."""
    world = Meddled(is_set, *filled(None))
    with Trading(tmp_path, world) as trading:
        world.hand = lambda: change(trading)
        document = trading.see_through(a_long())

        assert "EXECUTED" == document["state"]
        assert "HORIZON" == trading.trade(a_long())["exit_reason"]
        assert [] == world.watch.stretches
        assert_over(world, trading)


def test_a_state_that_is_none_counts_as_halted_and_is_told_once(tmp_path: Path) -> None:
    """A word that a hand got wrong stops every entry; what it left out besides does no harm."""
    world = World()
    with Trading(tmp_path, world) as trading:
        trading.store.commit([Replace(trading_ref(), {"state": "PAUSED"})])
        trading.deliver(a_long())
        trading.reconcile()
        trading.reconcile()

        assert is_untouched(world)
        assert 1 == trading.kinds().count("TRADING_UNKNOWN")


def test_a_state_written_by_hand_needs_no_more_than_its_word(tmp_path: Path) -> None:
    """`{"state": "HALTED"}` halts, and `{"state": "ACTIVE"}` does not."""
    for word, enters in (("HALTED", False), ("ACTIVE", True)):
        world = World()
        with Trading(tmp_path / word, world) as trading:
            trading.store.commit([Replace(trading_ref(), {"state": word})])
            trading.deliver(a_long())

            assert enters == (not is_untouched(world))


def test_an_unreadable_book_stops_entries_and_no_exit(tmp_path: Path) -> None:
    """What counts for the limits is damaged while a trade is open: it ends as planned, and trading is halted."""
    world = Meddled(is_set, *filled(BEYOND_TARGET))
    with Trading(tmp_path, world) as trading:
        world.hand = lambda: (trading.store.commit([Replace(book_ref("PAPER"), {"net": "?"})]), None)[1]
        trading.see_through(a_long())
        trading.reconcile()
        found = standing(trading.store.get(trading_ref()))

        assert "TARGET" == trading.trade(a_long())["exit_reason"]
        assert TradingState.HALTED == found.state
        assert "risk/paper-limits cannot be read" == found.why


def later(after: timedelta, **changed: Any) -> TradeIntent:
    """A second intent, some time after the first."""
    at = START + after
    fields = {"decided_at": at, "expires_at": at + 9 * MINUTE, "horizon_min": 15}
    return a_long(intent_id=decision_id(SYMBOL, tick_id(at)), **fields | changed)


def test_r22_a_stop_cools_its_side_down(tmp_path: Path) -> None:
    """R22: a real stop, on the exchange: minutes later the same side is refused, twenty minutes later it enters."""
    world = World(*filled(BEYOND_STOP))
    with Trading(tmp_path, world) as trading:
        trading.see_through(a_long())
        world.play([Move(SECOND, PRICE)])
        world.sleep(START + 5 * MINUTE - world.now())
        trading.deliver(later(5 * MINUTE))
        refused = trading.store.get(intent_ref(later(5 * MINUTE).intent_id))
        world.sleep(START + 20 * MINUTE - world.now())
        before = len(world.orders(Leg.ENTRY))
        trading.deliver(later(20 * MINUTE))

        assert refused is not None
        assert "COOLDOWN" == refused.data["blocked_by"]
        assert len(world.orders(Leg.ENTRY)) > before
        assert [True] == [each.by_stop for each in trading.book().closed]


def test_r28_a_drawdown_halts_until_a_person_resumes(tmp_path: Path) -> None:
    """R28: reached once it halts trading; who resumes begins with a new high-water mark, at what is left."""
    world = World()
    with with_book(Trading(tmp_path, world), Book(net=Decimal(-100))) as trading:
        trading.reconcile()
        halted_by = standing(trading.store.get(trading_ref()))
        set_state(trading.store, Standing(TradingState.ACTIVE, "me", "understood"), world.now())
        trading.reconcile()
        trading.deliver(a_long())

        assert (TradingState.HALTED, "withearth") == (halted_by.state, halted_by.who)
        assert "the drawdown is 10.00 %, MAX_DRAWDOWN_PCT is 10" == halted_by.why
        assert Decimal(-100) == trading.book().peak
        assert not is_untouched(world)
        assert TradingState.ACTIVE == standing(trading.store.get(trading_ref())).state


def test_a_halt_keeps_its_first_reason(tmp_path: Path) -> None:
    """What trips again while trading is halted does not hide who halted it, and why."""
    with Trading(tmp_path, World()) as trading:
        halted(trading)
        trip(trading.runtime, "something else")

        assert "enough" == standing(trading.store.get(trading_ref())).why


@pytest.mark.parametrize("when", [entry_waits, is_set], ids=["entering", "holding"])
def test_flatten_closes_everything_at_the_next_pass(tmp_path: Path, when: Callable[[World], bool]) -> None:
    """The owner's request halts at once; the reconciler closes what is open, cleans up, and takes the request away."""
    world = Meddled(when, *(filled(None) if when is is_set else ()))
    with Trading(tmp_path, world) as trading:
        world.hand = lambda: ask_to_flatten(trading.store, "me", "holidays", world.now())
        document = trading.see_through(a_long(), minutes=5)
        trading.reconcile()

        assert "EXECUTED" == document["state"]
        assert when is entry_waits or "FLATTENED" == trading.trade(a_long())["exit_reason"]
        assert_over(world, trading)
        assert trading.store.get(flatten_ref()) is None
        assert {"TRADING_HALTED", "FLATTENED"} <= set(trading.kinds())
        assert TradingState.HALTED == standing(trading.store.get(trading_ref())).state


def test_a_request_to_flatten_may_be_written_by_hand(tmp_path: Path) -> None:
    """An empty document under control/flatten is enough: the reconciler halts and closes."""
    world = Meddled(is_set, *filled(None))
    with Trading(tmp_path, world) as trading:
        world.hand = lambda: (trading.store.commit([Replace(flatten_ref(), {})]), None)[1]
        trading.see_through(a_long(), minutes=5)

        assert "FLATTENED" == trading.trade(a_long())["exit_reason"]
        assert TradingState.HALTED == standing(trading.store.get(trading_ref())).state


def test_what_cannot_be_protected_for_long_halts_trading(tmp_path: Path) -> None:
    """An execution that nobody brings out of PROTECTING trips the trading state."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        stored = trading.store.get(intent_ref(a_long().intent_id))
        assert stored is not None
        stuck = {"phase": "PROTECTING", "phase_since": world.now() - 4 * MINUTE}
        execution = dict(stored.data["execution"]) | stuck
        held = {"execution": execution, "lease_until": world.now() + MINUTE}
        trading.store.commit([Replace(stored.ref, dict(stored.data) | held)])
        trading.reconcile()
        found = standing(trading.store.get(trading_ref()))

        assert TradingState.HALTED == found.state
        assert f"{a_long().intent_id} has been PROTECTING since" in found.why


def test_the_use_of_every_limit_is_shown(tmp_path: Path) -> None:
    """The reconciler writes the view: each limit with value and use, and the trading state with its reason."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        halted(trading)
        trading.reconcile()
        view = trading.store.get(view_ref("limits"))

        assert view is not None
        used = {row["limit"]: row["used"] for row in view.data["limits"]}
        assert ("1", "500.000") == (used["MAX_OPEN_POSITIONS"], used["MAX_TOTAL_NOTIONAL_USDT"])
        assert ("HALTED", "me", "enough") == tuple(view.data["trading"][name] for name in ("state", "who", "why"))


def test_an_edge_without_known_funding_is_refused(tmp_path: Path) -> None:
    """MIN_EDGE_BPS counts funding; where nobody knows it the trade is refused instead of guessed at."""
    world = World()
    with Trading(tmp_path, world, MIN_EDGE_BPS="1") as trading:
        trading.runtime = replace(trading.runtime, market=Unquoted(trading.runtime.market))
        trading.deliver(a_long())
        stored = trading.store.get(intent_ref(a_long().intent_id))

        assert stored is not None
        assert "FUNDING_UNKNOWN" == stored.data["blocked_by"]
        assert is_untouched(world)


class Unquoted:
    """A market without quotes."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    def quotes(self, *_: Any) -> dict[str, Any]:
        """Nothing."""
        return {}
