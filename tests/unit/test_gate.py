import math

import pytest

from tests.builders.snapshots import a_frame, a_snapshot
from withearth.decision.gate import gate
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot
from withearth.settings import load_settings

LIMITS = {"MAX_SPREAD_BPS": "2.0", "MIN_VOL_FRAC": "0.0005", "FUNDING_WINDOW_MIN": "5"}


def _reasons(snapshot: FeatureSnapshot, **changed: str) -> tuple[Reason, ...]:
    return gate(snapshot, load_settings(LIMITS | changed, env_file=None))


def _with_volatility(timeframe: Timeframe, fraction: float) -> FeatureSnapshot:
    return a_snapshot(a_frame(timeframe, volatility20=fraction))


def test_a_calm_narrow_market_far_from_funding_is_open() -> None:
    """Nothing speaks against asking the predictor."""
    assert _reasons(a_snapshot()) == ()


@pytest.mark.parametrize(
    ("spread_bps", "reasons"),
    [(2.0, ()), (math.nextafter(2.0, 3.0), (Reason.SPREAD_TOO_WIDE,)), (9.0, (Reason.SPREAD_TOO_WIDE,))],
)
def test_a_spread_up_to_the_limit_is_traded(spread_bps: float, reasons: tuple[Reason, ...]) -> None:
    """MAX_SPREAD_BPS itself passes, the least above it does not."""
    assert reasons == _reasons(a_snapshot(spread_bps=spread_bps))


@pytest.mark.parametrize(
    ("fraction", "reasons"),
    [(0.0005, ()), (math.nextafter(0.0005, 0.0), (Reason.VOLATILITY_TOO_LOW,)), (0.0, (Reason.VOLATILITY_TOO_LOW,))],
)
def test_a_volatility_down_to_the_limit_is_traded(fraction: float, reasons: tuple[Reason, ...]) -> None:
    """MIN_VOL_FRAC itself passes, the least below it does not."""
    assert reasons == _reasons(_with_volatility(Timeframe.M5, fraction))


@pytest.mark.parametrize("timeframe", [Timeframe.H1, Timeframe.H4, Timeframe.D1])
def test_only_the_5m_returns_have_to_move(timeframe: Timeframe) -> None:
    """A longer frame without any movement keeps nobody out."""
    assert _reasons(_with_volatility(timeframe, 0.0)) == ()


@pytest.mark.parametrize(
    ("minutes", "reasons"),
    [
        (math.nextafter(5.0, 6.0), ()),
        (5.0, (Reason.FUNDING_WINDOW,)),
        (0.0, (Reason.FUNDING_WINDOW,)),
    ],
)
def test_no_entries_within_the_funding_window(minutes: float, reasons: tuple[Reason, ...]) -> None:
    """The tick exactly FUNDING_WINDOW_MIN before the settlement belongs to the window."""
    assert reasons == _reasons(a_snapshot(minutes_to_funding=minutes))


@pytest.mark.parametrize("minutes", [0.0, 0.001, 5.0])
def test_a_window_of_zero_is_switched_off(minutes: float) -> None:
    """Then not even the instant of the settlement is kept free."""
    assert _reasons(a_snapshot(minutes_to_funding=minutes), FUNDING_WINDOW_MIN="0") == ()


def test_every_reason_is_told_the_most_important_first() -> None:
    """The gate does not stop at its first no."""
    closed = a_snapshot(a_frame(Timeframe.M5, volatility20=0.0001), spread_bps=2.5, minutes_to_funding=3.0)

    assert _reasons(closed) == (Reason.SPREAD_TOO_WIDE, Reason.VOLATILITY_TOO_LOW, Reason.FUNDING_WINDOW)


def test_the_gate_follows_the_settings() -> None:
    """What is closed under one owner's limits is open under another's."""
    closed = a_snapshot(a_frame(Timeframe.M5, volatility20=0.0001), spread_bps=2.5, minutes_to_funding=3.0)

    assert _reasons(closed, MAX_SPREAD_BPS="2.5", MIN_VOL_FRAC="0.0001", FUNDING_WINDOW_MIN="2") == ()
