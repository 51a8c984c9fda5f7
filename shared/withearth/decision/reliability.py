"""How good probabilities were: said against happened, as a table and as two scores.

Pure arithmetic over (probability said, whether the target came first). Brier score: mean squared error, 0 is perfect,
0.25 is a coin. Log loss: mean surprise in nats, 0.693 is a coin.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

from withearth.decision.barriers import Barrier

PROB_EDGE = 1e-6
"""Probabilities are kept this far from 0 and 1 where their logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled decision."""

    symbol: str
    regime: str
    predictor: str
    as_of: datetime
    prob: float
    hit: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """The samples whose probability lies from `low` up to `high`."""

    low: float
    high: float
    samples: int
    said: float
    happened: float


@dataclass(frozen=True, slots=True)
class Scores:
    """How good some probabilities were."""

    samples: int
    said: float
    happened: float
    brier: float
    log_loss: float


def sample_of(label: Mapping[str, Any]) -> Sample | None:
    """The sample a label document is, None for one nobody can tell the outcome of."""
    if label["barrier"] is None or label["barrier"] == Barrier.UNKNOWN:
        return None
    hit = label["barrier"] == Barrier.TARGET
    return Sample(label["symbol"], label["regime"], label["predictor"], label["as_of"], label["prob"], hit)


def scores(pairs: Sequence[tuple[float, bool]]) -> Scores:
    """The scores of (probability, hit) pairs. Raises StatisticsError for none."""
    clipped = [(min(max(prob, PROB_EDGE), 1 - PROB_EDGE), hit) for prob, hit in pairs]
    return Scores(
        samples=len(pairs),
        said=fmean(prob for prob, _ in pairs),
        happened=fmean(hit for _, hit in pairs),
        brier=fmean((prob - hit) ** 2 for prob, hit in pairs),
        log_loss=fmean(-math.log(prob if hit else 1 - prob) for prob, hit in clipped),
    )


def reliability(pairs: Iterable[tuple[float, bool]], bins: int = 10) -> list[Bin]:
    """Equal bins from 0 to 1, those without a sample left out."""
    held: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for prob, hit in pairs:
        held[min(int(prob * bins), bins - 1)].append((prob, hit))
    return [
        Bin(place / bins, (place + 1) / bins, len(inside), fmean(p for p, _ in inside), fmean(h for _, h in inside))
        for place, inside in sorted(held.items())
    ]


def by_symbol_and_regime(samples: Iterable[Sample]) -> dict[tuple[str, str], Scores]:
    """The scores of each symbol in each regime, in order."""
    held: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    for each in samples:
        held[each.symbol, each.regime].append((each.prob, each.hit))
    return {key: scores(held[key]) for key in sorted(held)}
