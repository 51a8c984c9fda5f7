"""Calibration: what was said against what happened, kept as sums that grow with each labelled decision.

Sums are whole millionths, so they do not depend on the order in which decisions are labelled, and nothing is ever read
again to draw the panel.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from withearth.decision.reliability import PROB_EDGE, Sample
from withearth.views.contract import Bin, CalibrationView, Reliability, Scores

BINS: Final = 10
PREDICTORS_MAX: Final = 3
"""Those labelled last are kept: who tries one model after another does not fill the document."""
MICRO: Final = 1_000_000
ALL: Final = "all"

Tally = Mapping[str, int]
Sums = Mapping[str, Any]


def counted(sums: Sums, samples: Iterable[Sample]) -> dict[str, Any]:
    """The sums with more samples: by predictor, and there by bin, by symbol and by regime."""
    found = dict(sums)
    for each in samples:
        found[each.predictor] = _with_sample(found.get(each.predictor, {}), each)
    newest = sorted(found, key=lambda name: (found[name]["until"], name), reverse=True)
    return {name: found[name] for name in newest[:PREDICTORS_MAX]}


def _with_sample(held: Mapping[str, Any], sample: Sample) -> dict[str, Any]:
    tally = _tally(sample)
    places = {"bins": str(min(int(sample.prob * BINS), BINS - 1)), "symbols": sample.symbol, "regimes": sample.regime}
    grown = {
        kind: {**held.get(kind, {}), place: _added(held.get(kind, {}).get(place), tally)}
        for kind, place in places.items()
    }
    return {**grown, "until": max(sample.as_of, held.get("until", sample.as_of))}


def _tally(sample: Sample) -> Tally:
    clipped = min(max(sample.prob, PROB_EDGE), 1 - PROB_EDGE)
    return {
        "samples": 1,
        "hits": int(sample.hit),
        "said": round(sample.prob * MICRO),
        "brier": round((sample.prob - sample.hit) ** 2 * MICRO),
        "log_loss": round(-math.log(clipped if sample.hit else 1 - clipped) * MICRO),
    }


def _added(some: Tally | None, more: Tally) -> Tally:
    return more if some is None else {name: some[name] + amount for name, amount in more.items()}


def calibration_view(sums: Sums, at: datetime) -> CalibrationView:
    """What the panel shows, the predictor that was labelled last first."""
    return {"at": at, "predictors": [_reliability(name, held) for name, held in _by_age(sums)]}


def _by_age(sums: Sums) -> list[tuple[str, Any]]:
    return sorted(sums.items(), key=lambda each: (each[1]["until"], each[0]), reverse=True)


def _reliability(name: str, held: Mapping[str, Any]) -> Reliability:
    *_, everything = accumulate(held["bins"].values(), _added)
    return {
        "predictor": name,
        "all": _scores(ALL, everything),
        "bins": [_bin(int(place), tally) for place, tally in sorted(held["bins"].items())],
        "symbols": [_scores(symbol, tally) for symbol, tally in sorted(held["symbols"].items())],
        "regimes": [_scores(regime, tally) for regime, tally in sorted(held["regimes"].items())],
    }


def _bin(place: int, tally: Tally) -> Bin:
    return {
        "low": place / BINS,
        "high": (place + 1) / BINS,
        "samples": tally["samples"],
        "said": _mean(tally, "said"),
        "happened": round(tally["hits"] / tally["samples"], 4),
    }


def _scores(name: str, tally: Tally) -> Scores:
    return {
        "name": name,
        "samples": tally["samples"],
        "said": _mean(tally, "said"),
        "happened": round(tally["hits"] / tally["samples"], 4),
        "brier": _mean(tally, "brier"),
        "log_loss": _mean(tally, "log_loss"),
    }


def _mean(tally: Tally, name: str) -> float:
    return round(tally[name] / MICRO / tally["samples"], 4)
