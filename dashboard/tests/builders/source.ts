import type { Source } from "../../src/data/source";

/** A source that tells nothing by itself, but for what is given. */
export function aSource(more: Partial<Source> = {}): Source {
  return {
    time: "wall",
    open: () => () => undefined,
    watchChart: () => () => undefined,
    feedBefore: () => Promise.resolve({ feeds: [], next: null }),
    tradesBefore: () => Promise.resolve({ trades: [], next: null }),
    eventsBefore: () => Promise.resolve({ events: [], next: null }),
    story: () => Promise.resolve(null),
    logs: () => Promise.resolve({ kind: "none" }),
    ask: null,
    ...more,
  };
}
