"""The estimate as Markdown, for docs/cost.md."""

from collections.abc import Mapping
from typing import Final

from withearth.cost.data import Linear, assumed, prices, usage
from withearth.cost.estimate import Choice, Line, estimate, total_usd
from withearth.settings import Settings

SYMBOLS: Final = (2, 50, 550)


def cost_table() -> str:
    """Every item for few symbols and for many, with the model's daily budget at its default."""
    budget = float(Settings.model_fields["model_budget_usd"].default)
    capped = [estimate(number, Choice(model_budget_usd=budget, static_egress=True)) for number in SYMBOLS]
    rows = [_row(lines) for lines in zip(*capped, strict=True)]
    heads = " | ".join(f"{number} symbols" for number in SYMBOLS)
    told = [
        f"| USD a month | {heads} |",
        "|---|" + "---:|" * len(SYMBOLS),
        *rows,
        f"| **all of it** | {_sums([total_usd(lines) for lines in capped], bold=True)} |",
        f"| without the fixed address | {_totals(Choice(model_budget_usd=budget))} |",
        f"| without model and address | {_totals(Choice(model=False))} |",
        f"| with an unlimited model, without the address | {_totals(Choice())} |",
    ]
    return "\n".join(told)


def _row(lines: tuple[Line, ...]) -> str:
    return f"| {lines[0].unit} | {_sums([line.usd for line in lines])} |"


def _totals(choice: Choice) -> str:
    return _sums([total_usd(estimate(number, choice)) for number in SYMBOLS])


def _sums(amounts: list[float], *, bold: bool = False) -> str:
    mark = "**" if bold else ""
    return " | ".join(f"{mark}{amount:.2f}{mark}" for amount in amounts)


def prices_table() -> str:
    """Every price with the day on which it was read, and where."""
    rows = (
        f"| {price.unit} | {price.usd:.10f}".rstrip("0").rstrip(".")
        + f" | {price.free:g} | {price.read} | <{price.source}> |"
        for price in prices().values()
    )
    return "\n".join(["| Unit | USD | Free a month | Read | Source |", "|---|---:|---:|---|---|", *rows])


def measured_table() -> str:
    """What a tick uses, by function, as it was measured."""
    used = usage()
    names = ("calls", "cpu_s", "reads", "writes", "store_calls", "exchange_calls")
    rows = (
        f"| {function} | " + " | ".join(_linear(amounts, name) for name in names) + " |"
        for function, amounts in used.functions.items()
    )
    head = "| One tick | " + " | ".join(names) + " |"
    told = f"Measured {used.measured} by `{used.command}`; N is the number of symbols, times are CPU seconds."
    return "\n".join([told, "", head, "|---|" + "---|" * len(names), *rows])


def _linear(amounts: Mapping[str, Linear], name: str) -> str:
    found = amounts.get(name)
    if found is None:
        return "–"
    parts = [f"{found.fixed:g}"] if found.fixed else []
    parts += [f"{found.each:g} N"] if found.each else []
    return " + ".join(parts) or "0"


def assumed_table() -> str:
    """What is taken for granted."""
    taken = assumed()
    rows = (f"| `{name}` | {getattr(taken, name):g} |" for name in taken.__dataclass_fields__)
    return "\n".join(["| Assumed | Value |", "|---|---:|", *rows])
