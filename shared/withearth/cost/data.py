"""What an estimate of costs rests on: prices with their dates, usage as it was measured, and what is assumed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent
USAGE_FILE: Final = _HERE / "usage.toml"


@dataclass(frozen=True, slots=True)
class Price:
    """USD for one unit beyond what is free a month, and the day on which it was read at its source."""

    usd: float
    unit: str
    free: float
    read: date
    source: str


@dataclass(frozen=True, slots=True)
class Linear:
    """An amount that grows with the symbols: `fixed + each × symbols`."""

    fixed: float
    each: float

    def at(self, symbols: int) -> float:
        """The amount for so many symbols."""
        return self.fixed + self.each * symbols


@dataclass(frozen=True, slots=True)
class Kept:
    """Documents of one collection: how many a tick brings, and their bytes as JSON."""

    created: Linear
    bytes: Linear


@dataclass(frozen=True, slots=True)
class Usage:
    """What every function uses in one tick, by the name of the amount, and which documents stay."""

    command: str
    measured: date
    functions: Mapping[str, Mapping[str, Linear]]
    documents: Mapping[str, Kept]


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken for granted; `assumed.toml` says what each is."""

    store_s: float
    exchange_s: float
    model_s: float
    cpu_factor: float
    characters_a_token: float
    answer_tokens: float
    request_bytes: float
    log_bytes_a_call: float
    dashboard_reads_a_day: float
    images_gb: float
    index_factor: float


def prices() -> dict[str, Price]:
    """Every price, by its name in the file."""
    return {name: Price(**each) for name, each in _table("prices.toml").items()}


def assumed() -> Assumed:
    """What is taken for granted."""
    return Assumed(**_table("assumed.toml"))


def usage() -> Usage:
    """What was measured last."""
    table = _table(USAGE_FILE.name)
    return Usage(
        command=table["command"],
        measured=table["measured"],
        functions={
            function: {name: Linear(*pair) for name, pair in amounts.items()}
            for function, amounts in table["functions"].items()
        },
        documents={
            name: Kept(Linear(*each["created"]), Linear(*each["bytes"])) for name, each in table["documents"].items()
        },
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))
