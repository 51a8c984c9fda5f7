"""The page as a browser shows it, over a running local site."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.installation import Installation
from withearth.local.server import serving

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--virtual-time-budget=4000",
)


def chromium() -> str:
    """The browser, or a skip that says so; with REQUIRE_BROWSER=1 its absence is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER is 1 and there is no Chromium")
    if found is None:
        pytest.skip("NO BROWSER FOUND: install Chromium to check the page")
    return found


def page(address: str, profile: Path) -> str:
    """The document after its scripts ran."""
    arguments = [chromium(), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", f"{address}/dashboard"]
    return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_page_shows_what_runs_and_what_it_earned(tmp_path: Path) -> None:
    """Origin, mode and predictor are labelled, and money, decisions, journal and activity are there."""
    installation = Installation(tmp_path / "state")
    installation.run(6)
    with serving(installation.runtime, 0) as address:
        shown = page(address, tmp_path / "profile")

    for label in ("SYNTHETIC", "SHADOW", "baseline-1"):
        assert f"<span>{label}</span>" in shown
    assert "Running. Last heartbeat 2026-01-05 06:05 UTC" in shown
    assert "<td>BTCUSDT</td>" in shown
    assert "TRADE_CLOSED" in shown
    assert re.search(r'aria-label="Equity after each of \d+ closed trades', shown)


def test_the_page_is_calm_before_the_first_tick(tmp_path: Path) -> None:
    """A fresh installation shows what is to come, not an error."""
    with serving(Installation(tmp_path / "state").runtime, 0) as address:
        shown = page(address, tmp_path / "profile")

    assert "the first reconciliation is due within a minute" in shown
    assert "No trade yet." in shown
