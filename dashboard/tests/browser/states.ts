/** Every state a page can be in, as worlds. */

import { instant, NOW, ODD_SYMBOLS, SYMBOLS } from "../builders/basics";
import { position } from "../builders/books";
import { anEmptyWorld, aWorld, type World } from "../builders/world";

const [BTC, ETH] = SYMBOLS as readonly [(typeof SYMBOLS)[number], (typeof SYMBOLS)[number]];
const [TINY, HUGE] = ODD_SYMBOLS as readonly [(typeof ODD_SYMBOLS)[number], (typeof ODD_SYMBOLS)[number]];

export const STATES: Record<string, () => World> = {
  full: () => aWorld(),
  first: anEmptyWorld,
  live: () => aWorld({ mode: "LIVE", market: "LIVE" }),
  shadow: () =>
    aWorld({
      mode: "SHADOW",
      market: "RECORDED",
      positions: [position(BTC, { protection: "SHADOW", liquidation: null, phase: null })],
    }),
  naked: () =>
    aWorld({
      mode: "DEMO",
      market: "LIVE",
      positions: [
        position(BTC, {
          protection: "NAKED",
          phase: "PROTECTING",
          stop: { price: "67386.1", armed: false, since: null, order: null },
        }),
      ],
      overview: { verdict: { level: "alarm", check: "PROTECTION" } },
    }),
  halted: () =>
    aWorld({
      overview: {
        trading: {
          state: "HALTED",
          who: "withearth",
          why: "MAX_DRAWDOWN_PCT is reached",
          at: instant(NOW - 60_000),
          known: true,
        },
        verdict: { level: "alarm", check: "TRADING" },
      },
    }),
  odd: () =>
    aWorld({
      symbols: [...ODD_SYMBOLS, ...SYMBOLS],
      positions: [
        position(TINY, { qty: "81234567890", unrealised: "0.0000042", r: 0.0001 }),
        position(HUGE, { qty: "0.00000001", unrealised: "-98765432109876.54321", r: -1234.5 }),
        position(ETH, { side: "long", id: "ETHUSDT-20261122T1000Z" }),
        position(ETH, { side: "short", id: "ETHUSDT-20261122T1005Z", unrealised: "-3.2" }),
      ],
    }),
  partial: () => {
    const world = aWorld();
    return {
      ...world,
      views: { ...world.views, money: null, heatmap: null, calibration: null },
      charts: {},
      trades: [],
    };
  },
};
