"""Archive: once a day, an hour after it, the journal of the day before, and the balance then, go into a bucket as CSV.

The books keep everything, too; this is the copy that outlives them, and that a spreadsheet reads. A day is marked as
archived after its files are there, so a pass that fails is made good by the next one. Where nothing ran for some days,
their journals are made good too; what the balance was then nobody can say any more.
"""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.domain.times import Timeframe
from withearth.flow.account import equity_at_first
from withearth.flow.documents import TRADES, TradeStatus, archive_ref, ledger_ref
from withearth.flow.journal_csv import write_journal, write_rows
from withearth.flow.ledger import sums_of
from withearth.flow.runtime import Runtime
from withearth.store.blobs import Archive
from withearth.store.port import Document, Query, Ref, Replace

DAY: Final = timedelta(days=1)
BOOKED_WITHIN: Final = timedelta(hours=1)
"""How long after its end a trade may be booked: its fills and its funding have to be told first."""
MADE_GOOD: Final = 30
"""How many days back a journal is looked for that was never archived."""
BALANCE_COLUMNS: Final = ("at", "mode", "equity", "trades", "wins", "voids", "gross", "fees", "funding", "net")


def archive_yesterday(runtime: Runtime, archive: Archive) -> None:
    """Archive the UTC day that is over, unless that was done. Raises what the archive raises, Unavailable or not."""
    yesterday = Timeframe.D1.last_close(runtime.clock.now() - BOOKED_WITHIN) - DAY
    ref = _ref(runtime, yesterday)
    if runtime.store.get(ref) is not None:
        return
    _make_good(runtime, archive, [yesterday - age * DAY for age in range(1, MADE_GOOD + 1)])
    archive.keep(f"journal/{_name(runtime, yesterday)}", _journal(_closed_on(runtime, yesterday)))
    archive.keep(f"balance/{_name(runtime, yesterday)}", _balance(runtime))
    runtime.store.commit([Replace(ref, {"at": runtime.clock.now()})])


def _make_good(runtime: Runtime, archive: Archive, days: Sequence[datetime]) -> None:
    """Archive the journals of earlier days on which something closed, and that no pass came to."""
    archived = runtime.store.get_many([_ref(runtime, day) for day in days])
    for day in (day for day, marked in zip(days, archived, strict=True) if marked is None):
        rows = _closed_on(runtime, day)
        if rows:
            archive.keep(f"journal/{_name(runtime, day)}", _journal(rows))
            runtime.store.commit([Replace(_ref(runtime, day), {"at": runtime.clock.now()})])


def _ref(runtime: Runtime, day: datetime) -> Ref:
    return archive_ref(runtime.mode, f"{day:%Y%m%d}")


def _name(runtime: Runtime, day: datetime) -> str:
    return f"{runtime.mode.lower()}-{day:%Y%m%d}.csv"


def _closed_on(runtime: Runtime, day: datetime) -> list[Document]:
    closed = Query(TRADES, {"status": TradeStatus.CLOSED.value}, order_by="closed_at", at_least=day, below=day + DAY)
    return [each.data for each in runtime.store.query(closed) if each.data["mode"] == runtime.mode]


def _journal(rows: Sequence[Document]) -> str:
    out = io.StringIO()
    write_journal(out, rows)
    return out.getvalue()


def _balance(runtime: Runtime) -> str:
    sums = sums_of(runtime.store.get(ledger_ref(runtime.mode)))
    net = Decimal(sums["net"])
    start = equity_at_first(runtime, net)
    told = {"at": runtime.clock.now(), "mode": runtime.mode, "equity": "" if start is None else str(start + net)}
    row: dict[str, Any] = {**sums, **told}
    out = io.StringIO()
    write_rows(out, BALANCE_COLUMNS, [{name: row[name] for name in BALANCE_COLUMNS}])
    return out.getvalue()
