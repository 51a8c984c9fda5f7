"""The regime a decision was made in: whether the market trended, and whether it was calm, in four words."""

from typing import Final

from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot

TREND_FROM: Final = 0.02
"""Distance of the daily 5-bar mean from the 20-bar mean, as a fraction, from which a market is said to trend."""
WILD_FROM: Final = 0.006
"""Deviation of the hourly returns, as a fraction, from which a market is said to be wild."""


def regime(snapshot: FeatureSnapshot) -> str:
    """One of calm-range, calm-trend, wild-range, wild-trend."""
    wild = snapshot.frames[Timeframe.H1].volatility20 >= WILD_FROM
    trending = abs(snapshot.day_trend) >= TREND_FROM
    return f"{'wild' if wild else 'calm'}-{'trend' if trending else 'range'}"
