"""The question as a model reads it: numbers this system computed, their units, the costs to beat, the horizon.

Everything here comes from the snapshot, three sentiment numbers and the settings. The only text that is not written in
this file is the symbol, which is one of SYMBOLS; no field of the outside world is a text by the time it gets here.

`PROMPT_VERSION` changes with every change of wording or layout: a test holds the digest of a fixed question against it.
"""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from withearth.decision.prediction import Question
from withearth.decision.schema import description
from withearth.decision.sentiment import Sentiment
from withearth.domain.book import BASIS_POINTS
from withearth.domain.times import Timeframe
from withearth.features.snapshot import FeatureSnapshot, TimeframeFeatures
from withearth.settings import Settings

PROMPT_VERSION: Final = 1

SYSTEM: Final = f"""\
Estimate one perpetual future's direction over horizon_min from these numbers alone. The caller sets target and stop. \
Hold unless the expected move clearly exceeds costs_bps. Answer one JSON object of exactly these fields:
{description()}"""

_COLUMNS: Final = "tf rsi14 atr14 sma20 vol20 relvol low50 high50 last10"
_UNITS: Final = (
    "rsi14 0..100; relvol volume / median of 20; others in bps of price, sma20 low50 high50 and last10 closes "
    "(oldest first) as distance from it"
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The two texts of a question."""

    system: str
    text: str


def build_prompt(question: Question, settings: Settings) -> Prompt:
    """Write the question out. The same question and settings always give the same bytes."""
    snapshot = question.snapshot
    frames = [snapshot.frames[timeframe] for timeframe in Timeframe]
    rows = [_frame_row(frame, snapshot.price) for frame in frames]
    lines = [*_heading(snapshot, settings), *_mood(question.sentiment, snapshot), _COLUMNS, *rows, _UNITS]
    return Prompt(SYSTEM, "\n".join(lines))


def _heading(snapshot: FeatureSnapshot, settings: Settings) -> list[str]:
    imbalance = "unknown" if snapshot.depth_imbalance is None else f"{snapshot.depth_imbalance:+.2f}"
    return [
        f"symbol {snapshot.symbol}",
        f"as_of {snapshot.as_of.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        f"horizon_min {settings.horizon_min}",
        f"costs_bps {costs_bps(snapshot, settings):.1f}",
        f"target_atr {settings.atr_mult_tp} stop_atr {settings.atr_mult_sl}",
        f"price {_number(snapshot.price)}",
        f"spread_bps {snapshot.spread_bps:.2f}",
        f"day_trend_pct {snapshot.day_trend * 100:+.2f}",
        f"depth_imbalance {imbalance} (-1..1)",
        f"funding_bps {snapshot.funding_rate * BASIS_POINTS:+.2f} in_min {snapshot.minutes_to_funding:.0f}",
    ]


def costs_bps(snapshot: FeatureSnapshot, settings: Settings) -> float:
    """What a round trip costs before it earns anything, in basis points: two fees, one spread, two slippages."""
    fixed = 2 * settings.taker_fee_bps + 2 * settings.shadow_slippage_bps
    return float(fixed) + snapshot.spread_bps


def _mood(sentiment: Sentiment | None, snapshot: FeatureSnapshot) -> list[str]:
    if sentiment is None:
        return []
    age_min = (snapshot.as_of - sentiment.as_of).total_seconds() / 60
    mood = f"posts_score {sentiment.score:+.2f} (-1..1) confidence {sentiment.confidence:.2f}"
    return [f"{mood} count {sentiment.sample_size} age_min {age_min:.0f}"]


def _frame_row(frame: TimeframeFeatures, price: float) -> str:
    relative_volume = "-" if frame.relative_volume20 is None else f"{frame.relative_volume20:.1f}"
    extremes = " ".join(_distance(each, price) for each in (frame.support50, frame.resistance50))
    closes = " ".join(_distance(close, price) for close in frame.closes10)
    return (
        f"{frame.timeframe.value} {frame.rsi14:.0f} {_number(frame.atr14 / price * BASIS_POINTS, 3)} "
        f"{_distance(frame.sma20, price)} {_number(frame.volatility20 * BASIS_POINTS, 3)} {relative_volume} "
        f"{extremes} {closes}"
    )


def _distance(value: float, price: float) -> str:
    """How far a price lies from the present one, in basis points."""
    return f"{(value / price - 1) * BASIS_POINTS:.0f}"


def _number(value: float, digits: int = 6) -> str:
    """The number to so many significant digits, without an exponent."""
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{float(text):.12f}".rstrip("0").rstrip(".")


_TOKENS: Final = re.compile(r"\d|[A-Za-z]{1,4}|[^\sA-Za-z\d]|\n| (?=\d)")


def estimated_tokens(text: str) -> int:
    """Roughly how many tokens a Gemini model counts, on the high side.

    Its tokenizer gives every digit a token of its own, joins a space with what follows unless that is a digit, and
    needs about one token for four letters of English: so digits, signs, line ends and spaces before digits count one
    each, words one for every four letters begun.
    """
    return len(_TOKENS.findall(text))
