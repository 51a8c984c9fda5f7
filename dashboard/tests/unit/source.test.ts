/** What every source promises, whatever is behind it. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Chart, Decision, EventRow, Feed, Trade } from "../../src/data/model";
import { VIEWS, type Line, type Sink, type ViewName } from "../../src/data/source";
import { anEmptyWorld, aWorld } from "../builders/world";
import { apiStage } from "../fakes/api";
import { firestoreStage } from "../fakes/firestore";
import { settled, type Stage } from "../fakes/stage";

class Heard implements Sink {
  lines: Line[] = [];
  views = new Map<ViewName, unknown>();
  feeds: readonly Feed[] = [];
  tradeRows: readonly Trade[] = [];
  eventRows: readonly EventRow[] = [];
  next: string | null = null;
  calls = 0;

  line(line: Line): void {
    this.lines.push(line);
  }
  view(name: ViewName, document: unknown): void {
    this.calls += 1;
    this.views.set(name, document);
  }
  feed(page: { feeds: readonly Feed[]; next: string | null }): void {
    this.feeds = page.feeds;
    this.next = page.next;
  }
  trades(page: { trades: readonly Trade[] }): void {
    this.tradeRows = page.trades;
  }
  events(page: { events: readonly EventRow[] }): void {
    this.eventRows = page.events;
  }
}

/** Instants as Firestore gives them back have milliseconds; they are the same instants. */
function sameInstants(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(".000Z", "Z"));
}

const STAGES: readonly (readonly [string, () => Stage])[] = [
  ["the local api", apiStage],
  ["Firestore (stand-in)", firestoreStage],
];

describe.each(STAGES)("%s", (_name, build) => {
  let stage: Stage, heard: Heard;
  beforeEach(() => {
    vi.useFakeTimers();
    stage = build();
    heard = new Heard();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const opened = async (): Promise<() => void> => {
    const stop = stage.source.open(heard);
    await settled();
    return stop;
  };

  it("says that a view is not written yet", async () => {
    await opened();

    expect([...heard.views.keys()].sort()).toEqual([...VIEWS].sort());
    expect([...heard.views.values()]).toEqual(VIEWS.map(() => null));
    expect(heard.lines.at(-1)).toBe("open");
  });

  it("tells every view, and the newest rows first", async () => {
    const world = aWorld();
    await stage.change(world);
    await opened();

    for (const name of VIEWS) expect(sameInstants(heard.views.get(name)), name).toEqual(world.views[name]);
    expect(sameInstants(heard.feeds[0])).toEqual(world.feeds[0]);
    expect(heard.tradeRows[0]?.id).toBe(world.trades[0]?.id);
    expect(heard.eventRows.length).toBeGreaterThan(0);
  });

  it("tells what has changed", async () => {
    await opened();
    await stage.change(aWorld());

    expect(heard.views.get("overview")).not.toBeNull();
    expect(heard.feeds.length).toBeGreaterThan(0);
  });

  it("pages back to the beginning, each row once", async () => {
    const world = aWorld({ ticks: 130 });
    await stage.change(world);
    await opened();
    const seen = heard.feeds.map((feed) => feed.tick_id);
    let { next } = heard;
    while (next !== null) {
      const page = await stage.source.feedBefore(next);
      seen.push(...page.feeds.map((feed) => feed.tick_id));
      next = page.next;
    }

    expect(seen).toEqual(world.feeds.map((feed) => feed.tick_id));
  });

  it("tells the whole story of a decision, and of none but it", async () => {
    const world = aWorld();
    await stage.change(world);
    await opened();
    const [id, story] = Object.entries(world.stories).find(([, each]) => each.events.length > 0) ?? [];

    expect(sameInstants(await stage.source.story(id ?? ""))).toEqual(story);
    expect(await stage.source.story("BTCUSDT-20010101T0000Z")).toBeNull();
  });

  it("tells no story of a decision that is not made yet", async () => {
    const world = aWorld();
    const id = Object.keys(world.stories)[0] ?? "";
    const claimed = { decision_id: id, state: "CLAIMED" } as unknown as Decision;
    const story = { decision: claimed, intent: null, trade: null, label: null, events: [] };
    await stage.change({ ...world, stories: { [id]: story } });
    await opened();

    expect(await stage.source.story(id)).toBeNull();
  });

  it("tells the candles of a symbol until it is stopped, and null where there are none", async () => {
    const world = aWorld();
    await opened();
    const told: (Chart | null)[] = [];
    const stop = stage.source.watchChart("BTCUSDT", (chart) => told.push(chart));
    await settled();
    await stage.change(world);
    stop();
    const count = told.length;
    await stage.change(world);

    expect(told[0]).toBeNull();
    expect(sameInstants(told.at(-1))).toEqual(world.charts["BTCUSDT"]);
    expect(told.length).toBe(count);
  });

  it("says when the line is gone, comes back by itself, and then knows what it missed", async () => {
    await opened();
    await stage.cut();
    expect(heard.lines.at(-1)).toBe("offline");
    await stage.change(aWorld());
    await stage.mend();

    expect(heard.lines.at(-1)).toBe("open");
    expect(heard.views.get("overview")).not.toBeNull();
  });

  it("says when it may not read", async () => {
    await opened();
    await stage.deny();

    expect(heard.lines.at(-1)).toBe("refused");
  });

  it("is silent once it is stopped", async () => {
    const stop = await opened();
    stop();
    const { calls } = heard;
    await stage.change(aWorld());
    await stage.change(anEmptyWorld());

    expect(heard.calls).toBe(calls);
  });

  it("says where the logs are", async () => {
    const logs = await stage.source.logs();

    expect(logs.kind === "cloud" ? logs.link(null) : logs.kind === "file" && logs.path).toContain(stage.logs);
  });

  it("writes one request with an id of its own, and passes on why it was refused", async () => {
    await opened();
    await stage.source.ask?.({ action: "halt", word: null, why: "looks odd" });
    await stage.source.ask?.({ action: "flatten", word: "FLATTEN", why: "" });

    expect(stage.asked).toMatchObject([
      { action: "halt", word: null, why: "looks odd" },
      { action: "flatten", word: "FLATTEN", why: "" },
    ]);
    expect(new Set(stage.asked.map((each) => each["id"])).size).toBe(2);
    await stage.deny();
    await expect(stage.source.ask?.({ action: "resume", word: null, why: "" })).rejects.toThrow(
      "You may not.",
    );
  });
});
