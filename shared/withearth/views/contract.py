"""The contract with the dashboard: the shape of every document it reads, and of the one it writes.

These types are the source. The builders of the views are checked against them by mypy, documents of a real run by
pydantic in a test, and `dashboard/src/data/model.ts` is written from them (`python -m withearth.generated_docs`).
Money, prices and quantities are decimal text; instants are datetimes here, Timestamps in Firestore, ISO text in JSON.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypeAliasType, TypedDict

EXACT: Final = ConfigDict(extra="forbid")

ID_CHARS_MAX: Final = 64
TEXT_CHARS_MAX: Final = 200

DecimalText = TypeAliasType("DecimalText", str)
Instant = TypeAliasType("Instant", datetime)
Mode = TypeAliasType("Mode", Literal["SHADOW", "PAPER", "DEMO", "LIVE"])
Origin = TypeAliasType("Origin", Literal["SYNTHETIC", "RECORDED", "LIVE"])
Side = TypeAliasType("Side", Literal["long", "short"])
Direction = TypeAliasType("Direction", Literal["long", "short", "hold"])
Stage = TypeAliasType("Stage", Literal["data", "gate", "model", "risk", "order"])
Frame = TypeAliasType("Frame", Literal["5m", "1h", "4h", "1d"])
State = TypeAliasType("State", Literal["ACTIVE", "REDUCING", "HALTED"])
Level = TypeAliasType("Level", Literal["ok", "watch", "alarm"])
Check = TypeAliasType(
    "Check", Literal["TRADING", "PROTECTION", "LIMITS", "ACCOUNT", "TICK", "DATA", "CLOCK", "WEIGHT", "MODEL", "SPEND"]
)
Protection = TypeAliasType("Protection", Literal["ARMED", "NAKED", "SHADOW"])
Trend = TypeAliasType("Trend", Literal["up", "down", "flat"])
IntentState = TypeAliasType("IntentState", Literal["CLAIMED", "SHADOW", "EXECUTED", "REFUSED"])
Action = TypeAliasType("Action", Literal["halt", "reduce", "resume", "flatten"])


@with_config(EXACT)
class Trading(TypedDict):
    """The trading state. `known` is false where the document could not be understood, which counts as HALTED."""

    state: State
    who: str
    why: str
    at: Instant | None
    known: bool


@with_config(EXACT)
class Health(TypedDict):
    """One check of the status bar. `value` and `limit` are what was compared, as text to be shown."""

    check: Check
    level: Level
    value: str | None
    limit: str | None


@with_config(EXACT)
class Verdict(TypedDict):
    """The worst check, in one word. A page that sees an old heartbeat says so instead."""

    level: Level
    check: Check | None


@with_config(EXACT)
class Tick(TypedDict):
    """The newest tick with a decision: how many symbols were sent, are decided, and could not be for want of data."""

    tick_id: str
    closed_at: Instant
    symbols: int
    decided: int
    without_data: int


@with_config(EXACT)
class Weight(TypedDict):
    """Request weight used within the exchange's present minute; `stop` is the code of a stop by the exchange."""

    used: int
    limit: int
    at: Instant
    stop: str | None
    stop_until: Instant | None


@with_config(EXACT)
class Model(TypedDict):
    """Whether the model answers, which names are dead, and what the UTC day has cost."""

    failures: int
    safe_mode: bool
    retired: list[str]
    spent_usd: DecimalText
    budget_usd: DecimalText
    tokens: int


@with_config(EXACT)
class OverviewView(TypedDict):
    """`views/overview`, written every minute. The page works out ages itself; after `stale_after_s` all is stale.

    `flattening` lasts from the request to close everything until all is closed. `data_as_of` is the newest close that
    any decision saw; `clock_skew_ms` is our clock minus the exchange's, None where nobody measured it. `equity` is None
    until the exchange has said what the account is worth.
    """

    mode: Mode
    market: Origin
    venue: str | None
    executes: bool
    predictor: str
    version: str
    symbols: list[str]
    heartbeat_at: Instant
    stale_after_s: int
    last_tick: Tick | None
    data_as_of: Instant | None
    clock_skew_ms: int | None
    weight: Weight | None
    model: Model | None
    trading: Trading
    flattening: bool
    health: list[Health]
    verdict: Verdict
    open_trades: int
    closed_trades: int
    equity: DecimalText | None
    net_pnl: DecimalText


@with_config(EXACT)
class Stats(TypedDict):
    """What some closed trades came to. `net` = gross − fees + funding. Ratios are None where nothing can be divided.

    `profit_factor` is what the winners won over what the losers lost; `costs_share` is fees plus funding paid over the
    gross amount traded for (winners and losers without their sign).
    """

    trades: int
    wins: int
    voids: int
    gross: DecimalText
    fees: DecimalText
    funding: DecimalText
    net: DecimalText
    win_rate: float | None
    profit_factor: float | None
    costs_share: float | None


@with_config(EXACT)
class EquityPoint(TypedDict):
    """Equity after a closed trade, or at the end of an older UTC day (`trade` is None), with what that earned, net.

    `drawdown_pct` is how far the equity is below its highest before, in percent of that.
    """

    at: Instant
    trade: str | None
    net: DecimalText
    equity: DecimalText
    drawdown_pct: float


@with_config(EXACT)
class BenchmarkPoint(TypedDict):
    """What the starting equity would be, held in the benchmark since the first point of the curve."""

    at: Instant
    equity: DecimalText


@with_config(EXACT)
class Benchmark(TypedDict):
    """The same money, held."""

    symbol: str
    points: list[BenchmarkPoint]


@with_config(EXACT)
class MoneyView(TypedDict):
    """`views/money`. Days are UTC days: `today` is the present one, `week` it and the six before.

    The curve starts from `starting_equity` and moves by trades only, so deposits and withdrawals never bend it: on an
    exchange it may end elsewhere than at `equity`, which is the account's.
    """

    at: Instant
    mode: Mode
    market: Origin
    starting_equity: DecimalText
    equity: DecimalText
    today: Stats
    week: Stats
    total: Stats
    max_drawdown_pct: float
    points: list[EquityPoint]
    benchmark: Benchmark | None


@with_config(EXACT)
class Guard(TypedDict):
    """A stop or a target. `armed` says that the exchange has it; `since` when it was sent."""

    price: DecimalText
    armed: bool
    since: Instant | None
    order: str | None


@with_config(EXACT)
class Liquidation(TypedDict):
    """Where the exchange would close the position, and how far the mark is from there, in percent of the mark."""

    price: DecimalText
    distance_pct: float


@with_config(EXACT)
class Position(TypedDict):
    """One open trade. `unrealised` is net: after the fees of both ways; `r` is it over the risk to the first stop.

    `protection`: ARMED, the stop stands on the exchange; NAKED, it does not: an alarm; SHADOW, nothing is held.
    """

    id: str
    symbol: str
    side: Side
    qty: DecimalText
    entry: DecimalText
    mark: DecimalText | None
    mark_at: Instant | None
    unrealised: DecimalText | None
    r: float | None
    stop: Guard
    target: Guard
    protection: Protection
    phase: str | None
    liquidation: Liquidation | None
    opened_at: Instant
    ends_at: Instant


@with_config(EXACT)
class PositionsView(TypedDict):
    """`views/positions`."""

    at: Instant
    mode: Mode
    market: Origin
    positions: list[Position]


@with_config(EXACT)
class Cell(TypedDict):
    """One timeframe of one symbol. `value` is the close's distance from its SMA(20) in ATR(14); `strength` 0 to 1."""

    direction: Trend
    strength: float
    value: float
    rsi: float


@with_config(EXACT)
class HeatRow(TypedDict):
    """One symbol. Without sound data a symbol has no cells."""

    symbol: str
    price: float | None
    cells: dict[Frame, Cell]


@with_config(EXACT)
class HeatMapView(TypedDict):
    """`views/heatmap`, of the newest tick."""

    at: Instant
    rows: list[HeatRow]


@with_config(EXACT)
class LimitRow(TypedDict):
    """One limit. A `value` of "0" is a limit that is off; `lifts_at` is when it stops nothing any more."""

    limit: str
    reason: str
    value: DecimalText
    used: DecimalText | None
    stops: bool
    lifts_at: Instant | None


@with_config(EXACT)
class LimitsView(TypedDict):
    """`views/limits`. `applies` is false for shadow trades, which no limit stops; not `readable` stops all entries."""

    at: Instant
    applies: bool
    trading: Trading
    readable: bool
    limits: list[LimitRow]


@with_config(EXACT)
class Bin(TypedDict):
    """Decisions whose probability lies from `low` up to `high`: what was said on average, and what share came true."""

    low: float
    high: float
    samples: int
    said: float
    happened: float


@with_config(EXACT)
class Scores(TypedDict):
    """How good some probabilities were. Brier: 0 is perfect, 0.25 a coin; log loss in nats, 0.693 is a coin."""

    name: str
    samples: int
    said: float
    happened: float
    brier: float
    log_loss: float


@with_config(EXACT)
class Reliability(TypedDict):
    """One predictor: all its labelled decisions, and the same by symbol and by regime."""

    predictor: str
    all: Scores
    bins: list[Bin]
    symbols: list[Scores]
    regimes: list[Scores]


@with_config(EXACT)
class CalibrationView(TypedDict):
    """`views/calibration`."""

    at: Instant
    predictors: list[Reliability]


@with_config(EXACT)
class ControlRequest(TypedDict):
    """`control/request`: the one document that the dashboard writes. `word` is FLATTEN for flatten, else None.

    `id` is the page's own, at most 64 characters; `why` has at most 200; `who` is the owner's e-mail address.
    """

    id: Annotated[str, Field(min_length=1, max_length=ID_CHARS_MAX)]
    action: Action
    word: str | None
    why: Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
    who: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
    at: Instant


@with_config(EXACT)
class ControlAnswer(TypedDict):
    """What became of a request: OBEYED with the state that followed, or REFUSED under a code."""

    id: str
    action: str
    who: str
    why: str
    asked_at: Instant | None
    answered_at: Instant
    outcome: Literal["OBEYED", "REFUSED"]
    code: str | None
    state: State


@with_config(EXACT)
class ControlView(TypedDict):
    """`views/control`: the newest answers first."""

    at: Instant
    answers: list[ControlAnswer]
