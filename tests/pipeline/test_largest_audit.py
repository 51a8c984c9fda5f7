"""The largest audit there can be, kept whole in its decision."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tests.builders.installation import Installation, settings_of
from withearth.decision.ensemble import EnsemblePredictor
from withearth.decision.gemini import ATTEMPTS_MAX, GeminiPredictor, ModelFault
from withearth.decision.wire import RESPONSE_CHARACTERS_MAX
from withearth.domain.reasons import Reason
from withearth.domain.times import tick_id
from withearth.flow.decide import decide
from withearth.flow.dispatch import market_tick
from withearth.flow.documents import decision_ref
from withearth.settings.kinds import MODELS_MAX
from withearth.store.port import DOCUMENT_BYTES_MAX
from withearth.store.values import weight

SENTENCE: Final = "x" * 200
OPEN: Final = {
    "MIN_VOL_FRAC": "0",
    "MAX_SPREAD_BPS": "100",
    "FUNDING_WINDOW_MIN": "0",
    "MODEL_BUDGET_USD": "10000",
    "MODEL_BUDGET_TOKENS": "10000000000",
    "G_MAX_TOKENS": "8192",
    "GEMINI_MODEL": ",".join(f"{'m' * 62}{place}" for place in range(MODELS_MAX)),
}


class Endless:
    """Says that a model is retired, but for the last, whose answers are as long and as wide as text can be."""

    version: Final = "endless"

    def generate(self, model: str, _body: dict[str, Any], _timeout: timedelta) -> str:
        """Characters of four bytes each, more of them than are read."""
        if not model.endswith(str(MODELS_MAX - 1)):
            raise ModelFault(Reason.MODEL_RETIRED, SENTENCE, charged=True)
        return "\N{EARTH GLOBE ASIA-AUSTRALIA}" * (2 * RESPONSE_CHARACTERS_MAX)


def test_the_largest_audit_fits_into_a_document(tmp_path: Path) -> None:
    """As many members as there may be, each asked as often as it may be, each answer too long to be read."""
    settings = settings_of(tmp_path, **OPEN)
    opened = Installation(tmp_path, given=OPEN)
    members = [
        GeminiPredictor(settings, settings.gemini_model, opened.clock, Endless(), lambda _: None)
        for _ in range(MODELS_MAX)
    ]
    opened = Installation(tmp_path, given=OPEN, ports={"predictor": EnsemblePredictor(members, "agree")})
    now = opened.clock.now()
    tick = market_tick("BTCUSDT", tick_id(now), opened.runtime.market.quotes(["BTCUSDT"], now)["BTCUSDT"])
    decide(opened.runtime, tick)
    stored = opened.store.get(decision_ref(tick.about))

    assert stored is not None
    answers = [attempt["response"] for each in stored.data["asked"]["members"] for attempt in each["asked"]["attempts"]]
    assert MODELS_MAX * ATTEMPTS_MAX == sum(answer is not None for answer in answers)
    assert 600_000 < weight(stored.data) < 700_000 < DOCUMENT_BYTES_MAX
