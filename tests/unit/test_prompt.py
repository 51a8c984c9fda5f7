import re
from dataclasses import replace
from typing import Any

import pytest

from tests.builders.questions import a_question
from tests.builders.snapshots import AS_OF, a_frame
from withearth.decision.gemini import ATTEMPTS_MAX
from withearth.decision.prompt import PROMPT_VERSION, build_prompt, costs_bps, estimated_tokens
from withearth.decision.schema import SCHEMA_VERSION, response_schema
from withearth.decision.sentiment import Sentiment
from withearth.decision.wire import request_body
from withearth.domain.canonical import canonical_json, digest
from withearth.domain.times import Timeframe
from withearth.features.snapshot import from_document, to_document
from withearth.settings import load_settings

SETTINGS = load_settings({}, env_file=None)
MOOD = Sentiment(0.31, 0.7, 1200, AS_OF)
TOKENS_MAX = 900


def _wide_question() -> Any:
    """Four frames of a dear, wild market, in which every number is long."""
    frames = [
        a_frame(
            timeframe,
            close=98_765.43,
            rsi14=55.55,
            atr14=1234.567,
            sma20=98_765.12,
            volatility20=0.01234,
            support50=81_234.5,
            resistance50=119_876.5,
        )
        for timeframe in Timeframe
    ]
    question = a_question(sentiment=MOOD)
    snapshot = replace(question.snapshot, frames={frame.timeframe: frame for frame in frames}, price=101_234.5)
    return replace(question, snapshot=snapshot)


def test_a_changed_prompt_has_a_new_version() -> None:
    """The digest of a fixed question belongs to these two versions: raise one of them, then write the new digest."""
    body = request_body(build_prompt(_wide_question(), SETTINGS), SETTINGS)

    assert (PROMPT_VERSION, SCHEMA_VERSION, digest(body)[:16]) == (1, 1, "2460103a7df1b511")


def test_a_full_snapshot_fits_into_900_tokens() -> None:
    """By the documented approximation: instructions, numbers, sentiment, and the schema that is sent along."""
    prompt = build_prompt(_wide_question(), SETTINGS)
    parts = (prompt.system, prompt.text, canonical_json(response_schema()))

    assert sum(map(estimated_tokens, parts)) <= TOKENS_MAX


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("12.5", 4), ("-7", 2), (" 42", 3), ("word", 1), ("longer word", 3), ("a\nb", 3), ("5m 50", 5)],
)
def test_tokens_are_estimated_on_the_high_side(text: str, tokens: int) -> None:
    """Digits, signs, line ends and spaces before digits count one; words one for every four letters begun."""
    assert tokens == estimated_tokens(text)


def test_the_prompt_says_what_it_must() -> None:
    """Symbol, instant, horizon, costs and price stand in it with their units."""
    text = build_prompt(a_question(), SETTINGS).text

    for line in ("symbol BTCUSDT", "as_of 2024-03-05T10:05Z", "horizon_min 60", "costs_bps 13.0", "price 100"):
        assert line in text.split("\n")


def test_the_costs_to_beat_are_a_whole_round_trip() -> None:
    """Two fees of 5, one spread of 1 and two slippages of 1 are 13 basis points."""
    assert costs_bps(a_question(spread_bps=1.0).snapshot, SETTINGS) == 13.0


def test_a_stored_snapshot_is_asked_about_in_the_same_words() -> None:
    """Documents forget the order of their fields; the question must not depend on it."""
    question = a_question()
    document = to_document(question.snapshot)
    document["frames"] = dict(sorted(document["frames"].items()))

    assert build_prompt(question, SETTINGS) == build_prompt(
        replace(question, snapshot=from_document(document)), SETTINGS
    )


def test_r30_only_the_numbers_of_a_sentiment_are_told() -> None:
    """One line of numbers when there is a sentiment, none when there is not."""
    with_mood, without = (build_prompt(a_question(sentiment=mood), SETTINGS).text.split("\n") for mood in (MOOD, None))

    assert [line for line in with_mood if line not in without] == [
        "posts_score +0.31 (-1..1) confidence 0.70 count 1200 age_min 0"
    ]


def test_r30_every_word_of_a_question_is_written_here_or_is_the_symbol() -> None:
    """With the numbers and the symbol taken out, two very different markets read the same."""
    texts = (build_prompt(question, SETTINGS).text for question in (a_question(), _wide_question()))
    first, second = (re.sub(r"[-+]?\d[\d.]*", "#", text).split("\n") for text in texts)

    assert set(first) - {"posts_score"} <= {*second}


def test_the_most_a_question_can_cost_covers_both_attempts() -> None:
    """Nobody is asked more often than is reserved for."""
    assert ATTEMPTS_MAX == 2
