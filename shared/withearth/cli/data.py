"""`withearth data`: bring recorded history, check it, and see what there is."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from withearth.cli.console import console, instant, notices, progress_bar, settings_with
from withearth.domain.errors import Misconfigured
from withearth.domain.times import Timeframe
from withearth.history.archive import Archive
from withearth.history.download import Downloader, Report
from withearth.history.overview import holdings
from withearth.history.periods import Series, Span, day_of
from withearth.history.rest import RestHistory
from withearth.history.shelf import Shelf
from withearth.history.verify import MonthCoverage, verify
from withearth.local.clocks import WallClock
from withearth.local.state import exclusive
from withearth.market.manifest import read_manifest
from withearth.market.routes import Access
from withearth.settings import Settings

app = typer.Typer(help="Recorded market data: bring it, check it, list it.", no_args_is_help=True)

TOLD: Final = 20
"""Most sentences of one kind that are printed."""
DEFAULT_DIRECTORY: Final = Path("data")

Data = Annotated[Path | None, typer.Option(help="Directory of recorded data; without it DATA_DIR, or ./data.")]


@app.command()
def download(
    symbols: Annotated[str, typer.Option(help="Comma-separated symbols.")],
    start: Annotated[str, typer.Option("--from", help="First day (UTC).")],
    end: Annotated[
        str | None, typer.Option("--to", help="First day (UTC) not wanted any more; without it now.")
    ] = None,
    interval: Annotated[str, typer.Option(help="Comma-separated: 5m, 1h, 4h, 1d.")] = "5m",
    funding: Annotated[bool, typer.Option(help="Bring settled funding rates, too.")] = True,
    data: Data = None,
    base: Annotated[str | None, typer.Option(help="The archive's address; without it BINANCE_ARCHIVE_BASE.")] = None,
) -> None:
    """Bring candles and funding from Binance's public archive, and the last days from its REST API.

    What is there and sound is not fetched again: the same command goes on after it was cut off. Exits with 1 when
    something could not be kept.
    """
    settings = settings_with({"SYMBOLS": symbols, "BINANCE_ARCHIVE_BASE": base})
    if not settings.names_symbols:
        raise Misconfigured(f"--symbols is {symbols}: name the symbols whose history to bring.")
    directory, clock = _directory(settings, data), WallClock()
    now = clock.now()
    span = Span(day_of(instant(start, "--from")).start, now if end is None else instant(end, "--to"))
    if span.start >= min(span.end, now):
        raise Misconfigured("--from comes before --to, and lies in the past.")
    series = list(_series(settings.symbols, _timeframes(interval), funding=funding))
    with exclusive(directory, "--data"):
        downloader = _downloader(settings, Shelf(directory), clock)
        report = downloader.record_listings()
        tasks, there = downloader.tasks(series, span)
        report.add(there)
        with progress_bar("downloading", len(tasks)) as (progress, task):
            report.add(downloader.run(tasks, lambda: progress.advance(task)))
    _print_report(directory, report)
    if report.failures:
        raise typer.Exit(1)


@app.command("verify")
def verify_command(data: Data = None) -> None:
    """Hold every file against the manifest, the rules of candles, and what was asked for.

    Prints what is wrong and exits with 1; prints what there is of each month either way.
    """
    directory = _directory(settings_with({}), data)
    manifest = read_manifest(directory)
    with progress_bar("verifying", len(manifest.futures())) as (progress, task):
        found = verify(directory, manifest, lambda: progress.advance(task))
    table = Table("symbol", "interval", "months", "bars", "of", "", title="Coverage", title_justify="left")
    for row in _whole_months_joined(found.coverage):
        table.add_row(*row)
    console.print(table)
    if found.findings:
        wrong = Table("where", "what", title="Wrong", title_justify="left")
        for finding in found.findings:
            wrong.add_row(finding.where, finding.what)
        console.print(wrong)
        raise typer.Exit(1)
    console.print(f"{len(manifest.futures())} files are sound.")


@app.command("list")
def list_command(data: Data = None) -> None:
    """Show what is recorded of each symbol, by the manifest."""
    directory = _directory(settings_with({}), data)
    table = Table("symbol", "data", "files", "first (UTC)", "last (UTC)", "rows", "missing inside", "kB")
    for each in holdings(read_manifest(directory).futures()):
        dates = (f"{at:%Y-%m-%d}" if at else "–" for at in (each.first, each.last))
        counts = (str(each.rows), str(each.missing) if each.what != "funding" else "–", str(each.bytes // 1000))
        table.add_row(each.symbol, each.what, str(each.files), *dates, *counts)
    console.print(table)


def _directory(settings: Settings, given: Path | None) -> Path:
    return given or settings.data_dir or DEFAULT_DIRECTORY


def _timeframes(text: str) -> list[Timeframe]:
    try:
        return [Timeframe(name) for name in re.split(r"\s*,\s*", text.strip())]
    except ValueError as error:
        raise Misconfigured(f"--interval is {text!r}: name one or several of {', '.join(Timeframe)}.") from error


def _series(symbols: Iterable[str], timeframes: Sequence[Timeframe], *, funding: bool) -> Iterator[Series]:
    for symbol in symbols:
        yield from (Series(symbol, timeframe) for timeframe in timeframes)
        if funding:
            yield Series(symbol, None)


def _downloader(settings: Settings, shelf: Shelf, clock: WallClock) -> Downloader:
    """History is that of the real exchange, whatever test network is traded on."""
    patience = (settings.binance_http_timeout_ms, settings.binance_http_retries, settings.binance_http_backoff_ms)
    archive = Archive(Access(settings.binance_archive_base, *patience), clock)
    rest = RestHistory(Access(settings.binance_fapi_base, *patience), clock)
    return Downloader(archive, rest, shelf, clock)


def _print_report(directory: Path, report: Report) -> None:
    console.print(f"{report.fetched} files fetched, {report.kept} were there: {directory}", soft_wrap=True)
    for title, sentences in (("Missing at the source", report.gaps), ("Not kept", report.failures)):
        if sentences:
            notices.print(f"{title}:")
        for sentence in sentences[:TOLD]:
            notices.print(f"  {sentence}", soft_wrap=True)
        if len(sentences) > TOLD:
            notices.print(f"  and {len(sentences) - TOLD} more; `withearth data verify` tells what is missing")


def _whole_months_joined(coverage: Iterable[MonthCoverage]) -> Iterator[tuple[str, ...]]:
    """Rows for the table: neighbouring months that are whole in one, the others one by one."""
    for (symbol, interval, whole), group in groupby(
        coverage, lambda row: (row.symbol, row.interval, row.bars == row.expected)
    ):
        months = list(group)
        for run in [months] if whole else [[month] for month in months]:
            name = run[0].month if len(run) == 1 else f"{run[0].month} to {run[-1].month}"
            bars, expected = sum(row.bars for row in run), sum(row.expected for row in run)
            yield symbol, interval, name, str(bars), str(expected), f"{bars / expected:.1%}"
