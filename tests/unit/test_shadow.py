from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.trades import OPENED_AT, QUIET, Bar, a_trade, bars_since_entry
from withearth.domain.side import Side
from withearth.domain.times import TICK
from withearth.execution.outcome import Exit, ExitReason, OpenTrade
from withearth.execution.shadow import Costs, FundingPayment, follow, funding_payments, result, slipped
from withearth.market.port import Settlement

FREE = Costs(fee_bps=Decimal(0), slippage_bps=Decimal(0))
COSTS = Costs(fee_bps=Decimal(5), slippage_bps=Decimal(10))
EIGHT_PLACES = Decimal("0.00000001")

TARGET_BAR: Bar = (100.0, 102.5, 99.5, 102.0)
STOP_BAR: Bar = (100.0, 100.5, 98.5, 99.0)
BOTH_BAR: Bar = (100.0, 102.5, 98.5, 100.0)

sides = st.sampled_from(Side)
prices = st.decimals("0.0001", "100000", places=4)
quantities = st.decimals("0.001", "1000", places=3)
rates = st.decimals("-0.03", "0.03", places=8)
# Quarters around 100, so that a mirrored float is exact.
quarters = st.integers(-16, 16).map(lambda quarter: 100 + quarter / 4)


def _closed(bars: int) -> datetime:
    """When the bar of this number, counted from 1, has closed."""
    return OPENED_AT + bars * TICK


def _mirrored(bar: Bar) -> Bar:
    """The bar on the other side of 100."""
    opened, high, low, close = (200 - price for price in bar)
    return opened, low, high, close


def _ended(*bars: Bar | None, trade: OpenTrade | None = None, costs: Costs = COSTS) -> Exit:
    ended = follow(trade or a_trade(), bars_since_entry(*bars), costs)
    assert ended is not None
    return ended


def test_a_reached_target_fills_at_the_target() -> None:
    """A limit order rests there, so nothing slips."""
    assert Exit(ExitReason.TARGET, _closed(2), Decimal(102)) == _ended(QUIET, TARGET_BAR)


def test_a_reached_stop_fills_at_the_stop_with_slippage() -> None:
    """99 less ten basis points, for a market order that sells."""
    assert Exit(ExitReason.STOP, _closed(2), Decimal("98.901")) == _ended(QUIET, STOP_BAR)


def test_a_bar_that_touches_both_levels_hit_the_stop() -> None:
    """The pessimistic order of what a bar does not tell."""
    assert ExitReason.STOP is _ended(BOTH_BAR).reason


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    """The stop's price was never there to be had."""
    assert Exit(ExitReason.STOP, _closed(1), Decimal(97)) == _ended((97.0, 98.0, 96.0, 97.5), costs=FREE)


def test_an_open_beyond_the_target_fills_at_the_target() -> None:
    """What the gap gave on top is not counted."""
    assert Exit(ExitReason.TARGET, _closed(1), Decimal(102)) == _ended((105.0, 106.0, 104.0, 105.5))


@pytest.mark.parametrize("level", ["42000.1", "42000.7", "0.1", "1.1", "64999.9"])
@pytest.mark.parametrize("side", Side)
def test_a_touch_exactly_on_a_level_counts(side: Side, level: str) -> None:
    """The float 42000.1 and the decimal "42000.1" are one price, though not one binary number."""
    far, touched = Decimal(level) * (1 - side.sign * Decimal("0.5")), float(level)
    entry = Decimal(level) * (1 - side.sign * Decimal("0.1"))
    bar = (float(entry), max(float(entry), touched), min(float(entry), touched), float(entry))
    to_target = a_trade(side, entry=entry, tp=level, sl=far)
    to_stop = a_trade(Side.SHORT if side is Side.LONG else Side.LONG, entry=entry, tp=far, sl=level)

    assert Exit(ExitReason.TARGET, _closed(1), Decimal(level)) == _ended(bar, trade=to_target)
    assert Exit(ExitReason.STOP, _closed(1), Decimal(level)) == _ended(bar, trade=to_stop, costs=FREE)


def test_a_price_just_short_of_the_levels_ends_nothing() -> None:
    """A level that is not touched does not count."""
    assert follow(a_trade(), bars_since_entry((100.0, 101.9999, 99.0001, 100.0)), COSTS) is None


def test_the_horizon_ends_a_trade_at_the_close() -> None:
    """At the close of the bar with which the time is over, sold at the market."""
    ended = _ended(QUIET, QUIET, (100.0, 100.5, 99.5, 100.25), QUIET, trade=a_trade(horizon_min=15))

    assert Exit(ExitReason.HORIZON, _closed(3), Decimal("100.14975")) == ended


def test_a_level_reached_in_the_last_bar_comes_before_its_close() -> None:
    """The horizon is only over when that bar is."""
    assert ExitReason.TARGET is _ended(QUIET, TARGET_BAR, trade=a_trade(horizon_min=10)).reason
    assert ExitReason.STOP is _ended(QUIET, STOP_BAR, trade=a_trade(horizon_min=10)).reason


@pytest.mark.parametrize("bars", [(None, QUIET), (None, TARGET_BAR), (None, STOP_BAR), (None, None, QUIET)])
def test_a_missing_bar_ends_the_trade_without_a_price(bars: tuple[Bar | None, ...]) -> None:
    """Whatever the next bar shows, nobody knows what happened in the one that is not there."""
    assert Exit(ExitReason.DATA_GAP, _closed(len(bars) + 1), None) == _ended(QUIET, *bars)


def test_a_missing_first_bar_is_a_gap_too() -> None:
    """The bar in which the trade was entered has to be there."""
    assert Exit(ExitReason.DATA_GAP, _closed(2), None) == _ended(None, QUIET)


def test_a_trade_that_ended_before_the_gap_has_its_result() -> None:
    """What is missing later does not matter."""
    assert ExitReason.STOP is _ended(STOP_BAR, None, QUIET).reason


def test_without_bars_a_trade_is_open() -> None:
    """The first bar has not closed yet."""
    assert follow(a_trade(), bars_since_entry(), COSTS) is None
    assert follow(a_trade(), bars_since_entry(before=3), COSTS) is None


def test_bars_before_the_entry_do_not_count() -> None:
    """They only price a settlement at the entry."""
    wild = a_trade(tp="100.4", sl="99.6")

    assert follow(wild, bars_since_entry(before=3), COSTS) is None


def test_quiet_bars_leave_a_trade_open() -> None:
    """Until its horizon."""
    assert follow(a_trade(horizon_min=60), bars_since_entry(*[QUIET] * 11), COSTS) is None
    assert ExitReason.HORIZON is _ended(*[QUIET] * 12, trade=a_trade(horizon_min=60)).reason


@given(st.lists(st.tuples(*[quarters] * 4), min_size=1, max_size=8))
def test_a_mirrored_short_ends_as_the_long_does(walk: list[tuple[float, float, float, float]]) -> None:
    """The same reason, at the same time, at the mirrored price."""
    bars: list[Bar] = [(first, max(four), min(four), last) for four in walk for first, *_, last in [four]]
    long = follow(a_trade(Side.LONG, horizon_min=30), bars_since_entry(*bars), FREE)
    short = follow(a_trade(Side.SHORT, horizon_min=30), bars_since_entry(*map(_mirrored, bars)), FREE)

    assert (long is None) == (short is None)
    if long is not None and short is not None:
        assert (long.reason, long.at) == (short.reason, short.at)
        assert long.price == 200 - (short.price or 0)


def test_slippage_makes_a_purchase_dearer_and_a_sale_cheaper() -> None:
    """By the assumed basis points."""
    assert Decimal("100.1") == slipped(Decimal(100), buying=True, costs=COSTS)
    assert Decimal("99.9") == slipped(Decimal(100), buying=False, costs=COSTS)


@given(st.decimals("0.0000001", "100000", places=8), st.sampled_from(["0.01", "1", "100"]))
def test_slippage_is_never_rounded_away(price: Decimal, slippage_bps: str) -> None:
    """Eight places may be too few for it; then the last of them goes against the trade."""
    costs, share = Costs(Decimal(5), Decimal(slippage_bps)), Decimal(slippage_bps) / 10_000
    paid, received = slipped(price, buying=True, costs=costs), slipped(price, buying=False, costs=costs)

    assert price * (1 + share) <= paid < price * (1 + share) + EIGHT_PLACES
    assert price * (1 - share) >= received > price * (1 - share) - EIGHT_PLACES


@pytest.mark.parametrize(
    ("side", "exit_price", "gross"), [(Side.LONG, "102", 4), (Side.SHORT, "102", -4), (Side.SHORT, "98", 4)]
)
def test_gross_is_the_price_change_times_the_quantity(side: Side, exit_price: str, gross: int) -> None:
    """A short earns what a long loses."""
    assert gross == result(a_trade(side), Decimal(exit_price), (), FREE).gross


@pytest.mark.parametrize("side", Side)
def test_both_sides_pay_the_fee(side: Side) -> None:
    """5 basis points of 200 at the entry and of 204 at the exit."""
    assert Decimal("0.202") == result(a_trade(side), Decimal(102), (), COSTS).fees


@pytest.mark.parametrize(
    ("side", "rate", "funding"),
    [
        (Side.LONG, "0.0001", "-0.02"),
        (Side.SHORT, "0.0001", "0.02"),
        (Side.LONG, "-0.0001", "0.02"),
        (Side.SHORT, "-0.0001", "-0.02"),
    ],
)
def test_longs_pay_a_positive_rate_to_shorts(side: Side, rate: str, funding: str) -> None:
    """And receive a negative one: rate × the notional of 200."""
    payments = [FundingPayment(Decimal(rate), Decimal(100))]

    assert Decimal(funding) == result(a_trade(side), Decimal(100), payments, FREE).funding


def test_every_settlement_counts_at_its_own_price() -> None:
    """−(0.0001 × 100 + 0.0002 × 110 − 0.0005 × 90) × 2."""
    payments = [
        FundingPayment(Decimal("0.0001"), Decimal(100)),
        FundingPayment(Decimal("0.0002"), Decimal(110)),
        FundingPayment(Decimal("-0.0005"), Decimal(90)),
    ]

    assert Decimal("0.026") == result(a_trade(), Decimal(100), payments, FREE).funding


@pytest.mark.parametrize(("exit_price", "multiple"), [("102", "2.0000"), ("99", "-1.0000"), ("100", "0.0000")])
def test_r_counts_the_net_in_distances_to_the_stop(exit_price: str, multiple: str) -> None:
    """A stop without costs loses one R, whatever the quantity."""
    for side, qty in ((Side.LONG, "2"), (Side.LONG, "0.003"), (Side.SHORT, "7")):
        price = Decimal(exit_price) if side is Side.LONG else 200 - Decimal(exit_price)

        assert multiple == str(result(a_trade(side, qty=qty), price, (), FREE).r_multiple)


def test_costs_lower_r() -> None:
    """(4 − 0.202 − 0.02) / 2."""
    payments = [FundingPayment(Decimal("0.0001"), Decimal(100))]

    assert Decimal("1.889") == result(a_trade(), Decimal(102), payments, COSTS).r_multiple


@given(sides, st.tuples(prices, prices, quantities), st.lists(st.builds(FundingPayment, rates, prices), max_size=4))
def test_net_is_the_sum_of_its_parts_to_the_last_digit(
    side: Side, traded: tuple[Decimal, Decimal, Decimal], payments: list[FundingPayment]
) -> None:
    """Each part is booked to eight places, and nothing is rounded after that."""
    entry, exit_price, qty = traded
    trade = a_trade(side, entry=entry, sl=entry - side.sign * Decimal("0.0001"), qty=qty)
    booked = result(trade, exit_price, payments, COSTS)

    assert booked.net == booked.gross - booked.fees + booked.funding
    assert booked.gross == (exit_price - entry) * qty * side.sign
    assert all(each == each.quantize(EIGHT_PLACES) for each in (booked.gross, booked.fees, booked.funding))
    assert abs(booked.fees - (entry + exit_price) * qty * Decimal("0.0005")) <= EIGHT_PLACES / 2


@given(st.tuples(prices, prices, quantities), st.lists(st.builds(FundingPayment, rates, prices), max_size=4))
def test_long_and_short_of_the_same_prices_cancel(
    traded: tuple[Decimal, Decimal, Decimal], payments: list[FundingPayment]
) -> None:
    """But for the fees, which both pay."""
    entry, exit_price, qty = traded
    long, short = (
        result(a_trade(side, entry=entry, qty=qty), exit_price, payments, COSTS) for side in (Side.LONG, Side.SHORT)
    )

    assert long.gross + short.gross == long.funding + short.funding == 0
    assert long.fees == short.fees


def test_a_settlement_is_priced_by_the_bar_that_ends_at_it() -> None:
    """A few milliseconds late, as the exchange often is, it is still that bar's."""
    bars = bars_since_entry((100.0, 101.0, 99.0, 100.7), (100.7, 101.0, 99.0, 99.3), before=1)
    settled = [
        Settlement(OPENED_AT + timedelta(milliseconds=7), Decimal("0.0001")),
        Settlement(OPENED_AT + TICK, Decimal("0.0002")),
        Settlement(OPENED_AT + 2 * TICK, Decimal("-0.0003")),
    ]

    assert (
        FundingPayment(Decimal("0.0001"), Decimal("100.0")),
        FundingPayment(Decimal("0.0002"), Decimal("100.7")),
        FundingPayment(Decimal("-0.0003"), Decimal("99.3")),
    ) == funding_payments(settled, bars)


def test_a_settlement_without_its_bar_has_no_price() -> None:
    """None is assumed."""
    with pytest.raises(KeyError):
        funding_payments([Settlement(OPENED_AT, Decimal("0.0001"))], bars_since_entry(QUIET))


def test_a_trade_without_settlements_has_no_payments() -> None:
    """Most end before the next one."""
    assert () == funding_payments([], bars_since_entry(QUIET))
