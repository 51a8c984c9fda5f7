"""Signals: the few facts that page somebody, each one structured log line under a fixed code.

In the cloud a log-based metric counts the lines of each code, and an alert looks at the metric: the filters are made
from this list, so that an alert never waits for a word that nobody says. On one machine the line goes to the log file.
"""

import logging
from typing import Any, Final

from withearth.domain.coded import Coded

FIELD: Final = "signal"
"""The field of the log entry's JSON that holds the code."""

log = logging.getLogger(__name__)


class Signal(Coded):
    """A code with the sentence that explains it to the owner."""

    TICK_SENT = "TICK_SENT", "The messages of a tick are published."
    PASS_DONE = "PASS_DONE", "The reconciler has gone through everything once."
    POSITION_UNPROTECTED = (
        "POSITION_UNPROTECTED",
        "A quantity is held without a stop for longer than PROTECT_WITHIN_SEC.",
    )
    TRADING_STATE_CHANGED = "TRADING_STATE_CHANGED", "The trading state was changed, by a person or by a limit."
    MODEL_SAFE_MODE = "MODEL_SAFE_MODE", "The model has failed too often in a row; entries wait for it to answer."
    WEIGHT_HIGH = "WEIGHT_HIGH", "80 % of what the exchange lets be asked in a minute, or more, is used."
    MODEL_BUDGET_SPENT = "MODEL_BUDGET_SPENT", "The day's budget for models does not cover another question."


APART: Final = {
    Signal.POSITION_UNPROTECTED: ("intent_id",),
    Signal.TRADING_STATE_CHANGED: ("state", "at"),
}
"""Facts by which an alert tells one occasion from another: the next one pages while that before is still open."""


def tell(signal: Signal, level: int = logging.INFO, **facts: Any) -> None:
    """Write the signal with what it is about. No fact may be a secret, or carry a name that a log record has."""
    told = " ".join(f"{name}={value}" for name, value in facts.items())
    log.log(level, "%s %s", signal.value, told, extra={FIELD: signal.value, **facts})
