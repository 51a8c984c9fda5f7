"""The status bar: every check with its level, and one verdict. Pure: what is known comes in, what is shown goes out.

Staleness is no check of ours: only who reads can tell that nobody writes any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.views.contract import Check, Health, Level, LimitsView, Model, Position, Tick, Trading, Verdict, Weight

STALE_AFTER: Final = timedelta(minutes=3)
"""Two passes of the reconciler missed, and one late."""
TICK_DUE: Final = timedelta(minutes=7)
"""How old the newest tick may be: five minutes to the next, and time to decide."""
DECIDED_WITHIN: Final = timedelta(minutes=2)
SKEW_WATCH_MS: Final = 500
SKEW_ALARM_MS: Final = 5_000
"""The exchange refuses what is signed outside its window of this length."""
CANARY: Final = "CANARY"
"""The trouble of a day's trial of a stop that failed."""
NEARLY: Final = Decimal("0.8")
_ORDER: Final[Sequence[Level]] = ("alarm", "watch", "ok")


@dataclass(frozen=True, slots=True)
class Known:
    """What the reconciler knows when it writes the status bar."""

    now: datetime
    trading: Trading
    limits: LimitsView
    positions: Sequence[Position]
    tick: Tick | None
    model: Model | None
    weight: Weight | None
    clock_skew_ms: int | None
    account: Sequence[str] | None
    """What is wrong between the account and our books, in words; None where there is no account."""


def health(known: Known) -> list[Health]:
    """Every check that applies, always in the same order."""
    found = [
        _trading(known.trading),
        _protection(known.positions),
        _limits(known.limits),
        *([] if known.account is None else [_account(known.account)]),
        _tick(known.tick, known.now),
        _data(known.tick),
    ]
    found += [] if known.clock_skew_ms is None else [_clock(known.clock_skew_ms)]
    found += [] if known.weight is None else [_weight(known.weight)]
    found += [] if known.model is None else [_model(known.model), _spend(known.model)]
    return found


def verdict(checks: Iterable[Health]) -> Verdict:
    """The worst level, and the first check that has it; no check when all is well."""
    worst = min(checks, key=lambda each: _ORDER.index(each["level"]))
    return {"level": worst["level"], "check": None if worst["level"] == "ok" else worst["check"]}


def _check(check: Check, level: Level, value: object = None, limit: object = None) -> Health:
    return {
        "check": check,
        "level": level,
        "value": None if value is None else str(value),
        "limit": None if limit is None else str(limit),
    }


def _trading(trading: Trading) -> Health:
    """A state that nobody can read is an alarm, and so is a halt that no person asked for."""
    level: Level = "ok" if trading["state"] == "ACTIVE" else "watch"
    tripped = trading["state"] == "HALTED" and trading["who"] == "withearth"
    return _check("TRADING", "alarm" if tripped or not trading["known"] else level, trading["state"])


def _protection(positions: Sequence[Position]) -> Health:
    naked = [each["symbol"] for each in positions if each["protection"] == "NAKED"]
    return _check("PROTECTION", "alarm" if naked else "ok", " ".join(naked) or None)


def _limits(limits: LimitsView) -> Health:
    if not limits["applies"]:
        return _check("LIMITS", "ok")
    if not limits["readable"]:
        return _check("LIMITS", "alarm")
    stopping = [each["limit"] for each in limits["limits"] if each["stops"]]
    return _check("LIMITS", "watch" if stopping else "ok", " ".join(stopping) or None)


def _account(troubles: Sequence[str]) -> Health:
    """Stops that do not work are an alarm; an equity that nobody knows, or books that differ, are watched."""
    level: Level = "alarm" if CANARY in troubles else "watch" if troubles else "ok"
    return _check("ACCOUNT", level, " ".join(troubles) or None)


def _tick(tick: Tick | None, now: datetime) -> Health:
    """A first tick is due like any other; a tick of which decisions are missing is watched."""
    if tick is None:
        return _check("TICK", "watch")
    age, told = now - tick["closed_at"], f"{tick['decided']}/{tick['symbols']}"
    if age > TICK_DUE:
        return _check("TICK", "alarm", tick["tick_id"], int(TICK_DUE.total_seconds()))
    late = tick["decided"] < tick["symbols"] and age > DECIDED_WITHIN
    return _check("TICK", "watch" if late else "ok", told)


def _data(tick: Tick | None) -> Health:
    if tick is None or not tick["without_data"]:
        return _check("DATA", "ok")
    level: Level = "alarm" if tick["without_data"] >= tick["symbols"] else "watch"
    return _check("DATA", level, tick["without_data"], tick["symbols"])


def _clock(skew_ms: int) -> Health:
    level: Level = "alarm" if abs(skew_ms) > SKEW_ALARM_MS else "watch" if abs(skew_ms) > SKEW_WATCH_MS else "ok"
    return _check("CLOCK", level, skew_ms, SKEW_ALARM_MS)


def _weight(weight: Weight) -> Health:
    if weight["stop"] is not None:
        return _check("WEIGHT", "alarm", weight["stop"])
    nearly = weight["used"] >= weight["limit"] * NEARLY
    return _check("WEIGHT", "watch" if nearly else "ok", weight["used"], weight["limit"])


def _model(model: Model) -> Health:
    level: Level = "alarm" if model["safe_mode"] else "watch" if model["failures"] or model["retired"] else "ok"
    return _check("MODEL", level, model["failures"])


def _spend(model: Model) -> Health:
    spent, budget = Decimal(model["spent_usd"]), Decimal(model["budget_usd"])
    return _check("SPEND", "watch" if spent >= budget * NEARLY else "ok", spent, budget)
