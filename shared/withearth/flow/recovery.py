"""Recovery: what one machine does at its start about the work of a process that was killed."""

from typing import Final

from withearth.domain.times import from_ms
from withearth.flow.documents import DECISIONS, INTENTS
from withearth.store.port import DocumentStore, Query, Replace

_LONG_AGO: Final = from_ms(0)


def void_claims(store: DocumentStore) -> int:
    """End the lease of every claim, and return how many there were.

    Only right where the caller knows that nobody else is at work, as the holder of the state directory does. In the
    cloud a lease ends by its time alone.
    """
    claims = [
        each
        for collection in (DECISIONS, INTENTS)
        for each in store.query(Query(collection, where={"state": "CLAIMED"}))
    ]
    for claim in claims:
        store.commit([Replace(claim.ref, dict(claim.data) | {"lease_until": _LONG_AGO}, claim.version)])
    return len(claims)
