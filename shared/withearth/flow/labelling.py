"""Labels: which barrier each past decision met first, so that a probability can be held against what happened.

The commit that ends a decision creates its label as due; the reconciler fills it in once the horizon is over, the
oldest first and a bounded number a pass. A label is a function of the decision and the candles, so it does not matter
when, or how often, it is worked out.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from withearth.decision.assess import Assessment
from withearth.decision.barriers import Barrier, Barriers, first_barrier
from withearth.decision.prediction import Answer, Question
from withearth.decision.regime import regime
from withearth.decision.reliability import sample_of
from withearth.domain.errors import Contention, MarketFault
from withearth.domain.side import Side
from withearth.domain.times import TICK, Timeframe
from withearth.flow.documents import LABELS, calibration_sums_ref, label_ref, view_ref
from withearth.flow.runtime import Runtime
from withearth.store.port import AlreadyExists, Create, Query, Replace, Stored, Write, version_of, write_over
from withearth.views.calibration import calibration_view, counted

LABEL_RETENTION: Final = timedelta(days=730)
LABELS_A_PASS: Final = 200
GIVE_UP_AFTER: Final = timedelta(days=1)
"""How long after its horizon a label waits for candles before it is settled as unknown."""
LOOK_AGAIN_AFTER: Final = timedelta(hours=1)
"""A label whose candles are missing goes to the back of the queue, so that one symbol's gap holds up no other."""


class LabelState(StrEnum):
    """DUE until the horizon is over and the candles have been looked at."""

    DUE = "DUE"
    DONE = "DONE"


def label_due(question: Question, answer: Answer, assessment: Assessment, horizon_min: int) -> list[Write]:
    """What creates the label of a decision that named levels; nothing for one that did not."""
    levels, prediction = assessment.levels, answer.prediction
    if levels is None:
        return []
    barriers = Barriers(levels.side, levels.tp, levels.sl, question.snapshot.as_of, horizon_min)
    document: dict[str, Any] = {
        "decision_id": question.decision_id,
        "symbol": question.snapshot.symbol,
        "predictor": answer.audit["predictor"],
        "regime": regime(question.snapshot),
        "side": levels.side.value,
        "prob": prediction.prob,
        "calibrated": prediction.calibrated,
        "tp": str(levels.tp),
        "sl": str(levels.sl),
        "as_of": barriers.since,
        "horizon_min": horizon_min,
        "due_at": barriers.until,
        "state": LabelState.DUE.value,
        "barrier": None,
        "met_at": None,
        "expire_at": barriers.since + LABEL_RETENTION,
    }
    return [Create(label_ref(question.decision_id), document)]


def label_past_decisions(runtime: Runtime, at_most: int = LABELS_A_PASS) -> int:
    """Fill in the labels that are due, the oldest first, and return how many that were."""
    now = runtime.clock.now()
    due = runtime.store.query(
        Query(
            LABELS,
            where={"state": LabelState.DUE.value},
            order_by="due_at",
            below=now + timedelta(microseconds=1),
            limit=at_most,
        )
    )
    try:
        if due:
            filled = [_filled(runtime, each) for each in due]
            runtime.store.commit([*filled, *_counting(runtime, filled)])
    except (Contention, AlreadyExists):
        # Another pass wrote the same labels; there is nothing to add.
        return 0
    return len(due)


def _counting(runtime: Runtime, filled: Sequence[Replace]) -> list[Write]:
    """What adds the labels that are done now to the calibration, in the commit that makes them done."""
    samples = [each for each in map(sample_of, (label.data for label in filled)) if each is not None]
    if not samples:
        return []
    stored = runtime.store.get(calibration_sums_ref())
    sums = counted({} if stored is None else stored.data["predictors"], samples)
    view = calibration_view(sums, runtime.clock.now())
    changed = write_over(calibration_sums_ref(), {"predictors": sums}, version_of(stored))
    return [changed, Replace(view_ref("calibration"), view)]


def _filled(runtime: Runtime, label: Stored) -> Replace:
    """The label with its barrier, or put back while candles may still come."""
    barriers = _barriers(label.data)
    try:
        count = (barriers.until - barriers.since) // TICK
        bars = runtime.market.candles(label.data["symbol"], Timeframe.M5, barriers.until, count)
        barrier, met_at = first_barrier(barriers, bars)
    except MarketFault:
        barrier, met_at = Barrier.UNKNOWN, barriers.until
    now = runtime.clock.now()
    if barrier is Barrier.UNKNOWN and now < barriers.until + GIVE_UP_AFTER:
        return Replace(label.ref, dict(label.data) | {"due_at": now + LOOK_AGAIN_AFTER}, label.version)
    filled = {"state": LabelState.DONE.value, "due_at": barriers.until, "barrier": barrier.value, "met_at": met_at}
    return Replace(label.ref, dict(label.data) | filled, label.version)


def _barriers(label: Any) -> Barriers:
    side, tp, sl = Side(label["side"]), Decimal(label["tp"]), Decimal(label["sl"])
    return Barriers(side, tp, sl, label["as_of"], label["horizon_min"])
