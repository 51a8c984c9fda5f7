import pytest

from tests.builders.questions import Scripted, a_prediction, a_question
from withearth.decision.ensemble import EnsemblePredictor, Rule, combine
from withearth.decision.prediction import Answer, Unanswered
from withearth.decision.spend import Spend
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction


@pytest.mark.parametrize(
    ("rule", "answers", "direction", "prob"),
    [
        ("agree", ["long 0.7", "long 0.6"], "long", 0.6),
        ("agree", ["long 0.7", "short 0.9"], "hold", 0.7),
        ("agree", ["long 0.7", "hold 0.5"], "hold", 0.5),
        ("agree", ["hold 0.5", "hold 0.9"], "hold", 0.5),
        ("veto", ["long 0.7", "hold 0.9"], "long", 0.7),
        ("veto", ["long 0.7", "short 0.51"], "hold", 0.7),
        ("veto", ["hold 0.7", "long 0.9"], "hold", 0.7),
        ("mean", ["long 0.7", "long 0.6"], "long", 0.65),
        ("mean", ["long 0.7", "short 0.8"], "short", 0.55),
        ("mean", ["long 0.7", "short 0.7"], "hold", 0.5),
        ("mean", ["long 0.9", "hold 0.9"], "long", 0.7),
        ("mean", ["long 0.3", "short 0.6"], "short", 0.55),
    ],
)
def test_answers_become_one_by_the_rule(rule: Rule, answers: list[str], direction: str, prob: float) -> None:
    """Agreement, mean or veto, and a probability that is nobody's invention."""
    one = combine(rule, [a_prediction(text.split()[0], float(text.split()[1])) for text in answers])

    assert one.direction is Direction(direction)
    assert one.prob == pytest.approx(prob)


def test_all_members_are_asked_and_paid() -> None:
    """Name, price and audit of the ensemble hold those of all members, in their order."""
    members = [Scripted(a_prediction(), name="a", cost=Spend(10, 20)), Scripted(a_prediction("hold"), name="b")]
    ensemble = EnsemblePredictor(members, "agree")
    answer = ensemble.predict(a_question())

    assert ensemble.name == "agree(a, b)"
    assert ensemble.spend_max(a_question()) == Spend(10, 20)
    assert isinstance(answer, Answer)
    assert (answer.audit["tokens"], answer.audit["cost_micro_usd"]) == (10, 20)
    assert [each["asked"]["predictor"] for each in answer.audit["members"]] == ["a", "b"]
    assert [each["prediction"]["direction"] for each in answer.audit["members"]] == ["long", "hold"]


@pytest.mark.parametrize("rule", ["agree", "mean", "veto"])
def test_a_member_without_an_answer_leaves_none(rule: Rule) -> None:
    """Who was to be heard and was not may have said no; what the others answered is kept all the same."""
    members = [Scripted(a_prediction(), name="a"), Scripted(Reason.MODEL_TIMEOUT, name="b", cost=Spend(1, 2))]

    with pytest.raises(Unanswered) as caught:
        EnsemblePredictor(members, rule).predict(a_question())
    assert caught.value.reason is Reason.MODEL_TIMEOUT
    assert caught.value.audit["cost_micro_usd"] == 2
    assert [each["prediction"] is None for each in caught.value.audit["members"]] == [False, True]
