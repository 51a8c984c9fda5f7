"""Reads recorded candles (Parquet) and recorded funding (CSV) into values of the domain.

A file that is damaged, not in the documented layout, or not as long as the manifest says is refused whole, with
DATA_UNREADABLE; what its rows say is judged by `domain.candles.normalise`. Nothing is repaired.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from withearth.domain.candles import Candles, FloatArray, IntArray, aggregate, normalise, union
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe
from withearth.market.funding import FundingHistory
from withearth.market.manifest import RecordedFile

_PRICE_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_SCHEMA: Final = {"open_time": pa.int64()} | dict.fromkeys(_PRICE_COLUMNS, pa.float64())
_FUNDING_COLUMNS: Final = ["funding_time", "funding_rate"]


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything recorded of one symbol."""

    candles: dict[Timeframe, Candles]
    funding: FundingHistory


def read_recording(directory: Path, files: Sequence[RecordedFile]) -> Recording:
    """Read all candle and funding files of one symbol. Raises MarketFault when one of them is unsound."""
    bars = {timeframe: _read_timeframe(directory, files, timeframe) for timeframe in Timeframe}
    for timeframe in (Timeframe.H1, Timeframe.H4, Timeframe.D1):
        bars[timeframe] = union(bars[timeframe], aggregate(bars[Timeframe.M5], timeframe))
    return Recording(bars, read_funding(directory, [file for file in files if file.kind == "funding_rate_history"]))


def _read_timeframe(directory: Path, files: Iterable[RecordedFile], timeframe: Timeframe) -> Candles:
    chosen = [file for file in files if file.kind == "klines" and file.interval == timeframe]
    parts = [read_bars(directory, file) for file in chosen]
    open_ms = np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)])
    return normalise(timeframe, open_ms, np.concatenate([np.empty((5, 0)), *(part[1] for part in parts)], axis=1))


def read_bars(directory: Path, recorded: RecordedFile) -> tuple[IntArray, FloatArray]:
    """Open times and OHLCV of one file, as they stand there. Raises MarketFault."""
    with _refusing_damage(recorded), pq.ParquetFile(directory / recorded.file) as file:
        fields = {field.name: field.type for field in file.schema_arrow}
        wrong = [name for name, kind in _SCHEMA.items() if fields.get(name) != kind]
        if wrong:
            raise MarketFault(Reason.DATA_UNREADABLE, f"{recorded.file} lacks column {wrong[0]} of the right type")
        table = file.read(columns=list(_SCHEMA))
    _refuse_other_count(recorded, table.num_rows)
    if any(column.null_count for column in table.columns):
        raise MarketFault(Reason.DATA_UNREADABLE, f"{recorded.file} has empty cells")
    return table["open_time"].to_numpy(), np.array([table[name].to_numpy() for name in _PRICE_COLUMNS])


def read_funding(directory: Path, files: Iterable[RecordedFile]) -> FundingHistory:
    """The settlements of one symbol's files. Raises MarketFault."""
    rows = sorted({row for file in files for row in _read_settlements(directory, file)})
    for earlier, later in pairwise(rows):
        if earlier[0] == later[0]:
            raise MarketFault(Reason.DATA_UNREADABLE, f"two funding rates settle at {later[0]} ms")
    return FundingHistory(tuple(at_ms for at_ms, _ in rows), tuple(rate for _, rate in rows))


def _read_settlements(directory: Path, recorded: RecordedFile) -> list[tuple[int, Decimal]]:
    with _refusing_damage(recorded), (directory / recorded.file).open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        if next(rows, None) != _FUNDING_COLUMNS:
            raise MarketFault(Reason.DATA_UNREADABLE, f"{recorded.file} does not start with {_FUNDING_COLUMNS}")
        settlements = [(int(at_ms), Decimal(rate)) for at_ms, rate in rows]
    _refuse_other_count(recorded, len(settlements))
    if not all(rate.is_finite() for _, rate in settlements):
        raise MarketFault(Reason.DATA_UNREADABLE, f"{recorded.file} has a rate that is not a number")
    return settlements


@contextmanager
def _refusing_damage(recorded: RecordedFile) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, DecimalException, csv.Error, pa.ArrowException) as error:
        raise MarketFault(Reason.DATA_UNREADABLE, f"{recorded.file}: {error}") from error


def _refuse_other_count(recorded: RecordedFile, rows: int) -> None:
    if rows == 0 or rows != recorded.rows:
        raise MarketFault(Reason.DATA_UNREADABLE, f"{recorded.file} has {rows} rows, the manifest says {recorded.rows}")
