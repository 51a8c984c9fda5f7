"""Builds order books: deep and narrow, unless a test says otherwise."""

from decimal import Decimal

from tests.builders.snapshots import AS_OF
from withearth.domain.book import BASIS_POINTS, Level, OrderBook


def a_book(
    mid: str | Decimal = "100",
    *,
    spread_bps: str | Decimal = "1",
    bid_qty: str | Decimal = "1000",
    ask_qty: str | Decimal = "1000",
    levels: int = 10,
) -> OrderBook:
    """A book of equal levels one spread apart, the same quantity on each level of a side."""
    spread = Decimal(mid) * Decimal(spread_bps) / BASIS_POINTS
    steps = [spread * (step + Decimal("0.5")) for step in range(levels)]
    bids = tuple(Level(Decimal(mid) - step, Decimal(bid_qty)) for step in steps)
    asks = tuple(Level(Decimal(mid) + step, Decimal(ask_qty)) for step in steps)
    return OrderBook(bids, asks, AS_OF)
