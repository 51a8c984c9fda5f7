from decimal import Decimal
from statistics import StatisticsError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.local.report import max_drawdown, percentiles_ms

money = st.lists(st.decimals("-1000", "1000", places=8), max_size=30)
latencies = st.lists(st.floats(0, 60), min_size=2, max_size=50)


@pytest.mark.parametrize(
    ("results", "deepest"),
    [
        ([], "0"),
        (["5", "3"], "0"),
        (["-4"], "4"),
        (["10", "-3", "-2", "4", "-1"], "5"),
        (["10", "-3", "20", "-8", "1", "-2"], "9"),
        (["-1.00000001", "-2"], "3.00000001"),
        (["10", "-10"], "10"),
    ],
)
def test_drawdown_is_the_deepest_fall_from_a_high(results: list[str], deepest: str) -> None:
    """To the last digit; a run that starts with a loss has fallen from zero."""
    assert Decimal(deepest) == max_drawdown(map(Decimal, results))


@given(money)
def test_drawdown_is_the_worst_stretch_of_results(results: list[Decimal]) -> None:
    """No other run of neighbouring results lost more."""
    stretches = (results[start:end] for start in range(len(results)) for end in range(start + 1, len(results) + 1))
    worst = max((-sum(stretch, Decimal(0)) for stretch in stretches), default=Decimal(0))

    assert max(worst, Decimal(0)) == max_drawdown(results)


def test_percentiles_are_told_in_milliseconds() -> None:
    """Of 0 to 100 hundredths of a second: the middle one, and the one that 95 do not exceed."""
    p50, p95 = percentiles_ms([number / 100 for number in reversed(range(101))])

    assert (p50, p95) == pytest.approx((500.0, 950.0))


@given(latencies)
def test_percentiles_lie_within_what_was_measured(seconds: list[float]) -> None:
    """A p95 slower than the slowest call would be made up."""
    p50, p95 = percentiles_ms(seconds)

    assert min(seconds) * 1000 - 1e-6 <= p50 <= p95 + 1e-6 <= max(seconds) * 1000 + 2e-6


@pytest.mark.parametrize("seconds", [[], [0.1]])
def test_one_value_has_no_percentiles(seconds: list[float]) -> None:
    """The caller then shows none."""
    with pytest.raises(StatisticsError):
        percentiles_ms(seconds)
