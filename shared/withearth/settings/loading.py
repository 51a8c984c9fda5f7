"""From environment and .env to one checked model, or to every problem in one message.

Nothing here looks at the process on its own: the environment is handed over. A value is never printed
where it could be a secret: unknown keys are named without theirs, unreadable lines by number.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError

from withearth.domain.errors import Misconfigured
from withearth.settings.model import KEYS, Origin, Settings
from withearth.settings.wording import sentences

# A variable that begins like this can only be meant for us. Missing on purpose: GEMINI_ and GCS_, with which the
# variables of Google's own tools begin, and names that any machine may have, such as PORT and TZ.
OUR_PREFIXES: Final = (
    "ATR_MULT",
    "BINANCE_",
    "COOLDOWN_MIN_AFTER",
    "ENSEMBLE_",
    "ENTRY_",
    "EXECUTE_TRADE",
    "FUNDING_WINDOW",
    "GEMINI_MODEL",
    "G_BASE_URL",
    "G_KNOWLEDGE",
    "G_MAX_TOKEN",
    "G_PRICE",
    "G_SEED",
    "G_TEMP",
    "G_THINK",
    "G_TIMEOUT",
    "HIGH_PROB",
    "HORIZON_MIN",
    "INTENT_TTL",
    "LIMIT_",
    "LOSS_PAUSE",
    "MARGIN_TYPE",
    "MAX_CONSECUTIVE_LOSS",
    "MAX_DAILY_LOSS",
    "MAX_DEPTH_FRAC",
    "MAX_DRAWDOWN_P",
    "MAX_ENTRIES_PER",
    "MAX_EVENT_BYTE",
    "MAX_OPEN_POSITION",
    "MAX_SPREAD",
    "MAX_TICK_AGE",
    "MAX_TOTAL_NOTIONAL",
    "MIN_EDGE",
    "MIN_PROB",
    "MIN_VOL",
    "MODEL_BUDGET",
    "MODEL_PAYLOAD",
    "MODEL_PROBE",
    "MODEL_SAFE",
    "MODEL_SPREAD",
    "POSITION_MODE",
    "RISK_USDT",
    "RR_MIN",
    "SENTIMENT_",
    "SHADOW_",
    "SYNTHETIC_SEED",
    "TAKER_FEE",
)
# Keys carry no prefix; with this one they would be passed over in silence.
OUR_NAME: Final = "WITHEARTH_"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    key: str
    value: str | None


def settings_from_process(env_file: Path | None = Path(".env")) -> Settings:
    """Load the settings of this process."""
    return load_settings(os.environ, env_file)


def load_settings(environ: Mapping[str, str], env_file: Path | None = Path(".env")) -> Settings:
    """Load and check every setting; the environment beats .env, and .env beats the defaults.

    Raises Misconfigured with one sentence per line for everything that is wrong.
    """
    lines, problems = _read(env_file)
    problems += [*_file_problems(lines), *_environment_problems(environ)]
    from_file = {line.key: line.value or "" for line in lines if line.key in KEYS}
    from_process = {key: environ[key] for key in KEYS if key in environ}
    settings = _validated(from_file | from_process, problems)
    if settings is None or problems:
        raise Misconfigured("\n".join(problems))
    origins: dict[str, Origin] = dict.fromkeys(from_file, ".env")
    return settings.marked(origins | dict.fromkeys(from_process, "env"))


def _validated(given: Mapping[str, str], problems: list[str]) -> Settings | None:
    try:
        return Settings.model_validate({key.lower(): value for key, value in given.items()})
    except ValidationError as error:
        problems += sentences(error)
        return None


def _read(env_file: Path | None) -> tuple[list[_Line], list[str]]:
    if env_file is None:
        return [], []
    try:
        text = env_file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return [], []
    except (OSError, UnicodeDecodeError):
        return [], [f"{env_file} cannot be read as a text file in UTF-8: repair it, or remove it for the defaults."]
    return _parse(text)


def _parse(text: str) -> tuple[list[_Line], list[str]]:
    lines, problems = [], []
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(f"Line {_number(binding)} of .env is not of the form KEY=value: correct or remove it.")
        elif binding.key is not None:
            lines.append(_Line(_number(binding), binding.key, binding.value))
    return lines, problems


def _number(binding: Binding) -> int:
    blank = re.match(r"\s*", binding.original.string)
    return binding.original.line + (blank.group().count("\n") if blank else 0)


def _file_problems(lines: list[_Line]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for line in lines:
        if line.key not in KEYS:
            yield _unknown_line(line)
        elif line.key in seen:
            yield f"{line.key} stands twice in .env, in lines {seen[line.key]} and {line.number}: keep one of them."
        seen.setdefault(line.key, line.number)


def _unknown_line(line: _Line) -> str:
    # What stands before an equals sign can be the rest of a broken secret; only what looks like a key is named.
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,39}|[a-z][a-z0-9_]{1,39}", line.key):
        return f"Line {line.number} of .env names no setting: correct or remove it."
    return _unknown(line.key, "in .env")


def _environment_problems(environ: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(environ):
        if key not in KEYS and _is_meant_for_us(key.upper()):
            yield _unknown(key, "in the environment")


def _is_meant_for_us(name: str) -> bool:
    bare = name.removeprefix(OUR_NAME)
    return bare.startswith(OUR_PREFIXES) or (bare != name and bare in KEYS)


def _unknown(key: str, where: str) -> str:
    nearest = get_close_matches(key.upper().removeprefix(OUR_NAME), KEYS, n=1)
    remedy = f"{nearest[0]} is the nearest, rename or remove it" if nearest else "remove it"
    return f"{key} {where} is not a setting: {remedy}."
