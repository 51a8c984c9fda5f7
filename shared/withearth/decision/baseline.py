"""The baseline predictor: a fixed rule, so that the system works with no model and no key.

It is not a strategy anybody should trust with money. It follows the trend of the longer frames and waits for a
pull-back on the short one; the same snapshot always gives the same answer. The rule, for a long (a short mirrors it):

    trend      = mean over 1h, 4h and 1d of clip((close / sma20 − 1) / (2 × volatility20), −1, 1)
    pull-back  = clip((50 − rsi14 of 5m) / 30, −1, 1)
    pressure   = depth imbalance of the top ten levels, −1 to 1
    score      = 0.60 × trend + 0.30 × pull-back + 0.10 × pressure
    prob       = 0.5 + 0.35 × |score|, at most 0.85

A frame that does not move has no trend (0). The probability is rounded to four places. It holds when |score| is below
0.15, and when the trend is 0 or points the other way.
"""

from statistics import fmean
from typing import Final

from withearth.decision.prediction import Answer, Prediction, Question, audit_of
from withearth.decision.spend import NOTHING, Spend
from withearth.domain.side import Direction
from withearth.domain.times import Timeframe
from withearth.features.snapshot import TimeframeFeatures

_TREND_FRAMES: Final = (Timeframe.H1, Timeframe.H4, Timeframe.D1)
_SCORE_MIN: Final = 0.15
_PROB_MAX: Final = 0.85


class BaselinePredictor:
    """The rule of this module, behind the predictor port."""

    name: Final = "baseline-1"

    def spend_max(self, _question: Question) -> Spend:
        """Nothing."""
        return NOTHING

    def predict(self, question: Question) -> Answer:
        """Apply the rule. Never raises."""
        snapshot = question.snapshot
        trend = fmean(_trend(snapshot.frames[frame]) for frame in _TREND_FRAMES)
        pull_back = _clip((50 - snapshot.frames[Timeframe.M5].rsi14) / 30)
        score = 0.60 * trend + 0.30 * pull_back + 0.10 * (snapshot.depth_imbalance or 0.0)
        hourly = snapshot.frames[Timeframe.H1]
        prediction = Prediction(
            direction=_direction(score, trend),
            prob=round(min(0.5 + 0.35 * abs(score), _PROB_MAX), 4),
            reasoning=f"baseline: trend {trend:+.2f}, pull-back {pull_back:+.2f}, score {score:+.2f}",
            support=hourly.support50,
            resistance=hourly.resistance50,
        )
        return Answer(prediction, audit_of(self.name, "rule"))


def _direction(score: float, trend: float) -> Direction:
    if abs(score) < _SCORE_MIN or score * trend <= 0:
        return Direction.HOLD
    return Direction.LONG if score > 0 else Direction.SHORT


def _trend(frame: TimeframeFeatures) -> float:
    if frame.volatility20 == 0:
        return 0.0
    return _clip((frame.close / frame.sma20 - 1) / (2 * frame.volatility20))


def _clip(value: float) -> float:
    return max(-1.0, min(1.0, value))
