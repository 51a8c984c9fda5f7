"""Verify: hold a directory of recorded market data against its manifest, itself, and what was asked for.

Wrong is: a file that is missing, damaged or not as the manifest says; bars out of order, repeated, off their grid, or
contradicting themselves or another file; funding that settles twice at once; a bar that is missing inside a file, or in
the time that a download was asked for. How much of each month is there is told, and no fault. Changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from withearth.domain.candles import FloatArray, IntArray, normalise
from withearth.domain.errors import MarketFault
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.history.periods import month_of
from withearth.history.shelf import is_whole
from withearth.history.tables import missing_bars
from withearth.market.manifest import FUNDING, KLINES, Download, Manifest, RecordedFile
from withearth.market.recorded_files import read_bars, read_funding

HOLES_SHOWN: Final = 3
TIMEFRAMES: Final = frozenset(Timeframe)
_NOTHING: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, and where."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class MonthCoverage:
    """How many bars of a month there are, of how many it has."""

    symbol: str
    interval: str
    month: str
    bars: int
    expected: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found."""

    findings: list[Finding]
    coverage: list[MonthCoverage]


def verify(directory: Path, manifest: Manifest, after_file: Callable[[], None]) -> Verified:
    """Read every file of USDⓈ-M futures and say what is wrong; `after_file` is called after each."""
    groups: dict[tuple[str, str, str], list[RecordedFile]] = {}
    for file in manifest.futures():
        groups.setdefault((file.symbol or "", file.interval or "", file.kind), []).append(file)
    findings: list[Finding] = []
    times: dict[tuple[str, str], IntArray] = {}
    for (symbol, interval, kind), files in sorted(groups.items()):
        findings += [Finding(file.file, "is not the file of the manifest") for file in _damaged(directory, files)]
        if kind == FUNDING:
            findings += _verify_funding(directory, symbol, files)
        if kind == KLINES:
            found, times[symbol, interval] = _verify_series(directory, interval, files)
            findings += found
        for _ in files:
            after_file()
    findings += [finding for asked in manifest.downloads for finding in _missing(asked, times)]
    return Verified(findings, [row for series, opens in times.items() for row in _months(*series, opens)])


def _damaged(directory: Path, files: Iterable[RecordedFile]) -> list[RecordedFile]:
    """The files that are not there, or whose size or SHA-256 is another than the manifest's."""
    return [file for file in files if not is_whole(directory, file)]


def _verify_funding(directory: Path, symbol: str, files: Sequence[RecordedFile]) -> list[Finding]:
    try:
        read_funding(directory, files)
    except MarketFault as fault:
        return [Finding(f"{symbol} funding", fault.detail)]
    return []


def _verify_series(directory: Path, interval: str, files: Sequence[RecordedFile]) -> tuple[list[Finding], IntArray]:
    """What is wrong with the candles of one symbol and interval, and the opening times that there are."""
    findings: list[Finding] = []
    read: list[tuple[IntArray, FloatArray]] = []
    for file in files:
        try:
            read.append(read_bars(directory, file))
        except MarketFault as fault:
            findings.append(Finding(file.file, fault.detail))
        else:
            findings += [Finding(file.file, what) for what in _wrong_within(interval, *read[-1])]
    opens = np.concatenate([_NOTHING, *(open_ms for open_ms, _ in read)])
    if not findings and len(files) > 1 and interval in TIMEFRAMES:
        between = _contradiction(interval, opens, np.concatenate([ohlcv for _, ohlcv in read], axis=1))
        findings += [Finding(f"{files[0].symbol} {interval}", f"its files disagree: {what}") for what in between]
    return findings, np.unique(opens)


def _wrong_within(interval: str, open_ms: IntArray, ohlcv: FloatArray) -> list[str]:
    """What is wrong with the bars of one file; of intervals that nobody reads only their order is known."""
    steps = np.diff(open_ms)
    found = []
    if (steps < 0).any():
        found.append(f"is out of order at {_at(int(open_ms[np.argmax(steps < 0) + 1]))}")
    repeated = len(open_ms) - len(np.unique(open_ms))
    if repeated:
        found.append(f"has {repeated} bars more than once")
    if interval in TIMEFRAMES:
        step, ordered = Timeframe(interval).ms, np.unique(open_ms)
        found += _contradiction(interval, open_ms, ohlcv)
        found += _told(missing_bars(ordered, Timeframe(interval), int(ordered[0]), int(ordered[-1]) + step))
    return found


def _contradiction(interval: str, open_ms: IntArray, ohlcv: FloatArray) -> list[str]:
    """What the rule of all candles says against these."""
    try:
        normalise(Timeframe(interval), open_ms, ohlcv)
    except MarketFault as fault:
        return [str(fault)]
    return []


def _missing(asked: Download, whole: dict[tuple[str, str], IntArray]) -> Iterable[Finding]:
    """What is missing of a download; funding has no grid that could be held against it."""
    if asked.interval is None:
        return
    timeframe = Timeframe(asked.interval)
    times = whole.get((asked.symbol, asked.interval), _NOTHING)
    inside = times[(times >= asked.from_ms) & (times < asked.until_ms)]
    for hole in _told(missing_bars(inside, timeframe, asked.from_ms, asked.until_ms)):
        yield Finding(f"{asked.symbol} {asked.interval}", f"{hole}, of what was asked for")


def _told(holes: Sequence[tuple[int, int]]) -> list[str]:
    found = [f"no bar from {_at(start)} to {_at(end)}" for start, end in holes[:HOLES_SHOWN]]
    return [*found, f"and {len(holes) - HOLES_SHOWN} gaps more"] if len(holes) > HOLES_SHOWN else found


def _months(symbol: str, interval: str, times: IntArray) -> Iterable[MonthCoverage]:
    if interval not in TIMEFRAMES or not len(times):
        return
    month, step = month_of(from_ms(int(times[0]))), Timeframe(interval).ms
    while to_ms(month.start) <= times[-1]:
        start, end = to_ms(month.start), to_ms(month.end)
        bars = int(np.searchsorted(times, end) - np.searchsorted(times, start))
        yield MonthCoverage(symbol, interval, month.name, bars, (end - start) // step)
        month = month_of(month.end)


def _at(ms: int) -> str:
    return f"{from_ms(ms):%Y-%m-%d %H:%M}"
