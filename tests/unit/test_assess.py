import math
from decimal import Decimal

import pytest

from tests.builders.books import a_book
from tests.builders.instruments import an_instrument
from tests.builders.snapshots import a_frame, a_snapshot
from withearth.decision.assess import Assessment, Conditions, assess, required_risk_reward
from withearth.decision.prediction import Prediction
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction
from withearth.domain.times import Timeframe
from withearth.settings import load_settings

SETTINGS = load_settings(
    {
        "MIN_PROB": "0.60",
        "RR_MIN": "1.20",
        "HIGH_PROB_RELAX_RR": "0.70",
        "RR_MIN_HIGH_PROB": "1.05",
        "ATR_MULT_TP": "1.8",
        "ATR_MULT_SL": "1.0",
    },
    env_file=None,
)


def _assess(
    prob: float = 0.65,
    *,
    direction: Direction = Direction.LONG,
    reward: float = 1.8,
    margin: str = "1000",
    instrument: Instrument | None = None,
) -> Assessment:
    """What comes of a prediction at 100, with a stop one away and a resistance `reward` away."""
    snapshot = a_snapshot(a_frame(Timeframe.H1, resistance50=100 + reward))
    conditions = Conditions(snapshot, a_book(), instrument or an_instrument(), Decimal(margin))
    return assess(Prediction(direction, prob, "because"), conditions, SETTINGS)


def test_a_sound_prediction_becomes_a_trade() -> None:
    """Nothing blocks it, and it has levels and a size."""
    assessment = _assess()

    assert () == assessment.reasons
    assert assessment.levels is not None
    assert (Decimal(100), Decimal("101.8"), Decimal(99)) == (
        assessment.levels.entry,
        assessment.levels.tp,
        assessment.levels.sl,
    )
    assert assessment.qty == Decimal("0.75")


def test_a_prediction_to_hold_is_no_trade() -> None:
    """However sure it is, and nothing more is worked out."""
    assert Assessment((Reason.MODEL_HOLD,)) == _assess(0.99, direction=Direction.HOLD)


@pytest.mark.parametrize(
    ("prob", "reasons"),
    [(0.60, ()), (math.nextafter(0.60, 0.0), (Reason.PROBABILITY_TOO_LOW,)), (0.0, (Reason.PROBABILITY_TOO_LOW,))],
)
def test_a_probability_from_the_threshold_up_passes(prob: float, reasons: tuple[Reason, ...]) -> None:
    """MIN_PROB itself is enough."""
    assert reasons == _assess(prob).reasons


@pytest.mark.parametrize(("reward", "reasons"), [(1.2, ()), (1.19, (Reason.RISK_REWARD_TOO_LOW,))])
def test_a_reward_from_the_limit_up_passes(reward: float, reasons: tuple[Reason, ...]) -> None:
    """RR_MIN itself is enough."""
    assert reasons == _assess(0.65, reward=reward).reasons


@pytest.mark.parametrize(
    ("prob", "reward", "reasons"),
    [
        (0.70, 1.05, ()),
        (0.70, 1.04, (Reason.RISK_REWARD_TOO_LOW,)),
        (math.nextafter(0.70, 0.0), 1.05, (Reason.RISK_REWARD_TOO_LOW,)),
    ],
)
def test_a_high_probability_asks_for_less_reward(prob: float, reward: float, reasons: tuple[Reason, ...]) -> None:
    """From HIGH_PROB_RELAX_RR up RR_MIN_HIGH_PROB is enough."""
    assert reasons == _assess(prob, reward=reward).reasons


def test_the_required_reward_is_told() -> None:
    """The audit says against which of the two limits the trade was held."""
    assert SETTINGS.rr_min == _assess(0.65).rr_min == required_risk_reward(0.6999, SETTINGS)
    assert SETTINGS.rr_min_high_prob == _assess(0.75).rr_min == required_risk_reward(0.70, SETTINGS)


def test_all_reasons_are_told() -> None:
    """Probability, reward and size each say no, in this order."""
    assert (
        Reason.PROBABILITY_TOO_LOW,
        Reason.RISK_REWARD_TOO_LOW,
        Reason.MARGIN_TOO_SMALL,
    ) == _assess(0.5, reward=1.0, margin="0").reasons


def test_levels_that_cannot_stand_end_the_assessment() -> None:
    """There is no reward and no size without them; what was found before is still told."""
    assessment = _assess(0.5, instrument=an_instrument(tick="10"))

    assert (Reason.PROBABILITY_TOO_LOW, Reason.LEVELS_INVALID) == assessment.reasons
    assert (None, None) == (assessment.levels, assessment.qty)
    assert assessment.detail.startswith("entry 100")


def test_a_blocked_trade_keeps_its_levels() -> None:
    """The audit shows what was refused, and why no size was found."""
    assessment = _assess(margin="0.5")

    assert (Reason.MARGIN_TOO_SMALL,) == assessment.reasons
    assert assessment.levels is not None
    assert assessment.qty is None
    assert "smallest order" in assessment.detail


def test_a_short_sells_at_the_middle_of_the_book() -> None:
    """Its stop stands above and its target below."""
    levels = _assess(direction=Direction.SHORT).levels

    assert levels is not None
    assert levels.tp < levels.entry == Decimal(100) < levels.sl


def test_the_document_holds_numbers_as_text() -> None:
    """Decimals keep their digits."""
    assert {
        "levels": {"entry": "100.00", "tp": "101.80", "sl": "99.00"},
        "risk_reward": "1.8000",
        "risk_reward_min": "1.20",
        "qty": "0.750",
        "detail": "",
    } == _assess().to_document()


def test_the_document_of_a_hold_is_empty() -> None:
    """Nothing was worked out, so nothing is claimed."""
    document = _assess(direction=Direction.HOLD).to_document()

    assert {"levels": None, "risk_reward": None, "risk_reward_min": None, "qty": None, "detail": ""} == document
