"""What a setting can be: its group in the docs, its bounds, and the texts with rules of their own.

A validator that wants its own words raises one of two errors: `phrase` says what is wrong with the
value and leaves the allowed range and the remedy to `wording`; `sentence` says everything itself.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from withearth.settings.references import is_reference, is_reference_attempt

PHRASE: Final = "phrase"
SENTENCE: Final = "sentence"
SYMBOLS_MAX: Final = 600
MODELS_MAX: Final = 5
SHOWN_MAX: Final = 32
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Number = TypeVar("Number", int, float, Decimal)
Value = TypeVar("Value")


class Group(StrEnum):
    """The heading a setting stands under, in the order of the docs."""

    GENERAL = "General"
    MARKET = "Market data"
    DECISION = "Decision"
    RISK = "Risk and sizing"
    LIMITS = "Limits"
    ENTRY = "Entry orders"
    SHADOW = "Shadow trades"
    BINANCE = "Binance"
    MODEL = "Model"
    SENTIMENT = "Sentiment"
    CLOUD = "Cloud"


class Allowed(NamedTuple):
    """What a value may be, in words, where neither bounds nor choices say it."""

    text: str


def number(group: Group, default: Number, low: Number, high: Number, description: str) -> Number:
    """Declare a number that may lie anywhere from low to high, both included."""
    return Field(default, ge=low, le=high, description=description, json_schema_extra={"group": group})


def setting(group: Group, default: Value, description: str) -> Value:
    """Declare a setting whose type says what is allowed."""
    return Field(default, description=description, json_schema_extra={"group": group})


def phrase(text: str) -> PydanticCustomError:
    """Say what is wrong with the value; the rest of the sentence is the same for every key."""
    return PydanticCustomError(PHRASE, "{text}", {"text": text})


def sentence(text: str) -> PydanticCustomError:
    """Say everything, for a problem between two settings."""
    return PydanticCustomError(SENTENCE, "{text}", {"text": text})


def shown(value: object) -> str:
    """Return a refused value as it may be printed.

    A key pasted into the wrong line is longer than any sensible value, so long values are only measured.
    """
    text = str(value)
    if len(text) > SHOWN_MAX:
        return f"a text of {len(text)} characters"
    return text if text.isprintable() else ascii(text)


def _split(value: object) -> object:
    return tuple(name.strip().upper() for name in value.split(",")) if isinstance(value, str) else value


WHOLE_MARKET: Final = "ALL"
TOP: Final = "TOP:"


def _symbols(names: tuple[str, ...]) -> tuple[str, ...]:
    if names == (WHOLE_MARKET,) or (len(names) == 1 and re.fullmatch(TOP + r"[1-9]\d{0,2}", names[0])):
        return names
    if not 1 <= len(names) <= SYMBOLS_MAX:
        raise phrase(f"names {len(names)} symbols")
    for place, name in enumerate(names):
        if not re.fullmatch(r"\w{2,20}", name):
            raise phrase(f"names {shown(name)}" if name else "names an empty symbol")
        if name in names[:place]:
            raise phrase(f"names {name} twice")
    return names


def _names(value: object) -> object:
    if value == "":
        raise phrase("is empty")
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


def _listing(pattern: str, most: int) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((name for name in names if not re.fullmatch(pattern, name)), None)
        if wrong is not None:
            told = "is" if len(names) == 1 else "names"
            raise phrase(f"{told} {shown(wrong)}" if wrong else "names nothing at one place")
        if not 1 <= len(names) <= most or len(set(names)) < len(names):
            raise phrase(f"names {len(names)}" if len(set(names)) == len(names) else "names one twice")
        return names

    return check


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    # A folder of zones ("Asia") is an OSError, an absolute path a ValueError, an unknown name a KeyError.
    except (KeyError, OSError, ValueError):
        raise phrase(f"is {shown(name)}" if name else "is empty") from None
    return name


def _url(text: str) -> str:
    if not _is_base_address(text):
        raise phrase(f"is {shown(text)}" if text else "is empty")
    return text.rstrip("/")


def _is_base_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or "@" in parts.netloc or re.search(r"\s", text))
    return plain and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _directory(value: object) -> object:
    if value == "":
        raise phrase("is empty")
    if isinstance(value, str) and (is_reference_attempt(value) or "\0" in value):
        raise phrase(f"is {shown(value)}")
    return value


def _path_or_none(value: object) -> object:
    return None if value == "" else _directory(value)


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if is_reference_attempt(text) and not is_reference(text):
        raise phrase("is a malformed reference")
    if re.search(r"\s", text):
        raise phrase("contains white space")
    return value


def _matching(pattern: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise phrase(f"is {shown(text)}" if text else "is empty")
        return text

    return check


Symbols = Annotated[
    tuple[str, ...],
    BeforeValidator(_split),
    AfterValidator(_symbols),
    Allowed(
        f"1 to {SYMBOLS_MAX} different names of 2 to 20 letters, digits or underscores, separated by commas; "
        "top:N for the N (1 to 999) that trade most; or all"
    ),
]
Sentence = Annotated[str, Allowed("nothing, or the sentence")]
Zone = Annotated[str, AfterValidator(_zone), Allowed("a name of the time zone database, such as UTC or Asia/Seoul")]
BaseAddress = Annotated[
    str, AfterValidator(_url), Allowed("an https:// address, or an http:// address of this machine")
]
BaseAddressOrNone = Annotated[
    str,
    AfterValidator(lambda text: text and _url(text)),
    Allowed("nothing, an https:// address, or an http:// address of this machine"),
]
Directory = Annotated[Path, BeforeValidator(_directory), Allowed("a directory")]
DirectoryOrNone = Annotated[Path | None, BeforeValidator(_path_or_none), Allowed("a directory, or nothing")]
FileOrDirectoryOrNone = Annotated[
    Path | None, BeforeValidator(_path_or_none), Allowed("a file, a directory, or nothing")
]
Secret = Annotated[
    SecretStr,
    AfterValidator(_secret),
    Allowed("nothing, the value itself without white space, or secret://NAME"),
]
ModelName = Annotated[
    str,
    AfterValidator(_matching(r"[a-z0-9][a-z0-9.-]{0,63}")),
    Allowed("a model's name of small letters, digits, dots and dashes"),
]
ModelNames = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    AfterValidator(_listing(r"[a-z0-9][a-z0-9.-]{0,63}", MODELS_MAX)),
    Allowed(f"1 to {MODELS_MAX} names of small letters, digits, dots and dashes, separated by commas"),
]
Members = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    AfterValidator(_listing(r"baseline|gemini(:[a-z0-9][a-z0-9.-]{0,63})?", MODELS_MAX)),
    Allowed(f"1 to {MODELS_MAX} of baseline, gemini or gemini:MODEL, separated by commas"),
]
ProjectOrNone = Annotated[
    str,
    AfterValidator(_matching(r"|[a-z][a-z0-9:.-]{4,61}[a-z0-9]")),
    Allowed("nothing, or a project's id of small letters, digits and dashes"),
]
Region = Annotated[
    str, AfterValidator(_matching(r"[a-z]+-[a-z]+[0-9]{1,2}")), Allowed("a region's name, such as asia-northeast1")
]
Location = Annotated[
    str,
    AfterValidator(_matching(r"global|us|eu|[a-z]+-[a-z]+[0-9]{1,2}")),
    Allowed("global, us, eu, or a region's name such as asia-northeast1"),
]
HostAndPort = Annotated[
    str,
    AfterValidator(_matching(r"|[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9A-Fa-f:]{2,39}\]:[0-9]{1,5}")),
    Allowed("nothing, or an address and its port, such as 127.0.0.1:8080"),
]
Bucket = Annotated[
    str,
    AfterValidator(_matching(r"|[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")),
    Allowed("nothing, or a bucket's name of small letters, digits, dots, dashes and underscores"),
]
Prefix = Annotated[
    str,
    AfterValidator(_matching(r"|\w[\w./-]{0,199}")),
    Allowed("nothing, or letters, digits, dots, dashes, underscores and slashes, not starting with a slash"),
]
