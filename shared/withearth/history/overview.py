"""What a directory of recorded market data holds, a row a series, by its manifest alone. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from withearth.domain.times import from_ms
from withearth.market.manifest import FUNDING, KLINES, RecordedFile


@dataclass(frozen=True, slots=True)
class Holding:
    """One series: its files, the opening of its first and last bar, its rows, and the bars missing inside files."""

    symbol: str
    what: str
    files: int
    first: datetime | None
    last: datetime | None
    rows: int
    missing: int
    bytes: int


def holdings(files: Iterable[RecordedFile]) -> list[Holding]:
    """The candles and the funding there are, by symbol and interval."""
    series: dict[tuple[str, str], list[RecordedFile]] = {}
    for file in files:
        if file.kind in {KLINES, FUNDING} and file.symbol:
            series.setdefault((file.symbol, file.interval or "funding"), []).append(file)
    return [_holding(symbol, what, files) for (symbol, what), files in sorted(series.items())]


def _holding(symbol: str, what: str, files: list[RecordedFile]) -> Holding:
    firsts = [file.first_ms for file in files if file.first_ms is not None]
    lasts = [file.last_ms for file in files if file.last_ms is not None]
    return Holding(
        symbol=symbol,
        what=what,
        files=len(files),
        first=from_ms(min(firsts)) if firsts else None,
        last=from_ms(max(lasts)) if lasts else None,
        rows=sum(file.rows or 0 for file in files),
        missing=sum(file.missing_bars or 0 for file in files),
        bytes=sum(file.bytes or 0 for file in files),
    )
