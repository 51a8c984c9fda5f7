"""Builds feature snapshots of a calm market at 100, in which each test changes what it is about."""

from datetime import UTC, datetime

from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot, TimeframeFeatures

AS_OF = datetime(2024, 3, 5, 10, 5, tzinfo=UTC)


def a_frame(
    timeframe: Timeframe,
    *,
    close: float = 100.0,
    rsi14: float = 50.0,
    atr14: float = 1.0,
    sma20: float = 100.0,
    volatility20: float = 0.002,
    support50: float = 50.0,
    resistance50: float = 150.0,
) -> TimeframeFeatures:
    """One timeframe without a trend, and with both extremes out of reach."""
    return TimeframeFeatures(
        timeframe=timeframe,
        bars=499,
        closed_at=AS_OF,
        age_ms=0,
        close=close,
        rsi14=rsi14,
        atr14=atr14,
        sma20=sma20,
        volatility20=volatility20,
        relative_volume20=1.0,
        support50=support50,
        resistance50=resistance50,
        closes10=(close,) * 10,
    )


def a_snapshot(
    *frames: TimeframeFeatures,
    symbol: str = "BTCUSDT",
    price: float = 100.0,
    spread_bps: float = 1.0,
    minutes_to_funding: float = 355.0,
    depth_imbalance: float | None = 0.0,
) -> FeatureSnapshot:
    """A snapshot past the depth, open to the gate, with the given frames in place of the calm ones."""
    calm = {timeframe: a_frame(timeframe) for timeframe in Timeframe}
    return FeatureSnapshot(
        symbol=symbol,
        as_of=AS_OF,
        frames=calm | {frame.timeframe: frame for frame in frames},
        day_trend=0.0,
        price=price,
        spread_bps=spread_bps,
        quote_age_ms=0,
        funding_rate=0.0001,
        minutes_to_funding=minutes_to_funding,
        depth_imbalance=depth_imbalance,
        depth_age_ms=0,
        depth_modelled=False,
    )
