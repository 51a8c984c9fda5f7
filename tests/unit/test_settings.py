import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from withearth.domain.errors import Misconfigured
from withearth.settings import (
    KEYS,
    SECRET_KEYS,
    Group,
    Settings,
    describe,
    is_reference,
    load_settings,
    redact,
    reveal,
    settings_from_process,
)
from withearth.settings.references import SecretSource
from withearth.settings.trading_settings import CONSENT
from withearth.settings.wording import bounds, sentences

ROOT: Final = Path(__file__).parents[2]

ORIGINAL: Final[dict[str, object]] = {
    "PORT": 8080,
    "SYMBOLS": ("BTCUSDT", "ETHUSDT"),
    "EXECUTE_TRADES": False,
    "TZ": "UTC",
    "LOG_DIR": Path("./logs"),
    "MIN_PROB": 0.60,
    "RR_MIN": Decimal("1.20"),
    "ATR_MULT_TP": Decimal("1.8"),
    "ATR_MULT_SL": Decimal("1.0"),
    "LEVERAGE": 5,
    "MARGIN_TYPE": "ISOLATED",
    "POSITION_MODE": "ONEWAY",
    "MAX_SPREAD_BPS": Decimal("2.0"),
    "ENTRY_MAX_RETRIES": 2,
    "RISK_USDT": Decimal(100),
    "HORIZON_MIN": 60,
    "ENTRY_MODE": "LIMIT",
    "LIMIT_TTL_SEC": 15,
    "LIMIT_POLL_SEC": Decimal("1.0"),
    "LIMIT_MAX_REPRICES": 3,
    "LIMIT_MAX_SLIPPAGE_BPS": Decimal("2.0"),
    "BINANCE_FUTURES_TESTNET": False,
    "BINANCE_HTTP_TIMEOUT_MS": 10_000,
    "BINANCE_HTTP_RETRIES": 3,
    "BINANCE_HTTP_BACKOFF_MS": 1_000,
    "BINANCE_API_KEY": SecretStr(""),
    "BINANCE_API_SECRET": SecretStr(""),
    "BINANCE_USE_TESTNET": False,
    "BINANCE_FAPI_BASE": "https://fapi.binance.com",
    "BINANCE_FAPI_TESTNET_BASE": "https://demo-fapi.binance.com",
    "GOOGLE_API_KEY": SecretStr(""),
    "GEMINI_MODEL": ("gemini-3.1-flash-lite",),
    "G_TEMPERATURE": 0.0,
    "G_MAX_TOKENS": 512,
    "GCS_BUCKET": "",
    "GCS_PREFIX": "trading_bot",
    "MIN_VOL_FRAC": 0.0005,
    "HIGH_PROB_RELAX_RR": 0.70,
    "RR_MIN_HIGH_PROB": Decimal("1.05"),
}
ADDED: Final[dict[str, object]] = {
    "STORE": "local",
    "PROJECT_ID": "",
    "REGION": "asia-northeast1",
    "FIRESTORE_EMULATOR_HOST": "",
    "PUBSUB_EMULATOR_HOST": "",
    "MARKET": "synthetic",
    "DATA_DIR": None,
    "STATE_DIR": Path("./.withearth"),
    "PREDICTOR": "baseline",
    "RECORDED_DECISIONS": None,
    "FUNDING_WINDOW_MIN": 5,
    "MAX_TICK_AGE_SEC": 120,
    "INTENT_TTL_SEC": 180,
    "MAX_DEPTH_FRACTION": Decimal("0.10"),
    "TAKER_FEE_BPS": Decimal("5.0"),
    "SHADOW_SLIPPAGE_BPS": Decimal("1.0"),
    "SHADOW_EQUITY_USDT": Decimal(1000),
    "MODEL_SPREAD_BPS": Decimal("1.0"),
    "BINANCE_SPOT_BASE": "https://api.binance.com",
    "BINANCE_ARCHIVE_BASE": "https://data.binance.vision",
    "SYNTHETIC_SEED": 7,
    "CHART_SYMBOLS": 12,
    "CANDLE_WAIT_SEC": 5,
    "BINANCE_HTTP_CONCURRENCY": 8,
    "MARKET_CLIENT": "rest",
    "WEIGHT_RESERVED_PCT": 25,
    "MAX_EVENT_BYTES": 65_536,
    "ENSEMBLE_MEMBERS": ("gemini", "baseline"),
    "ENSEMBLE_RULE": "agree",
    "MIN_PROB_ON": "raw",
    "VERTEX_PROJECT": "",
    "VERTEX_LOCATION": "global",
    "G_BASE_URL": "",
    "G_SEED": 7,
    "G_THINKING": "minimal",
    "G_TIMEOUT_MS": 20_000,
    "G_PRICE_IN_USD": Decimal("0.25"),
    "G_PRICE_OUT_USD": Decimal("1.50"),
    "G_KNOWLEDGE_UNTIL": date(2025, 1, 31),
    "MODEL_BUDGET_USD": Decimal("0.50"),
    "MODEL_BUDGET_TOKENS": 3_000_000,
    "MODEL_SAFE_MODE_AFTER": 5,
    "MODEL_PROBE_SEC": 300,
    "MODEL_PAYLOAD_DUMPS": False,
    "SENTIMENT": "off",
    "XAI_API_KEY": SecretStr(""),
    "XAI_MODEL": "grok-4.5",
    "XAI_BASE": "https://api.x.ai/v1",
    "XAI_TIMEOUT_MS": 90_000,
    "SENTIMENT_COST_USD": Decimal("0.05"),
    "SENTIMENT_REFRESH_MIN": 60,
    "SENTIMENT_MAX_AGE_MIN": 120,
    "SENTIMENT_SYMBOLS_A_PASS": 3,
    "VENUE": "paper",
    "LIVE_TRADING_CONSENT": "",
    "BINANCE_KEY_ENVIRONMENT": "demo",
    "PROTECTION": "before_entry",
    "PROTECT_WITHIN_SEC": 10,
    "PARTIAL_FILL": "keep",
    "ENTRY_POST_ONLY": False,
    "BREAK_EVEN_AT_R": Decimal(0),
    "TRAIL_BY_R": Decimal(0),
    "PAPER_DEPOSIT_USDT": Decimal(1000),
    "MAX_OPEN_POSITIONS": 3,
    "MAX_TOTAL_NOTIONAL_USDT": Decimal(500),
    "MAX_DAILY_LOSS_USDT": Decimal(25),
    "MAX_DRAWDOWN_PCT": Decimal(10),
    "COOLDOWN_MIN_AFTER_STOP": 15,
    "MAX_CONSECUTIVE_LOSSES": 5,
    "LOSS_PAUSE_MIN": 240,
    "MAX_ENTRIES_PER_HOUR": 12,
    "MIN_EDGE_BPS": Decimal(0),
}
SECRETS: Final = ("BINANCE_API_KEY", "BINANCE_API_SECRET", "GOOGLE_API_KEY", "XAI_API_KEY")
NUMBERS: Final = tuple(key for key in KEYS if bounds(key) is not None)
DECIMALS: Final = tuple(key for key in NUMBERS if isinstance((ORIGINAL | ADDED)[key], Decimal))
# Settings that depend on a number, moved out of its way.
ROOM_FOR: Final[dict[str, dict[str, str]]] = {
    "RR_MIN": {"RR_MIN_HIGH_PROB": "0.5"},
    "RR_MIN_HIGH_PROB": {"RR_MIN": "10"},
    "LIMIT_TTL_SEC": {"LIMIT_POLL_SEC": "0.1"},
    "LIMIT_POLL_SEC": {"LIMIT_TTL_SEC": "300"},
    "MAX_TICK_AGE_SEC": {"INTENT_TTL_SEC": "600"},
    "INTENT_TTL_SEC": {"MAX_TICK_AGE_SEC": "10"},
}


class Vault:
    """A source of secrets that answers with what it was given."""

    def __init__(self, **secrets: str) -> None:
        self._secrets = secrets

    def resolve(self, name: str) -> str:
        """Return the value stored under this name."""
        return self._secrets[name]

    def forget(self, name: str) -> None:
        """Nothing changes here."""


def load(**environ: str) -> Settings:
    """Load from an environment of these variables alone."""
    return load_settings(environ, env_file=None)


def refusal(environ: Mapping[str, str], env_file: Path | None = None) -> list[str]:
    """Return the sentences with which this environment is refused."""
    with pytest.raises(Misconfigured) as caught:
        load_settings(environ, env_file)
    return str(caught.value).split("\n")


def env_file(directory: Path, text: str) -> Path:
    """Write a .env of this text."""
    path = directory / ".env"
    path.write_text(text, encoding="utf-8")
    return path


def limits(key: str) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest value of a number."""
    ends = bounds(key)
    assert ends is not None
    return Decimal(str(ends[0])), Decimal(str(ends[1]))


@pytest.mark.parametrize(("key", "default"), (ORIGINAL | ADDED).items())
def test_every_key_has_its_documented_default(key: str, default: object) -> None:
    """With nothing set, every key of the original version and every new one has its default and its type."""
    value = getattr(load(), key.lower())

    assert default == value
    assert type(default) is type(value)


def test_there_are_no_other_keys() -> None:
    """A new setting has to be written into the table of this test, too."""
    assert set(ORIGINAL | ADDED) == set(KEYS)
    assert SECRETS == SECRET_KEYS


def test_every_number_is_bounded() -> None:
    """No number in the settings is taken without a lowest and a highest value."""
    plain = {key for key, value in (ORIGINAL | ADDED).items() if type(value) in {int, float, Decimal}}

    assert plain == set(NUMBERS)


@pytest.mark.parametrize("key", NUMBERS)
def test_numbers_are_accepted_on_their_bounds(key: str) -> None:
    """The lowest and the highest value themselves are allowed."""
    taken = [getattr(load(**ROOM_FOR.get(key, {}), **{key: str(end)}), key.lower()) for end in limits(key)]

    assert [float(end) for end in limits(key)] == [float(value) for value in taken]


@pytest.mark.parametrize("key", NUMBERS)
def test_numbers_are_refused_just_outside_their_bounds(key: str) -> None:
    """One step below the lowest or above the highest value is refused, with key, value and range."""
    low, high = limits(key)
    step = Decimal(1) if isinstance((ORIGINAL | ADDED)[key], int) else Decimal("0.000001")

    for value in (low - step, high + step):
        (sentence,) = refusal(ROOM_FOR.get(key, {}) | {key: f"{value:f}"})

        assert sentence.startswith(f"{key} is {value:f}, allowed is {low.normalize():f} to {high.normalize():f}: ")


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", ["", "nan", "inf", "-inf", "many", "1,5", "secret://NUMBER", "true"])
def test_what_is_no_number_is_refused(key: str, value: str) -> None:
    """A number field takes numbers only: no word, no infinity, no reference to a secret."""
    (sentence,) = refusal({key: value})

    assert sentence.startswith(f"{key} is {value or 'empty'}, allowed is ")


@given(key=st.sampled_from(DECIMALS), data=st.data())
def test_money_is_taken_to_the_last_digit(key: str, data: st.DataObject) -> None:
    """Whatever decimal lies within the bounds is kept exactly as it was written."""
    low, high = limits(key)
    written = data.draw(st.decimals(low, high, allow_nan=False, places=6))

    settings = load(**ROOM_FOR.get(key, {}), **{key: f"{written:f}"})

    assert written == getattr(settings, key.lower())


def test_a_wrong_value_is_told_in_one_sentence() -> None:
    """The sentence names key, value, range and remedy."""
    (sentence,) = refusal({"MIN_PROB": "1.7"})

    assert sentence == (
        "MIN_PROB is 1.7, allowed is 0.5 to 0.99: "
        "correct it in .env or the environment, or remove it for the default 0.60."
    )


def test_all_problems_are_told_at_once() -> None:
    """Nobody has to start five times to learn of five mistakes."""
    told = refusal({"MIN_PROB": "2", "TZ": "Moon", "RR_MIN": "1.00", "LIMIT_POLL_SEC": "16", "BINANCE_API_SECERT": "x"})

    assert sorted(sentence.split()[0] for sentence in told) == [
        "BINANCE_API_SECERT",
        "LIMIT_POLL_SEC",
        "MIN_PROB",
        "RR_MIN_HIGH_PROB",
        "TZ",
    ]
    assert all(sentence.endswith(".") for sentence in told)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("MARKET", "future", "MARKET is future, allowed is synthetic or recorded or live: "),
        ("ENTRY_MODE", "limit", "ENTRY_MODE is limit, allowed is LIMIT or MARKET: "),
        ("MARGIN_TYPE", "", "MARGIN_TYPE is empty, allowed is ISOLATED or CROSSED: "),
        ("POSITION_MODE", "BOTH", "POSITION_MODE is BOTH, allowed is ONEWAY or HEDGE: "),
        ("PREDICTOR", "oracle", "PREDICTOR is oracle, allowed is baseline or gemini or ensemble or recorded: "),
        ("BINANCE_USE_TESTNET", "maybe", "BINANCE_USE_TESTNET is maybe, allowed is true or false: "),
        ("TZ", "Asia", "TZ is Asia, allowed is a name of the time zone database"),
        ("TZ", "/etc/localtime", "TZ is /etc/localtime, allowed is "),
        ("TZ", "", "TZ is empty, allowed is "),
        ("STATE_DIR", "", "STATE_DIR is empty, allowed is a directory: "),
        ("LOG_DIR", "secret://LOGS", "LOG_DIR is secret://LOGS, allowed is a directory: "),
        ("DATA_DIR", "secret://DATA", "DATA_DIR is secret://DATA, allowed is a directory, or nothing: "),
        ("BINANCE_FAPI_BASE", "http://fapi.binance.com", "BINANCE_FAPI_BASE is http://fapi.binance.com, allowed is "),
        ("BINANCE_FAPI_BASE", "https://me:pw@host", "BINANCE_FAPI_BASE is https://me:pw@host, allowed is "),
        ("BINANCE_FAPI_BASE", "https://[", "BINANCE_FAPI_BASE is https://[, allowed is "),
        ("BINANCE_FAPI_BASE", "", "BINANCE_FAPI_BASE is empty, allowed is "),
        ("GEMINI_MODEL", "", "GEMINI_MODEL is empty, allowed is "),
        ("GCS_BUCKET", "gs://bucket", "GCS_BUCKET is gs://bucket, allowed is "),
        ("GCS_PREFIX", "/root", "GCS_PREFIX is /root, allowed is "),
    ],
)
def test_texts_and_choices_are_checked(key: str, value: str, said: str) -> None:
    """A text outside its choices or its form is refused in the same kind of sentence."""
    (sentence,) = refusal({key: value})

    assert sentence.startswith(said)


@pytest.mark.parametrize(
    ("written", "symbols"),
    [
        ("btcusdt", ("BTCUSDT",)),
        (" ethusdt , BTCUSDT", ("ETHUSDT", "BTCUSDT")),
        ("BTCUSDT_260925,币安人生USDT", ("BTCUSDT_260925", "币安人生USDT")),
    ],
)
def test_symbols_are_listed_in_their_order(written: str, symbols: tuple[str, ...]) -> None:
    """Symbols are stripped, put in capitals and kept in the order they were written in."""
    assert symbols == load(SYMBOLS=written).symbols


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "SYMBOLS names an empty symbol"),
        ("BTCUSDT,", "SYMBOLS names an empty symbol"),
        ("BTC/USDT", "SYMBOLS names BTC/USDT"),
        ("BTC USDT", "SYMBOLS names BTC USDT"),
        ("BTCUSDT,btcusdt", "SYMBOLS names BTCUSDT twice"),
        ("X", "SYMBOLS names X"),
        ("top:0", "SYMBOLS names TOP:0"),
        ("top:1000", "SYMBOLS names TOP:1000"),
        ("top:50,BTCUSDT", "SYMBOLS names TOP:50"),
        (",".join(f"COIN{place}" for place in range(601)), "SYMBOLS names 601 symbols"),
    ],
)
def test_a_wrong_list_of_symbols_is_refused(written: str, said: str) -> None:
    """The sentence names the one symbol that is wrong, not the whole list."""
    (sentence,) = refusal({"SYMBOLS": written})

    assert sentence.startswith(f"{said}, allowed is 1 to 600 different names")


@pytest.mark.parametrize(("written", "top"), [("all", None), ("top:50", 50), ("TOP:999", 999)])
def test_symbols_may_say_how_they_are_found(written: str, top: int | None) -> None:
    """`all` and `top:N` name no symbol, and therefore allow any."""
    settings = load(SYMBOLS=written)

    assert (False, top) == (settings.names_symbols, settings.top)
    assert settings.takes("ANYUSDT")
    assert not load(SYMBOLS="BTCUSDT").takes("ANYUSDT")


def test_six_hundred_symbols_are_taken() -> None:
    """The largest list that is allowed is accepted."""
    assert len(load(SYMBOLS=",".join(f"COIN{place}" for place in range(600))).symbols) == 600


def test_orders_leave_this_machine_only_at_real_prices() -> None:
    """The demo exchange is traded on the live market only; invented or recorded prices stay on the paper exchange."""
    executing = {"EXECUTE_TRADES": "true", "VENUE": "demo"}
    assert load(MARKET="live", **executing).venue == "demo"
    (told,) = refusal({"MARKET": "synthetic", **executing})
    assert told.startswith("MARKET is synthetic, EXECUTE_TRADES is true, and VENUE is demo: ")


LIVE: Final = {"EXECUTE_TRADES": "true", "VENUE": "live", "MARKET": "live", "LIVE_TRADING_CONSENT": CONSENT}


def test_real_money_needs_a_second_consent() -> None:
    """VENUE=live starts with the sentence word for word, and with nothing that is merely like it."""
    assert load(**LIVE).venue == "live"
    for said in ("", "true", CONSENT.lower(), f"{CONSENT}."):
        (told,) = refusal(LIVE | {"LIVE_TRADING_CONSENT": said})
        assert told.startswith("LIVE_TRADING_CONSENT ")
        assert CONSENT in told
    assert load(**LIVE | {"LIVE_TRADING_CONSENT": "", "EXECUTE_TRADES": "false"}).venue == "live"


@pytest.mark.parametrize("key", ["MAX_DAILY_LOSS_USDT", "MAX_DRAWDOWN_PCT", "MAX_TOTAL_NOTIONAL_USDT"])
def test_r28_no_limit_is_off_with_real_money(key: str) -> None:
    """R28: what may be 0 on the paper exchange may not be 0 on live; MAX_OPEN_POSITIONS is never 0."""
    assert load(**LIVE | {"VENUE": "paper", key: "0"}).venue == "paper"
    (told,) = refusal(LIVE | {key: "0"})
    assert told.startswith(f"{key} is 0, EXECUTE_TRADES is true, and VENUE is live: ")


def test_real_money_is_not_traded_at_other_prices() -> None:
    """VENUE=live goes with MARKET=live, and with the exchange's own prices."""
    for wrong in ({"MARKET": "synthetic"}, {"BINANCE_USE_TESTNET": "true"}, {"BINANCE_FUTURES_TESTNET": "true"}):
        (told,) = refusal(LIVE | wrong)
        assert told.startswith(f"{next(iter(wrong))} is {next(iter(wrong.values()))}, EXECUTE_TRADES is true, and ")


def test_the_relaxed_ratio_is_not_above_the_usual_one() -> None:
    """RR_MIN_HIGH_PROB may equal RR_MIN and not exceed it, even when only one of them is set."""
    assert load(RR_MIN="1.05").rr_min_high_prob == load(RR_MIN="1.05").rr_min
    assert refusal({"RR_MIN": "1.04"}) == [
        "RR_MIN_HIGH_PROB is 1.05, above RR_MIN, which is 1.04: lower RR_MIN_HIGH_PROB or raise RR_MIN."
    ]


def test_an_entry_is_looked_at_before_it_expires() -> None:
    """LIMIT_POLL_SEC may equal LIMIT_TTL_SEC and not exceed it."""
    assert load(LIMIT_POLL_SEC="15").limit_poll_sec == 15
    assert refusal({"LIMIT_POLL_SEC": "15.1"}) == [
        "LIMIT_POLL_SEC is 15.1, above LIMIT_TTL_SEC, which is 15: lower LIMIT_POLL_SEC or raise LIMIT_TTL_SEC."
    ]


def test_an_intent_lives_at_least_as_long_as_its_tick_is_read() -> None:
    """INTENT_TTL_SEC below MAX_TICK_AGE_SEC is refused: a late decision would be born expired."""
    assert load(INTENT_TTL_SEC="120").intent_ttl_sec == 120
    (told,) = refusal({"INTENT_TTL_SEC": "119"})
    assert told.startswith("INTENT_TTL_SEC is 119, below MAX_TICK_AGE_SEC, which is 120: raise INTENT_TTL_SEC or ")


def test_recorded_answers_need_a_file(tmp_path: Path) -> None:
    """PREDICTOR=recorded is refused without a file of answers, and taken with one."""
    answers = tmp_path / "decisions.jsonl"
    answers.touch()
    assert load(PREDICTOR="recorded", RECORDED_DECISIONS=str(answers)).recorded_decisions == answers
    for wrong in ("", str(tmp_path / "nothing")):
        (told,) = refusal({"PREDICTOR": "recorded", "RECORDED_DECISIONS": wrong})
        assert told.startswith("RECORDED_DECISIONS is ")


def test_a_recorded_market_needs_its_directory(tmp_path: Path) -> None:
    """MARKET=recorded works with a directory, and neither without one nor with a file."""
    file = env_file(tmp_path, "")
    remedy = "and MARKET is recorded: set it to the directory of the recorded data, or set MARKET to synthetic."

    assert load(MARKET="recorded", DATA_DIR=str(tmp_path)).data_dir == tmp_path
    assert [f"DATA_DIR is empty, {remedy}"] == refusal({"MARKET": "recorded"})
    assert [f"DATA_DIR is {file}, which is no directory that can be read, {remedy}"] == refusal(
        {"MARKET": "recorded", "DATA_DIR": str(file)}
    )


def test_a_synthetic_market_does_not_look_for_a_directory() -> None:
    """A DATA_DIR that is not there disturbs nobody who does not read from it."""
    assert load(DATA_DIR="/nowhere/at/all").data_dir == Path("/nowhere/at/all")


@pytest.mark.parametrize("key", ["BINANCE_USE_TESTNET", "BINANCE_FUTURES_TESTNET"])
def test_either_key_chooses_the_test_network(key: str) -> None:
    """The original version had two keys for the test network; each of them is enough."""
    assert load().fapi_base == "https://fapi.binance.com"
    assert load(**{key: "true"}).fapi_base == "https://demo-fapi.binance.com"


def test_a_paper_exchange_on_this_machine_may_go_without_tls() -> None:
    """Plain http is allowed where nothing leaves the machine; a closing slash is dropped."""
    assert load(BINANCE_FAPI_BASE="http://127.0.0.1:9000/").binance_fapi_base == "http://127.0.0.1:9000"


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    """A variable wins over the line in .env, the line over the default, and each is told by its source."""
    file = env_file(tmp_path, "MIN_PROB=0.70\nLEVERAGE=3\n")

    settings = load_settings({"MIN_PROB": "0.80"}, file)
    sources = {row.key: row.source for row in describe(settings)}

    assert (settings.min_prob, settings.leverage, settings.port) == (0.80, 3, 8080)
    assert (sources["MIN_PROB"], sources["LEVERAGE"], sources["PORT"]) == ("env", ".env", "default")


def test_only_what_is_passed_in_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process's own environment reaches neither the values nor the text of .env."""
    monkeypatch.setenv("MIN_PROB", "0.90")
    monkeypatch.setenv("ROBBED", "bucket")

    assert load().min_prob == 0.60
    assert Settings().min_prob == 0.60
    (sentence,) = refusal({}, env_file(tmp_path, "GCS_BUCKET=${ROBBED}"))
    assert sentence.startswith("GCS_BUCKET is ${ROBBED}, ")


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    """Nobody needs a .env."""
    assert load_settings({}, tmp_path / ".env").model_dump() == load().model_dump()


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    """A byte order mark, carriage returns, quotes, comments and `export` are all part of what people write."""
    file = tmp_path / ".env"
    file.write_bytes('\ufeffLEVERAGE="3"\r\n# mine\r\nexport MIN_PROB=0.7 # higher\r\n'.encode())

    settings = load_settings({}, file)

    assert (settings.leverage, settings.min_prob) == (3, 0.7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n\nMIN_PROB\n", "Line 3 of .env is not of the form KEY=value: correct or remove it."),
        ("MIN_PROB='0.7\n", "Line 1 of .env is not of the form KEY=value: correct or remove it."),
        ("LEVERAGE=3\nPORT=1\nLEVERAGE=4", "LEVERAGE stands twice in .env, in lines 1 and 3: keep one of them."),
        ("MIN_PROP=0.7", "MIN_PROP in .env is not a setting: MIN_PROB is the nearest, rename or remove it."),
        ("min_prob=0.7", "min_prob in .env is not a setting: MIN_PROB is the nearest, rename or remove it."),
        ("QQQQ=1", "QQQQ in .env is not a setting: remove it."),
        ("aB3dE5fG7=", "Line 1 of .env names no setting: correct or remove it."),
    ],
)
def test_a_line_that_is_no_setting_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """In .env every line has to be one of ours; what could be a piece of a secret is told by its line only."""
    assert [said] == refusal({}, env_file(tmp_path, text))


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A file in another encoding, or a directory in its place, is told in one sentence."""
    file = tmp_path / ".env"
    file.write_bytes(b"\xff\xfe\x00PORT")

    for path in (file, tmp_path):
        (sentence,) = refusal({}, path)

        assert sentence.startswith(f"{path} cannot be read as a text file in UTF-8: ")


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("BINANCE_API_SECERT", "BINANCE_API_SECRET"),
        ("EXECUTE_TRADE", "EXECUTE_TRADES"),
        ("LIMIT_TTL_SECS", "LIMIT_TTL_SEC"),
        ("RR_MIN_HIGHPROB", "RR_MIN_HIGH_PROB"),
        ("SHADOW_SLIPPAGE", "SHADOW_SLIPPAGE_BPS"),
        ("min_prob", "MIN_PROB"),
        ("WITHEARTH_MIN_PROB", "MIN_PROB"),
        ("WITHEARTH_PORT", "PORT"),
    ],
)
def test_a_misspelt_variable_is_refused(key: str, nearest: str) -> None:
    """A variable that can only be meant for us is not passed over; the nearest key is named."""
    assert [f"{key} in the environment is not a setting: {nearest} is the nearest, rename or remove it."] == refusal(
        {key: "0.7"}
    )


@pytest.mark.parametrize(
    "key",
    [
        "G_MESSAGES_DEBUG",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "GEMINI_API_KEY",
        "GEMINI_CLI_IDE_SERVER_PORT",
        "K_SERVICE",
        "FUNCTION_TARGET",
        "LOG_EXECUTION_ID",
        "MARKETING",
        "PATH",
        "ENTRYPOINT",
        "TZDIR",
        "WITHEARTH_DATA",
    ],
)
def test_variables_of_others_are_ignored(key: str) -> None:
    """What any machine may have in its environment never keeps the program from starting."""
    assert load(**{key: "1"}).model_dump() == load().model_dump()


def test_the_process_hands_over_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thin entry for programs passes on what the process was started with."""
    monkeypatch.setenv("MIN_PROB", "0.90")

    assert settings_from_process(env_file=None).min_prob == 0.90


def test_settings_are_frozen() -> None:
    """Nothing changes a setting after it was checked, and nothing adds one."""
    settings = load()

    with pytest.raises(ValidationError):
        settings.leverage = 50  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings.model_validate({"leverag": 5})


@given(secret=st.text("abcxyzABCXYZ0189+=-", min_size=12, max_size=64).map("zQ9".__add__))
def test_secrets_are_printed_nowhere(secret: str) -> None:
    """Neither the text, the repr, a dump nor the table shows what a secret is."""
    settings = load(**dict.fromkeys(SECRETS, secret))
    printed = [str(settings), repr(settings), settings.model_dump_json(), str(settings.model_dump())]

    assert not [text for text in [*printed, str(describe(settings))] if secret in text]
    assert {"set"} == {row.value for row in describe(settings) if row.key in SECRETS}


@given(
    secret=st.text("abcxyzABCXYZ0189", min_size=12, max_size=64).map("zQ9".__add__),
    broken=st.sampled_from(["{} {}", "{}\n{}", "secret:{}", "secret://{}/{}", "SECRET://{}"]),
)
def test_a_wrong_secret_is_told_without_its_value(secret: str, broken: str) -> None:
    """A refused secret is named by its key only."""
    told = refusal(dict.fromkeys(SECRETS, broken.format(secret, secret)))

    assert list(SECRETS) == [sentence.split()[0] for sentence in told]
    assert not [sentence for sentence in told if secret in sentence]


@pytest.mark.parametrize("key", [*NUMBERS, "MARKET", "TZ", "EXECUTE_TRADES", "BINANCE_FAPI_BASE", "GEMINI_MODEL"])
def test_a_key_pasted_into_the_wrong_line_is_not_printed(key: str) -> None:
    """A refused value as long as an API key is only measured."""
    (sentence,) = refusal({key: "aB3" * 13})

    assert sentence.startswith(f"{key} is a text of 39 characters, allowed is ")


def test_a_secret_of_the_wrong_type_is_told_without_its_value() -> None:
    """Even a secret that never was a text stays out of the sentence and out of the model's own error."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"binance_api_key": 12345})

    (sentence,) = sentences(caught.value)

    assert sentence.startswith("BINANCE_API_KEY is not a text, allowed is ")
    assert "12345" not in f"{sentence}{caught.value}"


def test_a_broken_secret_in_the_file_is_not_printed(tmp_path: Path) -> None:
    """A secret that slipped onto a line of its own is told by the line's number."""
    text = "BINANCE_API_SECRET=\naB3dE5fG7hI9\nkL2mN4oP6==\nBINANCE_API_SECERT=qR8sT0uV\n"

    told = refusal({}, env_file(tmp_path, text))

    assert not [part for part in ("aB3dE5fG7hI9", "kL2mN4oP6", "qR8sT0uV") if part in "\n".join(told)]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("value", "well_formed"),
    [
        ("secret://binance-key_2", True),
        ("secret://" + "x" * 255, True),
        ("secret://" + "x" * 256, False),
        ("secret://", False),
        ("secret://a/b", False),
        ("secret://name\n", False),
        ("SECRET://name", False),
        ("name", False),
    ],
)
def test_references_have_one_form(value: str, *, well_formed: bool) -> None:
    """A reference is `secret://` and a name of letters, digits, dashes and underscores."""
    assert well_formed == is_reference(value)


def test_a_reference_is_shown_as_it_is() -> None:
    """The name of a secret is no secret: the table shows where the value will come from."""
    rows = {row.key: row.value for row in describe(load(BINANCE_API_KEY="secret://binance-key"))}

    assert (rows["BINANCE_API_KEY"], rows["GOOGLE_API_KEY"]) == ("secret://binance-key", "not set")


def test_a_reference_is_resolved_when_it_is_needed() -> None:
    """The stored value arrives without the line break it may have been stored with."""
    source: SecretSource = Vault(name="value\n")

    assert reveal(load(BINANCE_API_KEY="secret://name"), "BINANCE_API_KEY", source) == "value"
    assert reveal(load(BINANCE_API_KEY="plain"), "BINANCE_API_KEY") == "plain"


def test_a_secret_that_is_not_there_is_told() -> None:
    """An unset secret, a reference without a source and an empty secret each give a sentence."""
    settings = load(BINANCE_API_KEY="secret://name")

    with pytest.raises(Misconfigured, match=r"^GOOGLE_API_KEY is not set: set it in \.env or the environment\.$"):
        reveal(settings, "GOOGLE_API_KEY")
    with pytest.raises(Misconfigured, match=r"^BINANCE_API_KEY refers to the secret name, and there is no source"):
        reveal(settings, "BINANCE_API_KEY")
    with pytest.raises(Misconfigured, match=r"^BINANCE_API_KEY refers to the secret name, which is empty: "):
        reveal(settings, "BINANCE_API_KEY", Vault(name="\n"))
    with pytest.raises(TypeError, match=r"^PORT is not a secret$"):
        reveal(settings, "PORT")


def test_secrets_are_taken_out_of_a_text() -> None:
    """A text made elsewhere, such as a traceback, is printed without the secrets; references may stay."""
    settings = load(BINANCE_API_KEY="abc", BINANCE_API_SECRET="abcdef", GOOGLE_API_KEY="secret://name")  # noqa: S106

    assert redact("key abc, secret abcdef, secret://name", settings) == "key ***, secret ***, secret://name"
    assert redact("nothing to hide", load()) == "nothing to hide"


def test_every_setting_is_described() -> None:
    """Each row has a sentence, a range and a group, and the groups follow one another in their order."""
    rows = describe(load())

    assert list(KEYS) == [row.key for row in rows]
    assert list(Group) == [group for group, _ in groupby(rows, lambda row: row.group)]
    assert not [row.key for row in rows if not (row.allowed and row.description.endswith("."))]


def test_the_example_holds_the_defaults() -> None:
    """Copied to .env as it is, the example changes nothing."""
    rows = describe(load_settings({}, ROOT / ".env.example"))

    assert load_settings({}, ROOT / ".env.example").model_dump() == load().model_dump()
    assert {".env"} == {row.source for row in rows}


def test_the_settings_start_without_heavy_imports() -> None:
    """A function that only reads its settings loads neither numbers nor terminal tools."""
    heavy = "numpy pandas pyarrow rich typer google.genai"
    script = f"import sys, withearth.settings; print([name for name in '{heavy}'.split() if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"STORE": "cloud"}, "PROJECT_ID is empty, and STORE is cloud: set it to your Google Cloud project"),
        (
            {"STORE": "cloud", "PROJECT_ID": "demo-project", "EXECUTE_TRADES": "true", "VENUE": "paper"},
            "STORE is cloud, EXECUTE_TRADES is true, and VENUE is paper: the paper exchange lives in one process only",
        ),
        ({"FIRESTORE_EMULATOR_HOST": "localhost"}, "FIRESTORE_EMULATOR_HOST is localhost, allowed is "),
        ({"REGION": "tokyo"}, "REGION is tokyo, allowed is a region's name"),
    ],
)
def test_what_does_not_work_in_the_cloud_is_refused(environ: dict[str, str], told: str) -> None:
    """Before anything starts, with what to set."""
    (sentence,) = refusal(environ)

    assert sentence.startswith(told)


def test_shadow_trades_need_no_venue_in_the_cloud() -> None:
    """The default that everybody begins with."""
    assert "cloud" == load(STORE="cloud", PROJECT_ID="demo-project").store
