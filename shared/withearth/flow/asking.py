"""Ask: put a question to the predictor within its means, and settle what that cost.

    lost? → safe mode? → budget → (reserve, with the claim) → predictor → (settle, with the decision)

The most a question can cost is reserved in the very commit that claims the decision, and settled in the one that ends
it. So a question that may have been put can be told from one that was not: whoever takes over a claim with a
reservation does not ask again, and the reservation counts as spent. A reservation nobody comes back for stays counted
until its UTC day is over. A predictor that costs nothing passes through without touching the store.

Safe mode: after MODEL_SAFE_MODE_AFTER failures in a row questions are refused, except for a probe at once and then one
every MODEL_PROBE_SEC. A probe is an ordinary question; its answer, if it is good, is traded and ends safe mode. Exits
never ask, so they go on.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from withearth.decision.prediction import Answer, Audit, Question, Unanswered, audit_of, spent
from withearth.decision.spend import NOTHING, Spend, budget, within
from withearth.domain.canonical import canonical_json
from withearth.domain.reasons import Reason
from withearth.flow.documents import budget_ref, model_health_ref
from withearth.flow.journal import event, record_once
from withearth.flow.runtime import Runtime
from withearth.signals import Signal, tell
from withearth.store.port import Increment, Replace, Stored, Write

Outcome = Answer | Unanswered

NO_FAILURE: Final = frozenset(
    {
        Reason.BUDGET_SPENT,
        Reason.DECISION_NOT_RECORDED,
        Reason.MODEL_ANSWER_LOST,
        Reason.MODEL_SAFE_MODE,
        Reason.MODEL_UNCALIBRATED,
    }
)
"""Reasons for which there is no answer, though the model did not fail."""

_SIGNALS: Final = {
    Reason.BUDGET_SPENT: Signal.MODEL_BUDGET_SPENT,
    Reason.MODEL_SAFE_MODE: Signal.MODEL_SAFE_MODE,
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to put one question. `day` is the UTC day whose budget pays; `failures` those in a row before it."""

    reserved: Spend
    day: str
    failures: int = 0
    probe_of: Stored | None = None

    def to_document(self) -> dict[str, Any] | None:
        """What a claim says about the reservation, None when there is none."""
        return {"day": self.day, **self.reserved.to_document()} if self.reserved else None


def admit(runtime: Runtime, question: Question, claim: Mapping[str, Any] | None) -> Ticket:
    """Leave to ask, or Unanswered. `claim` is that of a holder who died, None when there was none."""
    reserved = runtime.predictor.spend_max(question)
    day = f"{runtime.clock.now():%Y%m%d}"
    if not reserved:
        return Ticket(NOTHING, day)
    if claim is not None and claim.get("reserved") is not None:
        raise _unasked(runtime, Reason.MODEL_ANSWER_LOST, Spend.from_document(claim["reserved"]))
    health, account = runtime.store.get_many([model_health_ref(), budget_ref(day)])
    probe = _probe_of(runtime, health)
    if not within(committed(account) + reserved, budget(runtime.settings)):
        raise _unasked(runtime, Reason.BUDGET_SPENT)
    return Ticket(reserved, day, 0 if health is None else health.data["failures"], probe)


def _probe_of(runtime: Runtime, health: Stored | None) -> Stored | None:
    """The record of failures when this question is a probe, None outside safe mode. Between probes, Unanswered."""
    if health is None or health.data["failures"] < runtime.settings.model_safe_mode_after:
        return None
    probed_at = health.data.get("probed_at")
    pause = timedelta(seconds=runtime.settings.model_probe_sec)
    if probed_at is not None and runtime.clock.now() - probed_at < pause:
        raise _unasked(runtime, Reason.MODEL_SAFE_MODE)
    return health


def _unasked(runtime: Runtime, reason: Reason, cost: Spend = NOTHING) -> Unanswered:
    audit = audit_of(runtime.predictor.name, "unasked", tokens=cost.tokens, cost_micro_usd=cost.micro_usd)
    if reason in _SIGNALS:
        tell(_SIGNALS[reason], logging.WARNING, predictor=runtime.predictor.name)
    return Unanswered(reason, "", audit)


def committed(account: Stored | None) -> Spend:
    """What is spent or reserved on a day."""
    return NOTHING if account is None else Spend.from_document(account.data)


def reservation(runtime: Runtime, ticket: Ticket) -> list[Write]:
    """What the claim writes along: the reservation, and that this question is the probe of now."""
    writes: list[Write] = (
        [account_change(ticket.day, ticket.reserved, reserved=ticket.reserved)] if ticket.reserved else []
    )
    probe = ticket.probe_of
    if probe is not None:
        writes.append(Replace(probe.ref, dict(probe.data) | {"probed_at": runtime.clock.now()}, probe.version))
    return writes


def put(runtime: Runtime, question: Question, ticket: Ticket) -> Outcome:
    """Ask, once the reservation stands. Several reservations at once may have passed the limit together: none then."""
    if ticket.reserved and not within(committed(runtime.store.get(budget_ref(ticket.day))), budget(runtime.settings)):
        return _unasked(runtime, Reason.BUDGET_SPENT)
    try:
        outcome: Outcome = runtime.predictor.predict(question)
    except Unanswered as unanswered:
        outcome = unanswered
    _tell(runtime, question, outcome)
    return outcome


def _tell(runtime: Runtime, question: Question, outcome: Outcome) -> None:
    """Keep the payload where that is asked for, and journal each model that turned out to be retired, once a day."""
    day = f"{question.snapshot.as_of:%Y%m%d}"
    if runtime.payloads is not None:
        runtime.payloads.put(f"{day}/{question.decision_id}.json", canonical_json(outcome.audit))
    for model in retired_models(outcome.audit):
        told = event(f"model-retired-{model}-{day}", Reason.MODEL_RETIRED.value, runtime.clock.now(), "", model)
        record_once(runtime.store, told)


def retired_models(audit: Audit) -> list[str]:
    """The models that turned out to be gone, of all members where several were asked."""
    audits = (audit, *(member["asked"] for member in audit.get("members", ())))
    attempts = [attempt for each in audits for attempt in each.get("attempts", ())]
    return sorted({each["model"] for each in attempts if each["blocked_by"] == Reason.MODEL_RETIRED})


def settlement(runtime: Runtime, question: Question, ticket: Ticket, outcome: Outcome) -> list[Write]:
    """What the decision writes along: the true cost in place of the reserved, and whether the model failed."""
    if not ticket.reserved:
        return []
    actual = spent(outcome.audit)
    writes: list[Write] = [
        account_change(ticket.day, actual + -ticket.reserved, reserved=-ticket.reserved, questions=1)
    ]
    failed = isinstance(outcome, Unanswered) and outcome.reason not in NO_FAILURE
    # What is outside the calibration was said by a model that is well.
    spoke = isinstance(outcome, Answer) or outcome.reason is Reason.MODEL_UNCALIBRATED
    if failed:
        writes.append(Increment(model_health_ref(), {"failures": 1}))
    if failed and ticket.failures + 1 == runtime.settings.model_safe_mode_after:
        told = f"{ticket.failures + 1} failures in a row, the last {outcome.audit['blocked_by']}"
        event_id = f"{question.decision_id}-safe-mode"
        writes.append(event(event_id, Reason.MODEL_SAFE_MODE.value, runtime.clock.now(), "", told))
    if spoke and ticket.failures:
        writes.append(Replace(model_health_ref(), {"failures": 0}))
    return writes


def written_off(claim: Mapping[str, Any] | None) -> list[Write]:
    """What ends the reservation of a holder who died: it counts as spent."""
    if claim is None or claim.get("reserved") is None:
        return []
    reserved = Spend.from_document(claim["reserved"])
    return [account_change(claim["reserved"]["day"], NOTHING, reserved=-reserved, questions=1)]


def account_change(day: str, total: Spend, *, reserved: Spend, questions: int = 0) -> Increment:
    """Add to a day's account: what is spent or reserved, and what of it is only reserved."""
    amounts = {
        **total.to_document(),
        "reserved_tokens": reserved.tokens,
        "reserved_micro_usd": reserved.micro_usd,
        "questions": questions,
    }
    return Increment(budget_ref(day), amounts)
