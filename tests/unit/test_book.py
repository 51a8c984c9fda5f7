from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.book import Level, OrderBook, Quote
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.side import Side

AT = datetime(2024, 1, 1, tzinfo=UTC)

quantities = st.lists(st.decimals("0.001", "100000", places=3), min_size=1, max_size=30)


def _quote(bid: str, ask: str) -> Quote:
    return Quote("BTCUSDT", Decimal(bid), Decimal(ask), AT)


def _levels(best: int, step: int, sizes: list[Decimal]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(best + step * place), qty) for place, qty in enumerate(sizes))


def _book(bids: list[Decimal], asks: list[Decimal]) -> OrderBook:
    return OrderBook(_levels(1000, -1, bids), _levels(1001, 1, asks), AT)


@given(quantities, quantities)
def test_imbalance_lies_between_the_two_extremes(bids: list[Decimal], asks: list[Decimal]) -> None:
    """−1 to +1, its sign that of the heavier side of the top ten levels."""
    imbalance = _book(bids, asks).imbalance()
    heavier = sum(bids[:10]) - sum(asks[:10])

    assert -1 <= imbalance <= 1
    assert (heavier > 0) == (imbalance > 0)


@given(quantities, quantities)
def test_imbalance_changes_its_sign_with_the_sides(bids: list[Decimal], asks: list[Decimal]) -> None:
    """Exchanging bids and asks mirrors the number."""
    assert _book(bids, asks).imbalance() == -_book(asks, bids).imbalance()


def test_imbalance_looks_at_the_levels_it_is_asked_for() -> None:
    """Quantity below the asked levels does not count."""
    book = _book([Decimal(3), Decimal(100)], [Decimal(1), Decimal(1)])

    assert book.imbalance(levels=1) == 0.5
    assert book.imbalance(levels=2) > 0.9


def test_notional_is_what_the_other_side_offers() -> None:
    """A long takes the asks and a short the bids, each at its own price."""
    book = _book([Decimal(1), Decimal(2)], [Decimal(3), Decimal(4)])

    assert Decimal(3 * 1001 + 4 * 1002) == book.notional(Side.LONG)
    assert Decimal(1 * 1000 + 2 * 999) == book.notional(Side.SHORT)
    assert Decimal(3 * 1001) == book.notional(Side.LONG, levels=1)


def test_mid_stands_between_the_best_prices() -> None:
    """Exactly, without rounding to the grid."""
    assert Decimal("1000.5") == _book([Decimal(1)], [Decimal(1)]).mid == _quote("1000", "1001").mid


def test_spread_is_told_in_basis_points_of_the_mid() -> None:
    """One unit on ten thousand is a basis point."""
    assert _quote("9999.5", "10000.5").spread_bps == 1


@pytest.mark.parametrize(
    ("bid", "ask", "fault"),
    [
        ("100", "100.1", None),
        ("100", "100", Reason.BOOK_CROSSED),
        ("100.1", "100", Reason.BOOK_CROSSED),
        ("0", "100", Reason.BOOK_EMPTY),
        ("100", "0", Reason.BOOK_EMPTY),
    ],
)
def test_a_quote_says_what_is_wrong_with_it(bid: str, ask: str, fault: Reason | None) -> None:
    """Equal prices are crossed, and the exchange says 0 where a side is empty."""
    assert fault is _quote(bid, ask).fault()


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        ((), _levels(100, 1, [Decimal(1)]), Reason.BOOK_EMPTY),
        (_levels(100, -1, [Decimal(1)]), (), Reason.BOOK_EMPTY),
        (_levels(100, -1, [Decimal(1)]), _levels(100, 1, [Decimal(1)]), Reason.BOOK_CROSSED),
        (_levels(101, -1, [Decimal(1)]), _levels(100, 1, [Decimal(1)]), Reason.BOOK_CROSSED),
    ],
)
def test_an_impossible_book_cannot_be_built(bids: tuple[Level, ...], asks: tuple[Level, ...], reason: Reason) -> None:
    """A book has two sides, and they do not meet."""
    with pytest.raises(MarketFault) as fault:
        OrderBook(bids, asks, AT)

    assert reason is fault.value.reason
