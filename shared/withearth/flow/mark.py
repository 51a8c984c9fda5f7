"""Mark: by what an installation tells its own orders from those of another one on the same account."""

from withearth.execution.lineage import mark_of
from withearth.execution.venue import EXTERNAL
from withearth.flow.documents import installation_ref
from withearth.flow.runtime import Runtime
from withearth.store.port import AlreadyExists, Create


def our_mark(runtime: Runtime) -> str:
    """The mark of these books, given once; empty on the paper exchange, on which nobody else trades.

    Books are begun at different instants, which is what the mark is made of.
    """
    if runtime.mode not in EXTERNAL:
        return ""
    stored = runtime.store.get(installation_ref())
    return str(stored.data["mark"]) if stored is not None else _begun(runtime)


def _begun(runtime: Runtime) -> str:
    now = runtime.clock.now()
    mark = mark_of(now.isoformat())
    try:
        runtime.store.commit([Create(installation_ref(), {"mark": mark, "at": now})])
    except AlreadyExists:
        return our_mark(runtime)
    return mark
