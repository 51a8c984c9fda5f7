"""The equity curve and the figures beside it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.candles import Candles
from withearth.domain.times import Timeframe, to_ms
from withearth.execution.outcome import Exit, ExitReason, Result
from withearth.flow.ledger import DAYS_KEPT, booking, by_day, sums_of, sums_since
from withearth.store.port import Ref, Stored
from withearth.views.money import POINTS_MAX, Step, curve, frame_for, held, newest, stats

START = Decimal(1000)
MORNING = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def result(net: str, gross: str | None = None) -> Result:
    """A result without fees, unless its gross differs from its net."""
    whole = Decimal(gross or net)
    return Result(whole, whole - Decimal(net), Decimal(0), Decimal(1))


def closed(at: datetime) -> Exit:
    """The end of a trade."""
    return Exit(ExitReason.STOP, at, Decimal(1))


def a_ledger(results: list[tuple[datetime, Result | None]]) -> Stored | None:
    """The ledger after these."""
    ledger: Stored | None = None
    for at, booked in results:
        ledger = Stored(Ref("risk", "paper-ledger"), booking(ledger, closed(at), booked), "1")
    return ledger


def steps(nets: list[Decimal], apart: timedelta) -> list[Step]:
    """A trade each so often."""
    return [Step(f"t-{number:05}", MORNING + number * apart, net) for number, net in enumerate(nets)]


@given(
    nets=st.lists(st.decimals(-50, 50, places=4), min_size=1, max_size=80),
    minutes=st.integers(1, 2_000),
    shown=st.integers(1, 80),
)
def test_the_curve_ends_where_the_ledger_does_and_every_step_is_a_result(
    nets: list[Decimal], minutes: int, shown: int
) -> None:
    """However few trades are shown one by one: the days before them add up to the same equities."""
    every = steps(nets, timedelta(minutes=minutes))
    ledger = a_ledger([(each.at, result(str(each.net))) for each in every])
    equities = dict(zip((each.trade for each in every), accumulate(nets, initial=START), strict=False))

    points = curve(every[-shown:], by_day(ledger), START, sum(nets, Decimal(0)))

    assert Decimal(points[-1]["equity"]) == START + sum(nets)
    for each, step in zip(points[-len(every[-shown:]) :], every[-shown:], strict=True):
        assert Decimal(each["equity"]) == equities[step.trade] + step.net
        assert each["trade"] == step.trade
    days = [each for each in points if each["trade"] is None]
    for each in days:
        before = sum((step.net for step in every if step.at < each["at"]), Decimal(0))
        assert Decimal(each["equity"]) == START + before
    assert [each["at"] for each in points] == sorted(each["at"] for each in points)


def test_the_drawdown_is_measured_from_the_highest_before() -> None:
    """In percent of it, the start included; a new high has none."""
    points = curve(steps([Decimal(-100), Decimal(200), Decimal(-110)], HOUR), {}, START, Decimal(-10))

    assert [each["drawdown_pct"] for each in points] == [10.0, 0.0, 10.0]


def test_an_account_that_lost_everything_is_drawn_down_by_all() -> None:
    """No division by what is not there."""
    points = curve(steps([Decimal(-1000)], HOUR), {}, Decimal(0), Decimal(-1000))

    assert points[0]["drawdown_pct"] == 100.0


def test_only_the_newest_trades_are_points() -> None:
    """The curve stays small however long the history is."""
    many = {each.trade or "": each for each in steps([Decimal(1)] * (POINTS_MAX + 7), HOUR)}

    found = newest(many)

    assert len(found) == POINTS_MAX
    assert found[-1].trade == f"t-{POINTS_MAX + 6:05}"


def test_today_and_the_week_are_utc_days() -> None:
    """Today begins at midnight; the week has the six days before it too."""
    noon = MORNING + 12 * HOUR
    ledger = a_ledger(
        [
            (noon - timedelta(days=7), result("5")),
            (noon - timedelta(days=6), result("3")),
            (MORNING - timedelta(seconds=1), result("-2")),
            (MORNING, result("1")),
            (noon, None),
        ]
    )

    today, week, total = sums_since(ledger, noon, 1), sums_since(ledger, noon, 7), sums_of(ledger)

    assert (today["net"], today["trades"], today["voids"]) == ("1", 2, 1)
    assert (week["net"], week["wins"]) == ("2", 2)
    assert (total["net"], total["trades"]) == ("7", 5)


def test_ratios_are_of_what_was_won_lost_and_paid() -> None:
    """Profit factor over net results, costs over what was moved; nothing is divided by nothing."""
    ledger = a_ledger([(MORNING, result("6", "7")), (MORNING, result("-3", "-1")), (MORNING, result("0", "2"))])

    found, none = stats(sums_of(ledger)), stats(sums_of(None))

    assert (found["win_rate"], found["profit_factor"], found["costs_share"]) == (0.3333, 2.0, 0.5)
    assert (none["win_rate"], none["profit_factor"], none["costs_share"]) == (None, None, None)


def test_the_ledger_forgets_days_and_never_totals() -> None:
    """Days beyond a year leave it, so that it stays small."""
    ledger = a_ledger([(MORNING + timedelta(days=number), result("1")) for number in range(DAYS_KEPT + 3)])

    assert len(by_day(ledger)) == DAYS_KEPT
    assert sums_of(ledger)["trades"] == DAYS_KEPT + 3


@pytest.mark.parametrize(
    ("span", "frame"),
    [
        (HOUR, Timeframe.M5),
        (timedelta(minutes=5 * 200), Timeframe.M5),
        (timedelta(minutes=5 * 200 + 1), Timeframe.H1),
        (timedelta(days=30), Timeframe.H4),
        (timedelta(days=2_000), Timeframe.D1),
    ],
)
def test_the_benchmark_s_bars_cover_the_curve(span: timedelta, frame: Timeframe) -> None:
    """The shortest timeframe that does."""
    assert frame_for(span) is frame


def test_the_benchmark_is_the_start_held() -> None:
    """From the first close at or after the curve's beginning; nothing where there is none yet."""
    opens = np.array([to_ms(MORNING + number * HOUR) for number in range(3)])
    closes = np.array([100.0, 110.0, 99.0])
    bars = Candles(Timeframe.H1, opens, np.array([closes] * 5))

    found = held("BTCUSDT", bars, MORNING + 2 * HOUR, START)

    assert found is not None
    assert [each["equity"] for each in found["points"]] == ["1000.00", "900.00"]
    assert held("BTCUSDT", bars, MORNING + timedelta(days=9), START) is None
