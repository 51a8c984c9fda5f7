"""The story of one decision, from its features to its exit, gathered from wherever its parts are kept."""

from typing import Any

from withearth.domain.errors import Misconfigured
from withearth.flow.documents import decision_ref, event_ref, intent_ref, label_ref, trade_ref
from withearth.store.port import Document, DocumentStore

EVENT_ENDINGS = ("safe-mode", "refused", "opened", "unfollowed", "closed")


def story(store: DocumentStore, decision_id: str) -> dict[str, Any]:
    """Every document about the decision, None where there is none. Raises Misconfigured for an unknown id."""
    refs = [decision_ref(decision_id), intent_ref(decision_id), trade_ref(decision_id), label_ref(decision_id)]
    refs += [event_ref(f"{decision_id}-{ending}") for ending in EVENT_ENDINGS]
    found: list[Document | None] = [None if each is None else each.data for each in store.get_many(refs)]
    decision, intent, trade, label, *events = found
    if decision is None:
        raise Misconfigured(
            f"There is no decision {decision_id} in these books: `withearth export decisions` lists all there are."
        )
    return {
        "decision": decision,
        "intent": intent,
        "trade": trade,
        "label": label,
        "events": [each for each in events if each is not None],
    }
