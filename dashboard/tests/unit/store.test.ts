import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Feed, Origin, OverviewView } from "../../src/data/model";
import { belongs } from "../../src/panels/Decisions";
import { instant as instantNow, now, setNow } from "../../src/state/clock";
import { Store } from "../../src/state/store";
import { verdictOf } from "../../src/state/verdict";
import { instant, NOW } from "../builders/basics";
import { aSource } from "../builders/source";
import { aWorld } from "../builders/world";

const world = aWorld({ ticks: 30 });

function ticks(feeds: readonly Feed[]): string[] {
  return feeds.map((feed) => feed.tick_id);
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  setNow(NOW);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("lists", () => {
  it("grow at both ends, newest first, each row once", async () => {
    const older = world.feeds.slice(20);
    const store = new Store(aSource({ feedBefore: () => Promise.resolve({ feeds: older, next: null }) }));
    store.feed({ feeds: world.feeds.slice(10, 20), next: "x" });
    store.olderDecisions();
    await vi.runAllTimersAsync();
    store.feed({ feeds: world.feeds.slice(5, 15), next: "y" });

    expect(ticks(store.feeds.rows.value)).toEqual(ticks(world.feeds.slice(5)));
  });

  it("begin anew after an absence that left a hole", () => {
    const store = new Store(aSource());
    store.feed({ feeds: world.feeds.slice(20), next: null });
    store.feed({ feeds: world.feeds.slice(0, 5), next: "x" });

    expect(ticks(store.feeds.rows.value)).toEqual(ticks(world.feeds.slice(0, 5)));
  });

  it("show nothing of another run's records, which a server began anew with", () => {
    const store = new Store(aSource());
    store.feed({ feeds: world.feeds, next: "x" });
    store.feed({ feeds: world.feeds.slice(20), next: null });
    expect(ticks(store.feeds.rows.value)).toEqual(ticks(world.feeds.slice(20)));
    store.feed({ feeds: [], next: null });

    expect(store.feeds.rows.value).toEqual([]);
  });

  it("keep a row of the instant at which a page ends", () => {
    const store = new Store(aSource());
    const event = (text: string) => ({ kind: "FOREIGN", at: instant(NOW), symbol: "", text });
    store.events({ events: [event("a"), event("b")], next: "x" });
    store.events({ events: [event("c"), event("a")], next: "y" });

    expect(store.eventList.rows.value.map(({ text }) => text)).toEqual(["c", "a", "b"]);
  });

  it("let go of what is old when a page stays open for days, and can be read back to it", async () => {
    const [tick] = world.feeds;
    if (tick === undefined) throw new Error("no feed");
    const week = Array.from({ length: 2016 }, (_, index): Feed => {
      const at = NOW - index * 300_000;
      return { ...tick, tick_id: String(at), at: instant(at) };
    }).toReversed();
    const asked: string[] = [];
    let most = 0;
    const feedBefore = (next: string): Promise<{ feeds: readonly Feed[]; next: null }> => {
      asked.push(next);
      return Promise.resolve({ feeds: [], next: null });
    };
    const store = new Store(aSource({ feedBefore }));
    for (let last = 48; last <= week.length; last += 1) {
      store.feed({ feeds: week.slice(last - 48, last).toReversed(), next: String(last - 48) });
      most = Math.max(most, store.feeds.rows.value.length * tick.rows.length);
    }
    store.olderDecisions();
    await vi.runAllTimersAsync();

    expect(most).toBeLessThan(5_500);
    expect(store.feeds.rows.value[0]?.tick_id).toBe(week.at(-1)?.tick_id);
    expect(week.findIndex((feed) => feed.tick_id === store.feeds.rows.value.at(-1)?.tick_id)).toBe(
      Number(asked[0]),
    );
  });

  it("show what a row became", () => {
    const store = new Store(aSource());
    const [feed] = world.feeds;
    if (feed === undefined) throw new Error("no feed");
    store.feed({ feeds: [{ ...feed, rows: feed.rows.slice(0, 1) }], next: null });
    store.feed({ feeds: [feed], next: null });

    expect(store.decisions.value.length).toBe(feed.rows.length);
  });

  it("say so when what is older cannot be read", async () => {
    const store = new Store(aSource({ feedBefore: () => Promise.reject(new Error("no line")) }));
    store.feed({ feeds: world.feeds, next: "x" });
    store.olderDecisions();
    await vi.runAllTimersAsync();

    expect(store.connection.value).toBe("offline");
  });
});

describe("staleness", () => {
  it("comes with the age of the heartbeat, and with a broken line", () => {
    const store = new Store(aSource());
    store.view("overview", world.views.overview);
    store.line("open");

    expect(store.isStale.value).toBe(false);
    now.value = NOW + 180_000;
    expect(store.isStale.value).toBe(true);
    now.value = NOW;
    store.line("offline");
    expect(store.isStale.value).toBe(true);
  });

  it("comes to a browser whose clock is behind, too", () => {
    const store = new Store(aSource());
    now.value = NOW - 3_600_000;
    vi.setSystemTime(NOW - 3_600_000);
    setNow(NOW - 3_600_000);
    store.line("open");
    store.view("overview", world.views.overview);
    expect(store.isStale.value).toBe(false);
    now.value += 181_000;

    expect(store.isStale.value).toBe(true);
    const { overview } = world.views;
    const seen = { line: "open", heardAt: null, beatHeardAt: store.beatHeardAt.value, overview } as const;
    expect(verdictOf({ ...seen, now: now.value }).text).toContain("No heartbeat for 3m 1s");
  });

  it("never comes over a saved demo, whenever it is opened and however long it is looked at", () => {
    const store = new Store(aSource({ time: "saved" }));
    now.value = NOW + 365 * 86_400_000;
    store.line("open");
    store.view("overview", world.views.overview);

    expect(store.isStale.value).toBe(false);
    vi.setSystemTime(NOW + 366 * 86_400_000);
    now.value = instantNow();
    expect(store.isStale.value).toBe(false);
  });
});

describe("the time of a run", () => {
  const of = (market: Origin, heartbeat: number) => ({
    ...aWorld({ market }).views.overview,
    heartbeat_at: instant(heartbeat),
  });
  const told = (market: Origin): Store => {
    const store = new Store(aSource({ time: "run" }));
    store.line("open");
    store.view("overview", of(market, NOW - 86_400_000) as OverviewView);
    return store;
  };

  it("is that of its heartbeats on a market that is not live", () => {
    const store = told("SYNTHETIC");
    expect(store.isStale.value).toBe(false);
    now.value += 180_001;
    store.view("overview", of("SYNTHETIC", NOW - 86_400_000) as OverviewView);
    expect(store.isStale.value).toBe(true);
    store.view("overview", of("SYNTHETIC", NOW - 86_340_000) as OverviewView);

    expect(store.isStale.value).toBe(false);
  });

  it("is everybody's on a live market", () => {
    expect(told("LIVE").isStale.value).toBe(true);
  });
});

describe("the verdict", () => {
  const overview = world.views.overview;
  const seen = { line: "open", heardAt: NOW, beatHeardAt: NOW, overview, now: NOW } as const;
  const said = (more: object): string => verdictOf({ ...seen, ...more }).text;

  it("believes no number that it cannot know to be fresh", () => {
    const ill = { verdict: { level: "ok", check: null }, heartbeat_at: instant(NOW - 181_000) };

    expect(said({ overview: { ...overview, ...ill } })).toContain("No heartbeat for 3m 1s");
    expect(verdictOf({ ...seen, line: "offline", now: NOW + 65_000 })).toEqual({
      level: "alarm",
      text: "No connection for 1m 5s: what is shown is old. Trying again by itself.",
    });
    expect(said({ line: "refused" })).toContain("may not be read");
    expect(said({ overview: undefined })).toBe("Connecting …");
    expect(said({ overview: null })).toContain("first reconciliation");
  });

  it("names who halted, and why", () => {
    const trading = { state: "HALTED", who: "owner", why: "looks odd", at: null, known: true };
    const halted = { ...overview, trading, verdict: { level: "alarm", check: "TRADING" } };

    expect(said({ overview: halted })).toBe("Trading is halted: looks odd (owner).");
  });

  it("says what the worst check found", () => {
    const health = [{ check: "LIMITS", level: "watch", value: "MAX_OPEN_POSITIONS", limit: null }];
    const limited = { ...overview, health, verdict: { level: "watch", check: "LIMITS" } };

    expect(said({ overview: limited })).toBe("A limit stops new entries. (MAX_OPEN_POSITIONS)");
  });

  it("says of shadow trades that no order is sent", () => {
    expect(said({})).toBe("All is well. 6 symbols watched, 2 positions open.");
    expect(said({ overview: { ...overview, executes: false } })).toContain("no order is sent");
  });
});

describe("filters", () => {
  it("part the decisions by what became of them", () => {
    const store = new Store(aSource());
    store.feed({ feeds: world.feeds, next: null });
    const rows = store.decisions.value;
    const count = (filter: Parameters<typeof belongs>[0]): number =>
      rows.filter((row) => belongs(filter, row)).length;

    expect(count("all")).toBe(rows.length);
    expect(count("traded") + count("blocked")).toBe(rows.length);
    expect(rows.filter((row) => belongs("invalid", row)).map((row) => row.blocked_by)).toContain(
      "MODEL_TRUNCATED",
    );
    expect(rows.filter((row) => belongs("invalid", row)).every((row) => belongs("blocked", row))).toBe(true);
  });
});
