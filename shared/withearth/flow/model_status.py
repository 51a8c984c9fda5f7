"""What a status bar says about the model: whether it answers, which names are dead, and what the day has cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from withearth.decision.spend import MICRO, usd
from withearth.flow.asking import retired_models
from withearth.flow.documents import budget_ref, model_health_ref
from withearth.flow.runtime import Runtime
from withearth.store.port import Stored
from withearth.views.contract import Model


def model_status(runtime: Runtime, decisions: Sequence[Stored], before: Mapping[str, Any] | None) -> Model | None:
    """The status, None where no model is asked. `decisions` are the newest tick's; without any, the dead names stay."""
    if not runtime.settings.asks_models:
        return None
    day = f"{runtime.clock.now():%Y%m%d}"
    health, account = runtime.store.get_many([model_health_ref(), budget_ref(day)])
    failures = 0 if health is None else health.data["failures"]
    spent: Mapping[str, Any] = {} if account is None else account.data
    retired = [] if before is None else before["retired"]
    return {
        "failures": failures,
        "safe_mode": failures >= runtime.settings.model_safe_mode_after,
        "retired": sorted(_retired(decisions)) if decisions else retired,
        "spent_usd": usd(spent.get("micro_usd", 0)),
        "budget_usd": usd(int(runtime.settings.model_budget_usd * MICRO)),
        "tokens": spent.get("tokens", 0),
    }


def _retired(decisions: Sequence[Stored]) -> set[str]:
    """The models that the newest questions found to be gone."""
    return {model for each in decisions if each.data["asked"] for model in retired_models(each.data["asked"])}
