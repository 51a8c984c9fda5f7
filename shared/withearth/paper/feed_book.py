"""The order book assumed around a price, for feeds that know only prices.

The model: the spread is `spread_bps` of the price, at least one tick; the best ask is never below the last price and
the best bid never above it. Each further level stands one to three ticks away, or quarters of the spread where that is
wider.
The best level holds about `depth`, each further one 5 % of that more, all of them times a noise of 0.5 to 1.5. Up to
`LEVELS` a side. Prices, gaps and noise depend on nothing but the seed and the tick, so the same instant shows the same
book however often it is asked for.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from withearth.domain.book import BASIS_POINTS
from withearth.paper.feed import PriceLevel

LEVELS: Final = 1000
_GROWTH: Final = 50
_MULTIPLIER: Final = 6_364_136_223_846_793_005
_INCREMENT: Final = 1_442_695_040_888_963_407
_MASK: Final = 2**64 - 1


def touch(last: Decimal, tick_size: Decimal, spread_bps: Decimal) -> tuple[Decimal, Decimal]:
    """Best bid and best ask around a price."""
    spread = _spread_ticks(last, tick_size, spread_bps)
    ticks = last / tick_size
    bid = max(1, int((ticks - Decimal(spread) / 2).to_integral_value(ROUND_FLOOR)))
    ask = max(bid + spread, int(ticks.to_integral_value(ROUND_CEILING)))
    return bid * tick_size, ask * tick_size


def levels(
    best: Decimal, tick_size: Decimal, step_size: Decimal, depth: Decimal, spread_bps: Decimal, *, asks: bool, seed: int
) -> Iterator[PriceLevel]:
    """One side of the book, best price first."""
    stride = max(1, _spread_ticks(best, tick_size, spread_bps) // 4) * (1 if asks else -1)
    steps = max(1, int(depth / step_size))
    ticks, noise = int(best / tick_size), seed & _MASK
    for number in range(LEVELS):
        noise = (noise * _MULTIPLIER + _INCREMENT) & _MASK
        share = 500 + (noise >> 32) % 1001
        quantity = max(1, steps * share * (1000 + number * _GROWTH) // 1_000_000)
        yield PriceLevel(ticks * tick_size, quantity * step_size)
        ticks += stride * (1 + (noise >> 48) % 3)
        if ticks <= 0:
            return


def _spread_ticks(price: Decimal, tick_size: Decimal, spread_bps: Decimal) -> int:
    return max(1, int((price * spread_bps / BASIS_POINTS / tick_size).to_integral_value(ROUND_CEILING)))
