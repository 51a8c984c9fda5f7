/** What every source promises, whatever is behind it. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Chart, Decision, EventRow, Feed, Trade } from "../../src/data/model";
import { Refused, VIEWS, type Line, type Sink, type Stop, type ViewName } from "../../src/data/source";
import { anEmptyWorld, aWorld } from "../builders/world";
import type { Stage } from "../fakes/stage";

export class Heard implements Sink {
  lines: Line[] = [];
  views = new Map<ViewName, unknown>();
  feeds: readonly Feed[] = [];
  tradeRows: readonly Trade[] = [];
  eventRows: readonly EventRow[] = [];
  next: string | null = null;
  nextTrades: string | null = null;
  nextEvents: string | null = null;
  calls = 0;
  private readonly told = new Set<string>();

  isComplete(): boolean {
    return this.views.size === VIEWS.length && this.told.size === 3 && this.lines.at(-1) === "open";
  }

  line(line: Line): void {
    this.lines.push(line);
  }
  view(name: ViewName, document: unknown): void {
    this.calls += 1;
    this.views.set(name, document);
  }
  feed(page: { feeds: readonly Feed[]; next: string | null }): void {
    this.told.add("feed");
    this.feeds = page.feeds;
    this.next = page.next;
  }
  trades(page: { trades: readonly Trade[]; next: string | null }): void {
    this.nextTrades = page.next;
    this.told.add("trades");
    this.tradeRows = page.trades;
  }
  events(page: { events: readonly EventRow[]; next: string | null }): void {
    this.told.add("events");
    this.nextEvents = page.next;
    this.eventRows = page.events;
  }
}

/** Instants as Firestore gives them back have milliseconds; they are the same instants. */
function sameInstants(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(".000Z", "Z"));
}

/** Hold an adapter, on a stage that is built for each promise, to all of them. */
export function keepsItsPromises(name: string, build: () => Promise<Stage>): void {
  describe(name, () => {
    let stage: Stage, heard: Heard, stops: Stop[];
    beforeEach(async () => {
      stage = await build();
      heard = new Heard();
      stops = [];
    });
    afterEach(async () => {
      for (const stop of stops) stop();
      await stage.end();
    });
    /** Open the source, and wait until it has told everything there is. */
    const opened = async (): Promise<Stop> => {
      const stop = stage.source.open(heard);
      stops.push(stop);
      await stage.until(() => {
        expect(heard.isComplete()).toBe(true);
      });
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

      await stage.until(() => {
        expect(heard.views.get("overview")).not.toBeNull();
        expect(heard.feeds.length).toBeGreaterThan(0);
        expect(heard.tradeRows.length).toBeGreaterThan(0);
      });
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

    it("pages through rows of one instant, each row once", async () => {
      const world = aWorld();
      const at = world.events[0]?.at ?? "";
      const events = Array.from({ length: 230 }, (_, index) => ({
        kind: "FOREIGN",
        at,
        symbol: "",
        text: `order ${index}`,
      }));
      await stage.change({ ...world, events, stories: {} });
      await opened();
      const seen = heard.eventRows.map((event) => event.text);
      let next = heard.nextEvents;
      while (next !== null) {
        const page = await stage.source.eventsBefore(next);
        seen.push(...page.events.map((event) => event.text));
        next = page.next;
      }

      expect(seen.sort()).toEqual(events.map((event) => event.text).sort());
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
      stops.push(stop);
      await stage.until(() => {
        expect(told).toEqual([null]);
      });
      await stage.change(world);
      await stage.until(() => {
        expect(sameInstants(told.at(-1))).toEqual(world.charts["BTCUSDT"]);
      });
      stop();
      const count = told.length;
      await stage.change(anEmptyWorld());

      expect(told.length).toBe(count);
    });

    it("says when the line is gone, comes back by itself, and then knows what it missed", async () => {
      await opened();
      await stage.cut();
      await stage.until(() => {
        expect(heard.lines.at(-1)).toBe("offline");
      });
      await stage.change(aWorld());
      await stage.mend();

      await stage.until(() => {
        expect(heard.lines.at(-1)).toBe("open");
        expect(heard.views.get("overview")).not.toBeNull();
        expect(heard.feeds.length).toBeGreaterThan(0);
      });
    });

    it("says when it may not read", async () => {
      await opened();
      await stage.deny();

      await stage.until(() => {
        expect(heard.lines.at(-1)).toBe("refused");
      });
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

      expect(logs.kind === "cloud" ? logs.link(null) : logs.kind === "file" && logs.path).toContain(
        stage.logs,
      );
    });

    it("writes one request with an id of its own, and passes on why it was refused", async () => {
      await opened();
      await stage.source.ask?.({ action: "halt", word: null, why: "looks odd" });
      await stage.source.ask?.({ action: "flatten", word: "FLATTEN", why: "" });

      await stage.until(() => {
        expect(stage.asked).toMatchObject([
          { action: "halt", word: null, why: "looks odd" },
          { action: "flatten", word: "FLATTEN", why: "" },
        ]);
      });
      expect(new Set(stage.asked.map((each) => each["id"])).size).toBe(2);
      await stage.deny();
      const refused = await stage.source
        .ask?.({ action: "resume", word: null, why: "" })
        .catch((no: unknown) => no);

      expect(refused).toBeInstanceOf(Refused);
      expect((refused as Refused).message).toMatch(stage.refusal);
    });

    it("asks nothing later that it could not ask now", async () => {
      await opened();
      await stage.cut();
      const outcomes: unknown[] = [];
      stage.source.ask?.({ action: "flatten", word: "FLATTEN", why: "" }).then(
        () => outcomes.push("asked"),
        (error: unknown) => outcomes.push(error),
      );
      await stage.until(() => {
        expect(outcomes.length).toBe(1);
      });
      await stage.mend();
      await stage.until(() => {
        expect(heard.lines.at(-1)).toBe("open");
      });
      await stage.source.ask?.({ action: "halt", word: null, why: "" });
      await stage.until(() => {
        expect(stage.asked.map((each) => each["action"])).toEqual(["halt"]);
      });

      expect(outcomes[0]).toBeInstanceOf(Error);
      expect(outcomes[0]).not.toBeInstanceOf(Refused);
    });
  });
}
