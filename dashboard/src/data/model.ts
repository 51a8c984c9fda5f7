// What the dashboard reads and writes. Written from shared/withearth/views/contract.py by
// `python -m withearth.generated_docs`: change it there. How it comes here, and who writes what: docs/views.md.

export type Action = "halt" | "reduce" | "resume" | "flatten";

/** Levels, risk/reward and size, as far as they were worked out. */
export interface Assessment {
  levels: Levels | null;
  risk_reward: DecimalText | null;
  risk_reward_min: DecimalText | null;
  qty: DecimalText | null;
  detail: string;
}

/** Closed candles in columns, oldest first. */
export interface Bars {
  open_ms: readonly number[];
  open: readonly number[];
  high: readonly number[];
  low: readonly number[];
  close: readonly number[];
  volume: readonly number[];
}

/** The same money, held. */
export interface Benchmark {
  symbol: string;
  points: readonly BenchmarkPoint[];
}

/** What the starting equity would be, held in the benchmark since the first point of the curve. */
export interface BenchmarkPoint {
  at: Instant;
  equity: DecimalText;
}

/** Decisions whose probability lies from `low` up to `high`: what was said on average, and what share came true. */
export interface Bin {
  low: number;
  high: number;
  samples: number;
  said: number;
  happened: number;
}

/** `views/calibration`. */
export interface CalibrationView {
  at: Instant;
  predictors: readonly Reliability[];
}

/** One timeframe of one symbol. `value` is the close's distance from its SMA(20) in ATR(14); `strength` 0 to 1. */
export interface Cell {
  direction: Trend;
  strength: number;
  value: number;
  rsi: number;
}

/** One message of the stream: which collections, and which views, have changed up to `seq`. */
export interface Changed {
  seq: number;
  topics: readonly string[];
}

/** `charts/SYMBOL`: the newest closed candles of each timeframe. `at` is the newest close. */
export interface Chart {
  symbol: string;
  at: Instant;
  frames: Partial<Record<Frame, Bars>>;
}

export type Check = "TRADING" | "PROTECTION" | "LIMITS" | "ACCOUNT" | "TICK" | "DATA" | "CLOCK" | "WEIGHT" | "MODEL" | "SPEND";

/** What became of a request: OBEYED with the state that followed, or REFUSED under a code. */
export interface ControlAnswer {
  id: string;
  action: string;
  who: string;
  why: string;
  asked_at: Instant | null;
  answered_at: Instant;
  outcome: "OBEYED" | "REFUSED";
  code: string | null;
  state: State;
}

/** `control/request`: the one document that the dashboard writes. `word` is FLATTEN for flatten, else null. `id` is the page's own, at most 64 characters; `why` has at most 200; `who` is the owner's e-mail address. */
export interface ControlRequest {
  id: string;
  action: Action;
  word: string | null;
  why: string;
  who: string;
  at: Instant;
}

/** `views/control`: the newest answers first. */
export interface ControlView {
  at: Instant;
  answers: readonly ControlAnswer[];
}

/** An exact decimal number. For money, prices and quantities; draw with it, compute nothing. */
export type DecimalText = string;

/** `decisions/ID`, DONE: the whole audit. `snapshot` and `asked` are shown as they are. */
export interface Decision {
  decision_id: string;
  state: "DONE";
  symbol: string;
  tick_id: string;
  as_of: Instant;
  decided_at: Instant;
  market: Origin;
  predictor: string | null;
  stage: Stage;
  blocked_by: string | null;
  reasons: readonly string[];
  detail: string;
  snapshot: Record<string, unknown> | null;
  snapshot_hash: string | null;
  asked: Record<string, unknown> | null;
  prediction: Prediction | null;
  assessment: Assessment | null;
  intent: Record<string, unknown> | null;
}

export type Direction = "long" | "short" | "hold";

/** Equity after a closed trade, or at the end of an older UTC day (`trade` is null), with what that earned, net. `drawdown_pct` is how far the equity is below its highest before, in percent of that. */
export interface EquityPoint {
  at: Instant;
  trade: string | null;
  net: DecimalText;
  equity: DecimalText;
  drawdown_pct: number;
}

/** `GET /api/events`: newest first. */
export interface EventPage {
  events: readonly EventRow[];
  next: string | null;
}

/** `events/ID`: one operational fact. */
export interface EventRow {
  kind: string;
  at: Instant;
  symbol: string;
  text: string;
}

/** What was sent for an intent: every order under its client id. */
export interface Execution {
  phase: string;
  phase_since: Instant;
  reason: string | null;
  sent: Record<string, Order>;
}

/** `feed/TICK`: every decision of one tick. `symbols` is how many there will be. */
export interface Feed {
  tick_id: string;
  at: Instant;
  symbols: number;
  rows: readonly FeedRow[];
  expire_at: Instant;
}

/** `GET /api/feed`: newest first. Give `next` as `after` for what comes before; null where nothing does. */
export interface FeedPage {
  feeds: readonly Feed[];
  next: string | null;
}

/** One decision in a line. `order` is null where there was no intent, or nobody has taken it up yet. */
export interface FeedRow {
  symbol: string;
  decision_id: string;
  direction: Direction;
  prob: number | null;
  risk_reward: DecimalText | null;
  stage: Stage;
  blocked_by: string | null;
  reason: string;
  predictor: string | null;
  cost_micro_usd: number;
  latency_ms: number;
  order: OrderOutcome | null;
}

export type Frame = "5m" | "1h" | "4h" | "1d";

/** A stop or a target. `armed` says that the exchange has it; `since` when it was sent. */
export interface Guard {
  price: DecimalText;
  armed: boolean;
  since: Instant | null;
  order: string | null;
}

/** One check of the status bar. `value` and `limit` are what was compared, as text to be shown. */
export interface Health {
  check: Check;
  level: Level;
  value: string | null;
  limit: string | null;
}

/** `views/heatmap`, of the newest tick. */
export interface HeatMapView {
  at: Instant;
  rows: readonly HeatRow[];
}

/** One symbol. Without sound data a symbol has no cells. */
export interface HeatRow {
  symbol: string;
  price: number | null;
  cells: Partial<Record<Frame, Cell>>;
}

/** ISO 8601 in UTC, such as `2026-01-05T06:05:00Z`. The Firestore adapter turns Timestamps into it. */
export type Instant = string;

/** `intents/ID`. `execution` is there once an executed trade has begun. */
export interface Intent {
  intent_id: string;
  symbol: string;
  state: IntentState;
  blocked_by: string | null;
  execution?: Execution;
}

export type IntentState = "CLAIMED" | "SHADOW" | "EXECUTED" | "REFUSED";

/** `labels/ID`: which barrier a decision's levels met first, null until that is known. */
export interface Label {
  decision_id: string;
  prob: number;
  side: Side;
  barrier: string | null;
  met_at: Instant | null;
  due_at: Instant;
  regime: string;
}

export type Level = "ok" | "watch" | "alarm";

/** Entry, target and stop. */
export interface Levels {
  entry: DecimalText;
  tp: DecimalText;
  sl: DecimalText;
}

/** One limit. A `value` of "0" is a limit that is off; `lifts_at` is when it stops nothing any more. */
export interface LimitRow {
  limit: string;
  reason: string;
  value: DecimalText;
  used: DecimalText | null;
  stops: boolean;
  lifts_at: Instant | null;
}

/** `views/limits`. `applies` is false for shadow trades, which no limit stops; not `readable` stops all entries. */
export interface LimitsView {
  at: Instant;
  applies: boolean;
  trading: Trading;
  readable: boolean;
  limits: readonly LimitRow[];
}

/** Where the exchange would close the position, and how far the mark is from there, in percent of the mark. */
export interface Liquidation {
  price: DecimalText;
  distance_pct: number;
}

export type Mode = "SHADOW" | "PAPER" | "DEMO" | "LIVE";

/** Whether the model answers, which names are dead, and what the UTC day has cost. */
export interface Model {
  failures: number;
  safe_mode: boolean;
  retired: readonly string[];
  spent_usd: DecimalText;
  budget_usd: DecimalText;
  tokens: number;
}

/** `views/money`. Days are UTC days: `today` is the present one, `week` it and the six before. The curve starts from `starting_equity` and moves by trades only, so deposits and withdrawals never bend it: on an exchange it may end elsewhere than at `equity`, which is the account's. */
export interface MoneyView {
  at: Instant;
  mode: Mode;
  market: Origin;
  starting_equity: DecimalText;
  equity: DecimalText;
  today: Stats;
  week: Stats;
  total: Stats;
  max_drawdown_pct: number;
  points: readonly EquityPoint[];
  benchmark: Benchmark | null;
}

/** One order of an execution. `leg`: e entry, s stop, t target, x exit; `code` is the exchange's, 0 without one. */
export interface Order {
  leg: string;
  attempt: number;
  qty: DecimalText;
  price: DecimalText | null;
  sent_at: Instant;
  outcome: string;
  filled: DecimalText;
  filled_at: Instant | null;
  average: DecimalText | null;
  order_id: string;
  code: number;
}

/** What became of a decision's intent. */
export interface OrderOutcome {
  state: IntentState;
  blocked_by: string | null;
}

export type Origin = "SYNTHETIC" | "RECORDED" | "LIVE";

/** `views/overview`, written every minute. The page works out ages itself; after `stale_after_s` all is stale. `flattening` lasts from the request to close everything until all is closed. `data_as_of` is the newest close that any decision saw; `clock_skew_ms` is our clock minus the exchange's, null where nobody measured it. `equity` is null until the exchange has said what the account is worth. */
export interface OverviewView {
  mode: Mode;
  market: Origin;
  venue: string | null;
  executes: boolean;
  predictor: string;
  version: string;
  symbols: readonly string[];
  heartbeat_at: Instant;
  stale_after_s: number;
  last_tick: Tick | null;
  data_as_of: Instant | null;
  clock_skew_ms: number | null;
  weight: Weight | null;
  model: Model | null;
  trading: Trading;
  flattening: boolean;
  health: readonly Health[];
  verdict: Verdict;
  open_trades: number;
  closed_trades: number;
  equity: DecimalText | null;
  net_pnl: DecimalText;
}

/** One open trade. `unrealised` is net: after the fees of both ways; `r` is it over the risk to the first stop. `protection`: ARMED, the stop stands on the exchange; NAKED, it does not: an alarm; SHADOW, nothing is held. */
export interface Position {
  id: string;
  symbol: string;
  side: Side;
  qty: DecimalText;
  entry: DecimalText;
  mark: DecimalText | null;
  mark_at: Instant | null;
  unrealised: DecimalText | null;
  r: number | null;
  stop: Guard;
  target: Guard;
  protection: Protection;
  phase: string | null;
  liquidation: Liquidation | null;
  opened_at: Instant;
  ends_at: Instant;
}

/** `views/positions`. */
export interface PositionsView {
  at: Instant;
  mode: Mode;
  market: Origin;
  positions: readonly Position[];
}

/** What the predictor answered. The calibrated probability decides where there is one. */
export interface Prediction {
  direction: Direction;
  prob: number;
  calibrated: number | null;
  reasoning: string;
  support: number | null;
  resistance: number | null;
}

export type Protection = "ARMED" | "NAKED" | "SHADOW";

/** One predictor: all its labelled decisions, and the same by symbol and by regime. */
export interface Reliability {
  predictor: string;
  all: Scores;
  bins: readonly Bin[];
  symbols: readonly Scores[];
  regimes: readonly Scores[];
}

/** How good some probabilities were. Brier: 0 is perfect, 0.25 a coin; log loss in nats, 0.693 is a coin. */
export interface Scores {
  name: string;
  samples: number;
  said: number;
  happened: number;
  brier: number;
  log_loss: number;
}

/** `GET /api/session` of a local run: who may ask, and what a control request has to carry as X-WithEarth-Token. `log` is the path of the log file, for whoever sits at that machine: nobody else is answered. */
export interface Session {
  who: string;
  token: string;
  log: string;
}

export type Side = "long" | "short";

export type Stage = "data" | "gate" | "model" | "risk" | "order";

export type State = "ACTIVE" | "REDUCING" | "HALTED";

/** What some closed trades came to. `net` = gross − fees + funding. Ratios are null where nothing can be divided. `profit_factor` is what the winners won over what the losers lost; `costs_share` is fees plus funding paid over the gross amount traded for (winners and losers without their sign). */
export interface Stats {
  trades: number;
  wins: number;
  voids: number;
  gross: DecimalText;
  fees: DecimalText;
  funding: DecimalText;
  net: DecimalText;
  win_rate: number | null;
  profit_factor: number | null;
  costs_share: number | null;
}

/** Everything about one decision, null where there is none. */
export interface Story {
  decision: Decision;
  intent: Intent | null;
  trade: Trade | null;
  label: Label | null;
  events: readonly EventRow[];
}

/** The newest tick with a decision: how many symbols were sent, are decided, and could not be for want of data. */
export interface Tick {
  tick_id: string;
  closed_at: Instant;
  symbols: number;
  decided: number;
  without_data: number;
}

/** `trades/ID`. `pnl` is gross. VOID trades and open ones have no result. */
export interface Trade {
  id: string;
  symbol: string;
  side: Side;
  qty: DecimalText;
  entry: DecimalText;
  tp: DecimalText;
  sl: DecimalText;
  exit: DecimalText | null;
  pnl: DecimalText | null;
  fees: DecimalText | null;
  funding: DecimalText | null;
  net_pnl: DecimalText | null;
  r_multiple: DecimalText | null;
  exit_reason: string | null;
  status: "OPEN" | "CLOSED" | "VOID";
  opened_at: Instant;
  closed_at: Instant | null;
  horizon_min: number;
  mode: Mode;
  market: Origin;
}

/** `GET /api/trades`: newest first. */
export interface TradePage {
  trades: readonly Trade[];
  next: string | null;
}

/** The trading state. `known` is false where the document could not be understood, which counts as HALTED. */
export interface Trading {
  state: State;
  who: string;
  why: string;
  at: Instant | null;
  known: boolean;
}

export type Trend = "up" | "down" | "flat";

/** The worst check, in one word. A page that sees an old heartbeat says so instead. */
export interface Verdict {
  level: Level;
  check: Check | null;
}

/** Request weight used within the exchange's present minute; `stop` is the code of a stop by the exchange. */
export interface Weight {
  used: number;
  limit: number;
  at: Instant;
  stop: string | null;
  stop_until: Instant | null;
}
