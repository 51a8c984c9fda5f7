/** What every builder stands on: the instant it is, seeded chance, symbols. */

import type { Frame, Mode, Origin } from "../../src/data/model";

export const NOW = Date.parse("2026-11-22T12:05:40Z");
export const MINUTE = 60_000;
export const TICK = 5 * MINUTE;
export const FRAMES: Record<Frame, number> = {
  "5m": TICK,
  "1h": 60 * MINUTE,
  "4h": 240 * MINUTE,
  "1d": 1440 * MINUTE,
};

/** mulberry32: the same numbers for the same seed, everywhere. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function tickId(ms: number): string {
  return instant(ms).replace(/[-:]/g, "").replace(/00Z$/, "Z");
}

export interface Listed {
  readonly name: string;
  readonly price: number;
  readonly decimals: number;
}

export const SYMBOLS: readonly Listed[] = [
  { name: "BTCUSDT", price: 68_412.3, decimals: 1 },
  { name: "ETHUSDT", price: 3521.44, decimals: 2 },
  { name: "SOLUSDT", price: 171.35, decimals: 2 },
  { name: "XRPUSDT", price: 0.6213, decimals: 4 },
  { name: "DOGEUSDT", price: 0.12654, decimals: 5 },
  { name: "BNBUSDT", price: 612.08, decimals: 2 },
];

export const ODD_SYMBOLS: readonly Listed[] = [
  { name: "1000000MOGUSDT", price: 0.0000012345, decimals: 10 },
  { name: "LONGESTIMAGINABLENAMEOFACOINUSDT_261225", price: 123_456_789.1, decimals: 1 },
];

export interface Labels {
  readonly mode: Mode;
  readonly market: Origin;
}
