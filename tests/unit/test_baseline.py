from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.snapshots import a_frame, a_snapshot
from withearth.decision.baseline import BaselinePredictor
from withearth.decision.prediction import Prediction, Question
from withearth.domain.side import Direction
from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot

TREND_FRAMES = (Timeframe.H1, Timeframe.H4, Timeframe.D1)
MIRRORED = {
    Direction.LONG: Direction.SHORT,
    Direction.SHORT: Direction.LONG,
    Direction.HOLD: Direction.HOLD,
}

prices = st.floats(0.001, 100_000)
fractions = st.floats(-1, 1)


def _predict(snapshot: FeatureSnapshot) -> Prediction:
    return BaselinePredictor().predict(Question("BTCUSDT-20240305T1005Z", snapshot, "hash")).prediction


def _market(trends: tuple[float, float, float], *, rsi: float = 50.0, imbalance: float | None = 0.0) -> FeatureSnapshot:
    """Frames whose closes lie `trend` × 2 × volatility from their average; exact for multiples of 1/1024."""
    frames = [
        a_frame(timeframe, close=1024 + 4 * trend, sma20=1024.0, volatility20=2 / 1024)
        for timeframe, trend in zip(TREND_FRAMES, trends, strict=True)
    ]
    return a_snapshot(*frames, a_frame(Timeframe.M5, rsi14=rsi), depth_imbalance=imbalance)


def test_the_documented_rule_on_a_hand_computed_long() -> None:
    """Trend (1 + ½ + 0) / 3 = 0.5, pull-back 0.5, pressure 0.5: score 0.5, probability 0.675."""
    prediction = _predict(_market((1.0, 0.5, 0.0), rsi=35.0, imbalance=0.5))

    assert Direction.LONG is prediction.direction
    assert prediction.prob == 0.675


def test_the_documented_rule_on_a_hand_computed_short() -> None:
    """Trend −0.5, pull-back +0.2, pressure −0.4: score −0.28, probability 0.598."""
    prediction = _predict(_market((-0.5, -0.5, -0.5), rsi=44.0, imbalance=-0.4))

    assert Direction.SHORT is prediction.direction
    assert prediction.prob == 0.598


def test_every_part_of_the_score_is_clipped() -> None:
    """However far a market has run, the probability stays at its most."""
    assert _predict(_market((1.0, 1.0, 1.0), rsi=20.0, imbalance=1.0)) == _predict(
        _market((50.0, 50.0, 50.0), rsi=1.0, imbalance=1.0)
    )
    assert _predict(_market((9.0, 9.0, 9.0), rsi=1.0, imbalance=1.0)).prob == 0.85


def test_one_wild_frame_counts_as_one_frame() -> None:
    """Each trend is clipped before the mean is taken: 60 beside two flat frames is a third, not twenty."""
    assert _predict(_market((60.0, 0.0, 0.0))).prob == 0.57


def test_the_5m_frame_has_no_trend_to_follow() -> None:
    """The short frame only tells the pull-back."""
    market = _market((0.5, 0.5, 0.5))
    short_frame = replace(market.frames[Timeframe.M5], close=200.0, volatility20=0.5)
    moved = replace(market, frames={**market.frames, Timeframe.M5: short_frame})

    assert _predict(market) == _predict(moved)


def test_the_pull_back_comes_from_the_5m_frame_alone() -> None:
    """An overbought hour changes nothing."""
    market = _market((0.5, 0.5, 0.5))
    hour = replace(market.frames[Timeframe.H1], rsi14=95.0)

    assert _predict(market) == _predict(replace(market, frames={**market.frames, Timeframe.H1: hour}))


def test_depth_that_was_not_read_presses_nowhere() -> None:
    """Without a book the pressure is zero."""
    assert _predict(_market((0.5, 0.5, 0.5), imbalance=None)) == _predict(_market((0.5, 0.5, 0.5), imbalance=0.0))


@pytest.mark.parametrize(("trend", "direction"), [(0.25, Direction.LONG), (0.2490234375, Direction.HOLD)])
def test_it_holds_below_the_least_score(trend: float, direction: Direction) -> None:
    """A score of exactly 0.15 is enough, less is not."""
    assert direction is _predict(_market((trend, trend, trend))).direction


def test_it_holds_when_the_score_points_against_the_trend() -> None:
    """A rising market that is overbought and sold into scores −0.28, and is not sold short."""
    prediction = _predict(_market((0.2, 0.2, 0.2), rsi=80.0, imbalance=-1.0))

    assert Direction.HOLD is prediction.direction
    assert prediction.prob == pytest.approx(0.598)


def test_it_holds_without_a_trend() -> None:
    """A pull-back from nothing is no reason to trade."""
    assert Direction.HOLD is _predict(_market((0.0, 0.0, 0.0), rsi=20.0, imbalance=1.0)).direction


def test_a_frame_that_does_not_move_has_no_trend() -> None:
    """Zero volatility is not divided by."""
    still = a_snapshot(*(a_frame(each, close=101.0, volatility20=0.0) for each in TREND_FRAMES))

    assert Direction.HOLD is _predict(still).direction


def test_support_and_resistance_are_those_of_the_hour() -> None:
    """They are told for the reader, from the 1h frame."""
    prediction = _predict(a_snapshot(a_frame(Timeframe.H1, support50=91.5, resistance50=107.25)))

    assert (prediction.support, prediction.resistance) == (91.5, 107.25)


def test_the_same_snapshot_gets_the_same_answer() -> None:
    """Whichever instance is asked, and however often."""
    market = _market((0.9, -0.1, 0.4), rsi=41.5, imbalance=0.3)

    assert _predict(market) == _predict(market)


def test_nobody_can_mistake_it_for_a_model() -> None:
    """The name and the reasoning both say baseline."""
    assert BaselinePredictor().name.startswith("baseline")
    assert _predict(a_snapshot()).reasoning.startswith("baseline")


@given(st.tuples(*[st.integers(-600, 600)] * 3), st.integers(-50 * 64, 50 * 64), fractions)
def test_a_mirrored_market_gets_the_mirrored_answer(trends: tuple[int, int, int], rsi: int, imbalance: float) -> None:
    """Long and short are one rule: the same probability, the opposite direction."""
    one, two, three = (each / 256 for each in trends)

    up = _predict(_market((one, two, three), rsi=50 + rsi / 64, imbalance=imbalance))
    down = _predict(_market((-one, -two, -three), rsi=50 - rsi / 64, imbalance=-imbalance))

    assert up.prob == down.prob
    assert MIRRORED[up.direction] is down.direction


@given(prices, prices, st.floats(0, 1), st.floats(0, 100), st.none() | fractions)
def test_the_probability_stays_between_a_coin_and_its_most(
    close: float, sma: float, volatility: float, rsi: float, imbalance: float | None
) -> None:
    """Whatever the market does: 0.5 to 0.85."""
    frames = [a_frame(each, close=close, sma20=sma, volatility20=volatility, rsi14=rsi) for each in Timeframe]

    assert 0.5 <= _predict(a_snapshot(*frames, depth_imbalance=imbalance)).prob <= 0.85
