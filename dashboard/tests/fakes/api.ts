/** The api function and its stream, as `fetch` and `EventSource` meet them; answers as docs/views.md says. */

import { vi } from "vitest";
import { localSource } from "../../src/data/local";
import { anEmptyWorld, type World } from "../builders/world";
import { backToReal, settled, untilSettled, type Stage } from "./stage";

export class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static open: Stream | null = null;
  /** How many were ever opened. */
  static count = 0;
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    super();
    Stream.open = this;
    Stream.count += 1;
    queueMicrotask(() => {
      if (api.isCut) this.onerror?.();
      else this.onopen?.();
    });
  }

  /** The server ends it; a browser then opens it again by itself, after the wait that it was told. */
  end(): void {
    this.readyState = 0;
    this.onerror?.();
  }

  close(): void {
    this.readyState = Stream.CLOSED;
    if (Stream.open === this) Stream.open = null;
  }
}

const LONGEST_WAIT_MS = 15_000;

export const api = {
  world: anEmptyWorld(),
  isCut: false,
  isDenied: false,
  asked: [] as Record<string, unknown>[],
};

function page(rows: readonly unknown[], url: URL, name: string): unknown {
  const from = Number(url.searchParams.get("after") ?? "0");
  const to = from + Number(url.searchParams.get("limit"));
  return { [name]: rows.slice(from, to), next: to < rows.length ? String(to) : null };
}

function found(url: URL): unknown {
  const [kind = "", name = ""] = url.pathname.replace("/api/", "").split("/");
  const { views, feeds, trades, events, charts, stories } = api.world;
  const answers: Record<string, () => unknown> = {
    views: () => views[name as keyof typeof views],
    feed: () => page(feeds, url, "feeds"),
    trades: () => page(trades, url, "trades"),
    events: () => page(events, url, "events"),
    charts: () => charts[name],
    decisions: () => (stories[name]?.decision.state === "DONE" ? stories[name] : undefined),
    session: () => ({ who: "owner@localhost", token: "t0k3n", log: "/var/log/withearth.log" }),
  };
  return answers[kind]?.();
}

function refusal(status: number, message: string): Response {
  return Response.json({ status: "error", message }, { status });
}

function control(init: RequestInit): Response {
  if (new Headers(init.headers).get("X-WithEarth-Token") !== "t0k3n") return refusal(403, "No token.");
  api.asked.push(JSON.parse(init.body as string) as Record<string, unknown>);
  return Response.json({});
}

function answer(path: string, init?: RequestInit): Response {
  if (api.isDenied) return refusal(403, "You may not.");
  if (init?.method === "POST") return control(init);
  const document = found(new URL(path, "http://localhost"));
  return document === undefined ? refusal(404, "There is no such thing.") : Response.json(document);
}

export function apiStage(): Promise<Stage> {
  vi.useFakeTimers();
  Object.assign(api, { world: anEmptyWorld(), isCut: false, isDenied: false, asked: [] });
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) =>
    api.isCut ? Promise.reject(new TypeError("no line")) : Promise.resolve(answer(path, init)),
  );
  const due = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(2500);
    await settled();
  };
  return Promise.resolve({
    source: localSource(),
    until: untilSettled,
    end: backToReal,
    refusal: /^You may not\.$/,
    logs: "/var/log/withearth.log",
    asked: api.asked,
    async change(world: World) {
      api.world = world;
      const topics = [...Object.keys(world.views).map((name) => `views/${name}`), "feed", "trades", "events"];
      topics.push(...Object.keys(world.charts).map((symbol) => `charts/${symbol}`), "something/new");
      Stream.open?.dispatchEvent(new MessageEvent("changed", { data: JSON.stringify({ seq: 1, topics }) }));
      await due();
    },
    async cut() {
      api.isCut = true;
      Stream.open?.end();
      await settled();
    },
    async mend() {
      api.isCut = false;
      await vi.advanceTimersByTimeAsync(LONGEST_WAIT_MS);
      await settled();
    },
    async deny() {
      api.isDenied = true;
      Stream.open?.dispatchEvent(
        new MessageEvent("changed", { data: '{"seq": 2, "topics": ["views/overview"]}' }),
      );
      await settled();
    },
  });
}
