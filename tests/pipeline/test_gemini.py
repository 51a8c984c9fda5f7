"""Gemini through the real SDK against a stand-in: what comes of every answer, right or wrong in one way."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, Installation
from tests.builders.questions import impatient
from tests.builders.timing import within_seconds
from tests.fakes.model_server import ModelServer, model_server
from withearth.decision.gemini import GeminiPredictor
from withearth.decision.gemini_service import GeminiService
from withearth.domain.times import tick_id
from withearth.flow.decide import decide
from withearth.flow.dispatch import market_tick
from withearth.flow.documents import decision_ref
from withearth.local.clocks import FastClock
from withearth.messaging.events import encode
from withearth.store.port import Query, Ref

KEY = "AIza-very-secret-key"
ON_TIME_S = 5.0
"""Well below what the stand-in takes when it is slow, and above what a busy machine takes for everything else."""


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    """One stand-in for all tests here."""
    with model_server() as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    """The stand-in at the start of a script."""
    running.play("right")
    return running


def installation(directory: Path, server: ModelServer, **changes: str) -> Installation:
    """An installation that asks the stand-in. Its gate lets everything through."""
    open_gate = {"MIN_VOL_FRAC": "0", "MAX_SPREAD_BPS": "100", "FUNDING_WINDOW_MIN": "0"}
    asked = server.settings(PREDICTOR="gemini", GOOGLE_API_KEY=KEY, G_TIMEOUT_MS="20000")
    return impatient(Installation(directory, given=open_gate | asked | changes))


def decided(opened: Installation, symbol: str = "BTCUSDT") -> Any:
    """The symbol's decision at the installation's present tick."""
    now = opened.clock.now()
    quote = opened.runtime.market.quotes([symbol], now)[symbol]
    return decide(opened.runtime, market_tick(symbol, tick_id(now), quote))


def account(opened: Installation) -> dict[str, Any]:
    """The day's account."""
    stored = opened.store.get(Ref("budgets", f"{opened.clock.now():%Y%m%d}"))
    return {} if stored is None else dict(stored.data)


def test_a_good_answer_becomes_a_trade(tmp_path: Path, server: ModelServer) -> None:
    """Direction and probability are the model's; levels and size are not."""
    server.play("long")
    decision = decided(installation(tmp_path, server))

    assert (decision["prediction"]["direction"], decision["prediction"]["prob"]) == ("long", 0.72)
    assert decision["stage"] == "order"
    assert decision["intent"]["prob"] == 0.72


def test_the_audit_holds_what_went_over_the_wire(tmp_path: Path, server: ModelServer) -> None:
    """Request key for key, response letter by letter, versions, hash, tokens, cost and finish reason."""
    decision = decided(installation(tmp_path, server))
    asked, (request,) = decision["asked"], server.requests
    (attempt,) = asked["attempts"]

    assert json.loads(asked["request"]) == request.json
    assert json.loads(attempt["response"])["modelVersion"] == attempt["model_version"] == "stand-in-001"
    assert (attempt["finish_reason"], attempt["tokens_in"], attempt["tokens_out"]) == ("STOP", 700, 65)
    assert asked["cost_micro_usd"] == 273  # 700 × 0.25 + 65 × 1.50, rounded up
    assert asked["service"].startswith("google-genai ")
    assert (asked["prompt_version"], asked["schema_version"], len(asked["request_hash"])) == (1, 1, 64)
    assert decision["predictor"] == asked["predictor"] == "gemini-3.1-flash-lite@1.1"


FAILURES = [
    (["truncated"], "MODEL_TRUNCATED", 2),
    (["truncated-but-valid"], "MODEL_TRUNCATED", 2),
    (["blocked"], "MODEL_BLOCKED", 1),
    (["unsafe"], "MODEL_BLOCKED", 1),
    (["unfinished"], "MODEL_INVALID", 2),
    (["no-candidates"], "MODEL_INVALID", 2),
    (["unspeakable"], "MODEL_INVALID", 2),
    (["broken-json"], "MODEL_INVALID", 2),
    (["not-json"], "MODEL_INVALID", 2),
    (["enormous"], "MODEL_INVALID", 2),
    (["empty"], "MODEL_INVALID", 2),
    (["array"], "MODEL_INVALID", 2),
    (["fenced"], "MODEL_INVALID", 2),
    (["fullwidth"], "MODEL_INVALID", 2),
    (["twice"], "MODEL_INVALID", 2),
    (["not-a-number"], "MODEL_INVALID", 2),
    (["surrogate"], "MODEL_INVALID", 2),
    (["missing-field"], "MODEL_INVALID", 2),
    (["prob-above-one"], "MODEL_INVALID", 2),
    (["prob-as-text"], "MODEL_INVALID", 2),
    (["direction-unknown"], "MODEL_INVALID", 2),
    (["extra-field"], "MODEL_INVALID", 2),
    (["long-reasoning"], "MODEL_INVALID", 2),
    (["wrong-symbol"], "MODEL_WRONG_SYMBOL", 1),
    (["levels-crossed"], "MODEL_CONTRADICTORY", 1),
    (["busy"], "MODEL_BUSY", 2),
    (["busy-for-long"], "MODEL_BUSY", 1),
    (["overloaded"], "MODEL_BUSY", 2),
    (["broken-down"], "MODEL_UNREACHABLE", 2),
    (["cut-off"], "MODEL_UNREACHABLE", 2),
    (["gone"], "MODEL_RETIRED", 1),
    (["bad-key"], "MODEL_REFUSED", 1),
    (["forbidden"], "MODEL_REFUSED", 1),
    (["busy", "truncated"], "MODEL_TRUNCATED", 2),
]


@pytest.mark.parametrize(
    ("script", "code", "calls"), FAILURES, ids=lambda value: "-".join(value) if isinstance(value, list) else None
)
def test_r20_every_failure_is_a_hold_with_its_code(
    tmp_path: Path, server: ModelServer, script: list[str], code: str, calls: int
) -> None:
    """No exception, no trade, at most one retry with the very same request, and nothing of the answer in it."""
    server.play(*script)
    opened = installation(tmp_path, server)
    decision = decided(opened)

    assert (decision["blocked_by"], decision["stage"], decision["intent"]) == (code, "model", None)
    assert len(server.requests) == calls
    assert len({request.body for request in server.requests}) == 1
    assert account(opened)["reserved_micro_usd"] == account(opened)["reserved_tokens"] == 0
    assert account(opened)["micro_usd"] == decision["asked"]["cost_micro_usd"]


@pytest.mark.parametrize("script", ["no-candidates", "unpriced"])
def test_r26_an_answer_that_does_not_say_what_it_cost_counts_as_the_dearest(
    tmp_path: Path, server: ModelServer, script: str
) -> None:
    """R26: never as free. Two attempts, each with the whole ceiling of 512 tokens, and the question."""
    server.play(script)
    opened = installation(tmp_path, server)

    assert decided(opened)["asked"]["cost_micro_usd"] > 2 * 768
    assert account(opened)["micro_usd"] > 2 * 768


@pytest.mark.parametrize("script", ["slow", "dribbling"])
def test_r20_an_answer_that_does_not_come_ends_at_the_timeout(tmp_path: Path, server: ModelServer, script: str) -> None:
    """MODEL_TIMEOUT, within G_TIMEOUT_MS, whether nothing comes or one letter after the other, at its dearest price."""
    server.play(script)

    def decide_once(directory: Path) -> Any:
        opened = installation(directory, server, G_TIMEOUT_MS="600")
        _warm(opened)
        return decided(opened)

    decision = within_seconds(ON_TIME_S, decide_once, tmp_path)

    assert decision["blocked_by"] == "MODEL_TIMEOUT"
    assert decision["asked"]["cost_micro_usd"] > 768  # the whole ceiling of 512 tokens, and the question


def _warm(opened: Installation) -> None:
    """Import the SDK, which a timeout does not count."""
    assert isinstance(GeminiService(opened.runtime.settings).version, str)
    import google.genai  # noqa: F401, PLC0415


def test_r20_a_retry_ends_within_the_time_too(tmp_path: Path, server: ModelServer) -> None:
    """Invalid at first, then nothing: the time is that of both attempts together."""

    def decide_once(directory: Path) -> Any:
        server.play("broken-json", "slow")
        settings = installation(directory / "settings", server, G_TIMEOUT_MS="900").runtime.settings
        service, clock = GeminiService(settings), FastClock(START, 1.0)
        predictor = GeminiPredictor(settings, settings.gemini_model, clock, service, time.sleep)
        opened = Installation(directory / "one", ports={"settings": settings, "predictor": predictor})
        _warm(opened)
        return decided(opened)

    decision = within_seconds(ON_TIME_S, decide_once, tmp_path)

    assert decision["blocked_by"] == "MODEL_TIMEOUT"
    assert [each["blocked_by"] for each in decision["asked"]["attempts"]] == ["MODEL_INVALID", "MODEL_TIMEOUT"]
    assert decision["asked"]["latency_ms"] >= 800


def test_r20_a_truncated_answer_is_asked_for_once_more(tmp_path: Path, server: ModelServer) -> None:
    """A good second answer is taken, and both are paid for and kept."""
    server.play("truncated", "long")
    decision = decided(installation(tmp_path, server))

    assert decision["prediction"]["direction"] == "long"
    assert [each["blocked_by"] for each in decision["asked"]["attempts"]] == ["MODEL_TRUNCATED", None]
    assert decision["asked"]["cost_micro_usd"] == 2 * 273


def test_r20_the_second_attempt_waits_as_long_as_it_is_told(tmp_path: Path, server: ModelServer) -> None:
    """The time of a 429's RetryInfo, half a second where none is named, and never past the end of the time."""
    waits: list[float] = []
    for script in ("busy", "overloaded", "busy-for-long"):
        server.play(script)
        opened = installation(tmp_path / script, server)
        settings = opened.runtime.settings
        predictor = GeminiPredictor(
            settings, settings.gemini_model, opened.clock, GeminiService(settings), waits.append
        )
        opened.runtime = replace(opened.runtime, predictor=predictor)
        decided(opened)

    assert waits == [0.05, 0.5]


def test_r20_the_request_sets_a_ceiling_and_how_much_is_thought(tmp_path: Path, server: ModelServer) -> None:
    """Token ceiling, thinking level, temperature, seed and schema are in every request; tools are in none."""
    decided(installation(tmp_path, server, G_MAX_TOKENS="256", G_THINKING="low", G_SEED="11", G_TEMPERATURE="1"))
    config = server.requests[0].json["generationConfig"]

    assert (config["maxOutputTokens"], config["thinkingConfig"]) == (256, {"thinking_level": "LOW"})
    assert (config["seed"], config["temperature"], config["responseMimeType"]) == (11, 1, "application/json")
    assert "tools" not in server.requests[0].json


def test_no_failure_reaches_the_platform(tmp_path: Path, server: ModelServer) -> None:
    """Pushed to the worker as Pub/Sub does, every failing answer is acknowledged, and decided once."""
    opened = installation(tmp_path, server, MODEL_SAFE_MODE_AFTER="1000", MODEL_BUDGET_USD="100")
    functions = opened.functions()
    for place, (script, code, _) in enumerate(FAILURES):
        server.play(*script)
        at = START + timedelta(minutes=5 * place)
        opened.clock.set(at)
        tick = market_tick("BTCUSDT", tick_id(at), opened.runtime.market.quotes(["BTCUSDT"], at)["BTCUSDT"])
        body = json.dumps({"message": {"data": base64.b64encode(encode(tick)).decode()}}).encode()
        statuses = {functions.call("worker", body=body)[0] for _ in range(2)}
        decision = opened.store.get(decision_ref(f"BTCUSDT-{tick_id(at)}"))

        assert statuses == {204}
        assert decision is not None
        assert (decision.data["blocked_by"], decision.data["intent"]) == (code, None)
    assert account(opened)["questions"] == len(FAILURES)


def test_a_retired_model_makes_room_for_the_next(tmp_path: Path, server: ModelServer) -> None:
    """404 moves on to the next name, is journalled once a day, and shows in the overview."""
    server.play("gone", "long", "gone", "long")
    opened = installation(tmp_path, server, GEMINI_MODEL="old-model,new-model")
    opened.run(0)

    assert [request.model for request in server.requests] == ["old-model", "new-model"] * 2
    assert opened.events().count("MODEL_RETIRED") == 1
    overview = opened.store.get(Ref("views", "overview"))
    assert overview is not None
    assert overview.data["model"]["retired"] == ["old-model"]


def test_a_refused_connection_is_a_hold(tmp_path: Path, server: ModelServer) -> None:
    """Nobody listens: MODEL_UNREACHABLE, and nothing is charged."""
    opened = installation(tmp_path, server, G_BASE_URL="http://127.0.0.1:9")
    decision = decided(opened)

    assert decision["blocked_by"] == "MODEL_UNREACHABLE"
    assert account(opened)["micro_usd"] == 0


def test_a_key_that_cannot_be_fetched_is_a_hold(tmp_path: Path, server: ModelServer) -> None:
    """A reference without a source of secrets ends as MODEL_REFUSED with the remedy, not as a failed function."""
    decision = decided(installation(tmp_path, server, GOOGLE_API_KEY="secret://gemini"))

    assert decision["blocked_by"] == "MODEL_REFUSED"
    assert "secret gemini" in decision["detail"]


def test_on_vertex_ai_the_process_s_own_credentials_are_used(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No API key goes out; the project and the location are in the address, and the body is the same."""
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps(server.service_account(_private_key())), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
    decision = decided(installation(tmp_path, server, GOOGLE_API_KEY="", VERTEX_PROJECT="my-project"))
    (request,) = server.requests

    assert decision["prediction"] is not None
    assert "/projects/my-project/locations/global/publishers/google/models/gemini-3.1-flash-lite:" in request.path
    assert request.headers["Authorization"] == "Bearer a-token"
    assert "x-goog-api-key" not in request.headers
    assert json.loads(decision["asked"]["request"]) == request.json
    assert decision["asked"]["service"].endswith("on vertex")


def _private_key() -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - a second of import for one test
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_vertex_ai_without_credentials_is_a_hold(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the SDK raises before it calls anybody is a reason to hold."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    decision = decided(installation(tmp_path, server, GOOGLE_API_KEY="", VERTEX_PROJECT="my-project"))

    assert decision["blocked_by"] == "MODEL_UNREACHABLE"
    assert decision["asked"]["attempts"][0]["detail"] == "DefaultCredentialsError"


def test_the_key_stands_in_no_document(tmp_path: Path, server: ModelServer) -> None:
    """Not in the audit, not in a payload dump, not in an event."""
    server.play("long", "bad-key")
    opened = installation(tmp_path, server, MODEL_PAYLOAD_DUMPS="true", LOG_DIR=str(tmp_path / "logs"))
    opened.run(0)
    dumps = [path.read_text(encoding="utf-8") for path in (tmp_path / "logs").rglob("*.json")]

    assert server.requests[0].headers["x-goog-api-key"] == KEY
    assert len(dumps) == 2
    for text in [
        *dumps,
        *(line for name in ("decisions", "events", "views", "control") for line in opened.books(name)),
    ]:
        assert KEY not in text


def test_payloads_are_dumped_where_that_is_asked_for(tmp_path: Path, server: ModelServer) -> None:
    """LOG_DIR/payloads/YYYYMMDD/DECISION.json holds what the decision holds."""
    opened = installation(tmp_path, server, MODEL_PAYLOAD_DUMPS="true", LOG_DIR=str(tmp_path / "logs"))
    decision = decided(opened)
    dump = tmp_path / "logs" / "payloads" / f"{START:%Y%m%d}" / f"{decision['decision_id']}.json"

    assert json.loads(dump.read_text(encoding="utf-8"))["request"] == decision["asked"]["request"]


def test_the_sdk_is_not_imported_before_a_question_is_put(tmp_path: Path, server: ModelServer) -> None:
    """Behind a closed gate a worker never pays for the import; past it, it does."""
    script = IMPORTS.format(directory=str(tmp_path), settings=server.settings(PREDICTOR="gemini"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["SPREAD_TOO_WIDE", "False", "None", "True"], done.stderr


IMPORTS = """
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tests.builders.installation import Installation
from withearth.flow.trader import decision_now
gate = {{"MIN_VOL_FRAC": "0", "FUNDING_WINDOW_MIN": "0"}}
closed = Installation(Path({directory!r}) / "closed", MAX_SPREAD_BPS="0.1", **gate, **{settings!r})
print(decision_now(closed.runtime, "BTCUSDT")["blocked_by"], "google.genai" in sys.modules)
opened = Installation(Path({directory!r}) / "open", MAX_SPREAD_BPS="100", **gate, **{settings!r})
decision = decision_now(opened.runtime, "BTCUSDT")
print(decision["prediction"] and None, "google.genai" in sys.modules)
"""


def test_r24_decisions_the_model_may_remember_are_stamped(tmp_path: Path, server: ModelServer) -> None:
    """Up to G_KNOWLEDGE_UNTIL a decision is contaminated, from the day after it is not."""
    stamps = [
        decided(installation(tmp_path / day, server, G_KNOWLEDGE_UNTIL=day))["asked"]["contaminated"]
        for day in ("2026-01-05", "2026-01-04")
    ]

    assert stamps == [True, False]


def test_r24_nothing_after_as_of_is_asked_about(tmp_path: Path, server: ModelServer) -> None:
    """The question names the close of the bar, and is the same however late the message comes."""
    early, late = (installation(tmp_path / name, server) for name in ("early", "late"))
    quote = early.runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"]
    late.clock.set(START + timedelta(seconds=100))
    for opened in (early, late):
        decide(opened.runtime, market_tick("BTCUSDT", tick_id(START), quote))

    first, second = server.requests
    assert first.body == second.body
    assert f"as_of {START:%Y-%m-%dT%H:%MZ}" in first.prompt


def test_r27_stale_inputs_are_never_asked_about(tmp_path: Path, server: ModelServer) -> None:
    """A late message, a missing quote and an old quote end before the model; every input of the others has its age."""
    opened = installation(tmp_path, server)
    fresh = decided(opened)
    assert all(frame["age_ms"] >= 0 for frame in fresh["snapshot"]["frames"].values())
    assert fresh["snapshot"]["quote_age_ms"] == 0
    server.requests.clear()

    late = START + timedelta(minutes=5)
    quote = opened.runtime.market.quotes(["BTCUSDT"], START)["BTCUSDT"]
    opened.clock.set(late)
    stale = decide(opened.runtime, market_tick("BTCUSDT", tick_id(late), quote))
    missing = decide(opened.runtime, market_tick("ETHUSDT", tick_id(late), None))

    assert (stale["blocked_by"], missing["blocked_by"]) == ("QUOTE_STALE", "QUOTE_MISSING")
    assert server.requests == []


def test_a_decision_costs_once_however_often_its_message_comes(tmp_path: Path, server: ModelServer) -> None:
    """Five deliveries of one tick are one question."""
    opened = installation(tmp_path, server)
    for _ in range(5):
        decided(opened)

    assert len(server.requests) == account(opened)["questions"] == 1
    assert opened.store.count(Query("decisions")) == 1
