"""`withearth doctor` in this process: the screen, the JSON, and what is told when hardly anything can be asked."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from withearth.cli.console import console
from withearth.cli.doctor import doctor


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of its own, and a screen that is wide enough."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 250)


def checks(told: str) -> dict[str, list[dict[str, Any]]]:
    """The findings by the name of their check."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(told)["checks"]:
        found.setdefault(each["check"], []).append(each)
    return found


def test_the_screen_says_it_in_words_and_signs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without colour a person reads verdict and remedy; with nothing set nobody is asked, and nothing is written."""
    doctor()

    told = capsys.readouterr().out
    assert "✓" in told
    assert "start `withearth run`" in told
    assert "Trading would be safe with these settings." in told
    assert "\x1b" not in told
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_loaded_are_problems(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line each, with its remedy."""
    monkeypatch.setenv("MIN_PROB", "1.7")
    monkeypatch.setenv("LEVERAGE", "500")
    with pytest.raises(typer.Exit) as left:
        doctor(as_json=True)

    assert left.value.exit_code == 1
    found = checks(capsys.readouterr().out)["settings"]
    assert [each["verdict"] for each in found] == ["problem", "problem"]
    assert "MIN_PROB is 1.7" in found[0]["text"]
    assert "correct it" in found[0]["remedy"]


def test_an_exchange_that_is_not_there_is_a_problem_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers: what needs the exchange says so, the rest is looked at."""
    monkeypatch.setenv("MARKET", "live")
    monkeypatch.setenv("BINANCE_FAPI_BASE", "http://127.0.0.1:9")
    with pytest.raises(typer.Exit):
        doctor(as_json=True)

    found = checks(capsys.readouterr().out)
    for name in ("exchange", "instruments"):
        assert found[name][0]["verdict"] == "problem"
        assert "did not answer" in found[name][0]["text"]
    assert found["store"][0]["verdict"] == "ok"
