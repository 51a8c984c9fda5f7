"""The way a price takes inside a bar: seeded, and never outside what the bar says.

The path starts at the open, ends at the close, touches high and low, and never leaves the range between them. In a
rising bar the low comes first with a probability of two thirds, in a falling one the high. Between these four prices it
walks straight, with a seeded noise of up to a tenth of the range, on the symbol's tick.

The same seed, symbol and bar give the same path in every process.
"""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from itertools import pairwise
from random import Random
from typing import Final

BAR_MS: Final = 300_000
_EXPECTED_FIRST: Final = 2 / 3
_NOISE_FRAC: Final = 0.1


@dataclass(frozen=True, slots=True)
class Bar:
    """A closed five-minute bar."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def seeded(seed: int, *about: object) -> int:
    """A number that depends on everything given, the same in every process."""
    text = ":".join(str(each) for each in (seed, *about))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def path_of(bar: Bar, symbol: str, tick_size: Decimal, *, seed: int, points: int) -> list[Decimal]:
    """The last price at the start of each of `points` (at least four) equal parts of the bar."""
    if bar.low == bar.high:
        return [bar.close] * points
    chance = Random(seeded(seed, symbol, bar.open_ms))  # noqa: S311  a price, not a secret
    turns = _turns(bar, chance, points)
    path = [bar.open] * points
    for (start, begin), (end, finish) in pairwise(turns):
        path[end] = finish
        for index in range(start + 1, end):
            straight = begin + (finish - begin) * (index - start) / (end - start)
            path[index] = _with_noise(straight, bar, tick_size, chance)
    return path


def _turns(bar: Bar, chance: Random, points: int) -> list[tuple[int, Decimal]]:
    first, second = sorted(chance.sample(range(1, points - 1), 2))
    expected = chance.random() < _EXPECTED_FIRST
    low_first = expected if bar.close >= bar.open else not expected
    extremes = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    return [(0, bar.open), (first, extremes[0]), (second, extremes[1]), (points - 1, bar.close)]


def _with_noise(price: Decimal, bar: Bar, tick_size: Decimal, chance: Random) -> Decimal:
    noise = (bar.high - bar.low) * Decimal((chance.random() - 0.5) * 2 * _NOISE_FRAC)
    return min(bar.high, max(bar.low, ((price + noise) / tick_size).to_integral_value() * tick_size))
