"""The settings of who predicts: the predictor, the model it may ask, what that may cost, and sentiment.

They stand apart from `model` for length only: `Settings` has them all, and the docs sort them by group.
"""

import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from withearth.settings.kinds import (
    Allowed,
    BaseAddress,
    BaseAddressOrNone,
    FileOrDirectoryOrNone,
    Group,
    Location,
    Members,
    ModelName,
    ModelNames,
    ProjectOrNone,
    Secret,
    number,
    sentence,
    setting,
)

GEMINI: Final = "gemini"


class ModelSettings(BaseSettings):
    """Everything an owner can decide about predictors and models."""

    predictor: Literal["baseline", "gemini", "ensemble", "recorded"] = setting(
        Group.DECISION,
        "baseline",
        "Who predicts: the built-in baseline, Gemini, several side by side, or answers recorded earlier.",
    )
    recorded_decisions: FileOrDirectoryOrNone = setting(
        Group.DECISION,
        None,
        "File of exported decisions, or directory of a run, whose answers are given again when PREDICTOR is recorded.",
    )
    ensemble_members: Members = setting(
        Group.DECISION, ("gemini", "baseline"), "Who is asked side by side when PREDICTOR is ensemble."
    )
    ensemble_rule: Literal["agree", "mean", "veto"] = setting(
        Group.DECISION,
        "agree",
        "How several answers become one: all agree, their mean, or the first unless another points the other way.",
    )
    min_prob_on: Literal["raw", "calibrated"] = setting(
        Group.DECISION, "raw", "Whether MIN_PROB is held against the probability as answered, or as calibrated."
    )

    google_api_key: Secret = setting(Group.MODEL, SecretStr(""), "API key for Gemini, or a reference to it.")
    vertex_project: ProjectOrNone = setting(
        Group.MODEL, "", "Google Cloud project through which Gemini is asked on Vertex AI, without an API key."
    )
    vertex_location: Location = setting(Group.MODEL, "global", "Location of Vertex AI.")
    gemini_model: ModelNames = setting(
        Group.MODEL, ("gemini-3.1-flash-lite",), "Gemini models; the next one is asked when one no longer exists."
    )
    g_base_url: BaseAddressOrNone = setting(Group.MODEL, "", "Address of the Gemini API; empty for Google's own.")
    g_temperature: float = number(
        Group.MODEL, 0.0, 0.0, 2.0, "Randomness of the model's answers; 0 is the most repeatable."
    )
    g_seed: int = number(Group.MODEL, 7, 0, 2_147_483_647, "Seed that makes repeated answers likelier to agree.")
    g_thinking: Literal["off", "minimal", "low", "medium", "high"] = setting(
        Group.MODEL, "minimal", "How much the model thinks, paid from G_MAX_TOKENS; off for models that cannot."
    )
    g_max_tokens: int = number(Group.MODEL, 512, 16, 8_192, "Longest answer taken from the model, in tokens.")
    g_timeout_ms: int = number(
        Group.MODEL, 20_000, 500, 60_000, "Milliseconds a decision waits for the model, retry and fallback included."
    )
    g_price_in_usd: Decimal = number(
        Group.MODEL,
        Decimal("0.25"),
        Decimal(0),
        Decimal(1_000),
        "Price in USD of a million tokens asked; the dearest model's when several are listed.",
    )
    g_price_out_usd: Decimal = number(
        Group.MODEL,
        Decimal("1.50"),
        Decimal(0),
        Decimal(1_000),
        "Price in USD of a million tokens answered or thought; the dearest model's when several are listed.",
    )
    g_knowledge_until: Annotated[date, Allowed("a date such as 2025-01-31")] = setting(
        Group.MODEL,
        date(2025, 1, 31),
        "Last day the model may have learnt about; decisions up to it are stamped as contaminated.",
    )
    model_budget_usd: Decimal = number(
        Group.MODEL, Decimal("0.50"), Decimal(0), Decimal(10_000), "Most that models may cost a UTC day, in USD."
    )
    model_budget_tokens: int = number(
        Group.MODEL, 3_000_000, 0, 10_000_000_000, "Most tokens that may be asked and answered a UTC day."
    )
    model_safe_mode_after: int = number(
        Group.MODEL, 5, 1, 1_000, "Failures of the model in a row after which new entries wait for an answer."
    )
    model_probe_sec: int = number(
        Group.MODEL, 300, 10, 86_400, "Seconds between two questions that try whether a failing model answers again."
    )
    model_payload_dumps: bool = setting(
        Group.MODEL, False, "Whether each question and answer is also written to LOG_DIR/payloads/YYYYMMDD."
    )

    sentiment: Literal["off", "grok"] = setting(
        Group.SENTIMENT, "off", "Whose reading of public posts is told to the model, in numbers only."
    )
    xai_api_key: Secret = setting(Group.SENTIMENT, SecretStr(""), "API key for xAI, or a reference to it.")
    xai_model: ModelName = setting(Group.SENTIMENT, "grok-4.5", "xAI model that reads the posts.")
    xai_base: BaseAddress = setting(Group.SENTIMENT, "https://api.x.ai/v1", "Address of the xAI API.")
    xai_timeout_ms: int = number(
        Group.SENTIMENT, 90_000, 1_000, 300_000, "Milliseconds to wait for one symbol's sentiment."
    )
    sentiment_cost_usd: Decimal = number(
        Group.SENTIMENT,
        Decimal("0.05"),
        Decimal(0),
        Decimal(10),
        "What one refresh of one symbol is counted at in MODEL_BUDGET_USD.",
    )
    sentiment_refresh_min: int = number(
        Group.SENTIMENT, 60, 5, 1_440, "Minutes after which a symbol's sentiment is asked for again."
    )
    sentiment_max_age_min: int = number(
        Group.SENTIMENT, 120, 5, 1_440, "Minutes after which a sentiment is too old to be told."
    )
    sentiment_symbols_a_pass: int = number(
        Group.SENTIMENT, 3, 1, 100, "Most symbols that are refreshed in one pass of the schedule."
    )

    @property
    def asks_models(self) -> bool:
        """Whether decisions are put to a model, which takes time and costs money."""
        return _asks_gemini(self.predictor, self.ensemble_members)

    @field_validator("recorded_decisions")
    @classmethod
    def _answers_where_needed(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if info.data.get("predictor") == "recorded" and (value is None or not os.access(value, os.R_OK)):
            state = "is empty" if value is None else f"is {value}, which is no file that can be read"
            raise sentence(
                f"RECORDED_DECISIONS {state}, and PREDICTOR is recorded: "
                "set it to a file written by `withearth export decisions`, or set PREDICTOR to baseline."
            )
        return value

    @field_validator("vertex_project")
    @classmethod
    def _a_way_to_the_model(cls, value: str, info: ValidationInfo) -> str:
        key = info.data.get("google_api_key")
        asks = _asks_gemini(info.data.get("predictor", ""), info.data.get("ensemble_members", ()))
        if asks and not value and key is not None and not key.get_secret_value():
            raise sentence(
                "GOOGLE_API_KEY is empty, and PREDICTOR asks Gemini: set it, "
                "or set VERTEX_PROJECT to ask on Vertex AI, or set PREDICTOR to baseline."
            )
        return value

    @field_validator("xai_api_key")
    @classmethod
    def _a_way_to_sentiment(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("sentiment") == "grok" and not value.get_secret_value():
            raise sentence("XAI_API_KEY is empty, and SENTIMENT is grok: set it, or set SENTIMENT to off.")
        return value


def _asks_gemini(predictor: str, ensemble_members: Sequence[str]) -> bool:
    asked = ensemble_members if predictor == "ensemble" else (predictor,)
    return any(each.partition(":")[0] == GEMINI for each in asked)
