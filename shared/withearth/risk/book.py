"""The book behind the limits: who holds which slot, what was entered within the hour, and what the last day earned.

Values only. `flow/limits.py` keeps it in one document that is changed by compare-and-set, always in the very commit in
which the counted thing happens: so executors that race can never exceed a limit together, and a crash leaves no slot
behind and takes none twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.domain.side import Side

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)
VERSION: Final = 1
"""Of the document. Raised with every change that another version would misread."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that is taken, a symbol or in hedge mode one side of it.

    It is from before the first order until the exchange holds nothing of it any more.
    """

    intent_id: str
    side: Side
    notional: Decimal
    since: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """The result of one trade."""

    at: datetime
    symbol: str
    side: Side
    net: Decimal
    by_stop: bool


@dataclass(frozen=True, slots=True)
class Book:
    """What counts for the limits.

    `closed` holds the last 24 hours, `entries` the intents of the last hour with their instants. `net` is the sum of
    all results ever, `peak` the highest it was; `losses` counts the losing trades in a row, the last one at `lost_at`.
    `halted` says that the drawdown since this peak has halted trading once.
    """

    slots: Mapping[str, Slot] = field(default_factory=dict)
    closed: tuple[Closed, ...] = ()
    entries: Mapping[str, datetime] = field(default_factory=dict)
    net: Decimal = Decimal(0)
    peak: Decimal = Decimal(0)
    losses: int = 0
    lost_at: datetime | None = None
    halted: bool = False

    @property
    def notional(self) -> Decimal:
        """What all slots together are worth."""
        return sum((slot.notional for slot in self.slots.values()), Decimal(0))

    def at(self, now: datetime) -> "Book":
        """The book without what has left its window. What is exactly a day, or an hour, old has left it."""
        return replace(
            self,
            closed=tuple(each for each in self.closed if now < each.at + DAY),
            entries={id_: at for id_, at in self.entries.items() if now < at + HOUR},
        )

    def taking(self, place: str, slot: Slot) -> "Book":
        """The book once this slot is taken: an entry of its instant."""
        book = self.at(slot.since)
        entries = {**book.entries, slot.intent_id: slot.since}
        return replace(book, slots={**book.slots, place: slot}, entries=entries)

    def freeing(self, place: str, intent_id: str) -> "Book":
        """The book once an intent has given its place back. Another intent's slot stays."""
        held = self.slots.get(place)
        if held is None or held.intent_id != intent_id:
            return self
        return replace(self, slots={name: slot for name, slot in self.slots.items() if name != place})

    def without(self, place: str, intent_id: str) -> "Book":
        """The book as if this intent had never taken a slot, which it did not use in the end."""
        entries = {id_: at for id_, at in self.entries.items() if id_ != intent_id}
        return replace(self.freeing(place, intent_id), entries=entries)

    def with_result(self, result: Closed) -> "Book":
        """The book with one more result. A trade that lost nothing ends the row of losses."""
        net, lost, book = self.net + result.net, result.net < 0, self.at(result.at)
        return replace(
            book,
            closed=(*book.closed, result),
            net=net,
            peak=max(self.peak, net),
            losses=self.losses + 1 if lost else 0,
            lost_at=max(filter(None, (self.lost_at, result.at))) if lost else self.lost_at,
        )

    def to_document(self) -> dict[str, Any]:
        """The book as it is kept."""
        return {
            "version": VERSION,
            "slots": {symbol: _slot_document(slot) for symbol, slot in self.slots.items()},
            "closed": [_closed_document(each) for each in self.closed],
            "entries": dict(self.entries),
            "net": str(self.net),
            "peak": str(self.peak),
            "losses": self.losses,
            "lost_at": self.lost_at,
            "halted": self.halted,
        }


def book_from(data: Mapping[str, Any]) -> Book:
    """Read back what `to_document` gave. Raises ValueError for anything else: nobody guesses at a limit."""
    if data.get("version", VERSION) != VERSION:
        raise ValueError(f"written in version {data['version']}, this one knows {VERSION}")
    try:
        return Book(
            slots={symbol: _slot(each) for symbol, each in data["slots"].items()},
            closed=tuple(_closed(each) for each in data["closed"]),
            entries={id_: _instant(at) for id_, at in data["entries"].items()},
            net=_amount(data["net"]),
            peak=_amount(data["peak"]),
            losses=int(data["losses"]),
            lost_at=None if data["lost_at"] is None else _instant(data["lost_at"]),
            halted=bool(data["halted"]),
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not a book of limits: {error!r}") from error


def _slot_document(slot: Slot) -> dict[str, Any]:
    return {
        "intent_id": slot.intent_id,
        "side": slot.side.value,
        "notional": str(slot.notional),
        "since": slot.since,
    }


def _slot(data: Mapping[str, Any]) -> Slot:
    return Slot(data["intent_id"], Side(data["side"]), _amount(data["notional"]), _instant(data["since"]))


def _closed_document(closed: Closed) -> dict[str, Any]:
    return {
        "at": closed.at,
        "symbol": closed.symbol,
        "side": closed.side.value,
        "net": str(closed.net),
        "by_stop": closed.by_stop,
    }


def _closed(data: Mapping[str, Any]) -> Closed:
    net = _amount(data["net"])
    return Closed(_instant(data["at"]), data["symbol"], Side(data["side"]), net, bool(data["by_stop"]))


def _amount(value: object) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError(f"an amount is a number, was {value!r}")
    return amount


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"an instant has a time zone, was {value!r}")
    return value
