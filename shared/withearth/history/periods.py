"""What is fetched as one piece: a UTC month or a UTC day of one series. Pure.

The archive has a file a month, from the first Monday after it, and a file a day, from the next day; funding comes by
months only. A month that is wanted whole is fetched as one file; the rest day by day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from withearth.domain.times import Timeframe
from withearth.market.manifest import FUNDING, KLINES

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Series:
    """The candles of one symbol and timeframe, or, without a timeframe, its settled funding."""

    symbol: str
    timeframe: Timeframe | None

    @property
    def kind(self) -> str:
        """The manifest's word for it."""
        return FUNDING if self.timeframe is None else KLINES

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe or 'funding'}"


@dataclass(frozen=True, slots=True)
class Span:
    """All instants with start ≤ at < end."""

    start: datetime
    end: datetime

    def overlaps(self, other: "Span") -> bool:
        """Whether they have an instant in common."""
        return self.start < other.end and other.start < self.end

    def covers(self, other: "Span") -> bool:
        """Whether every instant of the other is in this one."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Period(Span):
    """A whole UTC month, or a whole UTC day."""

    monthly: bool

    @property
    def name(self) -> str:
        """As the archive's files name it: `2024-01` or `2024-01-31`."""
        return f"{self.start:%Y-%m}" if self.monthly else f"{self.start:%Y-%m-%d}"

    def days(self) -> Iterator["Period"]:
        """Its days, in order."""
        at = self.start
        while at < self.end:
            yield Period(at, at + DAY, monthly=False)
            at += DAY


def month_of(at: datetime) -> Period:
    """The UTC month an instant falls into."""
    following = at.year * 12 + at.month
    end = datetime(following // 12, following % 12 + 1, 1, tzinfo=UTC)
    return Period(datetime(at.year, at.month, 1, tzinfo=UTC), end, monthly=True)


def day_of(at: datetime) -> Period:
    """The UTC day an instant falls into."""
    start = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return Period(start, start + DAY, monthly=False)


def months_of(span: Span) -> Iterator[Period]:
    """The months that a span touches, in order."""
    month = month_of(span.start)
    while month.start < span.end:
        yield month
        month = month_of(month.end)


def plan(series: Series, span: Span, kept: Sequence[Span], final: Sequence[Span], now: datetime) -> list[Period]:
    """The pieces that are missing of a span.

    `kept` is what lies in the directory already, `final` those of it that need not be fetched again. No piece overlaps
    one that is final, so that no bar ever comes from two files.
    """
    wanted = [piece for month in months_of(span) for piece in _pieces(series, month, span, kept, now)]
    return [piece for piece in wanted if piece.start < now and not any(piece.overlaps(each) for each in final)]


def _pieces(series: Series, month: Period, span: Span, kept: Sequence[Span], now: datetime) -> list[Period]:
    if series.timeframe is None:
        return [month]
    fetched_whole = any((each.start, each.end) == (month.start, month.end) for each in kept)
    if fetched_whole or (month.end <= now and span.covers(month) and not any(month.overlaps(each) for each in kept)):
        return [month]
    return [day for day in month.days() if day.overlaps(span)]


def joined(spans: Sequence[Span]) -> list[Span]:
    """The same instants in as few spans as possible, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found
