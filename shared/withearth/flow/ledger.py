"""The ledger: what all closed trades of a mode came to, in all and by UTC day of their end.

It changes in the very commit that closes a trade, and holds sums only: they do not depend on the order in which trades
are booked.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.execution.outcome import Exit, Result
from withearth.store.port import Stored

Sums = Mapping[str, Any]

NOTHING: Final[Sums] = {
    "trades": 0,
    "wins": 0,
    "voids": 0,
    "gross": "0",
    "fees": "0",
    "funding": "0",
    "net": "0",
    "won": "0",
    "lost": "0",
    "moved": "0",
}
"""`won` and `lost` are the net results above and below zero, `moved` the gross ones, all without their sign."""
DAYS_KEPT: Final = 366


def sums_of(ledger: Stored | None) -> Sums:
    """The sums over everything."""
    return NOTHING if ledger is None else {**NOTHING, **ledger.data}


def day_key(at: datetime) -> str:
    """The UTC day of an instant, such as `20240101`."""
    return f"{at:%Y%m%d}"


def day_end(day: str) -> datetime:
    """The instant at which the day of a key is over."""
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=1)


def sums_since(ledger: Stored | None, now: datetime, days: int) -> Sums:
    """The sums over the newest UTC days, that of `now` included."""
    first = day_key(now - timedelta(days=days - 1))
    total = NOTHING
    for day, sums in by_day(ledger).items():
        if day >= first:
            total = _together(total, sums)
    return total


def by_day(ledger: Stored | None) -> Mapping[str, Sums]:
    """The sums of each UTC day on which a trade ended, of the newest DAYS_KEPT."""
    days: Mapping[str, Sums] = {} if ledger is None else ledger.data.get("days", {})
    return days


def booking(ledger: Stored | None, ended: Exit, booked: Result | None) -> dict[str, Any]:
    """The ledger's document with one more trade. `booked` is None for a void one."""
    one, day, days = _sums_of_one(booked), day_key(ended.at), by_day(ledger)
    changed = {**days, day: _together(days.get(day, NOTHING), one)}
    kept = sorted(changed)[-DAYS_KEPT:]
    return {**_together(sums_of(ledger), one), "days": {key: changed[key] for key in kept}}


def _sums_of_one(booked: Result | None) -> Sums:
    if booked is None:
        return {**NOTHING, "trades": 1, "voids": 1}
    amounts = {
        "gross": booked.gross,
        "fees": booked.fees,
        "funding": booked.funding,
        "net": booked.net,
        "won": max(booked.net, Decimal(0)),
        "lost": max(-booked.net, Decimal(0)),
        "moved": abs(booked.gross),
    }
    told = {name: str(amount) for name, amount in amounts.items()}
    return {**NOTHING, **told, "trades": 1, "wins": int(booked.net > 0)}


def _together(some: Sums, more: Sums) -> dict[str, Any]:
    return {
        name: some[name] + more[name] if isinstance(none, int) else str(Decimal(some[name]) + Decimal(more[name]))
        for name, none in NOTHING.items()
    }
