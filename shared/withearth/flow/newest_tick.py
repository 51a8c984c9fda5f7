"""The newest tick: its decisions once they are in, counted in its document and told in the feed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from withearth.domain.times import floor_to_tick, tick_id
from withearth.flow.documents import (
    DECISIONS,
    EVENT_RETENTION,
    DecisionState,
    feed_ref,
    intent_ref,
    tick_ref,
)
from withearth.flow.runtime import Runtime
from withearth.store.port import Query, Replace, Stored
from withearth.views.contract import OverviewView, Tick
from withearth.views.feed import feed_row, is_open, order_outcome
from withearth.views.records import Feed, FeedRow, OrderOutcome


@dataclass(frozen=True, slots=True)
class News:
    """What a pass finds of the newest tick. `decisions` are empty when they were all told by an earlier pass."""

    tick: Stored | None
    told: Stored | None
    decisions: Sequence[Stored]


def look_at_newest_tick(runtime: Runtime) -> News:
    """Read the newest tick. Once all its decisions are in, their count by outcome goes into its document."""
    id_ = tick_id(floor_to_tick(runtime.clock.now()))
    tick, told = runtime.store.get_many([tick_ref(id_), feed_ref(id_)])
    if tick is None or (told is not None and "outcomes" in tick.data):
        return News(tick, told, ())
    found = runtime.store.query(Query(DECISIONS, where={"tick_id": id_}))
    done = [each for each in found if each.data["state"] == DecisionState.DONE]
    if len(done) == len(tick.data["symbols"]) and "outcomes" not in tick.data:
        outcomes = Counter(str(each.data["blocked_by"] or "INTENT") for each in done)
        runtime.store.commit([Replace(tick.ref, dict(tick.data) | {"outcomes": dict(outcomes)}, tick.version)])
    return News(tick, told, done)


def feed_of(runtime: Runtime, news: News) -> Feed | None:
    """The feed as it should be now, None where nothing is decided yet."""
    if news.tick is None:
        return None
    rows = _told_anew(runtime, news.decisions) if news.decisions else _brought_up_to_date(runtime, news.told)
    closed_at = news.tick.data["closed_at"]
    return (
        {
            "tick_id": news.tick.ref.id,
            "at": closed_at,
            "symbols": len(news.tick.data["symbols"]),
            "rows": rows,
            "expire_at": closed_at + EVENT_RETENTION,
        }
        if rows
        else None
    )


def _told_anew(runtime: Runtime, decisions: Sequence[Stored]) -> list[FeedRow]:
    orders = _orders(runtime, (each.ref.id for each in decisions if each.data["intent"] is not None))
    return [feed_row(each.data, orders.get(each.ref.id)) for each in decisions]


def _brought_up_to_date(runtime: Runtime, told: Stored | None) -> list[FeedRow]:
    rows: list[FeedRow] = [] if told is None else told.data["rows"]
    orders = _orders(runtime, (each["decision_id"] for each in rows if is_open(each)))
    return [{**each, "order": orders.get(each["decision_id"], each["order"])} for each in rows]


def _orders(runtime: Runtime, ids: Iterable[str]) -> Mapping[str, OrderOutcome | None]:
    refs = [intent_ref(id_) for id_ in ids]
    found = runtime.store.get_many(refs) if refs else []
    return {ref.id: order_outcome(None if each is None else each.data) for ref, each in zip(refs, found, strict=True)}


def tick_of(feed: Feed | None, before: OverviewView | None) -> Tick | None:
    """The newest tick with a decision, in numbers."""
    if feed is None:
        return None if before is None else before["last_tick"]
    return {
        "tick_id": feed["tick_id"],
        "closed_at": feed["at"],
        "symbols": feed["symbols"],
        "decided": len(feed["rows"]),
        "without_data": sum(each["stage"] == "data" for each in feed["rows"]),
    }
