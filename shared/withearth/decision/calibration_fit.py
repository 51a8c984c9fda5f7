"""Fitting a calibration map to labelled decisions: offline only, with scikit-learn.

The map that is kept is fitted to every sample. How much it helps is measured apart: a map fitted to the first 70 % in
time is scored on the last 30 %, which it has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from withearth.decision.calibration import CalibrationMap
from withearth.decision.reliability import PROB_EDGE, Sample, Scores, scores
from withearth.domain.errors import Misconfigured, Refused

FittedMethod = Literal["platt", "isotonic"]

SAMPLES_MIN: Final = 200
SEEN_SHARE: Final = 0.7
PLATT_POINTS: Final = 33


@dataclass(frozen=True, slots=True)
class Improvement:
    """Scores of the same unseen samples as said and as calibrated, by a map that has not seen them."""

    raw: Scores
    calibrated: Scores


def fit(
    predictor: str, samples: Sequence[Sample], method: FittedMethod, samples_min: int = SAMPLES_MIN
) -> CalibrationMap:
    """The map of these samples: identity for fewer than `samples_min`, and where all ended the same way.

    Raises Misconfigured when scikit-learn is needed and not installed.
    """
    until = max((each.as_of for each in samples), default=None)
    said, happened = [each.prob for each in samples], [each.hit for each in samples]
    if len(samples) < samples_min or len(set(happened)) == 1 or len(set(said)) == 1:
        return CalibrationMap(predictor, "identity", len(samples), until)
    points = _isotonic(said, happened) if method == "isotonic" else _platt(said, happened)
    return CalibrationMap(predictor, method, len(samples), until, *points)


def improvement(
    predictor: str, samples: Sequence[Sample], method: FittedMethod, samples_min: int = SAMPLES_MIN
) -> Improvement | None:
    """What a map does for samples later than those it was fitted to; None where there are too few to tell."""
    ordered = sorted(samples, key=lambda each: (each.as_of, each.symbol))
    cut = int(len(ordered) * SEEN_SHARE)
    fitted = fit(predictor, ordered[:cut], method, samples_min)
    pairs = [(each.prob, each.hit) for each in ordered[cut:]]
    supported = [pair for pair in pairs if _supported(fitted, pair[0])]
    if fitted.method == "identity" or not supported:
        return None
    return Improvement(scores(supported), scores([(fitted.apply(prob), hit) for prob, hit in supported]))


def _supported(fitted: CalibrationMap, prob: float) -> bool:
    try:
        fitted.apply(prob)
    except Refused:
        return False
    return True


def _isotonic(said: list[float], happened: list[bool]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    model = _sklearn("isotonic").IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(said, happened)
    return _floats(model.X_thresholds_), _floats(model.y_thresholds_)


def _platt(said: list[float], happened: list[bool]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A logistic curve over the log-odds of what was said, as points close enough to interpolate between."""
    import numpy as np  # noqa: PLC0415 - offline only

    def log_odds(probs: Any) -> Any:
        clipped = np.clip(probs, PROB_EDGE, 1 - PROB_EDGE)
        return np.log(clipped / (1 - clipped)).reshape(-1, 1)

    model = _sklearn("linear_model").LogisticRegression(C=1e6).fit(log_odds(np.array(said)), happened)
    grid = np.linspace(min(said), max(said), PLATT_POINTS)
    return _floats(grid), _floats(model.predict_proba(log_odds(grid))[:, 1])


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _sklearn(name: str) -> Any:
    import importlib  # noqa: PLC0415 - offline only

    try:
        return importlib.import_module(f"sklearn.{name}")
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "scikit-learn is not installed, and a calibration needs it: run `make .venv/.calibration`."
        ) from error
