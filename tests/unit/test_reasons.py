import json

import pytest

from withearth.domain.errors import MarketFault, Refused
from withearth.domain.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_its_code(reason: Reason) -> None:
    """Name, value and text are one word, so that it reads the same in code, books and screens."""
    assert reason.name == reason.value == str(reason) == f"{reason}"
    assert json.dumps(reason) == f'"{reason.name}"'


@pytest.mark.parametrize("reason", Reason)
def test_a_code_is_written_in_capitals(reason: Reason) -> None:
    """Letters and underscores only, for documents, queries and addresses alike."""
    assert reason.isascii()
    assert reason.replace("_", "").isalpha()
    assert reason.isupper()


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_explains_itself_in_one_sentence(reason: Reason) -> None:
    """With a capital first and a full stop last."""
    assert reason.sentence[0].isupper()
    assert reason.sentence.endswith(".")
    assert reason.sentence.count(". ") == 0


def test_no_two_reasons_say_the_same() -> None:
    """Neither by code nor by sentence."""
    assert len(Reason) == len({reason.value for reason in Reason}) == len({reason.sentence for reason in Reason})


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_found_by_its_code(reason: Reason) -> None:
    """What a document holds leads back to the sentence."""
    assert reason is Reason[reason.value]


def test_a_refusal_carries_its_reason_and_what_it_saw() -> None:
    """Without a detail of its own it gives the sentence."""
    seen, unseen = MarketFault(Reason.BOOK_CROSSED, "bid 2, ask 1"), Refused(Reason.MODEL_HOLD)

    assert (Reason.BOOK_CROSSED, "bid 2, ask 1") == (seen.reason, seen.detail)
    assert str(seen) == "BOOK_CROSSED: bid 2, ask 1"
    assert str(unseen) == "MODEL_HOLD: The predictor sees no trade."
