"""Mark: by what an installation tells its own orders from those of another one on the same account."""

from withearth.execution.lineage import mark_of
from withearth.execution.venue import EXTERNAL
from withearth.flow.documents import installation_ref
from withearth.flow.journal import record_once
from withearth.flow.runtime import Runtime
from withearth.store.port import Create


def our_mark(runtime: Runtime) -> str:
    """The mark of these books, given once; empty on the paper exchange, on which nobody else trades.

    Books are begun at different instants, which is what the mark is made of.
    """
    if runtime.mode not in EXTERNAL:
        return ""
    stored = runtime.store.get(installation_ref())
    if stored is None:
        now = runtime.clock.now()
        record_once(runtime.store, Create(installation_ref(), {"mark": mark_of(now.isoformat()), "at": now}))
        return our_mark(runtime)
    return str(stored.data["mark"])
