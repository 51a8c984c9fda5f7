"""The money view: read from the ledger, and from the trades that closed since it was written last."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.errors import MarketFault, Unavailable
from withearth.domain.times import Timeframe
from withearth.execution.venue import EXTERNAL
from withearth.flow.account import equity_at_first
from withearth.flow.documents import TRADES, TradeStatus, ledger_ref
from withearth.flow.ledger import Sums, by_day, sums_of, sums_since
from withearth.flow.runtime import Runtime
from withearth.store.port import Document, Query, Stored, version_of
from withearth.views.contract import Benchmark, EquityPoint, MoneyView
from withearth.views.money import (
    BENCHMARK_BARS,
    POINTS_MAX,
    Step,
    curve,
    frame_for,
    held,
    newest,
    stats,
    steps_of,
    steps_shown,
)

BENCHMARK: Final = "BTCUSDT"
OVERLAP: Final = 20
"""How many trades that are shown already are read again: some close later than their exit, among others."""
PAGES_MAX: Final = 10
"""How often more is read where trades of another mode lie between those of this one."""
WEEK_DAYS: Final = 7


def money_view(runtime: Runtime, ledger: Stored | None, before: MoneyView | None, now: datetime) -> MoneyView | None:
    """The view, None when nothing closed since it was written, within its hour, or a trade closes at this moment.

    None as well until it is known what the account is worth.
    """
    earlier = before if before is not None and before["mode"] == runtime.mode else None
    sums = sums_of(ledger)
    if earlier is not None and _is_fresh(earlier, sums, now):
        return None
    steps = _steps(runtime, sums, earlier)
    if version_of(runtime.store.get(ledger_ref(runtime.mode))) != version_of(ledger):
        return None
    net = Decimal(sums["net"])
    begun = equity_at_first(runtime, net)
    if begun is None:
        return None
    start = begun if runtime.mode not in EXTERNAL else _highest_start(begun, earlier)
    points = curve(newest(steps), by_day(ledger), start, net)
    deepest = max((each["drawdown_pct"] for each in points), default=0.0)
    return {
        "at": now,
        "mode": runtime.mode,
        "market": runtime.market.origin.value,
        "starting_equity": str(start),
        "equity": str(begun + net),
        "today": stats(sums_since(ledger, now, 1)),
        "week": stats(sums_since(ledger, now, WEEK_DAYS)),
        "total": stats(sums),
        "max_drawdown_pct": max(deepest, 0.0 if earlier is None else earlier["max_drawdown_pct"]),
        "points": points,
        "benchmark": _benchmark(runtime, points, start, now),
    }


def _highest_start(begun: Decimal, earlier: MoneyView | None) -> Decimal:
    """What the curve of an account begins with: the highest beginning that was shown.

    Money that its owner takes out would else make every loss of the past the loss of a smaller account.
    """
    return begun if earlier is None else max(begun, Decimal(earlier["starting_equity"]))


def _is_fresh(earlier: MoneyView, sums: Sums, now: datetime) -> bool:
    hour = Timeframe.H1.last_close(earlier["at"])
    return earlier["total"]["trades"] == sums["trades"] and now < hour + timedelta(hours=1)


def _steps(runtime: Runtime, sums: Sums, earlier: MoneyView | None) -> dict[str, Step]:
    """The newest closed trades: those shown before, and those since. Read anew where these do not add up."""
    counted = sums["trades"] - sums["voids"]
    if earlier is None:
        return _read(runtime, counted)
    shown = steps_shown(earlier["points"])
    missing = counted - (earlier["total"]["trades"] - earlier["total"]["voids"])
    if not missing:
        return shown
    read = _read(runtime, min(missing + OVERLAP, counted))
    return {**shown, **read} if len(read.keys() - shown.keys()) == missing else _read(runtime, counted)


def _read(runtime: Runtime, wanted: int) -> dict[str, Step]:
    """The newest closed trades of this mode, that many or POINTS_MAX, past those of others that lie between them."""
    wanted = min(wanted, POINTS_MAX)
    found, after = list[Document](), None
    for limit in (wanted, *[POINTS_MAX] * PAGES_MAX):
        if len(found) >= wanted:
            break
        rows = runtime.store.query(_closed_before(after, limit))
        found += [each.data for each in rows if each.data["mode"] == runtime.mode]
        if len(rows) < limit:
            break
        after = (rows[-1].data["closed_at"], rows[-1].ref.id)
    return steps_of(found[:wanted])


def _closed_before(after: tuple[datetime, str] | None, limit: int) -> Query:
    return Query(
        TRADES,
        where={"status": TradeStatus.CLOSED.value},
        order_by="closed_at",
        direction="descending",
        after=after,
        limit=limit,
    )


def _benchmark(runtime: Runtime, points: list[EquityPoint], start: Decimal, now: datetime) -> Benchmark | None:
    """The benchmark since the first point, None where there is none yet or this market does not have it."""
    if not points:
        return None
    since = points[0]["at"]
    frame = frame_for(now - since)
    try:
        bars = runtime.market.candles(BENCHMARK, frame, now, BENCHMARK_BARS + 1)
    except (MarketFault, Unavailable):
        return None
    return held(BENCHMARK, bars, since, start)
