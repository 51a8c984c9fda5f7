import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders.instruments import an_instrument
from tests.builders.snapshots import a_frame, a_snapshot
from withearth.decision.levels import Levels, horizon_atr, plan_levels
from withearth.domain.errors import Refused
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot
from withearth.settings import load_settings

TWO_TO_ONE = load_settings({"ATR_MULT_TP": "2", "ATR_MULT_SL": "1", "HORIZON_MIN": "60"}, env_file=None)
SHORT_HORIZON = load_settings({"ATR_MULT_TP": "2", "ATR_MULT_SL": "1", "HORIZON_MIN": "20"}, env_file=None)
TICKS = ["0.00001", "0.001", "0.01", "0.05", "0.1", "0.25", "1", "10"]

sides = st.sampled_from(Side)
ticks = st.sampled_from(TICKS)
# The middle between two prices on the tick may stand between them.
half_ticks = st.integers(400, 400_000)
# In ticks: how far the market moves, and how far its extremes are from the middle.
ranges = st.floats(0.2, 100)
distances = st.floats(-150, 150)


def _hour(*, atr: float = 1.0, support: float = 50.0, resistance: float = 150.0) -> FeatureSnapshot:
    return a_snapshot(a_frame(Timeframe.H1, atr14=atr, support50=support, resistance50=resistance))


def _plan(
    side: Side, snapshot: FeatureSnapshot, *, mid: str | Decimal = "100", instrument: Instrument | None = None
) -> Levels:
    return plan_levels(side, Decimal(mid), snapshot, instrument or an_instrument(), TWO_TO_ONE)


def _plan_or_none(side: Side, snapshot: FeatureSnapshot, mid: Decimal, instrument: Instrument) -> Levels | None:
    """The levels, None when they are refused under the one reason there is."""
    try:
        return _plan(side, snapshot, mid=mid, instrument=instrument)
    except Refused as refusal:
        if refusal.reason is not Reason.LEVELS_INVALID:
            raise
        return None


def _prices(levels: Levels) -> tuple[str, str, str]:
    return str(levels.sl), str(levels.entry), str(levels.tp)


def _refusal(side: Side, snapshot: FeatureSnapshot, mid: str, instrument: Instrument) -> Reason:
    with pytest.raises(Refused) as refused:
        _plan(side, snapshot, mid=mid, instrument=instrument)
    return refused.value.reason


def test_from_45_minutes_the_range_is_the_hours() -> None:
    """The 1h ATR is taken as it stands."""
    snapshot = a_snapshot(a_frame(Timeframe.M5, atr14=0.3), a_frame(Timeframe.H1, atr14=1.25))

    assert (1.25, Timeframe.H1) == horizon_atr(snapshot, 45) == horizon_atr(snapshot, 1440)


def test_below_45_minutes_the_range_grows_from_the_5m_bars() -> None:
    """With the root of time: a horizon of 44 minutes has √8.8 times the range of five."""
    snapshot = a_snapshot(a_frame(Timeframe.M5, atr14=0.3), a_frame(Timeframe.H1, atr14=1.25))

    assert (0.3 * math.sqrt(8.8), Timeframe.M5) == horizon_atr(snapshot, 44)
    assert horizon_atr(snapshot, 20) == (0.3 * 2, Timeframe.M5)
    assert horizon_atr(snapshot, 5) == (0.3, Timeframe.M5)


def test_levels_stand_in_multiples_of_the_range() -> None:
    """Two ranges to the target and one to the stop, on either side."""
    assert _prices(_plan(Side.LONG, _hour(atr=1.25))) == ("98.75", "100.00", "102.50")
    assert _prices(_plan(Side.SHORT, _hour(atr=1.25))) == ("101.25", "100.00", "97.50")


def test_a_short_horizon_uses_range_and_extremes_of_the_5m_bars() -> None:
    """Extremes come from the ATR's own timeframe: the hour's, near as they are, do not count."""
    short_frame = a_frame(Timeframe.M5, atr14=0.5, resistance50=101.5)
    hour = a_frame(Timeframe.H1, atr14=7.0, support50=98.9, resistance50=100.3)

    levels = plan_levels(Side.LONG, Decimal(100), a_snapshot(short_frame, hour), an_instrument(), SHORT_HORIZON)

    assert _prices(levels) == ("99.00", "100.00", "101.50")


def test_a_target_stops_at_an_extreme_in_its_way() -> None:
    """At the resistance for a long, at the support for a short."""
    assert _plan(Side.LONG, _hour(resistance=101.3)).tp == Decimal("101.30")
    assert _plan(Side.SHORT, _hour(support=98.7)).tp == Decimal("98.70")


@pytest.mark.parametrize("resistance", [102.0, 102.5, 100.0, 99.0])
def test_an_extreme_not_in_the_way_leaves_the_target_alone(resistance: float) -> None:
    """One beyond the target, on it, or already passed."""
    assert _plan(Side.LONG, _hour(resistance=resistance)).tp == Decimal(102)


@pytest.mark.parametrize("support", [99.0, 98.9, 98.75])
def test_a_stop_goes_a_tick_behind_an_extreme_within_reach(support: float) -> None:
    """From just where the stop would rest to a quarter of the range further."""
    expected = Decimal(repr(support)) - Decimal("0.01")

    assert expected == _plan(Side.LONG, _hour(support=support)).sl


@pytest.mark.parametrize("support", [99.01, 98.745, 100.5])
def test_an_extreme_out_of_reach_leaves_the_stop_alone(support: float) -> None:
    """One in front of the stop, one too far behind it, or one the price has fallen through."""
    assert _plan(Side.LONG, _hour(support=support)).sl == Decimal(99)


def test_a_short_hides_its_stop_above_the_resistance() -> None:
    """The mirror of a long's stop below the support."""
    assert _plan(Side.SHORT, _hour(resistance=101.1)).sl == Decimal("101.11")


@given(st.integers(4_000, 2_000_000), st.integers(2, 300))
def test_a_target_stands_on_the_extreme_itself(half: int, away: int) -> None:
    """A price that came in as a float loses no tick on its way."""
    mid, extreme = Decimal(half) / 20, Decimal(half // 2 + away) / 10
    snapshot = _hour(atr=away / 10, resistance=float(extreme), support=0.001)

    assert extreme == _plan(Side.LONG, snapshot, mid=mid, instrument=an_instrument(tick="0.1")).tp


@given(st.integers(4_000, 2_000_000), st.integers(4, 300))
def test_a_stop_stands_exactly_one_tick_behind_the_extreme(half: int, away: int) -> None:
    """Whatever the floats in between made of it."""
    mid, extreme = Decimal(half) / 20, Decimal(half // 2 - away) / 10
    snapshot = _hour(atr=float(mid - extreme) / 1.1, support=float(extreme), resistance=1e9)

    assert extreme - Decimal("0.1") == _plan(Side.LONG, snapshot, mid=mid, instrument=an_instrument(tick="0.1")).sl


@pytest.mark.parametrize(
    ("side", "prices"), [(Side.LONG, ("99.00", "100.25", "102.00")), (Side.SHORT, ("101.25", "100.00", "98.25"))]
)
def test_every_rounding_is_against_the_trade(side: Side, prices: tuple[str, str, str]) -> None:
    """On a tick of 0.25 from 100.125: the entry worse, the target nearer, the stop further."""
    assert prices == _prices(_plan(side, _hour(), mid="100.125", instrument=an_instrument(tick="0.25")))


@given(sides, ticks, half_ticks, ranges, distances, distances)
def test_levels_stand_in_order_on_the_tick_or_not_at_all(
    side: Side, tick: str, half: int, atr: float, above: float, below: float
) -> None:
    """Sl < entry < tp for a long and mirrored for a short, each a price the exchange takes, or LEVELS_INVALID."""
    instrument = an_instrument(tick=tick, max_price="100000000")
    mid, unit = half * instrument.tick_size / 2, float(tick)
    snapshot = _hour(atr=atr * unit, resistance=float(mid) + above * unit, support=float(mid) - below * unit)
    levels = _plan_or_none(side, snapshot, mid, instrument)
    if levels is None:
        return

    assert levels.sl * side.sign < levels.entry * side.sign < levels.tp * side.sign
    assert all(instrument.takes_price(price) for price in (levels.sl, levels.entry, levels.tp))
    assert levels.risk_reward > 0
    assert levels.risk_reward == round(abs(levels.tp - levels.entry) / abs(levels.entry - levels.sl), 4)


@given(sides, ticks, half_ticks, st.floats(2, 100))
def test_rounding_never_improves_the_trade(side: Side, tick: str, half: int, atr: float) -> None:
    """Each price is less than a tick from where it was computed, and on the worse side of it."""
    instrument = an_instrument(tick=tick, max_price="100000000")
    mid, unit = half * instrument.tick_size / 2, float(tick)
    assume(half / 2 > 2 * atr + 2)
    levels = _plan(side, _hour(atr=atr * unit, support=1e-9, resistance=1e9), mid=mid, instrument=instrument)
    move, noise = Decimal(atr) * instrument.tick_size, instrument.tick_size / 1000

    assert 0 <= (levels.entry - mid) * side.sign < instrument.tick_size
    assert -noise <= (mid - levels.tp) * side.sign + 2 * move < instrument.tick_size + noise
    assert -noise <= (mid - levels.sl) * side.sign - move < instrument.tick_size + noise


@given(st.integers(8_000, 400_000), st.integers(16, 6_400), st.integers(1, 400), st.integers(1, 400))
def test_a_short_is_a_mirrored_long(mid: int, atr: int, above: int, below: int) -> None:
    """In the mirrored market every level has the mirrored price."""
    instrument, middle = an_instrument(tick="0.25"), Decimal(mid) / 8
    high, low = float(middle) + above / 4, float(middle) - below / 4
    assume(2 * atr / 64 < mid / 8 - 1)
    market = _hour(atr=atr / 64, support=low, resistance=high)
    mirror = _hour(atr=atr / 64, support=2 * float(middle) - high, resistance=2 * float(middle) - low)
    long = _plan_or_none(Side.LONG, market, middle, instrument)
    short = _plan_or_none(Side.SHORT, mirror, middle, instrument)

    assert (long is None) == (short is None)
    if long is not None and short is not None:
        assert (long.entry, long.tp, long.sl) == tuple(2 * middle - each for each in (short.entry, short.tp, short.sl))
        assert long.risk_reward == short.risk_reward


@pytest.mark.parametrize("side", Side)
def test_a_tick_coarser_than_the_trade_is_refused(side: Side) -> None:
    """Where the target rounds to the entry there is nothing to win."""
    assert Reason.LEVELS_INVALID is _refusal(side, _hour(atr=1.0), "100", an_instrument(tick="10"))


@pytest.mark.parametrize("side", Side)
def test_a_market_that_does_not_move_is_refused(side: Side) -> None:
    """Without a range the levels fall on one price."""
    assert Reason.LEVELS_INVALID is _refusal(side, _hour(atr=0.0), "100", an_instrument())


def test_a_target_above_the_price_range_is_refused() -> None:
    """The exchange would not take it. On the bound itself it does."""
    assert Reason.LEVELS_INVALID is _refusal(Side.LONG, _hour(), "100", an_instrument(max_price="101.99"))
    assert _plan(Side.LONG, _hour(), instrument=an_instrument(max_price="102.00")).tp == Decimal(102)


def test_a_level_below_the_price_range_is_refused() -> None:
    """A stop at or below zero is no price, whichever side it belongs to."""
    assert Reason.LEVELS_INVALID is _refusal(Side.LONG, _hour(atr=100.0), "100", an_instrument())
    assert Reason.LEVELS_INVALID is _refusal(Side.SHORT, _hour(atr=60.0, support=-1.0), "100", an_instrument())


def test_risk_and_reward_are_measured_from_the_rounded_entry() -> None:
    """(102.00 − 100.25) / (100.25 − 99.00): what rounding costs is in the number."""
    levels = _plan(Side.LONG, _hour(), mid="100.125", instrument=an_instrument(tick="0.25"))

    assert levels.risk_reward == Decimal("1.4000")


def test_the_document_holds_prices_as_text() -> None:
    """To the digit of the tick."""
    assert _plan(Side.LONG, _hour()).to_document() == {"entry": "100.00", "tp": "102.00", "sl": "99.00"}
