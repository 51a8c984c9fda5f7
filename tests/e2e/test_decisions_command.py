"""`withearth decisions`, and who predicts by option: real processes, against a stand-in for the model."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.command_line import exported, withearth
from tests.builders.market_files import MarketFiles, listed, some_bars
from tests.e2e.test_command_line import DAYS, FIRST
from tests.fakes.model_server import ModelServer, model_server
from withearth.domain.times import to_ms

PERIOD = ("--from", "2024-02-28T12:00", "--to", "2024-02-28T18:00")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A stand-in for Gemini."""
    with model_server("right") as running:
        yield running


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days of one symbol."""
    files = MarketFiles(tmp_path_factory.mktemp("recorded"))
    fundings = [(to_ms(FIRST) + 8 * 3_600_000 * each, "0.0001") for each in range(DAYS * 3)]
    files.candles("BTCUSDT", some_bars(FIRST, DAYS * 288, price=40_000.0)).funding("BTCUSDT", fundings)
    return files.instrument(listed("BTCUSDT")).write()


def succeed(cwd: Path, *arguments: str, **changes: str) -> str:
    """What a command that must succeed printed."""
    done = withearth(cwd, *arguments, **changes)
    assert done.returncode == 0, done.stderr
    return done.stdout


def replay(data: Path, *more: str) -> tuple[str, ...]:
    """The arguments of a replay over six hours."""
    return ("replay", "--data", str(data), "--symbols", "BTCUSDT", *PERIOD, *more)


@pytest.fixture(scope="module")
def calm(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the rule decided over six hours. Nobody writes here: its books are in `books`."""
    cwd = tmp_path_factory.mktemp("calm")
    succeed(cwd, *replay(recorded, "--state", "books"))
    return cwd


@pytest.fixture
def books(calm: Path, tmp_path: Path) -> Path:
    """A copy of these books, to be written to."""
    return Path(shutil.copytree(calm / "books", tmp_path / "books"))


def only_decision(cwd: Path) -> Any:
    """The one decision of the newest books."""
    (line,) = exported(cwd, "decisions").splitlines()
    return json.loads(line)


def test_one_tick_by_the_model_is_told_with_its_cost_and_kept(tmp_path: Path, server: ModelServer) -> None:
    """`tick --predictor gemini` prints decision, cost and latency; `decisions show` tells the whole story."""
    server.play("long")
    settings = server.settings(MIN_VOL_FRAC="0")
    told = succeed(tmp_path, "tick", "--symbol", "BTCUSDT", "--predictor", "gemini", **settings)
    decision = only_decision(tmp_path)
    story = succeed(tmp_path, "decisions", "show", decision["decision_id"], **settings)

    assert "0.000273 USD, 765 tokens" in told
    assert f"{decision['asked']['latency_ms']} ms" in told
    assert decision["asked"]["latency_ms"] > 0
    for part in ("Features", "rsi14", "Asked", "question", "attempt at gemini-3.1-flash-lite", "Answered", "Assessed"):
        assert part in story
    whole = json.loads(succeed(tmp_path, "decisions", "show", decision["decision_id"], "--json", **settings))
    assert whole["decision"] == decision
    assert "test-key" not in told + story + json.dumps(whole)


@pytest.mark.parametrize("script", ["truncated", "gone", "broken-down", "wrong-symbol"])
def test_a_tick_without_an_answer_is_a_hold_and_no_error(tmp_path: Path, server: ModelServer, script: str) -> None:
    """The code is printed with its sentence, and the process ends well."""
    server.play(script)
    told = succeed(tmp_path, "tick", "--predictor", "gemini", **server.settings(MIN_VOL_FRAC="0"))

    assert "blocked by" in told
    assert "MODEL_" in told


def test_the_story_of_a_trade_goes_to_its_exit(calm: Path) -> None:
    """Intent, trade, which barrier came first, and the events, for people and as JSON."""
    closed = [json.loads(line) for line in exported(calm, "trades").splitlines()]
    story = succeed(calm, "decisions", "show", closed[0]["id"])
    whole = json.loads(succeed(calm, "decisions", "show", closed[0]["id"], "--json"))

    for part in ("Intent", "Trade", "exit_reason", "Which barrier came first", "TRADE_CLOSED"):
        assert part in story
    assert whole["trade"] == closed[0]
    assert whole["label"]["state"] == "DONE"


def test_a_replay_repeats_a_run_that_asked_the_model(recorded: Path, tmp_path: Path, server: ModelServer) -> None:
    """`--decisions recorded --from-run DIR`: the same decisions, intents and trades, with no model there any more."""
    succeed(tmp_path, *replay(recorded, "--predictor", "gemini", "--state", "asked"), **server.settings())
    first = [exported(tmp_path, each) for each in ("decisions", "intents", "trades")]
    calls = len(server.requests)
    succeed(tmp_path, *replay(recorded, "--decisions", "recorded", "--from-run", "asked"))

    assert calls > 20
    assert len(server.requests) == calls
    assert first == [exported(tmp_path, each) for each in ("decisions", "intents", "trades")]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--decisions", "recorded"), "--from-run is missing"),
        (("--decisions", "old"), "--decisions is old, allowed is recorded"),
        (("--predictor", "oracle"), "PREDICTOR is oracle, allowed is baseline or gemini or ensemble or recorded"),
        (("--predictor", "gemini"), "GOOGLE_API_KEY is empty, and PREDICTOR asks Gemini"),
        (("--from-run", "nowhere"), "RECORDED_DECISIONS is nowhere"),
        (("--from-run", "."), "RECORDED_DECISIONS is ., which holds no books"),
        (("--from-run", "here", "--state", "here"), "give the new run a directory of its own"),
    ],
)
def test_a_wrong_choice_of_predictor_is_one_sentence(
    recorded: Path, tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    """Exit code 2, and what to do."""
    (tmp_path / "here").mkdir()
    done = withearth(tmp_path, *replay(recorded, *more))

    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_stability_asks_again_and_says_how_far_answers_agree(books: Path, tmp_path: Path, server: ModelServer) -> None:
    """The same question five times: two longs, two shorts and a failure are an agreement of 40 %."""
    server.play("long", "short", "wrong-symbol", "long", "short")
    arguments = (
        "decisions",
        "stability",
        "--state",
        str(books),
        "--repeat",
        "5",
        "--last",
        "1",
        "--predictor",
        "gemini",
    )
    (found,) = json.loads(succeed(tmp_path, *arguments, "--json", **server.settings()))["decisions"]

    assert (found["asked"], found["agreement"], found["directions"]) == (5, 0.4, {"long": 2, "short": 2})
    assert found["refused"] == {"MODEL_WRONG_SYMBOL": 1}
    assert (found["prob_mean"], found["prob_spread"]) == (0.72, 0.0)
    assert found["cost_micro_usd"] == 5 * 273
    assert len({request.body for request in server.requests}) == 1


def test_calibration_is_printed_and_kept(books: Path, tmp_path: Path) -> None:
    """Reliability, scores by symbol and regime, and a map with its sample size; too few samples are said to be."""
    calibrate = ("decisions", "calibrate", "--state", str(books))
    told = succeed(tmp_path, *calibrate, "--min-samples", "10")
    few = succeed(tmp_path, *calibrate, "--min-samples", "5000")
    document = json.loads(succeed(tmp_path, *calibrate, "--json"))

    for part in ("Reliability of baseline-1", "Brier", "log loss", "BTCUSDT", "Kept: a map by isotonic regression"):
        assert part in told
    assert "samples are too few" in few
    assert document["map"]["samples"] == document["scores"]["samples"] > 10


def test_an_unknown_decision_is_told(calm: Path) -> None:
    """With the command that lists those there are."""
    done = withearth(calm, "decisions", "show", "BTCUSDT-20990101T0000Z")

    assert done.returncode == 2
    assert "withearth export decisions" in done.stderr
