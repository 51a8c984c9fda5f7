"""Decide: one symbol at one tick gets one decision, with its whole audit.

    data → gate → (claim) → model → risk → order

Everything is worked out as of the tick, not as of the moment the message arrived, so a decision is a function of
the market's data and the settings alone. The decision is claimed after the gate and before the predictor is paid;
a claim whose holder died is taken over once its lease has run out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from withearth.decision.assess import Assessment, Conditions, assess
from withearth.decision.gate import gate
from withearth.decision.prediction import Prediction, Question
from withearth.domain.book import Quote
from withearth.domain.canonical import digest
from withearth.domain.errors import Contention, InvalidEvent, MarketFault, Refused, Unavailable
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, decision_id, tick_time
from withearth.features.snapshot import HISTORY_BARS, FeatureSnapshot, build_snapshot, to_document, with_depth
from withearth.flow.documents import CLAIM_LEASE, DECISION_RETENTION, DecisionState, decision_ref
from withearth.flow.runtime import Runtime
from withearth.messaging.events import MarketTick, TradeIntent, encode
from withearth.messaging.port import TRADE_INTENTS, Message
from withearth.store.port import AlreadyExists, Create, Document, Ref, Replace


class Stage(StrEnum):
    """How far a decision came: the funnel."""

    DATA = "data"
    GATE = "gate"
    MODEL = "model"
    RISK = "risk"
    ORDER = "order"


@dataclass(slots=True)
class _Case:
    """A decision in the making. `version` is that of our own claim, None before there is one."""

    runtime: Runtime
    tick: MarketTick
    closed_at: datetime
    ref: Ref
    audit: dict[str, Any]
    version: str | None


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
    if tick.symbol not in runtime.settings.symbols:
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
    case = _Case(runtime, tick, closed_at, ref, _heading(runtime, tick, closed_at), stored.version if stored else None)
    return _finish(case, _work_out(case))


def _heading(runtime: Runtime, tick: MarketTick, closed_at: datetime) -> dict[str, Any]:
    return {
        "version": 1,
        "decision_id": decision_id(tick.symbol, tick.tick_id),
        "symbol": tick.symbol,
        "tick_id": tick.tick_id,
        "as_of": closed_at,
        "market": runtime.market.origin.value,
        "predictor": runtime.predictor.name,
        "snapshot": None,
        "snapshot_hash": None,
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
    except MarketFault as fault:
        return _Verdict(Stage.DATA, (fault.reason,), fault.detail)
    _claim(case)
    return _judge(case, conditions)


def _observe(case: _Case) -> FeatureSnapshot:
    """The features without depth, which is only read past the gate."""
    market, symbol = case.runtime.market, case.tick.symbol
    slice_ = case.tick.quote
    if slice_ is None:
        raise MarketFault(Reason.QUOTE_MISSING)
    windows = {each: market.candles(symbol, each, case.closed_at, HISTORY_BARS) for each in Timeframe}
    quote = Quote(symbol, **{name: getattr(slice_, name) for name in type(slice_).model_fields})
    return build_snapshot(symbol, case.closed_at, windows, quote)


def _conditions(case: _Case, snapshot: FeatureSnapshot) -> Conditions:
    market, symbol = case.runtime.market, case.tick.symbol
    book = market.depth(symbol, case.closed_at)
    snapshot = with_depth(snapshot, book)
    case.audit["snapshot"] = to_document(snapshot)
    return Conditions(snapshot, book, market.instrument(symbol), case.runtime.settings.shadow_equity_usdt)


def _claim(case: _Case) -> None:
    """Take the decision for ourselves. Raises Contention when another delivery was faster."""
    claim = {
        "decision_id": case.ref.id,
        "symbol": case.tick.symbol,
        "tick_id": case.tick.tick_id,
        "state": DecisionState.CLAIMED.value,
        "lease_until": case.runtime.clock.now() + CLAIM_LEASE,
    }
    try:
        case.version = case.runtime.store.commit([_write(case, claim)])
    except AlreadyExists as error:
        raise Contention(f"{case.ref} is being worked on") from error


def _judge(case: _Case, conditions: Conditions) -> _Verdict:
    """Ask the predictor, and assess its answer."""
    case.audit["snapshot_hash"] = digest(case.audit["snapshot"])
    question = Question(case.ref.id, conditions.snapshot, case.audit["snapshot_hash"])
    try:
        prediction = case.runtime.predictor.predict(question)
    except Refused as refusal:
        return _Verdict(Stage.MODEL, (refusal.reason,), refusal.detail)
    case.audit["prediction"] = prediction.to_document()
    assessment = assess(prediction, conditions, case.runtime.settings)
    case.audit["assessment"] = assessment.to_document()
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
        prob=prediction.prob,
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
        case.runtime.store.commit([_write(case, document)])
    except AlreadyExists as error:
        raise Contention(f"{case.ref} was decided by another delivery") from error
    return document


def _write(case: _Case, document: Document) -> Create | Replace:
    return Create(case.ref, document) if case.version is None else Replace(case.ref, document, case.version)


def _publish_intent(runtime: Runtime, document: Document) -> None:
    """Publish the decision's intent while it is valid. A redelivery publishes again, and the executor knows it."""
    if document["intent"] is None:
        return
    intent = TradeIntent.model_validate(document["intent"])
    if runtime.clock.now() < intent.expires_at:
        attributes = {"symbol": intent.symbol, "intent_id": intent.intent_id}
        runtime.publisher.publish(TRADE_INTENTS, [Message(encode(intent), attributes, ordering_key=intent.symbol)])
