"""Where each document lives, and the few words their state fields use.

One module, so that nobody has to search for who else reads a collection.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from withearth.store.port import Ref

DECISION_RETENTION: Final = timedelta(days=180)
EVENT_RETENTION: Final = timedelta(days=30)
CLAIM_LEASE: Final = timedelta(seconds=120)
"""How long a claim holds before another delivery may take the work over: longer than any function may run."""

TRADES: Final = "trades"
DECISIONS: Final = "decisions"
INTENTS: Final = "intents"
EVENTS: Final = "events"
POSITIONS: Final = "positions"
LABELS: Final = "labels"
SENTIMENT: Final = "sentiment"
FEED: Final = "feed"
CHARTS: Final = "charts"

EXPIRE_AT: Final = "expire_at"
EXPIRING: Final = frozenset({DECISIONS, EVENTS, FEED, LABELS, SENTIMENT})
"""Collections whose documents name in EXPIRE_AT when the store may forget them."""


class DecisionState(StrEnum):
    """A decision is claimed before anything is paid for it, and done when its document is complete."""

    CLAIMED = "CLAIMED"
    DONE = "DONE"


class IntentState(StrEnum):
    """What became of an intent."""

    CLAIMED = "CLAIMED"
    SHADOW = "SHADOW"
    EXECUTED = "EXECUTED"
    REFUSED = "REFUSED"


class TradeStatus(StrEnum):
    """OPEN until the target, the stop or the horizon; VOID when the data in between cannot tell."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    VOID = "VOID"


def tick_ref(tick_id: str) -> Ref:
    """One tick: which symbols were sent, and what came of them."""
    return Ref("ticks", tick_id)


def decision_ref(decision_id: str) -> Ref:
    """One decision with its whole audit."""
    return Ref(DECISIONS, decision_id)


def intent_ref(intent_id: str) -> Ref:
    """One intent and what became of it."""
    return Ref(INTENTS, intent_id)


def trade_ref(trade_id: str) -> Ref:
    """One row of the journal."""
    return Ref(TRADES, trade_id)


def position_ref(place: str) -> Ref:
    """The open trade of a place: a symbol, or one side of it. That it can be created once forbids a second trade."""
    return Ref(POSITIONS, place)


def event_ref(event_id: str) -> Ref:
    """One operational fact."""
    return Ref(EVENTS, event_id)


def ledger_ref(mode: str) -> Ref:
    """Sums over all closed trades of a mode, changed in the very commit that closes a trade."""
    return Ref("risk", f"{mode.lower()}-ledger")


def book_ref(mode: str) -> Ref:
    """What counts for the limits of a mode: changed by compare-and-set, in the commit that it counts for."""
    return Ref("risk", f"{mode.lower()}-limits")


def account_ref(mode: str) -> Ref:
    """The account as the exchange shows it: equity, free margin, and what the last day earned."""
    return Ref("risk", f"{mode.lower()}-account")


def drift_ref(mode: str) -> Ref:
    """Up to when the journal was held against the exchange's income records, and what differed the last time."""
    return Ref("risk", f"{mode.lower()}-drift")


def canary_ref() -> Ref:
    """The daily trial of a stop: what is placed for it, when the next one is due, and what went wrong."""
    return Ref("control", "canary")


def archive_ref(mode: str, day: str) -> Ref:
    """Exists when the journal and the balance of a UTC day, such as `20240101`, lie in the archive."""
    return Ref("archives", f"{mode.lower()}-{day}")


def trading_ref() -> Ref:
    """Whether entries are allowed: ACTIVE, REDUCING or HALTED. May be edited by hand."""
    return Ref("control", "trading")


def installation_ref() -> Ref:
    """The mark by which these books know their orders on an account that others may use too."""
    return Ref("control", "installation")


def live_begun_ref() -> Ref:
    """Exists once an installation has been halted at its beginning on live; before that it never enters there."""
    return Ref("control", "live")


def control_request_ref() -> Ref:
    """What the owner asks for from the dashboard: the only document that it writes."""
    return Ref("control", "request")


def flatten_ref() -> Ref:
    """The request to close everything, until it is done."""
    return Ref("control", "flatten")


def budget_ref(day: str) -> Ref:
    """What models cost on one UTC day, such as `20240101`: integers, changed by increments only."""
    return Ref("budgets", day)


def model_health_ref() -> Ref:
    """How often in a row the model failed, and when it was last tried."""
    return Ref("control", "model")


def sentiment_ref(symbol: str) -> Ref:
    """The newest sentiment of a symbol."""
    return Ref(SENTIMENT, symbol)


def calibration_ref(predictor: str) -> Ref:
    """The newest calibration map of a predictor."""
    return Ref("calibrations", predictor.replace("/", "_"))


def label_ref(decision_id: str) -> Ref:
    """Which barrier the levels of one decision met first, whether or not it was traded."""
    return Ref(LABELS, decision_id)


def feed_ref(tick_id: str) -> Ref:
    """Every decision of one tick, a line each."""
    return Ref(FEED, tick_id)


def chart_ref(symbol: str) -> Ref:
    """The newest candles of a symbol, for a page that cannot ask an exchange."""
    return Ref(CHARTS, symbol)


def calibration_sums_ref() -> Ref:
    """What the calibration view is made from: sums over every labelled decision."""
    return Ref("risk", "calibration")


def view_ref(name: str) -> Ref:
    """One of the small documents that a dashboard reads."""
    return Ref("views", name)


def stop_needs_position_ref() -> Ref:
    """Exists when the venue has refused a stop because there was no position: from then on stops follow the fill.

    Delete it when the venue has learnt better.
    """
    return Ref("control", "stop-needs-position")


def exchange_ref(host: str) -> Ref:
    """What all processes have to know about an exchange: used weight, stops, and how far its clock is from ours."""
    return Ref("exchanges", host)


def universe_ref() -> Ref:
    """The symbols that are decided on at present, where SYMBOLS does not name them."""
    return Ref("control", "universe")
