/** Trades, positions, money and limits. */

import type { LimitRow, Position, Stats, Trade } from "../../src/data/model";
import type { Views } from "../../src/data/source";
import { instant, type Labels, MINUTE, NOW, type Listed, tickId } from "./basics";

export function position(symbol: Listed, more: Partial<Position> = {}): Position {
  const { name, price, decimals } = symbol;
  const at = (share: number): string => (price * share).toFixed(decimals);
  return {
    id: `${name}-20261122T1005Z`,
    symbol: name,
    side: "long",
    qty: "0.014",
    entry: at(0.995),
    mark: at(1),
    mark_at: instant(NOW - 20_000),
    unrealised: "4.7120",
    r: 0.42,
    stop: { price: at(0.985), armed: true, since: instant(NOW - 41 * MINUTE), order: "8389765" },
    target: { price: at(1.013), armed: true, since: instant(NOW - 41 * MINUTE), order: "8389766" },
    protection: "ARMED",
    phase: "HOLDING",
    liquidation: { price: at(0.81), distance_pct: 19 },
    opened_at: instant(NOW - 42 * MINUTE),
    ends_at: instant(NOW + 78 * MINUTE),
    ...more,
  };
}

export function trade(
  index: number,
  symbol: Listed,
  openedAt: number,
  random: () => number,
  labels: Labels,
): Trade {
  const isLong = random() < 0.5;
  const entry = symbol.price * (0.96 + random() * 0.08);
  const risk = entry * 0.006;
  const isWin = random() < 0.54;
  const exit = entry + (isLong === isWin ? 1 : -1) * risk * (isWin ? 1.6 : 1);
  const qty = 40 / risk / 10;
  const pnl = (exit - entry) * qty * (isLong ? 1 : -1);
  const fees = entry * qty * 0.0009;
  const funding = (random() - 0.5) * 0.02;
  const isOpen = index === 0;
  const money = (value: number): string => value.toFixed(8);
  const level = (share: number): string =>
    (entry + (isLong ? 1 : -1) * risk * share).toFixed(symbol.decimals);
  return {
    id: `${symbol.name}-${tickId(openedAt)}`,
    symbol: symbol.name,
    side: isLong ? "long" : "short",
    qty: qty.toFixed(3),
    entry: entry.toFixed(symbol.decimals),
    tp: level(1.6),
    sl: level(-1),
    exit: isOpen ? null : exit.toFixed(symbol.decimals),
    pnl: isOpen ? null : money(pnl),
    fees: isOpen ? null : money(fees),
    funding: isOpen ? null : money(funding),
    net_pnl: isOpen ? null : money(pnl - fees + funding),
    r_multiple: isOpen ? null : ((pnl - fees + funding) / 4).toFixed(2),
    exit_reason: isOpen ? null : isWin ? "TARGET" : random() < 0.8 ? "STOP" : "HORIZON",
    status: isOpen ? "OPEN" : "CLOSED",
    opened_at: instant(openedAt),
    closed_at: isOpen ? null : instant(openedAt + 20 * MINUTE + Math.floor(random() * 90) * MINUTE),
    horizon_min: 120,
    ...labels,
  };
}

export function stats(trades: readonly Trade[]): Stats {
  const closed = trades.filter((each) => each.net_pnl !== null);
  const sum = (of: (each: Trade) => string | null): number =>
    closed.reduce((total, each) => total + Number(of(each)), 0);
  const won = closed.filter((each) => Number(each.net_pnl) > 0);
  const gains = won.reduce((total, each) => total + Number(each.net_pnl), 0);
  const losses = gains - sum((each) => each.net_pnl);
  const turned = closed.reduce((total, each) => total + Math.abs(Number(each.pnl)), 0);
  return {
    trades: closed.length,
    wins: won.length,
    voids: 0,
    gross: sum((each) => each.pnl).toFixed(8),
    fees: sum((each) => each.fees).toFixed(8),
    funding: sum((each) => each.funding).toFixed(8),
    net: sum((each) => each.net_pnl).toFixed(8),
    win_rate: closed.length ? won.length / closed.length : null,
    profit_factor: losses > 0 ? gains / losses : null,
    costs_share: turned > 0 ? sum((each) => each.fees) / turned : null,
  };
}

const START = 1000;

export function moneyView(trades: readonly Trade[], labels: Labels, random: () => number): Views["money"] {
  let equity = START;
  let high = START;
  const closed = trades
    .filter((each) => each.closed_at !== null)
    .toSorted((a, b) => ((a.closed_at ?? "") < (b.closed_at ?? "") ? -1 : 1));
  const points = closed.map((each) => {
    equity += Number(each.net_pnl);
    high = Math.max(high, equity);
    const drawdown = Math.round(((high - equity) / high) * 10_000) / 100;
    return {
      at: each.closed_at ?? "",
      equity: equity.toFixed(8),
      drawdown_pct: drawdown,
      trade: each.id,
      net: each.net_pnl ?? "0",
    };
  });
  let held = START;
  const since = (days: number): readonly Trade[] =>
    closed.filter((each) => Date.parse(each.closed_at ?? "") > NOW - days * 1440 * MINUTE);
  return {
    at: instant(NOW - 2 * MINUTE),
    ...labels,
    starting_equity: "1000",
    equity: equity.toFixed(8),
    today: stats(since(0.5)),
    week: stats(since(7)),
    total: stats(closed),
    max_drawdown_pct: Math.max(0, ...points.map((each) => each.drawdown_pct)),
    points,
    benchmark: {
      symbol: "BTCUSDT",
      points: points.map(({ at }) => ({ at, equity: (held *= 1 + (random() - 0.48) * 0.01).toFixed(8) })),
    },
  };
}

export function limits(): readonly LimitRow[] {
  const row = (
    limit: string,
    reason: string,
    value: string,
    used: string | null,
    more: Partial<LimitRow> = {},
  ): LimitRow => ({
    limit,
    reason,
    value,
    used,
    stops: false,
    lifts_at: null,
    ...more,
  });
  return [
    row("MAX_OPEN_POSITIONS", "POSITIONS_FULL", "3", "2"),
    row("MAX_TOTAL_NOTIONAL_USDT", "NOTIONAL_FULL", "3000", "1384.55"),
    row("MAX_DAILY_LOSS_USDT", "DAILY_LOSS_REACHED", "30", "25.10"),
    row("MAX_DRAWDOWN_PCT", "DRAWDOWN_REACHED", "12", "2.31"),
    row("COOLDOWN_MIN_AFTER_STOP", "COOLDOWN", "30", "1", {
      stops: true,
      lifts_at: instant(NOW + 17 * MINUTE),
    }),
    row("MAX_CONSECUTIVE_LOSSES", "LOSING_STREAK", "4", "1"),
    row("MAX_ENTRIES_PER_HOUR", "TOO_MANY_ENTRIES", "6", "1"),
    row("MIN_EDGE_BPS", "EDGE_TOO_SMALL", "0", null),
  ];
}
