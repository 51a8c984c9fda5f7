"""Every setting there is: its key in capitals, its default, its bounds and what it means.

The model is frozen, and takes its values only from what it is handed. A check between two settings
stands at the later one, so that it runs beside all the others and every problem is reported at once.
"""

import os
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import PrivateAttr, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from withearth.settings.kinds import (
    TOP,
    WHOLE_MARKET,
    BaseAddress,
    Bucket,
    Group,
    HostAndPort,
    Prefix,
    ProjectOrNone,
    Region,
    Secret,
    number,
    sentence,
    setting,
)
from withearth.settings.trading_settings import CONSENT, TradingSettings

Origin = Literal["env", ".env", "default"]
REQUIRED_LIVE: Final = ("max_total_notional_usdt", "max_daily_loss_usdt", "max_drawdown_pct")
"""Limits that may not be off where money is real. That of open positions cannot be."""


class Settings(TradingSettings):
    """Everything an owner can decide without changing code."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    binance_api_key: Secret = setting(
        Group.BINANCE, SecretStr(""), "API key of the Binance account, or a reference to it."
    )
    binance_api_secret: Secret = setting(
        Group.BINANCE, SecretStr(""), "API secret that belongs to BINANCE_API_KEY, or a reference to it."
    )
    binance_key_environment: Literal["demo", "live"] = setting(
        Group.BINANCE, "demo", "Where BINANCE_API_KEY was made: on Binance's demo exchange, or on Binance itself."
    )
    binance_use_testnet: bool = setting(
        Group.BINANCE, False, "Whether Binance's test network is used instead of the real exchange."
    )
    binance_futures_testnet: bool = setting(
        Group.BINANCE, False, "The same as BINANCE_USE_TESTNET; one of the two is enough."
    )
    binance_fapi_base: BaseAddress = setting(Group.BINANCE, "https://fapi.binance.com", "Address of the futures API.")
    binance_fapi_testnet_base: BaseAddress = setting(
        Group.BINANCE, "https://demo-fapi.binance.com", "Address of the futures API on the test network."
    )
    binance_spot_base: BaseAddress = setting(
        Group.BINANCE, "https://api.binance.com", "Address of the spot API, which alone tells what a key may do."
    )
    binance_archive_base: BaseAddress = setting(
        Group.BINANCE, "https://data.binance.vision", "Address of the public archive that history is downloaded from."
    )
    binance_http_timeout_ms: int = number(
        Group.BINANCE, 10_000, 100, 60_000, "Milliseconds to wait for an answer of the exchange."
    )
    binance_http_retries: int = number(Group.BINANCE, 3, 0, 10, "How often an unanswered read is repeated.")
    binance_http_backoff_ms: int = number(
        Group.BINANCE, 1_000, 10, 60_000, "Milliseconds before the first repetition; each later one waits longer."
    )

    store: Literal["local", "cloud"] = setting(
        Group.CLOUD,
        "local",
        "Where books and messages are kept: in STATE_DIR on this machine, or in Firestore and Pub/Sub of PROJECT_ID.",
    )
    project_id: ProjectOrNone = setting(
        Group.CLOUD, "", "Google Cloud project of Firestore, Pub/Sub, secrets and schedules; needed for STORE=cloud."
    )
    region: Region = setting(Group.CLOUD, "asia-northeast1", "Google Cloud region of the schedules.")
    firestore_emulator_host: HostAndPort = setting(
        Group.CLOUD, "", "Address of a Firestore emulator to use in place of the service."
    )
    pubsub_emulator_host: HostAndPort = setting(
        Group.CLOUD, "", "Address of a Pub/Sub emulator to use in place of the service."
    )
    binance_http_concurrency: int = number(
        Group.BINANCE, 8, 1, 32, "How many requests for market data a process makes at once."
    )
    market_client: Literal["rest", "sdk"] = setting(
        Group.BINANCE,
        "rest",
        "Who asks for market data: plain REST, or the official SDK with REST stepping in call by call.",
    )
    weight_reserved_pct: int = number(
        Group.BINANCE,
        25,
        5,
        90,
        "Share of the exchange's limits, in percent, kept for protecting and closing; data and entries stop before it.",
    )

    gcs_bucket: Bucket = setting(Group.CLOUD, "", "Cloud Storage bucket for archives; without one nothing is archived.")
    gcs_prefix: Prefix = setting(Group.CLOUD, "trading_bot", "Folder inside GCS_BUCKET.")

    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take nothing but what the caller hands over."""
        return (init_settings,)

    @field_validator("data_dir")
    @classmethod
    def _data_where_needed(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if info.data.get("market") != "recorded":
            return value
        # A directory behind a closed one makes is_dir raise; access only says no.
        if value is None or not os.access(value, os.R_OK | os.X_OK) or not value.is_dir():
            state = "is empty" if value is None else f"is {value}, which is no directory that can be read"
            raise sentence(
                f"DATA_DIR {state}, and MARKET is recorded: "
                "set it to the directory of the recorded data, or set MARKET to synthetic."
            )
        return value

    @field_validator("market")
    @classmethod
    def _real_prices_where_orders_leave(cls, value: str, info: ValidationInfo) -> str:
        venue = info.data.get("venue")
        if value != "live" and info.data.get("execute_trades") and venue in {"demo", "live"}:
            raise sentence(
                f"MARKET is {value}, EXECUTE_TRADES is true, and VENUE is {venue}: the exchange does not have these "
                "prices, set MARKET to live or VENUE to paper."
            )
        return value

    @field_validator("execute_trades")
    @classmethod
    def _bounded_where_live(cls, value: bool, info: ValidationInfo) -> bool:
        off = [name.upper() for name in REQUIRED_LIVE if not info.data.get(name, True)]
        if off and _is_live(info, executes=value):
            raise sentence(
                f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} 0, EXECUTE_TRADES is true, and VENUE is live: "
                "with real money no limit may be off, set each to a value above 0."
            )
        return value

    @field_validator("live_trading_consent")
    @classmethod
    def _consented(cls, value: str, info: ValidationInfo) -> str:
        if value != CONSENT and _is_live(info):
            state = "is empty" if not value else "says something else"
            raise sentence(
                f"LIVE_TRADING_CONSENT {state}, EXECUTE_TRADES is true, and VENUE is live: "
                f"set it to '{CONSENT}', or VENUE to demo or paper."
            )
        return value

    @field_validator("binance_use_testnet", "binance_futures_testnet")
    @classmethod
    def _no_testnet_where_live(cls, value: bool, info: ValidationInfo) -> bool:
        if value and _is_live(info):
            raise sentence(
                f"{str(info.field_name).upper()} is true, EXECUTE_TRADES is true, and VENUE is live: the test "
                "network's prices are not those of the exchange, set it to false or VENUE to demo."
            )
        return value

    @field_validator("intent_ttl_sec")
    @classmethod
    def _outlives_its_tick(cls, value: int, info: ValidationInfo) -> int:
        age = info.data.get("max_tick_age_sec")
        if age is not None and value < age:
            raise sentence(
                f"INTENT_TTL_SEC is {value}, below MAX_TICK_AGE_SEC, which is {age}: "
                "raise INTENT_TTL_SEC or lower MAX_TICK_AGE_SEC, or a late decision would be born expired."
            )
        return value

    @field_validator("rr_min_high_prob")
    @classmethod
    def _relaxed_means_lower(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        usual = info.data.get("rr_min")
        if usual is not None and value > usual:
            raise sentence(
                f"RR_MIN_HIGH_PROB is {value}, above RR_MIN, which is {usual}: lower RR_MIN_HIGH_PROB or raise RR_MIN."
            )
        return value

    @field_validator("limit_poll_sec")
    @classmethod
    def _looks_before_expiry(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        life = info.data.get("limit_ttl_sec")
        if life is not None and value > life:
            raise sentence(
                f"LIMIT_POLL_SEC is {value}, above LIMIT_TTL_SEC, which is {life}: "
                "lower LIMIT_POLL_SEC or raise LIMIT_TTL_SEC."
            )
        return value

    @field_validator("project_id")
    @classmethod
    def _project_where_needed(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("store") == "cloud":
            raise sentence(
                "PROJECT_ID is empty, and STORE is cloud: set it to your Google Cloud project, or set STORE to local."
            )
        return value

    @field_validator("store")
    @classmethod
    def _no_paper_in_the_cloud(cls, value: str, info: ValidationInfo) -> str:
        # Each instance of a function would have an exchange of its own, and forget it when it stops.
        if value == "cloud" and info.data.get("execute_trades") and info.data.get("venue") == "paper":
            raise sentence(
                "STORE is cloud, EXECUTE_TRADES is true, and VENUE is paper: the paper exchange lives in one process "
                "only, set VENUE to demo or live, or EXECUTE_TRADES to false for shadow trades."
            )
        return value

    @property
    def names_symbols(self) -> bool:
        """Whether SYMBOLS names them, instead of saying how they are found."""
        return self.symbols[0] != WHOLE_MARKET and self.top is None

    @property
    def top(self) -> int | None:
        """How many symbols with the most turnover are meant, if that is what SYMBOLS says."""
        first = self.symbols[0]
        return int(first.removeprefix(TOP)) if first.startswith(TOP) else None

    def takes(self, symbol: str) -> bool:
        """Whether SYMBOLS allows this symbol; where it names none, whoever finds them decides."""
        return symbol in self.symbols if self.names_symbols else True

    @property
    def testnet(self) -> bool:
        """Whether the exchange's test network is meant."""
        return self.binance_use_testnet or self.binance_futures_testnet

    @property
    def fapi_base(self) -> str:
        """Return the address of the futures API that is meant."""
        return self.binance_fapi_testnet_base if self.testnet else self.binance_fapi_base

    def marked(self, origins: dict[str, Origin]) -> Self:
        """Remember which key came from where."""
        self._origins = dict(origins)
        return self

    def origin(self, key: str) -> Origin:
        """Tell where the value of this key came from."""
        return self._origins.get(key, "default")


def _is_live(info: ValidationInfo, *, executes: bool | None = None) -> bool:
    """Whether orders with real money are asked for."""
    sends = info.data.get("execute_trades") if executes is None else executes
    return bool(sends) and info.data.get("venue") == "live"


def _in_order_of_the_docs() -> list[str]:
    groups = list(Group)
    extras = {name: field.json_schema_extra for name, field in Settings.model_fields.items()}
    places = {
        name: groups.index(Group(str(extra["group"]))) for name, extra in extras.items() if isinstance(extra, dict)
    }
    return sorted(places, key=places.__getitem__)


KEYS: Final = tuple(name.upper() for name in _in_order_of_the_docs())
