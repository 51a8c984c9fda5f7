"""Money: the equity curve from closed trades, its drawdown, what periods came to, and the same money simply held.

The curve is anchored at its end, where the ledger is exact: from there it is walked back over the newest trades, and
over whole UTC days beyond them. So it never needs more than the newest trades, however long the history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.domain.candles import CLOSE, Candles
from withearth.domain.times import Timeframe, from_ms
from withearth.flow.ledger import Sums, day_end, day_key
from withearth.views.contract import Benchmark, BenchmarkPoint, EquityPoint, Stats

POINTS_MAX: Final = 300
"""Most single trades on the curve; days stand for those before."""
BENCHMARK_BARS: Final = 200
PERCENT: Final = 100
CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Step:
    """What one closed trade, or one whole day (without a trade's id), adds to the curve."""

    trade: str | None
    at: datetime
    net: Decimal


def win_rate(sums: Sums) -> float | None:
    """Wins over trades with a result, None before there is one."""
    return _share(sums["wins"], sums["trades"] - sums["voids"])


def stats(sums: Sums) -> Stats:
    """The sums with the ratios that follow from them."""
    paid = Decimal(sums["fees"]) - Decimal(sums["funding"])
    return {
        "trades": sums["trades"],
        "wins": sums["wins"],
        "voids": sums["voids"],
        "gross": sums["gross"],
        "fees": sums["fees"],
        "funding": sums["funding"],
        "net": sums["net"],
        "win_rate": win_rate(sums),
        "profit_factor": _share(sums["won"], sums["lost"]),
        "costs_share": _share(paid, sums["moved"]),
    }


def _share(part: Any, whole: Any) -> float | None:
    return round(float(Decimal(part) / Decimal(whole)), 4) if Decimal(whole) else None


def steps_of(trades: Iterable[Mapping[str, Any]]) -> dict[str, Step]:
    """Journal rows of closed trades as steps, by id."""
    return {each["id"]: Step(each["id"], each["closed_at"], Decimal(each["net_pnl"])) for each in trades}


def steps_shown(points: Iterable[Mapping[str, Any]]) -> dict[str, Step]:
    """The steps that a curve written before was made of, by id."""
    found = (each for each in points if each["trade"] is not None)
    return {each["trade"]: Step(each["trade"], each["at"], Decimal(each["net"])) for each in found}


def newest(steps: Mapping[str, Step]) -> list[Step]:
    """The newest POINTS_MAX, oldest first."""
    in_order = sorted(steps.items(), key=lambda each: (each[1].at, each[0]))
    return [step for _, step in in_order[-POINTS_MAX:]]


def curve(steps: Sequence[Step], days: Mapping[str, Sums], start: Decimal, net: Decimal) -> list[EquityPoint]:
    """The curve that ends at `start` + `net`. `steps` are the newest trades, oldest first; `days` the ledger's."""
    equity = start + net - sum((each.net for each in steps), Decimal(0))
    reached = _days_before(steps, days, equity)
    for each in steps:
        equity += each.net
        reached.append((each, equity))
    return _with_drawdown(reached, start)


def _days_before(steps: Sequence[Step], days: Mapping[str, Sums], equity: Decimal) -> list[tuple[Step, Decimal]]:
    """The end of each day before the steps begin, with the equity then: `equity` is that before the first step.

    What the first step's day earned before it is in no step, and is not shown.
    """
    if not steps:
        return []
    first_day = day_key(steps[0].at)
    shown = sum((each.net for each in steps if day_key(each.at) == first_day), Decimal(0))
    hidden = Decimal(days[first_day]["net"]) - shown if first_day in days else Decimal(0)
    reached, equity = [], equity - hidden
    for day in sorted((each for each in days if each < first_day), reverse=True):
        net = Decimal(days[day]["net"])
        reached.append((Step(None, day_end(day), net), equity))
        equity -= net
    return reached[::-1]


def _with_drawdown(reached: Iterable[tuple[Step, Decimal]], start: Decimal) -> list[EquityPoint]:
    peak, points = start, list[EquityPoint]()
    for step, equity in reached:
        peak = max(peak, equity)
        fallen = float((peak - equity) / peak * PERCENT) if peak > 0 else float(PERCENT)
        points.append(
            {
                "at": step.at,
                "trade": step.trade,
                "net": str(step.net),
                "equity": str(equity),
                "drawdown_pct": round(fallen, 4),
            }
        )
    return points


def frame_for(span: timedelta) -> Timeframe:
    """The shortest timeframe of which BENCHMARK_BARS cover the span; days where none does."""
    covering = (each for each in Timeframe if timedelta(milliseconds=each.ms) * BENCHMARK_BARS >= span)
    return next(covering, Timeframe.D1)


def held(symbol: str, bars: Candles, since: datetime, start: Decimal) -> Benchmark | None:
    """What `start` would be worth at each close from `since` on, had it bought the symbol then."""
    closes = [
        (from_ms(close_ms), Decimal(repr(close)))
        for close_ms, close in zip(bars.close_ms.tolist(), bars.ohlcv[CLOSE].tolist(), strict=True)
    ]
    shown = [(at, close) for at, close in closes if at >= since]
    if not shown:
        return None
    first = shown[0][1]
    points: list[BenchmarkPoint] = [
        {"at": at, "equity": str((start * close / first).quantize(CENT))} for at, close in shown
    ]
    return {"symbol": symbol, "points": points}
