"""The estimate of costs: measured usage, dated prices, and an arithmetic that can be followed."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from withearth.cli.app import app
from withearth.cost.data import USAGE_FILE, Linear, prices, usage
from withearth.cost.estimate import DAYS, TICKS, Choice, estimate, total_usd
from withearth.deployment import SIZES

PLAIN = Choice(model=False)


def usd(symbols: int, choice: Choice) -> dict[str, float]:
    """What each item costs."""
    return {line.item: line.usd for line in estimate(symbols, choice)}


def amounts(symbols: int, choice: Choice) -> dict[str, float]:
    """How much of each item is used."""
    return {line.item: line.amount for line in estimate(symbols, choice)}


def test_every_price_says_when_and_where_it_was_read() -> None:
    """A price without a date is a rumour."""
    for price in prices().values():
        assert price.usd > 0
        assert price.free >= 0
        assert price.read >= date(2026, 11, 22)
        assert price.source.startswith("https://")


def test_usage_says_how_it_was_measured() -> None:
    """By a command that writes the file, for every function that runs without being asked."""
    used = usage()

    assert used.command in USAGE_FILE.read_text(encoding="utf-8")
    assert set(used.functions) == {"dispatcher", "worker", "executor", "reconciler"} <= set(SIZES)
    assert used.functions["worker"]["calls"] == Linear(0, 1)
    assert used.functions["dispatcher"]["calls"] == Linear(1, 0)


def test_the_schedule_makes_the_invocations() -> None:
    """8640 ticks a month: the dispatcher once, the worker for each symbol, the reconciler five times, and intents."""
    executor = usage().functions["executor"]["calls"]
    calls = TICKS * (1 + 50 + usage().functions["reconciler"]["calls"].at(50) + executor.at(50))

    assert amounts(50, PLAIN)["requests"] == pytest.approx(calls)


def test_what_is_free_costs_nothing_and_the_rest_its_price() -> None:
    """Each line is its amount beyond what is free, times its price."""
    for line in estimate(550, Choice(static_egress=True)):
        price = prices()[line.item]
        assert line.usd == pytest.approx(max(0.0, line.amount - price.free) * price.usd)


@given(st.integers(1, 599))
def test_another_symbol_is_never_cheaper(symbols: int) -> None:
    """Neither in sum nor in any item but time, which symbols share."""
    before, after = usd(symbols, PLAIN), usd(symbols + 1, PLAIN)

    assert all(after[item] >= before[item] for item in before if item not in {"cpu", "memory"})


def test_the_model_never_costs_more_than_its_budget() -> None:
    """MODEL_BUDGET_USD is that of a day."""
    unlimited, capped = usd(550, Choice()), usd(550, Choice(model_budget_usd=0.5))
    model = {"tokens_in", "tokens_out"}

    assert sum(capped[item] for item in model) == pytest.approx(0.5 * DAYS)
    assert sum(unlimited[item] for item in model) > 0.5 * DAYS
    assert {item: each for item, each in capped.items() if item not in model} == {
        item: each for item, each in unlimited.items() if item not in model
    }


def test_a_budget_that_suffices_changes_nothing() -> None:
    """Two symbols stay below it."""
    assert usd(2, Choice(model_budget_usd=0.5)) == usd(2, Choice())


def test_what_is_switched_off_is_not_counted() -> None:
    """No model, no tokens; no fixed address, none of what comes with it."""
    assert not {"tokens_in", "tokens_out", "address", "nat_hours", "nat_traffic"} & set(usd(2, PLAIN))
    assert total_usd(estimate(2, Choice(static_egress=True))) > total_usd(estimate(2, Choice()))


def test_two_symbols_cost_a_few_dollars() -> None:
    """What the README says of it: without model and fixed address less than a dollar."""
    assert total_usd(estimate(2, PLAIN)) < 1


def test_the_command_prints_the_bill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Item by item for a person, and as JSON with the sum."""
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["cost", "--symbols", "50"])
    told = json.loads(CliRunner().invoke(app, ["cost", "--symbols", "50", "--json"]).output)

    assert shown.exit_code == 0
    assert f"{told['usd']:.2f}" in shown.output
    assert told["usd"] == pytest.approx(sum(item["usd"] for item in told["items"].values()))


@pytest.mark.parametrize("symbols", ["0", "601", "many"])
def test_a_number_of_symbols_that_cannot_be_is_refused(symbols: str) -> None:
    """With exit code 2, before anything is computed."""
    assert CliRunner().invoke(app, ["cost", "--symbols", symbols]).exit_code == 2
