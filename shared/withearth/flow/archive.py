"""Archive: once a day, an hour after it, the journal of the day before, and the balance then, go into a bucket as CSV.

The books keep everything, too; this is the copy that outlives them, and that a spreadsheet reads. A day is marked as
archived after both files are there, so a pass that fails is made good by the next one.
"""

import io
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
from withearth.store.port import Query, Replace

DAY: Final = timedelta(days=1)
BOOKED_WITHIN: Final = timedelta(hours=1)
"""How long after its end a trade may be booked: its fills and its funding have to be told first."""
BALANCE_COLUMNS: Final = ("at", "mode", "equity", "trades", "wins", "voids", "gross", "fees", "funding", "net")


def archive_yesterday(runtime: Runtime, archive: Archive) -> None:
    """Archive the UTC day that is over, unless that was done. Raises what the archive raises, Unavailable or not."""
    until = Timeframe.D1.last_close(runtime.clock.now() - BOOKED_WITHIN)
    day = f"{until - DAY:%Y%m%d}"
    ref = archive_ref(runtime.mode, day)
    if runtime.store.get(ref) is not None:
        return
    name = f"{runtime.mode.lower()}-{day}.csv"
    archive.keep(f"journal/{name}", _journal(runtime, until))
    archive.keep(f"balance/{name}", _balance(runtime))
    runtime.store.commit([Replace(ref, {"at": runtime.clock.now()})])


def _journal(runtime: Runtime, until: datetime) -> str:
    closed = Query(
        TRADES, {"status": TradeStatus.CLOSED.value}, order_by="closed_at", at_least=until - DAY, below=until
    )
    rows = [each.data for each in runtime.store.query(closed) if each.data["mode"] == runtime.mode]
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
