import contextlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.builders.questions import a_question
from withearth.decision.prompt import build_prompt
from withearth.decision.schema import (
    REASONING_MAX,
    ModelAnswer,
    description,
    parse_answer,
    response_schema,
    schema_table,
)
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
SOUND: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "direction": "long",
    "prob": 0.7,
    "support": 99.5,
    "resistance": None,
    "reasoning": "up",
}


def _refused(text: str) -> str:
    with pytest.raises(Refused) as caught:
        parse_answer(text)
    assert caught.value.reason is Reason.MODEL_INVALID
    return caught.value.detail


def test_a_sound_answer_is_read() -> None:
    """Every field comes back as it was said."""
    assert SOUND == parse_answer(json.dumps(SOUND)).model_dump()


def test_r18_whatever_is_not_exactly_one_answer_is_refused() -> None:
    """Arrays, fences, fullwidth brackets, prose around it, half of it, nothing: MODEL_INVALID, never a repair."""
    text = json.dumps(SOUND)
    for wrong in (
        f"[{text}]",
        f"```json\n{text}\n```",
        f"Here you are: {text}",
        f"{text}\n{text}",
        text.replace("{", "｛").replace("}", "｝"),
        text[:-1],
        text[:20],
        "",
        "null",
        "0.7",
        "[" * 100_000,
        '{"a":' * 100_000,
    ):
        _refused(wrong)


@pytest.mark.parametrize(
    "changed",
    [
        {"direction": "buy"},
        {"direction": "LONG"},
        {"direction": None},
        {"prob": 1.0001},
        {"prob": -0.1},
        {"prob": "0.7"},
        {"prob": True},
        {"prob": None},
        {"support": "99"},
        {"resistance": [1]},
        {"reasoning": "x" * (REASONING_MAX + 1)},
        {"reasoning": None},
        {"symbol": 7},
        {"leverage": 20},
        {"size": "all in"},
    ],
)
def test_r18_a_field_out_of_its_bounds_is_refused(changed: dict[str, Any]) -> None:
    """Nothing is converted, clamped, or passed over."""
    _refused(json.dumps(SOUND | changed))


@pytest.mark.parametrize("missing", SOUND)
def test_r18_a_missing_field_is_refused(missing: str) -> None:
    """There is no default to fall back on."""
    detail = _refused(json.dumps({name: value for name, value in SOUND.items() if name != missing}))

    assert detail.startswith(missing)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_r18_numbers_that_are_none_are_refused(word: str) -> None:
    """JSON has no such numbers, and neither has a market."""
    _refused(json.dumps(SOUND).replace("0.7", word))


def test_r18_a_field_that_stands_twice_is_refused() -> None:
    """It says two things, and nobody knows which was meant."""
    _refused(json.dumps(SOUND)[:-1] + ', "direction": "short"}')


def test_r18_text_that_is_no_text_is_refused() -> None:
    """Half of a surrogate pair could not even be stored, neither as a value nor in what is told about a field."""
    _refused(json.dumps(SOUND | {"reasoning": "\ud800"}))

    assert _refused(json.dumps(SOUND | {"\ud800": 1})).isascii()


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1" + "0" * 5000])
@pytest.mark.parametrize("name", ["prob", "support"])
def test_r18_numbers_beyond_all_prices_are_refused(name: str, number: str) -> None:
    """Too large for a float, or for anybody to have meant."""
    _refused(json.dumps(SOUND | {name: 0.123}).replace("0.123", number))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_r18_no_text_raises_anything_else(text: str) -> None:
    """Whatever a model says, the worst that happens is a refusal."""
    with contextlib.suppress(Refused):
        parse_answer(text)


def test_r19_one_schema_is_sent_described_checked_and_documented() -> None:
    """What is sent, what the prompt says, what is validated and what the docs show name the same fields."""
    fields = list(ModelAnswer.model_fields)
    schema = response_schema()
    prompt = build_prompt(a_question(), load_settings({}, env_file=None)).system
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")

    assert fields == list(schema["properties"]) == schema["required"]
    assert [f"{name}: {field.description}" for name, field in ModelAnswer.model_fields.items()] == description().split(
        "\n"
    )
    assert description() in prompt
    assert all(f"| `{name}` |" in schema_table() for name in fields)
    assert schema_table() in page


@given(
    st.fixed_dictionaries(
        {
            "symbol": st.text(max_size=10),
            "direction": st.sampled_from(["long", "short", "hold", "buy", ""]),
            "prob": st.floats(-1, 2) | st.none() | st.text(max_size=3),
            "support": st.floats(-10, 10) | st.none(),
            "resistance": st.floats(-10, 10) | st.none() | st.text(max_size=3),
            "reasoning": st.text(max_size=20),
        }
    )
)
def test_r19_what_the_sent_schema_allows_is_what_the_validator_takes(answer: dict[str, Any]) -> None:
    """Type, choice and bounds of the sent schema agree with the validator on every answer of short texts."""
    properties = response_schema()["properties"]
    allowed = all(_allows(properties[name], value) for name, value in answer.items())

    assert allowed == _validates(answer)


def _allows(field: dict[str, Any], value: Any) -> bool:
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    kind = "null" if value is None else "string" if isinstance(value, str) else "number"
    bounded = not isinstance(value, float) or field.get("minimum", -math.inf) <= value <= field.get("maximum", math.inf)
    return kind in kinds and bounded and value in field.get("enum", [value])


def _validates(answer: dict[str, Any]) -> bool:
    try:
        ModelAnswer.model_validate(answer)
    except ValidationError:
        return False
    return True
