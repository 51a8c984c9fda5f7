"""What a run came to, read from its books."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles

from withearth.flow.documents import INTENTS, TRADES, TradeStatus, ledger_ref
from withearth.flow.ledger import Sums, sums_of
from withearth.store.port import DocumentStore, Query
from withearth.views.money import win_rate


@dataclass(frozen=True, slots=True)
class Report:
    """Counts and sums of one run. Money in the quote asset, as decimal text."""

    ticks: int
    outcomes: dict[str, int]
    traded_intents: int
    refused_intents: int
    open_trades: int
    closed_trades: int
    void_trades: int
    win_rate: float | None
    gross: str
    fees: str
    funding: str
    net: str
    max_drawdown: str

    @property
    def decisions(self) -> int:
        """How many decisions were made."""
        return sum(self.outcomes.values())


def report(store: DocumentStore, mode: str) -> Report:
    """Read the report of one mode from the books."""
    ticks = store.query(Query("ticks"))
    outcomes = Counter[str]()
    for tick in ticks:
        outcomes.update(tick.data.get("outcomes", {}))
    totals = _totals(store, mode)
    closed = store.query(Query(TRADES, where={"status": TradeStatus.CLOSED.value}, order_by="closed_at"))
    traded = store.count(Query(TRADES))
    return Report(
        ticks=len(ticks),
        outcomes=dict(outcomes.most_common()),
        traded_intents=traded,
        refused_intents=store.count(Query(INTENTS)) - traded,
        open_trades=store.count(Query(TRADES, where={"status": TradeStatus.OPEN.value})),
        closed_trades=totals["trades"] - totals["voids"],
        void_trades=totals["voids"],
        win_rate=win_rate(totals),
        gross=totals["gross"],
        fees=totals["fees"],
        funding=totals["funding"],
        net=totals["net"],
        max_drawdown=str(max_drawdown(Decimal(each.data["net_pnl"]) for each in closed)),
    )


def closed_trades(store: DocumentStore, mode: str) -> int:
    """How many trades of one mode have come to an end with a result."""
    totals = _totals(store, mode)
    return int(totals["trades"] - totals["voids"])


def _totals(store: DocumentStore, mode: str) -> Sums:
    return sums_of(store.get(ledger_ref(mode)))


def max_drawdown(results: Iterable[Decimal]) -> Decimal:
    """The deepest fall of the running sum below its highest point so far, which starts at zero."""
    total = peak = deepest = Decimal(0)
    for each in results:
        total += each
        peak = max(peak, total)
        deepest = max(deepest, peak - total)
    return deepest


def percentiles_ms(seconds: list[float]) -> tuple[float, float]:
    """p50 and p95 in milliseconds. Raises StatisticsError for fewer than two values."""
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[9] * 1000, cuts[18] * 1000
