"""Views: the few small documents a dashboard reads, so that it never has to query the books.

The reconciler is their only writer. Each is written when something in it has changed, but for the overview, which is
the heartbeat. `at` in a view is therefore when its contents changed last.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth import __version__
from withearth.domain.errors import MarketFault, Unavailable
from withearth.execution.record import Execution, execution_from
from withearth.execution.shown import Position as VenuePosition
from withearth.flow.account import equity_at_first
from withearth.flow.documents import TradeStatus, feed_ref, flatten_ref, ledger_ref, view_ref
from withearth.flow.ledger import sums_of
from withearth.flow.limits import executions_begun, limits_document
from withearth.flow.model_status import model_status
from withearth.flow.money import money_view
from withearth.flow.newest_tick import News, feed_of, tick_of
from withearth.flow.runtime import SHADOW, Runtime
from withearth.flow.troubles import troubles
from withearth.flow.universe import symbols_of
from withearth.signals import Signal, tell
from withearth.store.port import Ref, Replace, Stored, Write
from withearth.views.contract import (
    HeatMapView,
    LimitsView,
    MoneyView,
    OverviewView,
    Position,
    PositionsView,
    Trading,
    Weight,
)
from withearth.views.heatmap import heat_row
from withearth.views.overview import STALE_AFTER, Known, health, verdict
from withearth.views.positions import Mark, executed_position, shadow_position
from withearth.views.reading import View, as_written
from withearth.views.records import Feed

READ_BEFORE: Final = ("overview", "money", "positions", "heatmap", "limits")


@dataclass(frozen=True, slots=True)
class Before:
    """The views as they stand, and what they are made from."""

    views: Mapping[str, Stored | None]
    ledger: Stored | None
    flattening: bool

    def read(self, name: str, kind: type[View]) -> View | None:
        """A view as it stands, None before it was first written."""
        stored = self.views[name]
        return None if stored is None else as_written(kind, stored.data)


def write_views(
    runtime: Runtime, news: News, open_trades: Sequence[Stored], held: Sequence[VenuePosition] = ()
) -> None:
    """Write what has changed since the last pass. `held` is what the exchange shows, as far as it was asked."""
    now, before = runtime.clock.now(), _before(runtime)
    feed = feed_of(runtime, news)
    limits = limits_document(runtime.store, runtime.settings, runtime.mode, now)
    positions = _positions(runtime, open_trades, held, now)
    found: dict[Ref, Mapping[str, Any] | None] = {
        view_ref("positions"): positions,
        view_ref("limits"): limits,
        view_ref("money"): money_view(runtime, before.ledger, before.read("money", MoneyView), now),
        view_ref("heatmap"): _heat_map(news, before.read("heatmap", HeatMapView)),
    }
    stored = {view_ref(name): each for name, each in before.views.items()}
    if feed is not None:
        found[feed_ref(feed["tick_id"])], stored[feed_ref(feed["tick_id"])] = feed, news.told
    overview = _overview(runtime, now, before, _Pass(news, feed, limits, positions["positions"]))
    runtime.store.commit([Replace(view_ref("overview"), overview), *_changed(found, stored)])
    _tell_of_trading(before.read("limits", LimitsView), limits["trading"])


def _tell_of_trading(earlier: LimitsView | None, trading: Trading) -> None:
    """Tell when the trading state is no longer what was shown: within a pass, whoever changed it."""
    if earlier is not None and earlier["trading"] != trading:
        tell(
            Signal.TRADING_STATE_CHANGED,
            logging.WARNING,
            state=trading["state"],
            who=trading["who"],
            why=trading["why"],
            at=trading["at"],
        )


def _before(runtime: Runtime) -> Before:
    refs = [*(view_ref(name) for name in READ_BEFORE), ledger_ref(runtime.mode), flatten_ref()]
    *views, ledger, flatten = runtime.store.get_many(refs)
    return Before(dict(zip(READ_BEFORE, views, strict=True)), ledger, flatten is not None)


def _changed(found: Mapping[Ref, Mapping[str, Any] | None], before: Mapping[Ref, Stored | None]) -> list[Write]:
    """Writes for the documents that say something new, whatever their `at` is."""
    return [Replace(ref, each) for ref, each in found.items() if each is not None and not _says(before[ref], each)]


def _says(stored: Stored | None, document: Mapping[str, Any]) -> bool:
    return stored is not None and {**stored.data, "at": None} == {**document, "at": None}


def _exchange(runtime: Runtime, now: datetime) -> tuple[Weight | None, int | None]:
    """Request weight used in this minute, and our clock minus the exchange's, as far as anybody knows."""
    traffic = runtime.venue_traffic or runtime.traffic
    if traffic is None:
        return None, None
    known = traffic.known()
    skew = None if known.offset is None else -known.offset // timedelta(milliseconds=1)
    weight: Weight = {
        "used": known.used,
        "limit": traffic.limits.weight_1m,
        "at": now,
        "stop": None if known.stop is None else known.stop.reason.value,
        "stop_until": None if known.stop is None else known.stop.until,
    }
    return weight, skew


@dataclass(frozen=True, slots=True)
class _Pass:
    """What this pass has found, as far as the overview tells of it."""

    news: News
    feed: Feed | None
    limits: LimitsView
    positions: Sequence[Position]


def _overview(runtime: Runtime, now: datetime, before: Before, found: _Pass) -> OverviewView:
    earlier, sums = before.read("overview", OverviewView), sums_of(before.ledger)
    net = Decimal(sums["net"])
    start = equity_at_first(runtime, net)
    tick = tick_of(found.feed, earlier)
    model = model_status(runtime, found.news.decisions, None if earlier is None else earlier["model"])
    weight, skew_ms = _exchange(runtime, now)
    known = Known(
        now,
        found.limits["trading"],
        found.limits,
        found.positions,
        tick,
        model,
        weight,
        skew_ms,
        troubles(runtime, now),
    )
    checks = health(known)
    return {
        "mode": runtime.mode,
        "market": runtime.market.origin.value,
        "venue": None if runtime.venue is None else runtime.venue.kind,
        "executes": runtime.venue is not None,
        "predictor": runtime.predictor.name,
        "version": __version__,
        "symbols": list(symbols_of(runtime)),
        "heartbeat_at": now,
        "stale_after_s": int(STALE_AFTER.total_seconds()),
        "last_tick": tick,
        "data_as_of": _data_as_of(found.feed, earlier),
        "clock_skew_ms": known.clock_skew_ms,
        "weight": known.weight,
        "model": model,
        "trading": known.trading,
        "flattening": before.flattening,
        "health": checks,
        "verdict": verdict(checks),
        "open_trades": len(found.positions),
        "closed_trades": sums["trades"],
        "equity": None if start is None else str(start + net),
        "net_pnl": sums["net"],
    }


def _data_as_of(feed: Feed | None, earlier: OverviewView | None) -> datetime | None:
    """The close of the newest bar that a decision of the feed could use."""
    if feed is not None and any(each["stage"] != "data" for each in feed["rows"]):
        return feed["at"]
    return None if earlier is None else earlier["data_as_of"]


def _heat_map(news: News, before: HeatMapView | None) -> HeatMapView | None:
    """The rows of the tick's symbols, those that are not decided yet as they were; None when nothing is new."""
    if news.tick is None or not news.decisions:
        return None
    rows = {} if before is None else {each["symbol"]: each for each in before["rows"]}
    rows |= {each.data["symbol"]: heat_row(each.data) for each in news.decisions}
    shown = [rows[symbol] for symbol in news.tick.data["symbols"] if symbol in rows]
    return {"at": news.tick.data["closed_at"], "rows": shown}


def _positions(
    runtime: Runtime, open_trades: Sequence[Stored], held: Sequence[VenuePosition], now: datetime
) -> PositionsView:
    marks = _marks(runtime, [each.data["symbol"] for each in open_trades], now)
    executions = _executions(runtime) if runtime.venue is not None and open_trades else {}
    fee_bps, shown = runtime.settings.taker_fee_bps, list[Position]()
    liquidations = {each.place: each.liquidation_price for each in held}
    for trade in open_trades:
        mark, execution = marks.get(trade.data["symbol"]), executions.get(trade.ref.id)
        if trade.data["mode"] == SHADOW:
            shown.append(shadow_position(trade.data, mark, fee_bps))
        elif execution is not None or _is_still_open(runtime, trade):
            liquidation = None if execution is None else liquidations.get(execution.terms.place)
            shown.append(executed_position(trade.data, execution, mark, fee_bps, liquidation))
    return {"at": now, "mode": runtime.mode, "market": runtime.market.origin.value, "positions": shown}


def _executions(runtime: Runtime) -> dict[str, Execution]:
    return {each.ref.id: execution_from(each.data["execution"]) for each in executions_begun(runtime)}


def _is_still_open(runtime: Runtime, trade: Stored) -> bool:
    """Whether a trade without an execution is one: an open trade that nobody works on is an alarm, a closed one not."""
    found = runtime.store.get(trade.ref)
    return found is not None and found.data["status"] == TradeStatus.OPEN


def _marks(runtime: Runtime, symbols: Sequence[str], now: datetime) -> dict[str, Mark]:
    """The middle of each symbol's quote, for those that have a sound one. Nothing is asked when nothing is open."""
    if not symbols:
        return {}
    try:
        quotes = runtime.market.quotes(symbols, now)
    except (MarketFault, Unavailable):
        return {}
    return {symbol: Mark(each.mid, each.observed_at) for symbol, each in quotes.items() if each.fault() is None}
