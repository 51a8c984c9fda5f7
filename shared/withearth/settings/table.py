"""The settings as rows, for people."""

from dataclasses import dataclass

from pydantic import SecretStr

from withearth.settings.kinds import Group
from withearth.settings.model import KEYS, Origin, Settings
from withearth.settings.wording import allowed_text, as_text, default_text, field_of


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: what it is, what it could be, and where it came from."""

    key: str
    value: str
    default: str
    allowed: str
    description: str
    group: Group
    source: Origin


def describe(settings: Settings) -> list[Row]:
    """List every setting in the order of the docs; a secret is only said to be set or not."""
    return [_row(settings, key) for key in KEYS]


def _row(settings: Settings, key: str) -> Row:
    return Row(
        key=key,
        value=_value_text(getattr(settings, key.lower())),
        default=default_text(key),
        allowed=allowed_text(key),
        description=field_of(key).description or "",
        group=group_of(key),
        source=settings.origin(key),
    )


def _value_text(value: object) -> str:
    text = as_text(value)
    return text or "not set" if isinstance(value, SecretStr) else text


def group_of(key: str) -> Group:
    """Return the heading a key stands under."""
    extra = field_of(key).json_schema_extra
    return Group(str(extra["group"])) if isinstance(extra, dict) else Group.GENERAL
