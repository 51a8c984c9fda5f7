from dataclasses import replace

import pytest

from tests.builders.snapshots import a_frame, a_snapshot
from withearth.decision.regime import regime
from withearth.domain.times import Timeframe


@pytest.mark.parametrize(
    ("day_trend", "volatility", "name"),
    [
        (0.0, 0.001, "calm-range"),
        (0.02, 0.001, "calm-trend"),
        (-0.02, 0.001, "calm-trend"),
        (0.0199, 0.006, "wild-range"),
        (-0.05, 0.02, "wild-trend"),
    ],
)
def test_a_regime_is_named_by_trend_and_volatility(day_trend: float, volatility: float, name: str) -> None:
    """From 2 % between the daily means a market trends, from 0.6 % an hour it is wild."""
    snapshot = a_snapshot(a_frame(Timeframe.H1, volatility20=volatility))

    assert regime(replace(snapshot, day_trend=day_trend)) == name
