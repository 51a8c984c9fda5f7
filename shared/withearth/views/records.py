"""The rest of the contract: the feed and the charts, and documents of the books, one by one and in pages.

The books are kept for more readers than the dashboard: their documents may say more than is told here.
"""

from typing import Any, Final, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from withearth.views.contract import (
    EXACT,
    CalibrationView,
    ControlRequest,
    ControlView,
    DecimalText,
    Direction,
    Frame,
    HeatMapView,
    Instant,
    IntentState,
    LimitsView,
    Mode,
    MoneyView,
    Origin,
    OverviewView,
    PositionsView,
    Side,
    Stage,
)

OPEN: Final = ConfigDict(extra="allow")
"""For documents that are kept for more readers than the dashboard: they may say more than it knows of."""


@with_config(EXACT)
class OrderOutcome(TypedDict):
    """What became of a decision's intent."""

    state: IntentState
    blocked_by: str | None


@with_config(EXACT)
class FeedRow(TypedDict):
    """One decision in a line. `order` is None where there was no intent, or nobody has taken it up yet."""

    symbol: str
    decision_id: str
    direction: Direction
    prob: float | None
    risk_reward: DecimalText | None
    stage: Stage
    blocked_by: str | None
    reason: str
    predictor: str | None
    cost_micro_usd: int
    latency_ms: int
    order: OrderOutcome | None


@with_config(EXACT)
class Feed(TypedDict):
    """`feed/TICK`: every decision of one tick. `symbols` is how many there will be."""

    tick_id: str
    at: Instant
    symbols: int
    rows: list[FeedRow]
    expire_at: Instant


@with_config(EXACT)
class Bars(TypedDict):
    """Closed candles in columns, oldest first."""

    open_ms: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]


@with_config(EXACT)
class Chart(TypedDict):
    """`charts/SYMBOL`: the newest closed candles of each timeframe. `at` is the newest close."""

    symbol: str
    at: Instant
    frames: dict[Frame, Bars]


@with_config(OPEN)
class Trade(TypedDict):
    """`trades/ID`. `pnl` is gross. VOID trades and open ones have no result."""

    id: str
    symbol: str
    side: Side
    qty: DecimalText
    entry: DecimalText
    tp: DecimalText
    sl: DecimalText
    exit: DecimalText | None
    pnl: DecimalText | None
    fees: DecimalText | None
    funding: DecimalText | None
    net_pnl: DecimalText | None
    r_multiple: DecimalText | None
    exit_reason: str | None
    status: Literal["OPEN", "CLOSED", "VOID"]
    opened_at: Instant
    closed_at: Instant | None
    horizon_min: int
    mode: Mode
    market: Origin


@with_config(OPEN)
class EventRow(TypedDict):
    """`events/ID`: one operational fact."""

    kind: str
    at: Instant
    symbol: str
    text: str


@with_config(OPEN)
class Prediction(TypedDict):
    """What the predictor answered. The calibrated probability decides where there is one."""

    direction: Direction
    prob: float
    calibrated: float | None
    reasoning: str
    support: float | None
    resistance: float | None


@with_config(OPEN)
class Levels(TypedDict):
    """Entry, target and stop."""

    entry: DecimalText
    tp: DecimalText
    sl: DecimalText


@with_config(OPEN)
class Assessment(TypedDict):
    """Levels, risk/reward and size, as far as they were worked out."""

    levels: Levels | None
    risk_reward: DecimalText | None
    risk_reward_min: DecimalText | None
    qty: DecimalText | None
    detail: str


@with_config(OPEN)
class Decision(TypedDict):
    """`decisions/ID`, DONE: the whole audit. `snapshot` and `asked` are shown as they are."""

    decision_id: str
    state: Literal["DONE"]
    symbol: str
    tick_id: str
    as_of: Instant
    decided_at: Instant
    market: Origin
    predictor: str | None
    stage: Stage
    blocked_by: str | None
    reasons: list[str]
    detail: str
    snapshot: dict[str, Any] | None
    snapshot_hash: str | None
    asked: dict[str, Any] | None
    prediction: Prediction | None
    assessment: Assessment | None
    intent: dict[str, Any] | None


@with_config(OPEN)
class Order(TypedDict):
    """One order of an execution. `leg`: e entry, s stop, t target, x exit; `code` is the exchange's, 0 without one."""

    leg: str
    attempt: int
    qty: DecimalText
    price: DecimalText | None
    sent_at: Instant
    outcome: str
    filled: DecimalText
    filled_at: Instant | None
    average: DecimalText | None
    order_id: str
    code: int


@with_config(OPEN)
class Execution(TypedDict):
    """What was sent for an intent: every order under its client id."""

    phase: str
    phase_since: Instant
    reason: str | None
    sent: dict[str, Order]


@with_config(OPEN)
class Intent(TypedDict):
    """`intents/ID`. `execution` is there once an executed trade has begun."""

    intent_id: str
    symbol: str
    state: IntentState
    blocked_by: str | None
    execution: NotRequired[Execution]


@with_config(OPEN)
class Label(TypedDict):
    """`labels/ID`: which barrier a decision's levels met first, None until that is known."""

    decision_id: str
    prob: float
    side: Side
    barrier: str | None
    met_at: Instant | None
    due_at: Instant
    regime: str


@with_config(EXACT)
class Story(TypedDict):
    """Everything about one decision, None where there is none."""

    decision: Decision
    intent: Intent | None
    trade: Trade | None
    label: Label | None
    events: list[EventRow]


@with_config(EXACT)
class Changed(TypedDict):
    """One message of the stream: which collections, and which views, have changed up to `seq`."""

    seq: int
    topics: list[str]


@with_config(EXACT)
class FeedPage(TypedDict):
    """`GET /api/feed`: newest first. Give `next` as `after` for what comes before; None where nothing does."""

    feeds: list[Feed]
    next: str | None


@with_config(OPEN)
class TradePage(TypedDict):
    """`GET /api/trades`: newest first."""

    trades: list[Trade]
    next: str | None


@with_config(OPEN)
class EventPage(TypedDict):
    """`GET /api/events`: newest first."""

    events: list[EventRow]
    next: str | None


@with_config(EXACT)
class Session(TypedDict):
    """`GET /api/session` of a local run: who may ask, and what a control request has to carry as X-WithEarth-Token.

    `log` is the path of the log file, for whoever sits at that machine: nobody else is answered.
    """

    who: str
    token: str
    log: str


DOCUMENTS: Final = (
    OverviewView,
    MoneyView,
    PositionsView,
    HeatMapView,
    LimitsView,
    CalibrationView,
    ControlView,
    ControlRequest,
    Feed,
    Chart,
    FeedPage,
    TradePage,
    EventPage,
    Story,
    Changed,
    Session,
)
"""What is read as a whole; every other type is a part of one of these."""
