"""A Pub/Sub message as it reaches a function over HTTP, and the status that answers it.

The push subscription's envelope and the binary CloudEvent form have the same body:
`{"message": {"data": base64, "attributes": {...}, ...}, "subscription": "..."}`; `attributes` and `data` are absent
when empty. A 2xx acknowledges; anything else has the message delivered again, and in the end dead-lettered.
"""

import base64
import binascii
import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from withearth.domain.errors import InvalidEvent, Misconfigured, Refused, Retryable
from withearth.domain.reasons import Reason
from withearth.flow.journal import record_refused_event
from withearth.flow.runtime import Runtime
from withearth.log_context import about
from withearth.messaging.events import AnyEvent, decode

ACKNOWLEDGED: Final = 204
DELIVER_AGAIN: Final = 503
MEND_FIRST: Final = 500

Answer = tuple[str, int]

log = logging.getLogger(__name__)


def handle_push(
    runtime: Runtime,
    body: bytes,
    event_type: type[AnyEvent],
    use_case: Callable[[Runtime, AnyEvent], object],
) -> Answer:
    """Decode the pushed event, run the use case on it, and say whether the message is done.

    Retryable errors ask for redelivery. A refused event is recorded with its reason and acknowledged. What a person has
    to mend is logged as one sentence, and anything else escapes: the platform answers 500. In both cases the message is
    delivered again until it is dead-lettered.
    """
    with ExitStack() as told:
        try:
            event = decode(event_type, message_data(body, runtime.settings.max_event_bytes))
            told.enter_context(about(symbol=event.symbol, decision_id=event.about))
            use_case(runtime, event)
        except Retryable as error:
            log.info("deliver_again %s", error)
            return str(error), DELIVER_AGAIN
        except Misconfigured as error:
            log.error("misconfigured %s", error)  # noqa: TRY400 - the sentence says it all
            return str(error), MEND_FIRST
        except Refused as refusal:
            record_refused_event(runtime, refusal, fingerprint=hashlib.sha256(body).hexdigest()[:20])
    return "", ACKNOWLEDGED


def message_data(body: bytes, bytes_max: int) -> bytes:
    """The message's data. Raises InvalidEvent when the body is too large or not a push request."""
    if len(body) > bytes_max:
        raise InvalidEvent(Reason.EVENT_TOO_LARGE, f"{len(body)} bytes, MAX_EVENT_BYTES is {bytes_max}")
    try:
        return base64.b64decode(json.loads(body)["message"].get("data", ""), validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise InvalidEvent(Reason.EVENT_MALFORMED, "not a Pub/Sub push request") from error
