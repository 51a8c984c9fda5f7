"""What the archive and the exchange say, as the tables and rows that are kept. Pure: bytes and rows in, values out.

Nothing is repaired: a row that cannot be read, lies outside its piece, or contradicts itself or another one refuses the
whole piece. Times in microseconds, which newer files may have, are milliseconds afterwards.
"""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from withearth.domain.candles import IntArray, normalise
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, to_ms
from withearth.history.periods import Span

PRICES: Final = ("open", "high", "low", "close", "volume")
SCHEMA: Final = pa.schema(
    [
        ("open_time", pa.int64()),
        *((name, pa.float64()) for name in PRICES),
        ("close_time", pa.int64()),
        ("quote_volume", pa.float64()),
        ("trades", pa.int64()),
        ("taker_base", pa.float64()),
        ("taker_quote", pa.float64()),
    ]
)
"""The columns of a candle file, in the order of the exchange's own; its twelfth means nothing."""
ROW_BYTES_MAX: Final = 512
_COLUMNS: Final = [*SCHEMA.names, "ignored"]
_FUNDING_HEADER: Final = b"calc_time,funding_interval_hours,last_funding_rate"
_EARLIEST_US: Final = 10**14
"""Above it a time is in microseconds: in milliseconds it would be after the year 5000, below it before 1974."""
_SHORTEST_FUNDING: Final = timedelta(hours=1)

Settlements = list[tuple[int, str]]


def bytes_max(timeframe: Timeframe | None, span: Span) -> int:
    """Size that the file of a piece cannot exceed, packed or unpacked."""
    step = _SHORTEST_FUNDING if timeframe is None else timedelta(milliseconds=timeframe.ms)
    return ((span.end - span.start) // step + 8) * ROW_BYTES_MAX


def unpacked(name: str, packed: bytes, limit: int) -> bytes:
    """The one file in a zip archive. Raises MarketFault for anything but one file of sensible size."""
    try:
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].filename != name:
                raise _unreadable(f"holds {len(members)} files, not {name} alone")
            # What the directory says about the size may be wrong, so that is not what the limit is held against.
            with archive.open(members[0]) as file:
                content = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise _unreadable(f"is no zip file that can be read ({error})") from error
    if len(content) > limit:
        raise _unreadable(f"unpacks to more than {limit} bytes, which no such file has")
    return content


def bars_from_csv(content: bytes, timeframe: Timeframe, span: Span) -> pa.Table:
    """The candles of a CSV file, with or without its header row. Raises MarketFault."""
    header = content[:9] == b"open_time"
    try:
        table = pc.read_csv(
            BytesIO(content),
            read_options=pc.ReadOptions(column_names=_COLUMNS, skip_rows=int(header), use_threads=False),
            convert_options=pc.ConvertOptions(
                column_types=SCHEMA, include_columns=SCHEMA.names, null_values=[], strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise _unreadable(f"has rows that cannot be read ({str(error).splitlines()[0]})") from error
    return sound(_in_milliseconds(table), timeframe, span)


def bars_from_rows(rows: Sequence[Sequence[Any]], timeframe: Timeframe, span: Span) -> pa.Table:
    """The candles of the exchange's own rows. Raises MarketFault."""
    try:
        columns = list(zip(*rows, strict=True))[: len(SCHEMA)] or [()] * len(SCHEMA)
        casts = (int if field.type == pa.int64() else float for field in SCHEMA)
        arrays = [
            pa.array([cast(value) for value in column], field.type)
            for cast, column, field in zip(casts, columns, SCHEMA, strict=True)
        ]
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise _unreadable(f"has rows that cannot be read ({error})") from error
    return sound(pa.table(arrays, SCHEMA), timeframe, span)


def sound(table: pa.Table, timeframe: Timeframe, span: Span) -> pa.Table:
    """The rows in order, exact repetitions dropped. Raises MarketFault where one of them cannot be."""
    open_ms = table["open_time"].to_numpy()
    outside = (open_ms < to_ms(span.start)) | (open_ms >= to_ms(span.end))
    if outside.any():
        raise _unreadable(f"has a bar at {int(open_ms[np.argmax(outside)])} ms, which lies outside its time")
    normalise(timeframe, open_ms, np.array([table[name].to_numpy() for name in PRICES]))
    return table.take(np.unique(open_ms, return_index=True)[1])


def _in_milliseconds(table: pa.Table) -> pa.Table:
    for name in ("open_time", "close_time"):
        times: IntArray = table[name].to_numpy()
        fine = times >= _EARLIEST_US
        if fine.any():
            if not fine.all():
                raise _unreadable("has times in milliseconds and in microseconds")
            index = table.schema.get_field_index(name)
            table = table.set_column(index, name, pa.array(times // 1_000))
    return table


def settlements_from_csv(content: bytes, span: Span) -> Settlements:
    """The settled funding of a CSV file, as (milliseconds, rate). Raises MarketFault."""
    header, *lines = content.splitlines() or [b""]
    if header != _FUNDING_HEADER:
        raise _unreadable(f"does not begin with {_FUNDING_HEADER.decode()}")
    with suppress(ValueError, InvalidOperation, UnicodeDecodeError):
        cells = [line.decode().split(",") for line in lines]
        rows = [(int(at), rate) for at, _, rate in cells if Decimal(rate).is_finite()]
        if len(rows) == len(lines):
            return sound_settlements(rows, span)
    raise _unreadable("has rows that cannot be read")


def sound_settlements(rows: Settlements, span: Span) -> Settlements:
    """The settlements in order. Raises MarketFault when one lies outside its time, or two at one instant."""
    ordered = sorted({(at // 1_000 if at >= _EARLIEST_US else at, rate) for at, rate in rows})
    if len({at for at, _ in ordered}) < len(ordered):
        raise _unreadable("has two funding rates that settle at one instant")
    if ordered and not to_ms(span.start) <= ordered[0][0] <= ordered[-1][0] < to_ms(span.end):
        raise _unreadable("has a settlement outside its time")
    return ordered


def missing_bars(open_ms: IntArray, timeframe: Timeframe, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The holes from `start_ms` to `end_ms`, each from the first missing bar's opening to the next one that is there.

    `open_ms` is in order, and within the two.
    """
    first = -(-start_ms // timeframe.ms) * timeframe.ms
    end = end_ms // timeframe.ms * timeframe.ms
    edges = np.concatenate([[first - timeframe.ms], open_ms, [max(end, first)]])
    holes = np.flatnonzero(np.diff(edges) > timeframe.ms)
    return [(int(edges[at]) + timeframe.ms, int(edges[at + 1])) for at in holes]


def facts(table: pa.Table) -> Mapping[str, int]:
    """What the manifest says about a table of candles."""
    open_ms = table["open_time"]
    return {"rows": table.num_rows, "first_ms": open_ms[0].as_py(), "last_ms": open_ms[-1].as_py()}


def _unreadable(detail: str) -> MarketFault:
    return MarketFault(Reason.DATA_UNREADABLE, detail)
