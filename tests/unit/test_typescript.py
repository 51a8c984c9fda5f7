"""The contract as TypeScript."""

from typing import Any

import pytest

from withearth.views import typescript


def test_every_part_of_the_contract_is_declared() -> None:
    """Each name that a declaration uses is declared itself."""
    text = typescript.model_ts()

    for name in ("OverviewView", "Health", "Instant", "DecimalText", "Order", "ControlRequest"):
        assert f"export type {name} =" in text or f"export interface {name} {{" in text


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "number"),
        ({"$ref": "#/$defs/Instant"}, "Instant"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"enum": ["a", "b"], "type": "string"}, '"a" | "b"'),
        ({"type": "array", "items": {"$ref": "#/$defs/Bin"}}, "readonly Bin[]"),
        ({"type": "object", "additionalProperties": True}, "Record<string, unknown>"),
        (
            {"type": "object", "propertyNames": {"enum": ["5m"]}, "additionalProperties": {"type": "number"}},
            'Partial<Record<"5m", number>>',
        ),
    ],
)
def test_each_kind_of_schema_has_its_type(schema: dict[str, Any], expected: str) -> None:
    """What pydantic says in JSON schema, TypeScript says in its own words."""
    assert typescript._type(schema) == expected


def test_an_unknown_kind_of_schema_is_refused() -> None:
    """Nothing is guessed: a kind that was never used needs a word here first."""
    with pytest.raises(KeyError):
        typescript._type({"type": "mystery"})
