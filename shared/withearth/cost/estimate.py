"""What a month in the cloud costs for so many symbols: measured usage times dated prices, each line with its amount.

A month has 30 days. A function is billed for the time an instance of it is at work, in tenths of a second; requests
that share an instance share its time, except for what they compute.
https://cloud.google.com/run/docs/configuring/billing-settings
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from withearth.cost.data import Assumed, Linear, Usage, assumed, prices, usage
from withearth.deployment import SIZES, Size
from withearth.flow.documents import DECISION_RETENTION, EVENT_RETENTION, EXPIRING
from withearth.flow.labelling import LABEL_RETENTION
from withearth.local.scheduler import CLOUD_JOBS

DAYS: Final = 30
TICKS: Final = DAYS * 288
GIB: Final = 2**30
STORED_SECRETS: Final = 3
"""The exchange's key and its secret, and the model's key."""
BEHIND_ADDRESS: Final = 2
"""Executor and reconciler, counted as running all the time."""
NOTHING: Final = Linear(0, 0)
KEPT_FOR: Final = {
    "decisions": DECISION_RETENTION,
    "labels": LABEL_RETENTION,
    "events": EVENT_RETENTION,
    "feed": EVENT_RETENTION,
}
A_YEAR: Final = timedelta(days=365)
"""What never expires is counted as it stands after a year."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the owner pays for beside the system itself. `model_budget_usd` is that of a day, and caps the model."""

    model: bool = True
    model_budget_usd: float = math.inf
    static_egress: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One item of the bill: what is used a month, how much of that is free, and what the rest costs."""

    item: str
    unit: str
    amount: float
    free: float
    usd: float


def estimate(symbols: int, choice: Choice) -> list[Line]:
    """Every item of a month, in the order of the price list."""
    amounts = _amounts(symbols, choice, usage(), assumed())
    lines = [
        Line(item, price.unit, amounts[item], price.free, price.usd * max(0.0, amounts[item] - price.free))
        for item, price in prices().items()
        if item in amounts
    ]
    return _capped(lines, choice.model_budget_usd * DAYS)


def total_usd(lines: list[Line]) -> float:
    """The sum of a bill."""
    return sum(line.usd for line in lines)


def _amounts(symbols: int, choice: Choice, used: Usage, taken: Assumed) -> dict[str, float]:
    calls = _monthly(used, "calls", symbols)
    seconds = {name: _billed_s(used.functions[name], SIZES[name], symbols, choice, taken) for name in used.functions}
    sent = _monthly(used, "exchange_calls", symbols) * taken.request_bytes
    found = {
        "cpu": sum(seconds[name] * SIZES[name].cpu for name in seconds),
        "memory": sum(seconds[name] * SIZES[name].memory_mib / 1024 for name in seconds),
        "requests": calls,
        "reads": _monthly(used, "reads", symbols) + DAYS * taken.dashboard_reads_a_day,
        "writes": _monthly(used, "writes", symbols),
        "deletes": _monthly(used, "deletes", symbols) + _expiring(used, symbols),
        "storage": _stored_gib(used, symbols, taken),
        "messages": (_monthly(used, "published_bytes", symbols) + _monthly(used, "delivered_bytes", symbols)) / GIB,
        "schedules": len(CLOUD_JOBS),
        "secrets": STORED_SECRETS,
        "images": taken.images_gb,
        "logs": calls * taken.log_bytes_a_call / GIB,
    }
    if choice.model:
        sent += _monthly(used, "prompt_bytes", symbols)
        found["tokens_in"] = _monthly(used, "prompt_bytes", symbols) / taken.characters_a_token
        found["tokens_out"] = _monthly(used, "asked", symbols) * taken.answer_tokens
    if choice.static_egress:
        found |= {
            "address": 1,
            "nat_hours": BEHIND_ADDRESS * DAYS * 24,
            "nat_traffic": _through_address(used, symbols, taken),
        }
    return found | {"egress": sent / GIB}


def _monthly(used: Usage, name: str, symbols: int) -> float:
    """What all functions use of something in a month."""
    return TICKS * sum(amounts.get(name, NOTHING).at(symbols) for amounts in used.functions.values())


def _billed_s(amounts: Mapping[str, Linear], size: Size, symbols: int, choice: Choice, taken: Assumed) -> float:
    """Seconds of instances of one function in a month."""

    def a_tick(name: str) -> float:
        return amounts.get(name, NOTHING).at(symbols)

    calls = a_tick("calls")
    computing = a_tick("cpu_s") * taken.cpu_factor / size.cpu
    waiting = a_tick("store_calls") * taken.store_s + a_tick("exchange_calls") * taken.exchange_s
    if choice.model:
        waiting += a_tick("asked") * taken.model_s
    one_s = math.ceil((computing + waiting) / calls * 10) / 10
    sharing = min(size.concurrency, symbols)
    return TICKS * calls * max(one_s / sharing, computing / calls)


def _expiring(used: Usage, symbols: int) -> float:
    """Documents that expire in a month, once the oldest do."""
    return TICKS * sum(kept.created.at(symbols) for name, kept in used.documents.items() if name in EXPIRING)


def _stored_gib(used: Usage, symbols: int, taken: Assumed) -> float:
    """What is stored once the oldest documents expire."""
    a_day = {name: TICKS / DAYS * kept.bytes.at(symbols) for name, kept in used.documents.items()}
    days = {name: KEPT_FOR.get(name, A_YEAR) / timedelta(days=1) for name in a_day}
    return sum(a_day[name] * days[name] for name in a_day) * taken.index_factor / GIB


def _through_address(used: Usage, symbols: int, taken: Assumed) -> float:
    """GiB through the fixed address: both ways, answers as large again as requests."""
    calls = sum(used.functions[name]["exchange_calls"].at(symbols) for name in ("executor", "reconciler"))
    return 2 * TICKS * calls * taken.request_bytes / GIB


def _capped(lines: list[Line], budget: float) -> list[Line]:
    """The model's lines cut to its budget: nothing is asked beyond it."""
    asked = sum(line.usd for line in lines if line.item.startswith("tokens"))
    share = min(1.0, budget / asked) if asked else 1.0
    return [
        Line(line.item, line.unit, line.amount * share, line.free, line.usd * share)
        if line.item.startswith("tokens")
        else line
        for line in lines
    ]
