from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.terms import long_terms, short_terms
from withearth.execution.record import Terms
from withearth.execution.trailing import Trailing, better, is_good_enough, stop_price

OFF = Trailing(Decimal(0), Decimal(0))
PRICES = st.decimals(50, 150, places=2)


def test_nothing_moves_a_stop_when_it_is_off() -> None:
    """Both at 0, the stop stays where it was planned, however far the price went."""
    assert not OFF
    assert Decimal(98) == stop_price(long_terms(), Decimal(120), OFF)


@pytest.mark.parametrize(("best", "stop"), [("101.99", "98"), ("102", "100"), ("110", "100")])
def test_the_stop_moves_to_the_entry_from_a_gain_on(best: str, stop: str) -> None:
    """BREAK_EVEN_AT_R=1 with an R of 2: at a gain of exactly 2 the stop is at the entry, and stays there."""
    assert Decimal(stop) == stop_price(long_terms(), Decimal(best), Trailing(Decimal(1), Decimal(0)))


def test_the_stop_follows_the_best_price() -> None:
    """TRAIL_BY_R=0.5 with an R of 2: one behind the best price, for a short one above it."""
    trailing = Trailing(Decimal(0), Decimal("0.5"))

    assert Decimal(105) == stop_price(long_terms(), Decimal(106), trailing)
    assert Decimal(95) == stop_price(short_terms(), Decimal(94), trailing)


@given(
    st.sampled_from([long_terms(), short_terms()]),
    PRICES,
    PRICES,
    st.decimals(0, 5, places=1),
    st.decimals(0, 5, places=1),
)
def test_a_stop_only_ever_moves_towards_the_market(
    terms: Terms, first: Decimal, second: Decimal, at: Decimal, by: Decimal
) -> None:
    """A better best price never gives a looser stop, and no stop is looser than the planned one."""
    trailing, sign = Trailing(at, by), terms.side.sign
    best = better(terms, first, second)

    before, after = stop_price(terms, first, trailing), stop_price(terms, best, trailing)
    assert terms.sl * sign <= before * sign <= after * sign


def test_small_steps_are_not_worth_two_orders() -> None:
    """A stop stays until it gains a tenth of R; a tighter one than wanted stays too."""
    terms = long_terms()

    assert is_good_enough(terms, Decimal("99.81"), Decimal(100))
    assert not is_good_enough(terms, Decimal("99.8"), Decimal(100))
    assert is_good_enough(terms, Decimal(101), Decimal(100))
