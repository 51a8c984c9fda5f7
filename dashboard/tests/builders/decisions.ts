/** Decisions with their stories, and how well they did. */

import type { Decision, FeedRow, Stage, Story, Trade } from "../../src/data/model";
import type { Views } from "../../src/data/source";
import { FRAMES, instant, type Labels, MINUTE, NOW, TICK, type Listed, tickId } from "./basics";

const BLOCKS: readonly (readonly [Stage, string, string])[] = [
  ["model", "MODEL_HOLD", "Momentum is mixed: the hour falls while five minutes rise. No edge after costs."],
  ["model", "MODEL_HOLD", "Range-bound between support and resistance, volume under its median."],
  ["gate", "VOLATILITY_TOO_LOW", ""],
  ["gate", "FUNDING_WINDOW", ""],
  ["risk", "PROBABILITY_TOO_LOW", "A weak continuation; the day trend does not agree."],
  ["risk", "RISK_REWARD_TOO_LOW", "The resistance is close: little to win before it."],
  ["model", "MODEL_TRUNCATED", ""],
  ["model", "MODEL_INVALID", ""],
  ["data", "CANDLE_STALE", ""],
  ["order", "COOLDOWN", "Breakout above the range with rising volume."],
];

export function feedRow(symbol: string, at: number, random: () => number): FeedRow {
  const isPassing = random() < 0.12;
  const [stage, code, reason] = BLOCKS[Math.floor(random() * BLOCKS.length)] ?? [
    "gate",
    "SPREAD_TOO_WIDE",
    "",
  ];
  const asks = isPassing || stage === "model" || stage === "risk" || stage === "order";
  const isHold = !isPassing && (code === "MODEL_HOLD" || !asks);
  const direction = isHold ? "hold" : random() < 0.5 ? "long" : "short";
  return {
    symbol,
    decision_id: `${symbol}-${tickId(at)}`,
    direction,
    prob: asks ? Math.round((0.4 + random() * 0.35) * 1000) / 1000 : null,
    risk_reward: asks && !isHold ? (1 + random() * 1.6).toFixed(2) : null,
    stage: isPassing ? "order" : stage,
    blocked_by: isPassing ? null : code,
    reason: isPassing
      ? "Trend and momentum agree on all timeframes; the pullback to the average held."
      : reason,
    predictor: asks ? "gemini:gemini-3-flash" : null,
    cost_micro_usd: asks ? 400 + Math.floor(random() * 900) : 0,
    latency_ms: asks ? 700 + Math.floor(random() * 2400) : 0,
    order: isPassing ? { state: "EXECUTED", blocked_by: null } : null,
  };
}

/** The RSI in the snapshot of a tick: another one for each, so that a test can tell whose it is. */
export function rsiAt(at: number): number {
  return 40 + ((at / TICK) % 100) / 10;
}

function snapshot(symbol: string, at: number): Record<string, unknown> {
  const frame = {
    rsi14: rsiAt(at),
    atr14: 0.0000041234,
    sma20: 3518.2299999999996,
    volatility20: 0.00213,
    relative_volume20: null,
    support50: 3402.1,
    resistance50: 3588.4,
  };
  return {
    symbol,
    as_of: instant(at),
    price: 3521.44,
    spread_bps: 0.6,
    day_trend: -0.0127,
    funding_rate: 0.0001168,
    depth_imbalance: -0.25,
    frames: Object.fromEntries(Object.keys(FRAMES).map((name) => [name, frame])),
  };
}

export function story(row: FeedRow, at: number, found: Trade | undefined, labels: Labels): Story {
  const asks = row.predictor !== null;
  const decision: Decision = {
    decision_id: row.decision_id,
    state: "DONE",
    symbol: row.symbol,
    tick_id: tickId(at),
    as_of: instant(at),
    decided_at: instant(at + 4000),
    market: labels.market,
    predictor: row.predictor,
    stage: row.stage,
    blocked_by: row.blocked_by,
    reasons: row.blocked_by === null ? [] : [row.blocked_by],
    detail: "",
    snapshot: row.stage === "data" ? null : snapshot(row.symbol, at),
    snapshot_hash: "5f1c9ad0e1b34c52",
    asked: asks
      ? {
          predictor: row.predictor,
          model: "gemini-3-flash",
          prompt: `Decide on ${row.symbol}. Features follow.`,
          tokens: 2140,
          response: { direction: row.direction, prob: row.prob },
        }
      : null,
    prediction: asks
      ? {
          direction: row.direction,
          prob: row.prob ?? 0,
          calibrated: row.prob,
          reasoning: row.reason,
          support: 3402.1,
          resistance: 3588.4,
        }
      : null,
    assessment:
      row.direction === "hold"
        ? null
        : {
            levels: { entry: "3521.44", tp: "3549.20", sl: "3503.10" },
            risk_reward: row.risk_reward,
            risk_reward_min: "1.20",
            qty: "0.214",
            detail: "",
          },
    intent: null,
  };
  const order = (leg: string, price: string | null) => ({
    leg,
    attempt: 1,
    qty: "0.214",
    price,
    sent_at: instant(at + 5000),
    outcome: "ACCEPTED",
    filled: leg === "e" ? "0.214" : "0",
    filled_at: leg === "e" ? instant(at + 6000) : null,
    average: leg === "e" ? "3521.60" : null,
    order_id: `83897${leg.charCodeAt(0)}`,
    code: 0,
  });
  const isTraded = row.order?.state === "EXECUTED";
  return {
    decision,
    intent: isTraded
      ? {
          intent_id: row.decision_id,
          symbol: row.symbol,
          state: "EXECUTED",
          blocked_by: null,
          execution: {
            phase: "HOLDING",
            phase_since: instant(at + 7000),
            reason: null,
            sent: {
              [`${row.decision_id}-s1`]: order("s", "3503.10"),
              [`${row.decision_id}-e1`]: order("e", "3521.44"),
              [`${row.decision_id}-t1`]: order("t", "3549.20"),
            },
          },
        }
      : null,
    trade: found ?? null,
    label:
      asks && row.direction !== "hold"
        ? {
            decision_id: row.decision_id,
            prob: row.prob ?? 0,
            side: row.direction,
            barrier: "TARGET",
            met_at: instant(at + 30 * MINUTE),
            due_at: instant(at + 120 * MINUTE),
            regime: "trending",
          }
        : null,
    events: isTraded
      ? [{ kind: "TRADE_OPENED", at: instant(at + 6000), symbol: row.symbol, text: row.decision_id }]
      : [],
  };
}

export function calibration(symbols: readonly Listed[], random: () => number): Views["calibration"] {
  const scores = (name: string, samples: number) => {
    const said = 0.5 + random() * 0.1;
    return {
      name,
      samples,
      said,
      happened: said + (random() - 0.5) * 0.08,
      brier: 0.22 + random() * 0.03,
      log_loss: 0.63 + random() * 0.05,
    };
  };
  const bins = [0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7].map((low, index, all) => {
    const high = all[index + 1] ?? 0.8;
    const said = (low + high) / 2;
    return {
      low,
      high,
      samples: Math.floor(20 + random() * 160),
      said,
      happened: Math.min(1, said + (random() - 0.5) * 0.09),
    };
  });
  return {
    at: instant(NOW - 30 * MINUTE),
    predictors: [
      {
        predictor: "gemini:gemini-3-flash",
        all: scores("all", 812),
        bins,
        symbols: symbols.map(({ name }) => scores(name, 135)),
        regimes: ["calm", "trending", "volatile"].map((name) => scores(name, 270)),
      },
      { predictor: "baseline-1", all: scores("all", 1204), bins: bins.slice(1, 5), symbols: [], regimes: [] },
    ],
  };
}
