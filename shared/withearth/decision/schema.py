"""What a model may answer, written down once.

`ModelAnswer` is the response schema sent with every question, the description of it in the prompt, the validator of
what comes back, and the table in the docs. Whoever changes a field changes all four, and `SCHEMA_VERSION` with them.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason

SCHEMA_VERSION: Final = 1
REASONING_MAX: Final = 280
DETAIL_CHARACTERS: Final = 200

# What the API's documentation lists for `responseJsonSchema`, without the descriptions: those are in the prompt, and
# the schema is paid for by the token too. The rest is left to the validator, which sees everything.
_SENT_KEYWORDS: Final = frozenset(
    {"type", "enum", "required", "minimum", "maximum"},
)


class ModelAnswer(BaseModel):
    """One answer to one question about one symbol."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    symbol: Annotated[str, Field(description="the symbol asked about")]
    direction: Annotated[
        Literal["long", "short", "hold"],
        Field(description="long, short or hold"),
    ]
    prob: Annotated[
        float,
        Field(ge=0, le=1, description="probability, 0 to 1, that the target comes before the stop"),
    ]
    support: Annotated[float | None, Field(description="nearest support below the price, or null")]
    resistance: Annotated[float | None, Field(description="nearest resistance above the price, or null")]
    reasoning: Annotated[str, Field(max_length=REASONING_MAX, description=f"why, at most {REASONING_MAX} characters")]


def response_schema() -> dict[str, Any]:
    """The JSON schema sent with every question, in the keywords the API knows."""
    schema = ModelAnswer.model_json_schema()
    return _known(schema) | {"properties": {name: _known(field) for name, field in schema["properties"].items()}}


def _known(schema: dict[str, Any]) -> dict[str, Any]:
    """The keywords that are sent. Alternatives that differ in type only are one field of several types."""
    kinds = [each["type"] for each in schema.get("anyOf", ())]
    merged = {key: value for each in schema.get("anyOf", ()) for key, value in each.items()} | schema
    return {key: value for key, value in merged.items() if key in _SENT_KEYWORDS} | ({"type": kinds} if kinds else {})


def description() -> str:
    """The answer's fields as the prompt tells them, one a line."""
    return "\n".join(f"{name}: {field.description}" for name, field in ModelAnswer.model_fields.items())


def schema_table() -> str:
    """The answer's fields as Markdown."""
    return "\n".join(["| Field | Kind | Meaning |", "|---|---|---|", *_rows()])


def _rows() -> Iterator[str]:
    for name, field in response_schema()["properties"].items():
        yield f"| `{name}` | {_kind(field)} | {ModelAnswer.model_fields[name].description} |"


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    ends = [f"{word} {field[key]:g}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in field]
    return " or ".join([" ".join([kinds[0], *ends]), *kinds[1:]])


def parse_answer(text: str) -> ModelAnswer:
    """The answer a model's text is. Nothing is stripped, completed or converted.

    Raises Refused with MODEL_INVALID for anything that is not exactly one object of the schema.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
        return ModelAnswer.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ascii(".".join(map(str, first["loc"])) or "the answer")[1:-1]
        raise Refused(Reason.MODEL_INVALID, f"{where}: {first['msg']}"[:DETAIL_CHARACTERS]) from error
    except (ValueError, RecursionError) as error:
        raise Refused(Reason.MODEL_INVALID, f"not JSON: {error}"[:DETAIL_CHARACTERS]) from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless it names a field twice: then it says two things, and nobody knows which was meant."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a field stands twice")
    return dict(pairs)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
