"""The models: does Google's service know the ids of the settings. Pure; asking is `GeminiService.look_up`."""

from collections.abc import Mapping, Sequence
from typing import Final

from withearth.doctor.findings import Finding, ok, problem, warning
from withearth.domain.reasons import Reason
from withearth.settings import Settings

CHECK: Final = "model"
_REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.MODEL_RETIRED: "take it out of GEMINI_MODEL, or correct it",
    Reason.MODEL_REFUSED: "look at GOOGLE_API_KEY, or at VERTEX_PROJECT and its permissions",
    Reason.MODEL_BUSY: "try again later",
}


def names(settings: Settings) -> list[str]:
    """The models that may be asked, in the order in which they are; none where nobody is."""
    if not settings.asks_models:
        return []
    members = settings.ensemble_members if settings.predictor == "ensemble" else (settings.predictor,)
    found: list[str] = []
    for member in members:
        kind, _, model = member.partition(":")
        if kind == "gemini":
            found += (model,) if model else settings.gemini_model
    return list(dict.fromkeys(found))


def answerable(faults: Mapping[str, tuple[Reason, str] | None], needed: Sequence[str]) -> list[Finding]:
    """A line a model. `faults` has None for one that is known; as long as one of `needed` is, decisions are made."""
    if not faults:
        return [ok(CHECK, "No model is asked.")]
    some = any(faults[name] is None for name in needed)
    return [_line(name, fault, some=some) for name, fault in faults.items()]


def _line(name: str, fault: tuple[Reason, str] | None, *, some: bool) -> Finding:
    if fault is None:
        return ok(CHECK, f"{name} can be asked.")
    reason, detail = fault
    text = f"{name} cannot be asked, {reason}: {reason.sentence}{f' ({detail})' if detail else ''}"
    remedy = _REMEDIES.get(reason, "look at the network, and try again")
    return (warning if some else problem)(CHECK, text, remedy)
