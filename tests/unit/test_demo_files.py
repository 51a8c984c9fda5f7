"""The saved demo: what the page shows without a server is of the contract's types, with something of everything."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from withearth.local.demo_files import SYMBOLS
from withearth.views import contract, records

FOLDER = Path(__file__).resolve().parents[2] / "dashboard" / "public" / "demo"
KINDS: dict[str, Any] = {
    "views-overview": contract.OverviewView,
    "views-money": contract.MoneyView,
    "views-positions": contract.PositionsView,
    "views-heatmap": contract.HeatMapView,
    "views-limits": contract.LimitsView,
    "views-calibration": contract.CalibrationView,
    "views-control": contract.ControlView,
    "feed": records.FeedPage,
    "trades": records.TradePage,
    "events": records.EventPage,
    "decisions": dict[str, records.Story],
    **{f"charts-{symbol}": records.Chart for symbol in SYMBOLS},
}


def read(name: str) -> Any:
    """One file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", KINDS)
def test_every_file_is_of_its_type(name: str) -> None:
    """To the last field. Anew: `python -m withearth.local.demo_files dashboard/public/demo`."""
    TypeAdapter(KINDS[name]).validate_json((FOLDER / f"{name}.json").read_bytes(), strict=True)


def test_nothing_else_lies_there() -> None:
    """Each file is one that the page asks for."""
    assert {each.stem for each in FOLDER.iterdir()} == set(KINDS)


def test_it_shows_something_of_everything() -> None:
    """Each stage of the funnel blocks something, trades win and lose, and what is open is armed."""
    rows = [row for tick in read("feed")["feeds"] for row in tick["rows"]]
    closed = [trade for trade in read("trades")["trades"] if trade["status"] == "CLOSED"]
    held = read("views-positions")["positions"]

    assert {row["stage"] for row in rows} == {"data", "gate", "model", "risk", "order"}
    assert {"REFUSED", "CLAIMED"} <= {row["order"]["state"] for row in rows if row["order"]}
    assert {"TARGET", "STOP", "HORIZON"} <= {trade["exit_reason"] for trade in closed}
    assert {float(trade["net_pnl"]) > 0 for trade in closed} == {True, False}
    assert {position["protection"] for position in held} == {"ARMED"}
    assert len(read("views-calibration")["predictors"][0]["bins"]) > 1


def test_every_line_leads_to_its_story() -> None:
    """Each decision of the feed, and each trade."""
    stories = read("decisions")

    assert {row["decision_id"] for tick in read("feed")["feeds"] for row in tick["rows"]} <= set(stories)
    assert {trade["id"] for trade in read("trades")["trades"]} <= set(stories)
