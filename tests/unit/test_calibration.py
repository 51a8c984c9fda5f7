import sys
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.questions import Scripted, a_prediction, a_question
from tests.builders.snapshots import AS_OF
from withearth.decision.calibration import CalibratedPredictor, CalibrationMap
from withearth.decision.calibration_fit import FittedMethod, fit, improvement
from withearth.decision.prediction import Unanswered
from withearth.decision.reliability import Sample, by_symbol_and_regime, reliability, sample_of, scores
from withearth.domain.errors import Misconfigured, Refused
from withearth.domain.reasons import Reason

MAP = CalibrationMap("p", "isotonic", 500, AS_OF, (0.5, 0.6, 0.9), (0.4, 0.5, 0.6))


def overconfident(count: int = 2000, *, symbol: str = "BTCUSDT") -> list[Sample]:
    """Samples whose outcome comes with two thirds of the edge that was said."""
    rng = np.random.default_rng(count)
    said = rng.uniform(0.5, 0.9, count).round(4)
    hits = rng.uniform(size=count) < 0.5 + (said - 0.5) * 2 / 3
    return [
        Sample(symbol, "calm-range", "p", AS_OF + timedelta(minutes=5 * place), float(prob), bool(hit))
        for place, (prob, hit) in enumerate(zip(said, hits, strict=True))
    ]


@pytest.mark.parametrize(("said", "true"), [(0.5, 0.4), (0.55, 0.45), (0.6, 0.5), (0.75, 0.55), (0.9, 0.6)])
def test_between_two_points_a_map_is_straight(said: float, true: float) -> None:
    """Ends included."""
    assert MAP.apply(said) == pytest.approx(true)


@pytest.mark.parametrize("said", [0.4999, 0.9001, 0.0, 1.0])
def test_outside_its_sample_a_map_knows_nothing(said: float) -> None:
    """It refuses instead of going on in a straight line."""
    with pytest.raises(Refused) as caught:
        MAP.apply(said)
    assert caught.value.reason is Reason.MODEL_UNCALIBRATED


@given(st.floats(0, 1))
def test_an_identity_leaves_everything_as_it_is(said: float) -> None:
    """Too few samples correct nothing."""
    assert CalibrationMap("p", "identity", 12, None).apply(said) == said


def test_a_kept_map_comes_back_whole() -> None:
    """Document and map are one."""
    assert CalibrationMap.from_document(MAP.to_document()) == MAP


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_a_fitted_map_takes_back_what_was_too_much(method: FittedMethod) -> None:
    """Of a predictor that says 0.5 + edge where 0.5 + ⅔ edge is true, the map finds the truth to a few percent."""
    samples = overconfident(6000)
    fitted = fit("p", samples, method)
    better = improvement("p", samples, method)

    assert (fitted.method, fitted.samples, fitted.until) == (method, 6000, samples[-1].as_of)
    assert fitted.apply(0.8) == pytest.approx(0.7, abs=0.04)
    assert all(low <= high for low, high in zip(fitted.true, fitted.true[1:], strict=False))
    assert better is not None
    assert better.calibrated.brier < better.raw.brier
    assert better.raw.samples == better.calibrated.samples


@pytest.mark.parametrize(
    "samples",
    [[], overconfident(199), [Sample("S", "r", "p", AS_OF, 0.5 + each / 1000, hit=True) for each in range(300)]],
    ids=["none", "too few", "all alike"],
)
def test_too_little_to_learn_from_is_an_identity(samples: list[Sample]) -> None:
    """And it says from how many."""
    fitted = fit("p", samples, "isotonic")

    assert (fitted.method, fitted.samples) == ("identity", len(samples))
    assert improvement("p", samples, "isotonic") is None


def test_the_same_samples_in_another_order_give_the_same_map() -> None:
    """A fit is a function of what happened."""
    samples = overconfident(500)

    assert fit("p", samples, "isotonic") == fit("p", samples[::-1], "isotonic")


def test_without_scikit_learn_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is needed offline only, and not installed with the rest."""
    monkeypatch.setitem(sys.modules, "sklearn.isotonic", None)

    with pytest.raises(Misconfigured, match=r"make \.venv/\.calibration"):
        fit("p", overconfident(300), "isotonic")


def test_scores_on_a_hand_computed_sample() -> None:
    """Brier (0.04 + 0.36) / 2 = 0.2; log loss (−ln 0.8 − ln 0.4) / 2."""
    found = scores([(0.8, True), (0.6, False)])

    assert (found.samples, found.happened) == (2, 0.5)
    assert found.said == pytest.approx(0.7)
    assert found.brier == pytest.approx(0.2)
    assert found.log_loss == pytest.approx((0.22314355 + 0.91629073) / 2)


def test_reliability_counts_every_sample_once() -> None:
    """Equal bins, the last one closed at 1; empty ones are left out."""
    bins = reliability([(0.0, False), (0.55, True), (0.59, False), (1.0, True)])

    assert [(each.low, each.samples, each.happened) for each in bins] == [(0.0, 1, 0), (0.5, 2, 0.5), (0.9, 1, 1)]


def test_scores_are_told_by_symbol_and_regime() -> None:
    """Each pair has its own row."""
    found = by_symbol_and_regime([*overconfident(10), *overconfident(20, symbol="ETHUSDT")])

    assert {key: each.samples for key, each in found.items()} == {
        ("BTCUSDT", "calm-range"): 10,
        ("ETHUSDT", "calm-range"): 20,
    }


@pytest.mark.parametrize(
    ("barrier", "hit"), [("TARGET", True), ("STOP", False), ("HORIZON", False), ("UNKNOWN", None), (None, None)]
)
def test_a_label_is_a_sample_when_its_outcome_is_known(barrier: str | None, hit: bool | None) -> None:
    """A target is a hit; a stop and an empty horizon are none; what nobody knows is not counted."""
    label: dict[str, Any] = {"symbol": "S", "regime": "r", "predictor": "p", "as_of": AS_OF, "prob": 0.6}
    sample = sample_of(label | {"barrier": barrier})

    assert hit is (None if sample is None else sample.hit)


def test_a_calibrated_answer_keeps_what_was_said() -> None:
    """The corrected probability decides, the said one stays, and the audit tells by which map."""
    answer = CalibratedPredictor(Scripted(a_prediction("long", 0.75)), lambda _name: MAP).predict(a_question())

    assert (answer.prediction.prob, answer.prediction.calibrated, answer.prediction.traded_prob) == (0.75, 0.55, 0.55)
    assert answer.audit["calibration"] == {"method": "isotonic", "samples": 500, "until": AS_OF, "prob": 0.55}


def test_without_a_map_a_calibrated_answer_says_so() -> None:
    """Identity, of no samples."""
    answer = CalibratedPredictor(Scripted(a_prediction("long", 0.75)), lambda _name: None).predict(a_question())

    assert answer.prediction.traded_prob == 0.75
    assert (answer.audit["calibration"]["method"], answer.audit["calibration"]["samples"]) == ("identity", 0)


def test_an_answer_the_map_does_not_support_is_none() -> None:
    """A probability nobody has seen come true or not is no reason to trade."""
    with pytest.raises(Unanswered) as caught:
        CalibratedPredictor(Scripted(a_prediction("long", 0.95)), lambda _name: MAP).predict(a_question())
    assert caught.value.reason is Reason.MODEL_UNCALIBRATED
    assert caught.value.audit["calibration"]["prob"] is None


def test_a_hold_needs_no_calibration() -> None:
    """Its probability is about nothing."""
    answer = CalibratedPredictor(Scripted(a_prediction("hold", 0.95)), lambda _name: MAP).predict(a_question())

    assert answer.prediction.calibrated is None
