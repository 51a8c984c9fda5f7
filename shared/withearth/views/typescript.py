"""The contract as TypeScript, written from the JSON schema that pydantic makes of it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from withearth.views.records import DOCUMENTS

HEADING: Final = """\
// What the dashboard reads and writes. Written from shared/withearth/views/contract.py by
// `python -m withearth.generated_docs`: change it there. How it comes here, and who writes what: docs/views.md.
"""
_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_NOTES: Final = {
    "Instant": "ISO 8601 in UTC, such as `2026-01-05T06:05:00Z`. The Firestore adapter turns Timestamps into it.",
    "DecimalText": "An exact decimal number. For money, prices and quantities; draw with it, compute nothing.",
}

Schema = Mapping[str, Any]


def model_ts() -> str:
    """Every type of the contract as a TypeScript module."""
    _, schema = TypeAdapter.json_schemas([(each, "validation", TypeAdapter(each)) for each in DOCUMENTS])
    found: Schema = schema["$defs"]
    return "\n".join([HEADING, *(_declaration(name, found[name]) for name in sorted(found))])


def _declaration(name: str, schema: Schema) -> str:
    note = schema.get("description", _NOTES.get(name))
    comment = "" if note is None else f"/** {' '.join(note.split()).replace('None', 'null')} */\n"
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    required = schema.get("required", ())
    fields = "".join(
        f"  {field}{'' if field in required else '?'}: {_type(each)};\n" for field, each in schema["properties"].items()
    )
    return f"{comment}export interface {name} {{\n{fields}}}\n"


def _type(schema: Schema) -> str:
    """The TypeScript of one schema. Raises KeyError for a kind of schema that the contract does not use yet."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"readonly {_type(schema['items'])}[]"
    if schema.get("type") == "object":
        return _record(schema)
    return _PLAIN[schema["type"]] if "type" in schema else "unknown"


def _record(schema: Schema) -> str:
    names, values = schema.get("propertyNames"), schema.get("additionalProperties")
    value = _type(values) if isinstance(values, Mapping) else "unknown"
    return f"Record<string, {value}>" if names is None else f"Partial<Record<{_type(names)}, {value}>>"
