"""What models may cost, and when they are not asked at all: budgets, crashes, safe mode."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, Installation, Killed
from tests.builders.questions import Scripted, a_prediction
from withearth.decision.spend import Spend
from withearth.domain.errors import Contention
from withearth.domain.reasons import Reason
from withearth.domain.times import tick_id
from withearth.flow.decide import decide
from withearth.flow.dispatch import market_tick
from withearth.store.port import Query, Ref

COST = Spend(1_000, 250_000)
OPEN_GATE = {"MIN_VOL_FRAC": "0", "MAX_SPREAD_BPS": "100", "FUNDING_WINDOW_MIN": "0"}
LONG = a_prediction()


def installation(directory: Path, predictor: Scripted, **changes: str) -> Installation:
    """An installation with this predictor, whose gate lets everything through."""
    paid = {"PREDICTOR": "gemini", "GOOGLE_API_KEY": "unused"}
    return Installation(directory, ports={"predictor": predictor}, given=OPEN_GATE | paid | changes)


def decided(opened: Installation, *, symbol: str = "BTCUSDT", after: timedelta = timedelta(0)) -> Any:
    """The symbol's decision at the tick so long after START."""
    at = START + after
    if at > opened.clock.now():
        opened.clock.set(at)
    quote = opened.runtime.market.quotes([symbol], at)[symbol]
    return decide(opened.runtime, market_tick(symbol, tick_id(at), quote))


def minutes(number: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=number)


def account(opened: Installation) -> Any:
    """The day's account."""
    stored = opened.store.get(Ref("budgets", f"{START:%Y%m%d}"))
    return None if stored is None else stored.data


@pytest.mark.parametrize("limit", [{"MODEL_BUDGET_USD": "0.5"}, {"MODEL_BUDGET_TOKENS": "2000"}])
def test_r26_the_day_s_budget_stops_questions(tmp_path: Path, limit: dict[str, str]) -> None:
    """Two questions fit; the third is refused unasked and costs nothing; the next UTC day asks again."""
    predictor = Scripted(LONG, cost=COST)
    opened = installation(tmp_path, predictor, **limit)
    codes = [decided(opened, after=minutes(5 * each))["blocked_by"] for each in range(3)]

    assert codes[2] == "BUDGET_SPENT"
    assert "BUDGET_SPENT" not in codes[:2]
    assert predictor.asked == 2
    assert (account(opened)["tokens"], account(opened)["micro_usd"]) == (2_000, 500_000)
    assert decided(opened, after=timedelta(days=1))["blocked_by"] != "BUDGET_SPENT"
    assert predictor.asked == 3


def test_r26_a_budget_of_nothing_asks_nothing(tmp_path: Path) -> None:
    """Zero is a limit, not the absence of one."""
    predictor = Scripted(LONG, cost=COST)

    assert decided(installation(tmp_path, predictor, MODEL_BUDGET_USD="0"))["blocked_by"] == "BUDGET_SPENT"
    assert predictor.asked == 0


def test_r26_every_decision_says_what_it_cost(tmp_path: Path) -> None:
    """In its document and in the view that a screen shows."""
    opened = installation(tmp_path, Scripted(LONG, cost=COST))
    opened.run(0)
    (told,) = opened.store.query(Query("feed"))
    overview = opened.store.get(Ref("views", "overview"))

    assert overview is not None
    assert {each["cost_micro_usd"] for each in told.data["rows"]} == {COST.micro_usd}
    assert overview.data["model"]["spent_usd"] == "0.5"


def test_r26_workers_at_once_never_pass_the_limit(tmp_path: Path) -> None:
    """Twelve symbols at one tick with room for five: five are asked at the most, and the account stays below."""
    symbols = [f"S{number}USDT" for number in range(12)]
    predictor = Scripted(LONG, cost=COST)
    limit = {"MODEL_BUDGET_USD": "1.25", "SYMBOLS": ",".join(symbols)}
    opened = installation(tmp_path, predictor, **limit)

    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(lambda symbol: decided(opened, symbol=symbol)["blocked_by"], symbols))

    assert predictor.asked <= 5
    assert codes.count("BUDGET_SPENT") == 12 - predictor.asked
    assert account(opened)["micro_usd"] == predictor.asked * COST.micro_usd
    assert account(opened)["reserved_micro_usd"] == 0


def test_r26_a_reservation_counts_until_it_is_settled(tmp_path: Path) -> None:
    """While one question is out, the next sees its whole price as spent."""
    seen: list[Any] = []

    class Watching(Scripted):
        def predict(self, question: Any) -> Any:
            seen.append(dict(account(opened)))
            return super().predict(question)

    opened = installation(tmp_path, Watching(LONG, cost=COST))
    decided(opened)

    assert (seen[0]["micro_usd"], seen[0]["reserved_micro_usd"]) == (COST.micro_usd, COST.micro_usd)
    assert (account(opened)["micro_usd"], account(opened)["reserved_micro_usd"]) == (COST.micro_usd, 0)


def test_a_redelivery_while_the_model_thinks_asks_nobody(tmp_path: Path) -> None:
    """The claim answers it: come again later."""
    refused: list[str] = []

    class Redelivered(Scripted):
        def predict(self, question: Any) -> Any:
            with pytest.raises(Contention):
                decided(opened)
            refused.append("again")
            return super().predict(question)

    opened = installation(tmp_path, Redelivered(LONG, cost=COST))
    decided(opened)

    assert refused == ["again"]
    assert account(opened)["questions"] == 1


@pytest.mark.parametrize("when", ["before the answer", "after the answer"])
def test_whoever_takes_over_does_not_ask_again(tmp_path: Path, when: str) -> None:
    """A worker dies around its question: the next holds with MODEL_ANSWER_LOST, and the price counts as spent."""
    predictor = Scripted(LONG, cost=COST)
    opened = installation(tmp_path, predictor, MAX_TICK_AGE_SEC="300", INTENT_TTL_SEC="300")
    with pytest.raises(Killed):
        _decide_and_die(opened, predictor, after_answer=when == "after the answer")
    asked = predictor.asked
    opened.clock.set(START + timedelta(seconds=121))
    decision = decided(opened)

    assert decision["blocked_by"] == "MODEL_ANSWER_LOST"
    assert decision["asked"]["cost_micro_usd"] == COST.micro_usd
    assert predictor.asked == asked
    assert account(opened) | {"questions": 1} == {
        "tokens": COST.tokens,
        "micro_usd": COST.micro_usd,
        "reserved_tokens": 0,
        "reserved_micro_usd": 0,
        "questions": 1,
    }


def _decide_and_die(opened: Installation, predictor: Scripted, *, after_answer: bool) -> None:
    predict, commit = predictor.predict, opened.store.commit

    def dies(*_: Any) -> Any:
        raise Killed

    def then_dies(question: Any) -> Any:
        answer = predict(question)
        opened.store.commit = dies  # type: ignore[method-assign,assignment]
        return answer

    predictor.predict = then_dies if after_answer else dies  # type: ignore[method-assign,assignment]
    try:
        decided(opened)
    finally:
        predictor.predict, opened.store.commit = predict, commit  # type: ignore[method-assign]


def test_killed_at_every_write_the_model_is_asked_once(tmp_path: Path) -> None:
    """However a worker dies, a decision is asked about at most once, and the account never misses what was asked."""
    for writes in range(4):
        predictor = Scripted(LONG, cost=COST)
        opened = installation(tmp_path / str(writes), predictor)
        _die_at(opened, writes)
        again = Installation(
            tmp_path / str(writes), ports={"predictor": predictor, "settings": opened.runtime.settings}
        )
        again.cloud()
        decided(again)

        assert predictor.asked <= 1
        assert account(again)["micro_usd"] >= predictor.asked * COST.micro_usd
        assert account(again)["reserved_micro_usd"] == 0


def _die_at(opened: Installation, writes: int) -> None:
    commit, seen = opened.store.commit, 0

    def dies(batch: Any) -> str:
        nonlocal seen
        if seen == writes:
            raise Killed
        seen += 1
        return commit(batch)

    opened.store.commit = dies  # type: ignore[method-assign,assignment]
    try:
        decided(opened)
    except Killed:
        return
    finally:
        opened.close()


FAILS = Reason.MODEL_TIMEOUT


def _codes(opened: Installation, times: list[int]) -> list[str | None]:
    """What blocked the decisions at these minutes: all but the model's own reasons count as none."""
    codes = [decided(opened, after=minutes(each))["blocked_by"] for each in times]
    return [code if str(code).startswith("MODEL_") else None for code in codes]


def test_failures_in_a_row_pause_entries_until_a_probe_succeeds(tmp_path: Path) -> None:
    """Two failures, a failing probe at once, silence for ten minutes, a good probe, and business as usual."""
    predictor = Scripted(FAILS, FAILS, FAILS, LONG, LONG, cost=Spend(1, 1))
    opened = installation(tmp_path, predictor, MODEL_SAFE_MODE_AFTER="2", MODEL_PROBE_SEC="600")
    codes = _codes(opened, [0, 5, 10, 15, 20, 25])

    assert codes == ["MODEL_TIMEOUT", "MODEL_TIMEOUT", "MODEL_TIMEOUT", "MODEL_SAFE_MODE", None, None]
    assert predictor.asked == 5
    assert opened.events().count("MODEL_SAFE_MODE") == 1


def test_a_good_answer_ends_the_row(tmp_path: Path) -> None:
    """Failures with an answer between them are not in a row."""
    opened = installation(tmp_path, Scripted(FAILS, LONG, FAILS, LONG, cost=Spend(1, 1)), MODEL_SAFE_MODE_AFTER="2")

    assert _codes(opened, [0, 5, 10, 15]) == ["MODEL_TIMEOUT", None, "MODEL_TIMEOUT", None]


def test_an_answer_outside_the_calibration_ends_the_row_and_safe_mode_too(tmp_path: Path) -> None:
    """The model said something: that nobody knows what it is worth is no failure of the model."""
    beyond = Reason.MODEL_UNCALIBRATED
    predictor = Scripted(FAILS, beyond, FAILS, FAILS, beyond, LONG, cost=Spend(1, 1))
    opened = installation(tmp_path, predictor, MODEL_SAFE_MODE_AFTER="2", MODEL_PROBE_SEC="3600")

    told = [FAILS, beyond, FAILS, FAILS, beyond, None]
    assert [None if code is None else code.value for code in told] == _codes(opened, [0, 5, 10, 15, 20, 25])


def test_safe_mode_lets_one_probe_out(tmp_path: Path) -> None:
    """Of two symbols at the same tick one is the probe, and the other waits."""
    predictor = Scripted(FAILS, LONG, cost=Spend(1, 1))
    opened = installation(tmp_path, predictor, MODEL_SAFE_MODE_AFTER="1")
    decided(opened)
    probe, other = (decided(opened, symbol=each, after=minutes(5)) for each in ("BTCUSDT", "ETHUSDT"))

    assert not str(probe["blocked_by"]).startswith("MODEL_")
    assert not str(other["blocked_by"]).startswith("MODEL_")
    assert predictor.asked == 3

    again = Scripted(FAILS, FAILS, FAILS, cost=Spend(1, 1))
    failing = installation(tmp_path / "failing", again, MODEL_SAFE_MODE_AFTER="1")
    decided(failing)
    codes = [decided(failing, symbol=each, after=minutes(5))["blocked_by"] for each in ("BTCUSDT", "ETHUSDT")]
    assert codes == ["MODEL_TIMEOUT", "MODEL_SAFE_MODE"]


def test_safe_mode_leaves_exits_alone(tmp_path: Path) -> None:
    """An open trade is followed to its end while the model is silent."""
    predictor = Scripted(LONG, FAILS, cost=Spend(1, 1))
    changes = {"MODEL_SAFE_MODE_AFTER": "1", "HORIZON_MIN": "15", "SYMBOLS": "BTCUSDT", "RR_MIN": "0.5"}
    opened = installation(tmp_path, predictor, **changes | {"RR_MIN_HIGH_PROB": "0.5"})
    opened.run(1)

    trades = [each.data for each in opened.store.query(Query("trades"))]
    assert [each["status"] for each in trades] == ["CLOSED"]
    overview = opened.store.get(Ref("views", "overview"))
    assert overview is not None
    assert overview.data["model"]["safe_mode"]


def test_what_costs_nothing_leaves_no_trace_in_the_accounts(tmp_path: Path) -> None:
    """Neither a reservation nor a record of health: a replay is not slowed down by what it does not need."""
    opened = installation(tmp_path, Scripted(LONG))
    reads: list[Any] = []
    get_many = opened.store.get_many

    def watched(refs: Any) -> Any:
        reads.append(refs)
        return get_many(refs)

    opened.store.get_many = watched  # type: ignore[method-assign]
    decided(opened)

    assert account(opened) is None
    assert reads == []
