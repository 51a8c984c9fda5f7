"""Download: bring the history that is missing into a directory, and say what could not be brought.

A piece comes from the archive; a month that the archive has not, day by day; the last days, which it cannot have yet,
from the exchange's REST API, and from the archive again when it has them. Everything else that is missing is told and
stays missing. A piece that fails stops no other one.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from withearth.domain.clock import Clock
from withearth.domain.errors import MarketFault
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.history.archive import Archive, Archived
from withearth.history.periods import Period, Series, Span, day_of, month_of, plan
from withearth.history.rest import RestHistory, listed_since
from withearth.history.shelf import ANSWERS, Shelf, is_whole, name_of
from withearth.history.tables import (
    SCHEMA,
    Settlements,
    bars_from_csv,
    bytes_max,
    facts,
    missing_bars,
    settlements_from_csv,
    sound,
    unpacked,
)
from withearth.market.manifest import RECORDED_ANSWER, RecordedFile

WORKERS: Final = 4
DAY_MS: Final = Timeframe.D1.ms
DAYS_LATE: Final = timedelta(days=7)
"""How long after a day the REST API is asked for it instead of the archive, which has it a day or two later."""
MONTHS_LATE: Final = timedelta(days=21)
"""The same for a month of funding, which the archive has on the first Monday after it or somewhat later."""
LISTING: Final = "fapi-v1-exchangeInfo.json"
_LISTINGS: Final = (("/fapi/v1/exchangeInfo", LISTING), ("/fapi/v1/fundingInfo", "fapi-v1-fundingInfo.json"))

Task = tuple[Series, Period]


@dataclass(slots=True)
class Report:
    """What came of a download: files written, files that were there, and sentences for the owner.

    `gaps` is what the sources do not have, `failures` what they have and could not be kept.
    """

    fetched: int = 0
    kept: int = 0
    gaps: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Count another report in."""
        self.fetched += other.fetched
        self.kept += other.kept
        self.gaps += other.gaps
        self.failures += other.failures


class Downloader:
    """Brings series into one directory."""

    def __init__(self, archive: Archive, rest: RestHistory, shelf: Shelf, clock: Clock) -> None:
        self._archive = archive
        self._rest = rest
        self._shelf = shelf
        self._clock = clock
        self._listed_since: Mapping[str, int] = {}

    def record_listings(self) -> Report:
        """Record which symbols there are, with their filters, once a day. A failure is one only where none is there."""
        report, now = Report(), self._clock.now()
        for path, name in _LISTINGS:
            if self._shelf.newest_answer(name, f"{now:%Y-%m-%d}") is not None:
                continue
            try:
                content = json.dumps(self._rest.listing(path), ensure_ascii=False).encode()
            except MarketFault as fault:
                if name == LISTING and self._shelf.newest_answer(name) is None:
                    report.failures.append(f"{path} was not recorded, and a replay needs its filters: {fault}")
                continue
            about = {"kind": RECORDED_ANSWER, "endpoint": f"GET {path}", "captured": f"{now:%Y-%m-%d}"}
            self._shelf.put(f"{ANSWERS}/{now:%Y-%m-%dT%H%MZ}/{name}", content, about)
        return report

    def tasks(self, series: Iterable[Series], span: Span) -> tuple[list[Task], Report]:
        """What is missing of each series, and a report of what is there."""
        self._listed_since = listed_since(self._shelf.newest_answer(LISTING) or {})
        report, tasks = Report(), list[Task]()
        for each in series:
            begin = self._begin(each, span)
            if begin >= min(span.end, self._clock.now()):
                report.gaps.append(f"{each} begins on {begin:%Y-%m-%d}: nothing of it is in the time asked for")
                continue
            self._shelf.note(each, [Span(begin, min(span.end, self._clock.now()))])
            # The exchange's date of listing can be some days after the first trades.
            tasks += self._missing(each, Span(max(span.start, month_of(begin).start), span.end), report)
        return tasks, report

    def _begin(self, series: Series, span: Span) -> datetime:
        """The start of a span, or when the symbol was listed in it."""
        return max(span.start, from_ms(self._listed_since.get(series.symbol, 0)))

    def _missing(self, series: Series, span: Span, report: Report) -> list[Task]:
        files = self._shelf.files(series)
        kept = [_held(each) for each in files]
        final = [_held(each) for each in files if self._is_final(each)]
        report.kept += sum(each.overlaps(span) for each in final)
        return [(series, period) for period in plan(series, span, kept, final, self._clock.now())]

    def _is_final(self, file: RecordedFile) -> bool:
        """Whether a file need not be fetched again: what others recorded is theirs."""
        return file.archived is None or (file.archived and is_whole(self._shelf.directory, file))

    def run(self, tasks: Sequence[Task], after_task: Callable[[], None]) -> Report:
        """Carry out the tasks, a few at a time; `after_task` is called after each.

        Raises Misconfigured when the directory cannot be written, and Unavailable when the archive cannot be reached.
        """
        report = Report()
        pool = ThreadPoolExecutor(WORKERS, "download")
        try:
            for done in as_completed([pool.submit(self._carry_out, *task) for task in tasks]):
                report.add(done.result())
                after_task()
        finally:
            pool.shutdown(cancel_futures=True)
            self._shelf.save()
        return report

    def _carry_out(self, series: Series, period: Period) -> Report:
        try:
            return self._bring(series, period)
        except MarketFault as fault:
            return Report(failures=[f"{series} {period.name}: {fault.detail or fault.reason.sentence}"])

    def _bring(self, series: Series, period: Period) -> Report:
        """Bring one piece. Raises MarketFault."""
        archived = None
        if period.end <= self._clock.now():
            archived = self._archive.fetch(series, period, bytes_max(series.timeframe, period))
        if archived is not None:
            return self._keep(series, period, *self._read_whole(series, period, archived))
        if self._is_recent(series, period):
            return self._keep(series, period, self._ask(series, period), [])
        if period.monthly and series.timeframe is not None:
            report = Report()
            for day in period.days():
                report.add(self._carry_out(series, day))
            if report.fetched or report.failures:
                return report
        if name_of(series, period) in self._shelf:
            return Report(kept=1)  # it came from the REST API while that was asked for it
        return Report(gaps=[f"{series} {period.name}: the archive has no file of it"])

    def _is_recent(self, series: Series, period: Period) -> bool:
        late = MONTHS_LATE if series.timeframe is None else DAYS_LATE
        return period.end + late > self._clock.now() and (not period.monthly or series.timeframe is None)

    def _read_whole(
        self, series: Series, period: Period, archived: Archived
    ) -> tuple["pa.Table | Settlements", list[Archived]]:
        """The rows of an archived file, and of the files by day for days that a month's lacks, as some months' do."""
        rows, sources = self._read(series, period, archived), [archived]
        if isinstance(rows, list) or series.timeframe is None or not period.monthly:
            return rows, sources
        for day in self._days_without_bars(series, period, rows):
            with suppress(MarketFault):  # what it was is told as the hole that stays
                found = self._archive.fetch(series, day, bytes_max(series.timeframe, day))
                if found is not None:
                    rows = pa.concat_tables([rows, self._read(series, day, found)])
                    sources.append(found)
        return sound(rows, series.timeframe, period), sources

    def _days_without_bars(self, series: Series, period: Period, rows: pa.Table) -> list[Period]:
        days, begin = set((rows["open_time"].to_numpy() // DAY_MS).tolist()), self._begin(series, period)
        return [day for day in period.days() if day.end > begin and to_ms(day.start) // DAY_MS not in days]

    def _read(self, series: Series, period: Period, archived: Archived) -> "pa.Table | Settlements":
        """The rows of an archived file. Raises MarketFault, which names it."""
        name = archived.url.rpartition("/")[2].replace(".zip", ".csv")
        try:
            content = unpacked(name, archived.content, bytes_max(series.timeframe, period))
            if series.timeframe is None:
                return settlements_from_csv(content, period)
            return bars_from_csv(content, series.timeframe, period)
        except MarketFault as fault:
            raise MarketFault(fault.reason, f"{archived.url} {fault.detail}; nothing was kept of it") from fault

    def _ask(self, series: Series, period: Period) -> "pa.Table | Settlements":
        if series.timeframe is None:
            return self._rest.settlements(series.symbol, period)
        return self._rest.bars(series.symbol, series.timeframe, period)

    def _keep(
        self, series: Series, period: Period, rows: "pa.Table | Settlements", sources: Sequence[Archived]
    ) -> Report:
        """Write a piece, and tell what it lacks. Without `sources` it came from the REST API."""
        if not len(rows):
            return Report(gaps=[f"{series} {period.name}: nothing is recorded of it"])
        about = {
            "kind": series.kind,
            "symbol": series.symbol,
            "interval": series.timeframe,
            "covers": [to_ms(period.start), to_ms(period.end)],
            "archived": bool(sources),
            "sources": [{"url": each.url, "sha256": each.sha256} for each in sources] or [{"url": "REST API"}],
        }
        holes = self._holes(series, period, rows)
        content, more = _settlements_file(rows) if isinstance(rows, list) else _bars_file(rows)
        missing = sum(end - start for start, end in holes) // series.timeframe.ms if series.timeframe else None
        self._shelf.put(name_of(series, period), content, about | more | {"missing_bars": missing})
        gaps = [f"{series}: no bar from {_at(start)} to {_at(end)}" for start, end in holes]
        return Report(fetched=1, gaps=gaps)

    def _holes(self, series: Series, period: Period, rows: "pa.Table | Settlements") -> list[tuple[int, int]]:
        if isinstance(rows, list) or series.timeframe is None:
            return []
        end_ms = to_ms(min(period.end, self._clock.now()))
        return missing_bars(rows["open_time"].to_numpy(), series.timeframe, to_ms(self._begin(series, period)), end_ms)


def _held(file: RecordedFile) -> Span:
    """The time that a file speaks for. What others recorded speaks for whole days, so that no day has two sources."""
    if file.covers is not None:
        return Span(from_ms(file.covers[0]), from_ms(file.covers[1]))
    first, last = (file.first_ms or 0), (file.last_ms or 0)
    return Span(day_of(from_ms(first)).start, day_of(from_ms(last)).end)


def _bars_file(table: pa.Table) -> tuple[bytes, dict[str, Any]]:
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue(), {**facts(table), "columns_present": SCHEMA.names}


def _settlements_file(rows: Settlements) -> tuple[bytes, dict[str, Any]]:
    text = "".join(f"{at},{rate}\n" for at, rate in [("funding_time", "funding_rate"), *rows])
    return text.encode(), {"rows": len(rows), "first_ms": rows[0][0], "last_ms": rows[-1][0]}


def _at(ms: int) -> str:
    return f"{from_ms(ms):%Y-%m-%d %H:%M}"
