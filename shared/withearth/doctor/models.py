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
_ALL_RETIRED: Final = (Reason.MODEL_RETIRED, "")


Faults = Mapping[str, tuple[Reason, str] | None]
"""By model why it cannot be asked, None for one that can."""


def members(settings: Settings) -> list[tuple[str, ...]]:
    """The models of each member that asks one, in the order in which they are asked; one member without an ensemble."""
    if not settings.asks_models:
        return []
    asking = settings.ensemble_members if settings.predictor == "ensemble" else (settings.predictor,)
    kinds = (member.partition(":") for member in asking)
    return [(model,) if model else settings.gemini_model for kind, _, model in kinds if kind == "gemini"]


def answerable(faults: Faults, asked: Sequence[Sequence[str]]) -> list[Finding]:
    """A line a model. A fault is a problem where a member is left without an answer: then nothing is decided."""
    if not faults:
        return [ok(CHECK, "No model is asked.")]
    needed = {name for member in asked if not _answers(member, faults) for name in member}
    return [_line(name, fault, needed=name in needed) for name, fault in faults.items()]


def _answers(member: Sequence[str], faults: Faults) -> bool:
    """Whether the first model answers that is not retired: no other fault has the next one asked."""
    told = (faults[name] for name in member)
    first = next((fault for fault in told if fault is None or fault[0] is not Reason.MODEL_RETIRED), _ALL_RETIRED)
    return first is None


def _line(name: str, fault: tuple[Reason, str] | None, *, needed: bool) -> Finding:
    if fault is None:
        return ok(CHECK, f"{name} can be asked.")
    reason, detail = fault
    text = f"{name} cannot be asked, {reason}: {reason.sentence}{f' ({detail})' if detail else ''}"
    remedy = _REMEDIES.get(reason, "look at the network, and try again")
    return (problem if needed else warning)(CHECK, text, remedy)
