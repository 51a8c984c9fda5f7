"""`withearth doctor` as a person uses it: real processes, the demo exchange played by a paper exchange over HTTP."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.command_line import withearth
from tests.builders.paper import ACCOUNT, BTC, HttpVenue, serve
from tests.fakes.model_server import ModelServer, model_server


@pytest.fixture(scope="module")
def venue() -> Iterator[HttpVenue]:
    """A paper exchange on the wall's clock."""
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    """A stand-in of the model's service."""
    with model_server("right") as served:
        yield served


def demo(venue: HttpVenue, models: ModelServer, **changes: str) -> dict[str, str]:
    """Settings with which the system trades on the demo exchange, asking a model."""
    return {
        "SYMBOLS": BTC,
        "RISK_USDT": "200",
        "MARKET": "live",
        "EXECUTE_TRADES": "true",
        "VENUE": "demo",
        "BINANCE_USE_TESTNET": "true",
        "BINANCE_FAPI_TESTNET_BASE": venue.url,
        "BINANCE_API_KEY": venue.key,
        "BINANCE_API_SECRET": venue.secret,
        "PREDICTOR": "gemini",
        **models.settings(),
        **changes,
    }


def doctor(cwd: Path, settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a directory of its own."""
    return withearth(cwd, "doctor", *arguments, **settings)


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, Any]]]:
    """The findings by the name of their check."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(done.stdout)["checks"]:
        found.setdefault(each["check"], []).append(each)
    return found


def test_a_sound_installation_is_safe_to_trade(venue: HttpVenue, models: ModelServer, tmp_path: Path) -> None:
    """Every concern has its line, nothing is changed, no secret is printed, and the exit code says it."""
    done = doctor(tmp_path, demo(venue, models), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = checks(done)

    assert set(found) == {
        *("settings", "versions", "exchange", "clock", "weight", "instruments", "key", "permissions"),
        *("account", "margin", "model", "disk", "store", "schedules", "bus"),
    }
    verdicts = {name: {each["verdict"] for each in lines} for name, lines in found.items()}
    assert {name for name, each in verdicts.items() if each != {"ok"}} <= {
        "permissions",
        "schedules",
        "account",
        "disk",
    }
    assert all("problem" not in each for each in verdicts.values())
    assert "cannot be asked here" in found["permissions"][0]["text"]
    for secret in (venue.secret, "test-key"):
        assert secret not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
    trader = venue.exchange.account(ACCOUNT)
    assert (trader.leverage(BTC), trader.margin_type(BTC).value) == (20, "CROSSED"), "as every account begins"


def test_what_is_wrong_is_told_beside_what_is_not(venue: HttpVenue, models: ModelServer, tmp_path: Path) -> None:
    """A wrong key, a retired model, a symbol that is not there: exit code 1, and the other checks still answer."""
    models.play("gone")
    changed = {"BINANCE_API_SECRET": "another-secret", "SYMBOLS": f"{BTC},GONEUSDT", "RISK_USDT": "1"}
    done = doctor(tmp_path, demo(venue, models, **changed), "--json")
    models.play("right")
    found = checks(done)

    assert done.returncode == 1
    assert not json.loads(done.stdout)["safe"]
    problems = {name for name, lines in found.items() if any(each["verdict"] == "problem" for each in lines)}
    assert problems == {"account", "model", "instruments"}
    assert all(each["remedy"] for name in ("model", "instruments") for each in found[name])
    assert found["exchange"][0]["verdict"] == found["clock"][0]["verdict"] == "ok"
    assert "another-secret" not in done.stdout + done.stderr
