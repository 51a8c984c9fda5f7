"""Gemini's `generateContent` in its own JSON: the request as it goes out, the response as it came, and what it means.

Pure: the same response text always gives the same verdict, today and when a stored decision is replayed. Nothing in a
response is repaired. The finish reason is looked at before anything else, because a text that was cut off can still be
valid JSON.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from withearth.decision.prediction import Prediction, Question
from withearth.decision.prompt import Prompt
from withearth.decision.schema import ModelAnswer, parse_answer, response_schema
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.domain.side import Direction
from withearth.settings import Settings

RESPONSE_CHARACTERS_MAX: Final = 16_384
"""Longer responses are not read. A sound one has a thousand; ten of these still fit into one document."""
NAME_CHARACTERS_MAX: Final = 120
TOKENS_MAX: Final = 100_000_000
"""More than any model reads or writes: a count above it is damage, and would not fit the books."""

_FINISHED: Final = "STOP"
_CUT_OFF: Final = "MAX_TOKENS"
_BLOCKED: Final = frozenset({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})


def request_body(prompt: Prompt, settings: Settings) -> dict[str, Any]:
    """The body of one `generateContent` call, key for key as it goes over the wire."""
    config: dict[str, Any] = {
        "temperature": settings.g_temperature,
        "maxOutputTokens": settings.g_max_tokens,
        "seed": settings.g_seed,
        "responseMimeType": "application/json",
        "responseJsonSchema": response_schema(),
    }
    if settings.g_thinking != "off":
        config["thinkingConfig"] = {"thinking_level": settings.g_thinking.upper()}
    return {
        "contents": [{"parts": [{"text": prompt.text}], "role": "user"}],
        "systemInstruction": {"parts": [{"text": prompt.system}], "role": "user"},
        "generationConfig": config,
    }


class _Wire(BaseModel):
    """What is read of a response. The API may say more than we know of, so unknown keys are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class _Part(_Wire):
    text: str = ""
    thought: bool = False


class _Content(_Wire):
    parts: list[_Part] = Field(default_factory=list)


class _Candidate(_Wire):
    content: _Content = Field(default_factory=_Content)
    finish_reason: str = ""


class _Feedback(_Wire):
    block_reason: str = ""


class _Usage(_Wire):
    prompt_token_count: int = Field(0, ge=0, le=TOKENS_MAX)
    candidates_token_count: int = Field(0, ge=0, le=TOKENS_MAX)
    thoughts_token_count: int = Field(0, ge=0, le=TOKENS_MAX)


class _Response(_Wire):
    candidates: list[_Candidate] = Field(default_factory=list)
    prompt_feedback: _Feedback = Field(default_factory=_Feedback)
    usage_metadata: _Usage | None = None
    model_version: str = ""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a response says about itself. Token counts are None where it says nothing."""

    text: str
    finish_reason: str
    block_reason: str
    tokens_in: int | None
    tokens_out: int | None
    model_version: str
    response_id: str

    def to_document(self) -> dict[str, Any]:
        """All but the text, which stands in the response."""
        return {
            "finish_reason": self.finish_reason,
            "block_reason": self.block_reason,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "model_version": self.model_version,
            "response_id": self.response_id,
        }


def read_response(body: str) -> Reading:
    """Read the envelope. Raises Refused with MODEL_INVALID when it is none."""
    if len(body) > RESPONSE_CHARACTERS_MAX:
        raise Refused(Reason.MODEL_INVALID, f"the response is longer than {RESPONSE_CHARACTERS_MAX} characters")
    try:
        response = _Response.model_validate(json.loads(body))
    except ValidationError as error:
        place = ".".join(str(each) for each in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise Refused(Reason.MODEL_INVALID, f"the response is no generateContent response at {place[:80]!r}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(Reason.MODEL_INVALID, "the response is not JSON") from error
    return _reading(response)


def _reading(response: _Response) -> Reading:
    first = response.candidates[0] if response.candidates else _Candidate()
    # No question has no tokens: a usage without them says nothing.
    usage = response.usage_metadata if response.usage_metadata and response.usage_metadata.prompt_token_count else None
    return Reading(
        text="".join(part.text for part in first.content.parts if not part.thought),
        finish_reason=_name(first.finish_reason),
        block_reason=_name(response.prompt_feedback.block_reason),
        tokens_in=None if usage is None else usage.prompt_token_count,
        tokens_out=None if usage is None else usage.candidates_token_count + usage.thoughts_token_count,
        model_version=_name(response.model_version),
        response_id=_name(response.response_id),
    )


def _name(text: str) -> str:
    """A name as it may be kept: short, and without half surrogate pairs, which no book takes."""
    return text[:NAME_CHARACTERS_MAX].encode("ascii", "backslashreplace").decode()


def judge(reading: Reading, question: Question) -> Prediction:
    """The prediction a response carries. Raises Refused with the reason for which it carries none."""
    refusal = _refusal(reading)
    if refusal is not None:
        raise Refused(refusal, f"finish reason {reading.finish_reason or reading.block_reason or 'none'}"[:80])
    answer = parse_answer(reading.text)
    _cross_check(answer, question)
    return Prediction(Direction(answer.direction), answer.prob, answer.reasoning, answer.support, answer.resistance)


def _refusal(reading: Reading) -> Reason | None:
    if reading.block_reason or reading.finish_reason in _BLOCKED:
        return Reason.MODEL_BLOCKED
    if reading.finish_reason == _CUT_OFF:
        return Reason.MODEL_TRUNCATED
    return None if reading.finish_reason == _FINISHED else Reason.MODEL_INVALID


def _cross_check(answer: ModelAnswer, question: Question) -> None:
    """Raise Refused when the answer is well-formed and still not about this symbol at this price."""
    if answer.symbol != question.snapshot.symbol:
        raise Refused(Reason.MODEL_WRONG_SYMBOL, f"asked about {question.snapshot.symbol}")
    price = question.snapshot.price
    below = answer.support is None or answer.support < price
    above = answer.resistance is None or answer.resistance > price
    if not (below and above):
        raise Refused(
            Reason.MODEL_CONTRADICTORY, f"support {answer.support}, price {price}, resistance {answer.resistance}"
        )
