"""The journal and the balance as CSV, as they are exported and archived."""

import csv
from collections.abc import Iterable, Mapping
from typing import IO, Any

from withearth.domain.canonical import plain
from withearth.flow.journal import JOURNAL_COLUMNS, NET_COLUMNS, journal_row
from withearth.store.port import Document


def write_journal(out: IO[str], trades: Iterable[Document]) -> None:
    """Write the classic journal columns, then the net figures, one trade a line."""
    write_rows(out, (*JOURNAL_COLUMNS, *NET_COLUMNS), map(journal_row, trades))


def write_rows(out: IO[str], columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows under their columns. Instants as ISO text, what is missing as nothing."""
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else plain(value)
