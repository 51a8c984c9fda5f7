/** A small world for the tests: seeded, typed like the real documents, with a knob for every state a page can be in. */

import type {
  Bars,
  Chart,
  EventRow,
  Feed,
  Health,
  Mode,
  Origin,
  OverviewView,
  Position,
  Story,
  Trade,
} from "../../src/data/model";
import type { ViewName, Views } from "../../src/data/source";
import {
  FRAMES,
  instant,
  type Labels,
  type Listed,
  MINUTE,
  NOW,
  seeded,
  SYMBOLS,
  TICK,
  tickId,
} from "./basics";
import { limits, moneyView, position, trade } from "./books";
import { calibration, feedRow, story } from "./decisions";

export interface Knobs {
  readonly mode?: Mode;
  readonly market?: Origin;
  readonly symbols?: readonly Listed[];
  readonly ticks?: number;
  readonly trades?: number;
  readonly positions?: readonly Position[];
  readonly overview?: Partial<OverviewView>;
}

export interface World {
  readonly views: { readonly [Name in ViewName]: Views[Name] | null };
  readonly feeds: readonly Feed[];
  readonly trades: readonly Trade[];
  readonly events: readonly EventRow[];
  readonly charts: Record<string, Chart>;
  readonly stories: Record<string, Story>;
}

function bars(symbol: Listed, frameMs: number, random: () => number): Bars {
  const count = 160;
  const last = Math.floor(NOW / frameMs) * frameMs - frameMs;
  const closes: number[] = [symbol.price];
  const step = 0.0012 * Math.sqrt(frameMs / TICK);
  while (closes.length <= count) closes.unshift((closes[0] ?? 1) * (1 + (random() - 0.5) * step * 2));
  const round = (value: number): number => Number(value.toFixed(symbol.decimals));
  const open = closes.slice(0, count);
  const close = closes.slice(1);
  const top = open.map(
    (value, index) => Math.max(value, close[index] ?? value) * (1 + random() * step * 0.6),
  );
  const low = open.map(
    (value, index) => Math.min(value, close[index] ?? value) * (1 - random() * step * 0.6),
  );
  return {
    open_ms: open.map((_, index) => last - (count - 1 - index) * frameMs),
    open: open.map(round),
    high: top.map(round),
    low: low.map(round),
    close: close.map(round),
    volume: open.map(() => Math.round(random() * 9000) / 10),
  };
}

const HEALTH: readonly Health[] = [
  { check: "TRADING", level: "ok", value: "ACTIVE", limit: null },
  { check: "PROTECTION", level: "ok", value: "2", limit: "2" },
  { check: "LIMITS", level: "ok", value: null, limit: null },
  { check: "TICK", level: "ok", value: "6", limit: "6" },
  { check: "DATA", level: "ok", value: "40 s", limit: "600 s" },
  { check: "CLOCK", level: "ok", value: "-12 ms", limit: "1000 ms" },
  { check: "WEIGHT", level: "ok", value: "212", limit: "2400" },
  { check: "MODEL", level: "ok", value: "0", limit: "3" },
  { check: "SPEND", level: "ok", value: "$0.41", limit: "$2.00" },
];

function overview(
  knobs: Knobs,
  labels: Labels,
  symbols: readonly Listed[],
  money: Views["money"],
): OverviewView {
  return {
    ...labels,
    venue: "binance",
    executes: labels.mode !== "SHADOW",
    predictor: "gemini:gemini-3-flash",
    version: "0.4.0",
    symbols: symbols.map((each) => each.name),
    heartbeat_at: instant(NOW - 12_000),
    stale_after_s: 180,
    last_tick: {
      tick_id: tickId(NOW - 40_000),
      closed_at: instant(NOW - 40_000),
      symbols: 6,
      decided: 6,
      without_data: 0,
    },
    flattening: false,
    data_as_of: instant(NOW - 40_000),
    clock_skew_ms: -12,
    weight: { used: 212, limit: 2400, at: instant(NOW - 12_000), stop: null, stop_until: null },
    model: {
      failures: 0,
      safe_mode: false,
      retired: [],
      spent_usd: "0.41",
      budget_usd: "2.00",
      tokens: 182_400,
    },
    trading: { state: "ACTIVE", who: "", why: "", at: null, known: true },
    health: HEALTH,
    verdict: { level: "ok", check: null },
    open_trades: knobs.positions?.length ?? 2,
    closed_trades: money.total.trades,
    equity: money.equity,
    net_pnl: money.total.net,
    ...knobs.overview,
  };
}

function heatmap(symbols: readonly Listed[], random: () => number): Views["heatmap"] {
  return {
    at: instant(NOW - 40_000),
    rows: symbols.map(({ name, price }, index) => ({
      symbol: name,
      price: index === symbols.length - 1 ? null : price,
      cells: Object.fromEntries(
        index === symbols.length - 1
          ? []
          : Object.keys(FRAMES).map((frame) => {
              const value = Math.round((random() - 0.5) * 600) / 100;
              const direction = Math.abs(value) < 0.3 ? "flat" : value > 0 ? "up" : "down";
              return [
                frame,
                { direction, strength: Math.min(1, Math.abs(value) / 3), value, rsi: 50 + value * 9 },
              ];
            }),
      ),
    })),
  };
}

function events(trades: readonly Trade[]): EventRow[] {
  const more: EventRow[] = [
    {
      kind: "TRADING_ACTIVE",
      at: instant(NOW - 300 * MINUTE),
      symbol: "",
      text: "ACTIVE: looked at, all well (owner@example.com)",
    },
    {
      kind: "ORPHAN_CANCELLED",
      at: instant(NOW - 64 * MINUTE),
      symbol: "SOLUSDT",
      text: "SOLUSDT-20261122T0900Z-s1 stood without a position",
    },
  ];
  const told = trades.slice(0, 120).flatMap((each) => [
    { kind: "TRADE_OPENED", at: each.opened_at, symbol: each.symbol, text: each.id },
    ...(each.closed_at === null
      ? []
      : [
          {
            kind: "TRADE_CLOSED",
            at: each.closed_at,
            symbol: each.symbol,
            text: `${each.exit_reason} net ${each.net_pnl}`,
          },
        ]),
  ]);
  return [...more, ...told].sort((a, b) => (a.at < b.at ? 1 : -1));
}

export function aWorld(knobs: Knobs = {}): World {
  const random = seeded(7);
  const symbols = knobs.symbols ?? SYMBOLS;
  const labels: Labels = { mode: knobs.mode ?? "PAPER", market: knobs.market ?? "SYNTHETIC" };
  const newest = Math.floor(NOW / TICK) * TICK;
  const feeds = Array.from({ length: knobs.ticks ?? 48 }, (_, index): Feed => {
    const at = newest - index * TICK;
    return {
      tick_id: tickId(at),
      at: instant(at),
      symbols: symbols.length,
      rows: symbols.map(({ name }) => feedRow(name, at, random)),
      expire_at: instant(at + 180 * 1440 * MINUTE),
    };
  });
  const trades = Array.from({ length: knobs.trades ?? 140 }, (_, index) => {
    const symbol = symbols[index % symbols.length] ?? symbols[0];
    if (symbol === undefined) throw new Error("a world needs a symbol");
    return trade(index, symbol, newest - (8 + index * 23) * TICK, random, labels);
  });
  const money = moneyView(trades, labels, random);
  const [first, second] = symbols;
  const open = knobs.positions ?? [
    ...(first ? [position(first)] : []),
    ...(second
      ? [
          position(second, {
            side: "short",
            unrealised: "-1.8435",
            r: -0.21,
            qty: "0.214",
            opened_at: instant(NOW - 9 * MINUTE),
          }),
        ]
      : []),
  ];
  return {
    views: {
      overview: overview(knobs, labels, symbols, money),
      money,
      positions: { at: instant(NOW - 12_000), ...labels, positions: open },
      heatmap: heatmap(symbols, random),
      limits: {
        at: instant(NOW - 12_000),
        applies: labels.mode !== "SHADOW",
        trading: { state: "ACTIVE", who: "", why: "", at: null, known: true },
        readable: true,
        limits: limits(),
      },
      calibration: calibration(symbols, random),
      control: {
        at: instant(NOW - 300 * MINUTE),
        answers: [
          {
            id: "b5c7",
            action: "resume",
            who: "owner@example.com",
            why: "looked at, all well",
            asked_at: instant(NOW - 301 * MINUTE),
            answered_at: instant(NOW - 300 * MINUTE),
            outcome: "OBEYED",
            code: null,
            state: "ACTIVE",
          },
        ],
      },
    },
    feeds,
    trades,
    events: events(trades),
    charts: Object.fromEntries(
      symbols.map((symbol) => [
        symbol.name,
        {
          symbol: symbol.name,
          at: instant(newest),
          frames: Object.fromEntries(
            Object.entries(FRAMES).map(([frame, ms]) => [frame, bars(symbol, ms, random)]),
          ),
        },
      ]),
    ),
    stories: Object.fromEntries(
      feeds.slice(0, 8).flatMap((feed) =>
        feed.rows.map((row) => [
          row.decision_id,
          story(
            row,
            Date.parse(feed.at),
            trades.find((each) => each.symbol === row.symbol),
            labels,
          ),
        ]),
      ),
    ),
  };
}

/** Before the first reconciliation: nothing is written yet. */
export function anEmptyWorld(): World {
  const nothing = {
    overview: null,
    money: null,
    positions: null,
    heatmap: null,
    limits: null,
    calibration: null,
    control: null,
  };
  return { views: nothing, feeds: [], trades: [], events: [], charts: {}, stories: {} };
}

/** The files of a saved demo, by name. */
export function filesOf(world: World): Record<string, unknown> {
  const views = Object.fromEntries(
    Object.entries(world.views)
      .filter(([, view]) => view !== null)
      .map(([name, view]) => [`views-${name}`, view]),
  );
  const charts = Object.fromEntries(
    Object.entries(world.charts).map(([symbol, chart]) => [`charts-${symbol}`, chart]),
  );
  return {
    ...views,
    ...charts,
    feed: { feeds: world.feeds, next: null },
    trades: { trades: world.trades, next: null },
    events: { events: world.events, next: null },
    decisions: world.stories,
  };
}
