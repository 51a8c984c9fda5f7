"""How a setting and its problems read: default, value and allowed range as text, one sentence per problem."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from withearth.settings.kinds import PHRASE, SENTENCE, Allowed, shown
from withearth.settings.model import KEYS, Settings
from withearth.settings.references import is_reference


def field_of(key: str) -> FieldInfo:
    """Return the declaration behind a key."""
    return Settings.model_fields[key.lower()]


def default_text(key: str) -> str:
    """Return the default of a key as it would be written in .env."""
    return as_text(field_of(key).default)


def as_text(value: object) -> str:
    """Write a value the way .env holds it; a secret is only told to be there."""
    return next((write(value) for kind, write in _WRITERS.items() if isinstance(value, kind)), str(value))


def _secret_text(secret: SecretStr) -> str:
    value = secret.get_secret_value()
    if is_reference(value):
        return value
    return "set" if value else ""


def _float_text(value: float) -> str:
    """Write 0.6 as 0.60, as probabilities are, and never in powers of ten."""
    cents = f"{value:.2f}"
    return cents if value % 1 and float(cents) == value else f"{Decimal(repr(value)):f}"


def _path_text(path: Path) -> str:
    return path.as_posix() if path.is_absolute() or path.parts[:1] == ("..",) else f"./{path.as_posix()}"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "",
    bool: lambda value: str(value).lower(),
    SecretStr: _secret_text,
    tuple: ",".join,
    float: _float_text,
    Decimal: "{:f}".format,
    Path: _path_text,
}


def bounds(key: str) -> tuple[int | float | Decimal, int | float | Decimal] | None:
    """Return the lowest and the highest value of a number, nothing for other kinds."""
    ends: dict[type, int | float | Decimal] = {}
    for rule in field_of(key).metadata:
        match rule:
            case Ge(ge=int() | float() | Decimal() as low):
                ends[Ge] = low
            case Le(le=int() | float() | Decimal() as high):
                ends[Le] = high
    return (ends[Ge], ends[Le]) if ends else None


def allowed_text(key: str) -> str:
    """Say in words what a key may be."""
    field, ends = field_of(key), bounds(key)
    if ends is not None:
        return f"{_end_text(ends[0])} to {_end_text(ends[1])}"
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    return next((rule.text for rule in field.metadata if isinstance(rule, Allowed)), "true or false")


def _end_text(end: float | Decimal) -> str:
    return f"{Decimal(str(end)).normalize():f}"


def sentences(error: ValidationError) -> Iterator[str]:
    """Turn the model's findings into one sentence each, in the order of the docs."""
    findings = [(str(finding["loc"][0]).upper(), finding) for finding in error.errors(include_url=False)]
    for key, finding in sorted(findings, key=lambda each: KEYS.index(each[0])):
        yield _sentence(key, finding)


def _sentence(key: str, finding: ErrorDetails) -> str:
    if finding["type"] == SENTENCE:
        return finding["msg"]
    return f"{key} {_trouble(key, finding)}, allowed is {allowed_text(key)}: {_remedy(key)}"


def _trouble(key: str, finding: ErrorDetails) -> str:
    if finding["type"] == PHRASE:
        return finding["msg"]
    if field_of(key).annotation is SecretStr:
        return "is not a text"
    return f"is {shown(finding['input'])}" if finding["input"] != "" else "is empty"


def _remedy(key: str) -> str:
    default = default_text(key)
    fallback = f"for the default {default}" if default else "to leave it empty"
    return f"correct it in .env or the environment, or remove it {fallback}."
