"""The limits as values: where each begins to stop an entry, and the very instant at which it lifts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.risk.book import Book, Closed, Slot, book_from
from withearth.risk.limits import (
    ROWS_MAX,
    Asked,
    Bet,
    Limits,
    Usage,
    active,
    drawdown_pct,
    edge_bps,
    limits_of,
    refusals,
    usage,
)
from withearth.settings import load_settings
from withearth.store.values import decode, encode

NOW: Final = datetime(2026, 1, 5, 0, 10, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(hours=24)
TICK: Final = timedelta(microseconds=1)
ASKED: Final = Asked("BTCUSDT", Side.LONG, Decimal(100))
DEFAULTS: Final = limits_of(load_settings({}, env_file=None), "PAPER")
OFF: Final = Limits(
    open_positions=600,
    total_notional=Decimal(0),
    daily_loss=Decimal(0),
    drawdown_pct=Decimal(0),
    cooldown=timedelta(0),
    consecutive_losses=0,
    loss_pause=MINUTE,
    entries_per_hour=0,
    edge_bps=Decimal(0),
    deposit=Decimal(1000),
)

ages = st.timedeltas(min_value=timedelta(0), max_value=2 * DAY)
amounts = st.decimals(min_value=-50, max_value=50, places=2)
sides = st.sampled_from(Side)
results = st.builds(
    Closed,
    at=ages.map(lambda age: NOW - age),
    symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"]),
    side=sides,
    net=amounts,
    by_stop=st.booleans(),
)
slots = st.builds(
    Slot, intent_id=st.text("ab", min_size=1), side=sides, notional=st.decimals(1, 999, places=2), since=st.just(NOW)
)
books = st.builds(
    Book,
    slots=st.dictionaries(st.sampled_from(["BTCUSDT", "ETHUSDT", "SOLUSDT"]), slots),
    closed=st.lists(results, max_size=8).map(tuple),
    entries=st.dictionaries(st.text("abc", min_size=1), ages.map(lambda age: NOW - age), max_size=8),
    net=amounts,
    peak=st.decimals(min_value=0, max_value=100, places=2),
    losses=st.integers(0, 8),
    lost_at=st.none() | ages.map(lambda age: NOW - age),
    halted=st.booleans(),
)


def a_slot(notional: str = "100", intent_id: str = "x") -> Slot:
    """A slot taken just now."""
    return Slot(intent_id, Side.LONG, Decimal(notional), NOW)


def a_result(net: str = "-1", ago: timedelta = MINUTE, **changed: Any) -> Closed:
    """A long in BTCUSDT that ended some time ago."""
    return replace(Closed(NOW - ago, "BTCUSDT", Side.LONG, Decimal(net), by_stop=False), **changed)


def row_of(book: Book, limits: Limits, key: str, now: datetime = NOW) -> Usage:
    """How far one limit is used."""
    return next(row for row in usage(book, limits, now) if row.key == key)


AT_THE_EDGE: Final[Mapping[Reason, tuple[Limits, Book, Book]]] = {
    Reason.POSITIONS_FULL: (
        replace(OFF, open_positions=2),
        Book(slots={"A": a_slot(), "B": a_slot()}),
        Book(slots={"A": a_slot()}),
    ),
    Reason.NOTIONAL_FULL: (
        replace(OFF, total_notional=Decimal(500)),
        Book(slots={"A": a_slot("400.01")}),
        Book(slots={"A": a_slot("400")}),
    ),
    Reason.DAILY_LOSS_REACHED: (
        replace(OFF, daily_loss=Decimal(25)),
        Book(closed=(a_result("-30"), a_result("5"))),
        Book(closed=(a_result("-30"), a_result("5.01"))),
    ),
    Reason.DRAWDOWN_REACHED: (
        replace(OFF, drawdown_pct=Decimal(10)),
        Book(peak=Decimal(500), net=Decimal(350)),
        Book(peak=Decimal(500), net=Decimal("350.01")),
    ),
    Reason.COOLDOWN: (
        replace(OFF, cooldown=15 * MINUTE),
        Book(closed=(a_result(ago=15 * MINUTE - TICK, by_stop=True),)),
        Book(closed=(a_result(ago=15 * MINUTE, by_stop=True),)),
    ),
    Reason.LOSING_STREAK: (
        replace(OFF, consecutive_losses=5, loss_pause=240 * MINUTE),
        Book(losses=5, lost_at=NOW - 240 * MINUTE + TICK),
        Book(losses=5, lost_at=NOW - 240 * MINUTE),
    ),
    Reason.TOO_MANY_ENTRIES: (
        replace(OFF, entries_per_hour=2),
        Book(entries={"a": NOW, "b": NOW - 60 * MINUTE + TICK}),
        Book(entries={"a": NOW, "b": NOW - 60 * MINUTE}),
    ),
}


@pytest.mark.parametrize("reason", AT_THE_EDGE)
def test_r28_a_limit_stops_at_its_edge_and_not_before(reason: Reason) -> None:
    """R28: each limit refuses under its own reason alone, at its very edge; just short of it nothing is refused."""
    limits, at_the_edge, short_of_it = AT_THE_EDGE[reason]

    assert (reason,) == refusals(at_the_edge, ASKED, limits, NOW)
    assert () == refusals(short_of_it, ASKED, limits, NOW)


@pytest.mark.parametrize("reason", AT_THE_EDGE)
def test_a_limit_that_is_off_stops_nothing(reason: Reason) -> None:
    """Zero switches a limit off, whatever the book holds."""
    assert () == refusals(AT_THE_EDGE[reason][1], ASKED, OFF, NOW)


def test_an_edge_below_its_limit_is_refused() -> None:
    """MIN_EDGE_BPS itself is enough; anything less is EDGE_TOO_SMALL."""
    limits = replace(OFF, edge_bps=Decimal(5))

    assert () == refusals(Book(), replace(ASKED, edge_bps=Decimal(5)), limits, NOW)
    assert (Reason.EDGE_TOO_SMALL,) == refusals(Book(), replace(ASKED, edge_bps=Decimal("4.99")), limits, NOW)


@pytest.mark.parametrize("asked", [replace(ASKED, side=Side.SHORT), replace(ASKED, symbol="ETHUSDT")])
def test_r22_a_cooldown_is_for_one_side_of_one_symbol(asked: Asked) -> None:
    """R22: after a stop the same side of the same symbol waits; the other side and other symbols do not."""
    limits, book, _ = AT_THE_EDGE[Reason.COOLDOWN]

    assert () == refusals(book, asked, limits, NOW)


def test_r22_only_a_stop_begins_a_cooldown() -> None:
    """R22: a trade that ended otherwise leaves its side free, even with a loss."""
    limits, _, _ = AT_THE_EDGE[Reason.COOLDOWN]

    assert () == refusals(Book(closed=(a_result("-5"),)), ASKED, limits, NOW)


def test_r29_midnight_changes_nothing() -> None:
    """R29: a loss of ten minutes before midnight still stops an entry ten minutes after, and for 24 hours in all."""
    limits, late = replace(OFF, daily_loss=Decimal(25)), datetime(2026, 1, 4, 23, 50, tzinfo=UTC)
    book = Book().with_result(Closed(late, "BTCUSDT", Side.LONG, Decimal(-25), by_stop=True))

    assert (Reason.DAILY_LOSS_REACHED,) == refusals(book, ASKED, limits, NOW)
    assert (Reason.DAILY_LOSS_REACHED,) == refusals(book, ASKED, limits, late + DAY - TICK)
    assert () == refusals(book, ASKED, limits, late + DAY)


@given(book=books, limit=st.decimals(min_value=1, max_value=60, places=2), most=st.integers(1, 5))
def test_r29_a_limit_lifts_when_it_says(book: Book, limit: Decimal, most: int) -> None:
    """R29: every window rolls: up to the instant that is shown the limit stops entries, and from it on it does not."""
    limits = replace(OFF, daily_loss=limit, consecutive_losses=most, loss_pause=90 * MINUTE, entries_per_hour=most)

    for row in usage(book, limits, NOW):
        refused = row.reason in refusals(book, ASKED, limits, NOW)
        assert refused == row.stops
        assert refused == (row.lifts_at is not None)
        if row.lifts_at is not None:
            assert row.reason in refusals(book, ASKED, limits, row.lifts_at - TICK)
            assert row.reason not in refusals(book, ASKED, limits, row.lifts_at)


@given(book=books)
def test_a_cooldown_lifts_when_it_says(book: Book) -> None:
    """The last cooldown ends at the instant that is shown, and no side of any symbol waits from then on."""
    limits = replace(OFF, cooldown=30 * MINUTE)
    places = [Asked(symbol, side, Decimal(1)) for symbol in ("BTCUSDT", "ETHUSDT") for side in Side]
    row = row_of(book, limits, "COOLDOWN_MIN_AFTER_STOP")
    cooling = [asked for asked in places if refusals(book, asked, limits, NOW)]

    assert len(cooling) == row.used
    if row.lifts_at is not None:
        assert any(refusals(book, asked, limits, row.lifts_at - TICK) for asked in cooling)
        assert not any(refusals(book, asked, limits, row.lifts_at) for asked in cooling)


@given(nets=st.lists(amounts, max_size=12))
def test_a_row_of_losses_counts_from_the_last_trade_that_lost_nothing(nets: list[Decimal]) -> None:
    """Each loss adds one and anything else begins anew; net and peak follow the sum."""
    book = Book()
    for place, net in enumerate(nets):
        book = book.with_result(a_result(str(net), ago=-place * MINUTE))
    sums = [sum(nets[:end], Decimal(0)) for end in range(len(nets) + 1)]
    row = next((place for place, net in enumerate(reversed(nets)) if net >= 0), len(nets))

    assert (row, sums[-1], max(sums)) == (book.losses, book.net, book.peak)


@given(book=books)
def test_a_slot_that_was_not_used_leaves_no_trace(book: Book) -> None:
    """Taking a slot and giving it back without a fill is as if nothing had been asked."""
    assume("NEWUSDT" not in book.slots and "new" not in book.entries)
    taken = book.taking("NEWUSDT", a_slot(intent_id="new"))

    assert len(book.slots) + 1 == len(taken.slots)
    assert book.at(NOW) == taken.without("NEWUSDT", "new")


def test_another_intent_s_slot_is_not_given_back() -> None:
    """Who is late to give a symbol back does not free it for whom took it since."""
    book = Book().taking("BTCUSDT", a_slot(intent_id="second"))

    assert book == book.freeing("BTCUSDT", "first")


@given(book=books)
def test_a_book_comes_back_as_it_was_kept(book: Book) -> None:
    """What is written is read, through the store's own text form."""
    assert book == book_from(decode(encode(book.to_document())))


@pytest.mark.parametrize(
    "damage",
    [
        {"slots": None},
        {"closed": [{"at": NOW}]},
        {"entries": {"a": "yesterday"}},
        {"net": "much"},
        {"peak": "NaN"},
        {"losses": "many"},
        {"lost_at": NOW.replace(tzinfo=None)},
        {"slots": {"BTCUSDT": {"intent_id": "x", "side": "up", "notional": "1", "since": NOW}}},
    ],
)
def test_a_book_that_cannot_be_read_is_not_guessed_at(damage: dict[str, Any]) -> None:
    """A field that is missing or of another kind is a ValueError, never a neutral value."""
    with pytest.raises(ValueError, match=r".*"):
        book_from(Book().to_document() | damage)
    with pytest.raises(ValueError, match="not a book of limits"):
        book_from({})


def test_a_full_book_refuses_rather_than_forgets() -> None:
    """More rows than the book holds are refused: none may be forgotten within its window."""
    book = Book(closed=(a_result(),) * ROWS_MAX)

    assert (Reason.TOO_MANY_ENTRIES,) == refusals(book, ASKED, OFF, NOW)


def test_an_account_that_has_lost_everything_is_wholly_drawn_down() -> None:
    """Below zero there is no percentage; the drawdown is total, not undefined."""
    assert Decimal(100) == drawdown_pct(Book(peak=Decimal(-1000), net=Decimal(-1000)), OFF)


def test_r22_the_edge_is_what_is_left_after_fees_and_funding() -> None:
    """R22: 0.6 × 200 − 0.4 × 100 is 80 on 10 000, or 80 bps; fees take 10.04 of it, and paid funding 1 a settlement."""
    bet = Bet(Side.LONG, Decimal(10_000), Decimal(10_200), Decimal(9_900), Decimal("0.6"), Decimal(5))

    assert Decimal("69.96") == edge_bps(bet)
    assert Decimal("67.96") == edge_bps(replace(bet, funding_rates=(Decimal("0.0001"),) * 2))
    assert Decimal("69.96") == edge_bps(replace(bet, funding_rates=(Decimal("-0.0001"),)))


def test_r28_the_active_limits_are_told_with_their_values() -> None:
    """R28: what is told at the start names every limit that is on, and none that is off."""
    expected = (
        "MAX_OPEN_POSITIONS=3",
        "MAX_TOTAL_NOTIONAL_USDT=500",
        "MAX_DAILY_LOSS_USDT=25",
        "MAX_DRAWDOWN_PCT=10",
        "COOLDOWN_MIN_AFTER_STOP=15",
        "MAX_CONSECUTIVE_LOSSES=5",
        "MAX_ENTRIES_PER_HOUR=12",
    )

    assert expected == active(DEFAULTS)
    assert ("MAX_OPEN_POSITIONS=600",) == active(OFF)
