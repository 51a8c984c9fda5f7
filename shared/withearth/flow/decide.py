"""Decide: one symbol at one tick gets one decision, with its whole audit.

    data → gate → (claim, reservation) → model → risk → order

Everything is worked out as of the tick, not as of the moment the message arrived, so a decision is a function of
the market's data, the settings and what a model answered. The decision is claimed after the gate and before the
predictor is paid; a claim whose holder died is taken over once its lease has run out.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from withearth.decision.assess import Assessment, Conditions, assess
from withearth.decision.gate import gate
from withearth.decision.prediction import Prediction, Question, Unanswered
from withearth.domain.book import Quote
from withearth.domain.canonical import digest
from withearth.domain.errors import Contention, InvalidEvent, MarketFault, Refused, Unavailable
from withearth.domain.reasons import Reason
from withearth.domain.times import decision_id, tick_time
from withearth.features.snapshot import HISTORY_BARS, FeatureSnapshot, build_snapshot, to_document, with_depth
from withearth.flow.account import free_margin
from withearth.flow.asking import Outcome, Ticket, admit, put, reservation, settlement, written_off
from withearth.flow.documents import CLAIM_LEASE, DECISION_RETENTION, DecisionState, chart_ref, decision_ref
from withearth.flow.labelling import label_due
from withearth.flow.runtime import Runtime
from withearth.flow.sentiment import fresh_sentiment
from withearth.market.fallbacks import listening
from withearth.messaging.events import MarketTick, TradeIntent, encode
from withearth.messaging.port import TRADE_INTENTS, Message
from withearth.store.port import AlreadyExists, Document, Ref, Replace, Stored, Write, write_over
from withearth.views.charts import chart


class Stage(StrEnum):
    """How far a decision came: the funnel."""

    DATA = "data"
    GATE = "gate"
    MODEL = "model"
    RISK = "risk"
    ORDER = "order"


@dataclass(slots=True)
class _Case:
    """A decision in the making. `claim` is that of a holder who died; `version` our own claim's, or the dead one's.

    `consequences` are written in the commit that ends the case.
    """

    runtime: Runtime
    tick: MarketTick
    closed_at: datetime
    ref: Ref
    audit: dict[str, Any]
    claim: Document | None
    version: str | None
    consequences: list[Write] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The end of a case: the stage that ended it, and what blocked it, if anything did."""

    stage: Stage
    reasons: tuple[Reason, ...] = ()
    detail: str = ""


def decide(runtime: Runtime, tick: MarketTick) -> Document:
    """Decide, unless that was done, and hand a passing decision to the bus as an intent. Returns the document.

    Raises InvalidEvent for a symbol that is not configured, Contention while another delivery is at work, and
    Unavailable when the tick is not over yet by our clock.
    """
    if not runtime.settings.takes(tick.symbol):
        raise InvalidEvent(Reason.SYMBOL_NOT_CONFIGURED, tick.symbol)
    document = _decided(runtime, tick)
    _publish_intent(runtime, document)
    return document


def _decided(runtime: Runtime, tick: MarketTick) -> Document:
    ref = decision_ref(decision_id(tick.symbol, tick.tick_id))
    stored = runtime.store.get(ref)
    if stored is not None and stored.data["state"] == DecisionState.DONE:
        return stored.data
    if stored is not None and stored.data["lease_until"] > runtime.clock.now():
        raise Contention(f"{ref} is being worked on")
    closed_at = tick_time(tick.tick_id)
    if closed_at > runtime.clock.now():
        # The dispatcher's clock may be a moment ahead of ours. Deciding now would decide without the bar.
        raise Unavailable(f"{ref} is of a tick that is not over yet by this clock")
    case = _case(runtime, tick, closed_at, ref, stored)
    with listening() as fallbacks:
        verdict = _work_out(case)
    case.audit["fallbacks"] = sorted(fallbacks.union(tick.fallbacks or ()))
    return _finish(case, verdict)


def _case(runtime: Runtime, tick: MarketTick, closed_at: datetime, ref: Ref, stored: Stored | None) -> _Case:
    claim, version = (None, None) if stored is None else (stored.data, stored.version)
    heading = _heading(runtime, tick, closed_at)
    return _Case(runtime, tick, closed_at, ref, heading, claim, version, written_off(claim))


def _heading(runtime: Runtime, tick: MarketTick, closed_at: datetime) -> dict[str, Any]:
    return {
        "version": 1,
        "decision_id": decision_id(tick.symbol, tick.tick_id),
        "symbol": tick.symbol,
        "tick_id": tick.tick_id,
        "as_of": closed_at,
        "market": runtime.market.origin.value,
        "fallbacks": [],
        "predictor": None,
        "snapshot": None,
        "snapshot_hash": None,
        "asked": None,
        "prediction": None,
        "assessment": None,
        "intent": None,
        "expire_at": closed_at + DECISION_RETENTION,
    }


def _work_out(case: _Case) -> _Verdict:
    """Walk the funnel until something blocks, writing what is learnt into the audit."""
    if case.runtime.clock.now() - case.closed_at > timedelta(seconds=case.runtime.settings.max_tick_age_sec):
        return _Verdict(Stage.DATA, (Reason.TICK_TOO_LATE,))
    try:
        snapshot = _observe(case)
        case.audit["snapshot"] = to_document(snapshot)
        closed = gate(snapshot, case.runtime.settings)
        if closed:
            return _Verdict(Stage.GATE, closed)
        conditions = _conditions(case, snapshot)
    except Refused as fault:
        return _Verdict(Stage.DATA, (fault.reason,), fault.detail)
    question = _question(case, conditions.snapshot)
    return _judge(case, conditions, question, _ask(case, question))


def _observe(case: _Case) -> FeatureSnapshot:
    """The features without depth, which is only read past the gate."""
    market, symbol = case.runtime.market, case.tick.symbol
    slice_ = case.tick.quote
    if slice_ is None:
        raise MarketFault(case.tick.no_quote or Reason.QUOTE_MISSING)
    if not market.instrument(symbol).tradable:
        raise MarketFault(Reason.NOT_TRADABLE)
    windows = market.windows(symbol, case.closed_at, HISTORY_BARS)
    if case.tick.charted:
        case.consequences.append(Replace(chart_ref(symbol), chart(symbol, case.closed_at, windows)))
    quote = Quote(symbol, **{name: getattr(slice_, name) for name in type(slice_).model_fields})
    return build_snapshot(symbol, case.closed_at, windows, quote)


def _conditions(case: _Case, snapshot: FeatureSnapshot) -> Conditions:
    market, symbol = case.runtime.market, case.tick.symbol
    book = market.depth(symbol, case.closed_at)
    snapshot = with_depth(snapshot, book)
    case.audit["snapshot"] = to_document(snapshot)
    return Conditions(snapshot, book, market.instrument(symbol), free_margin(case.runtime))


def _question(case: _Case, snapshot: FeatureSnapshot) -> Question:
    case.audit["snapshot_hash"] = digest(case.audit["snapshot"])
    sentiment = fresh_sentiment(case.runtime, case.tick.symbol, case.closed_at)
    return Question(case.ref.id, snapshot, case.audit["snapshot_hash"], sentiment)


def _ask(case: _Case, question: Question) -> Outcome:
    """Claim the decision, and put the question if that may be done."""
    try:
        ticket = admit(case.runtime, question, case.claim)
    except Unanswered as unasked:
        return unasked
    _claim(case, ticket)
    outcome = put(case.runtime, question, ticket)
    case.consequences += settlement(case.runtime, question, ticket, outcome)
    return outcome


def _claim(case: _Case, ticket: Ticket) -> None:
    """Take the decision for ourselves. Raises Contention when another delivery was faster."""
    claim = {
        "decision_id": case.ref.id,
        "symbol": case.tick.symbol,
        "tick_id": case.tick.tick_id,
        "state": DecisionState.CLAIMED.value,
        "lease_until": case.runtime.clock.now() + CLAIM_LEASE,
        "reserved": ticket.to_document(),
    }
    try:
        case.version = case.runtime.store.commit(
            [write_over(case.ref, claim, case.version), *reservation(case.runtime, ticket)]
        )
    except AlreadyExists as error:
        raise Contention(f"{case.ref} is being worked on") from error


def _judge(case: _Case, conditions: Conditions, question: Question, outcome: Outcome) -> _Verdict:
    """Assess what the predictor answered, if it did."""
    case.audit["asked"], case.audit["predictor"] = outcome.audit, outcome.audit["predictor"]
    if isinstance(outcome, Unanswered):
        return _Verdict(Stage.MODEL, (outcome.reason,), outcome.detail)
    prediction = outcome.prediction
    case.audit["prediction"] = prediction.to_document()
    assessment = assess(prediction, conditions, case.runtime.settings)
    case.audit["assessment"] = assessment.to_document()
    case.consequences += label_due(question, outcome, assessment, case.runtime.settings.horizon_min)
    if assessment.reasons:
        stage = Stage.MODEL if prediction.direction.side is None else Stage.RISK
        return _Verdict(stage, assessment.reasons, assessment.detail)
    case.audit["intent"] = _intent(case, prediction, assessment).model_dump(mode="json")
    return _Verdict(Stage.ORDER)


def _intent(case: _Case, prediction: Prediction, assessment: Assessment) -> TradeIntent:
    settings = case.runtime.settings
    if assessment.levels is None or assessment.qty is None:
        raise AssertionError("an assessment without reasons has levels and a size")
    return TradeIntent(
        symbol=case.tick.symbol,
        intent_id=case.ref.id,
        side=assessment.levels.side,
        qty=assessment.qty,
        entry=assessment.levels.entry,
        tp=assessment.levels.tp,
        sl=assessment.levels.sl,
        prob=prediction.traded_prob,
        horizon_min=settings.horizon_min,
        decided_at=case.closed_at,
        expires_at=case.closed_at + timedelta(seconds=settings.intent_ttl_sec),
    )


def _finish(case: _Case, verdict: _Verdict) -> Document:
    """Write the complete document over our claim, or as the first word on this decision."""
    document = case.audit | {
        "state": DecisionState.DONE.value,
        "stage": verdict.stage.value,
        "blocked_by": verdict.reasons[0].value if verdict.reasons else None,
        "reasons": [reason.value for reason in verdict.reasons],
        "detail": verdict.detail,
        "decided_at": case.runtime.clock.now(),
    }
    try:
        case.runtime.store.commit([write_over(case.ref, document, case.version), *case.consequences])
    except AlreadyExists as error:
        raise Contention(f"{case.ref} was decided by another delivery") from error
    return document


def _publish_intent(runtime: Runtime, document: Document) -> None:
    """Publish the decision's intent while it is valid. A redelivery publishes again, and the executor knows it."""
    if document["intent"] is None:
        return
    intent = TradeIntent.model_validate(document["intent"])
    if runtime.clock.now() < intent.expires_at:
        attributes = {"symbol": intent.symbol, "intent_id": intent.intent_id}
        runtime.publisher.publish(TRADE_INTENTS, [Message(encode(intent), attributes, ordering_key=intent.symbol)])
