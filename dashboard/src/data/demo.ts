/** The saved demo: the local API's answers as files, with nothing behind them and nothing to control. */

import type { Chart, EventPage, FeedPage, Story, TradePage } from "./model";
import { VIEWS, type Sink, type Source, type Stop, type ViewName, type Views } from "./source";

type Stories = Record<string, Story>;

async function file<Content>(folder: string, name: string): Promise<Content | null> {
  const response = await fetch(`${folder}/${name}.json`);
  return response.ok ? ((await response.json()) as Content) : null;
}

export function demoSource(folder = "./demo"): Source {
  let stories: Promise<Stories | null> | undefined;

  async function tellView(sink: Sink, name: ViewName): Promise<void> {
    sink.view(name, await file<Views[ViewName]>(folder, `views-${name}`));
  }
  async function tellAll(sink: Sink): Promise<void> {
    await Promise.all(VIEWS.map((name) => tellView(sink, name)));
    sink.line("open");
    sink.feed((await file<FeedPage>(folder, "feed")) ?? { feeds: [], next: null });
    sink.trades((await file<TradePage>(folder, "trades")) ?? { trades: [], next: null });
    sink.events((await file<EventPage>(folder, "events")) ?? { events: [], next: null });
  }
  return {
    time: "saved",
    open(sink: Sink): Stop {
      sink.line("connecting");
      tellAll(sink).catch(() => {
        sink.line("offline");
      });
      return () => undefined;
    },
    watchChart(symbol: string, tell: (chart: Chart | null) => void): Stop {
      let wanted = true;
      file<Chart>(folder, `charts-${symbol}`).then(
        (chart) => {
          if (wanted) tell(chart);
        },
        () => undefined,
      );
      return () => {
        wanted = false;
      };
    },
    feedBefore: () => Promise.resolve({ feeds: [], next: null }),
    tradesBefore: () => Promise.resolve({ trades: [], next: null }),
    eventsBefore: () => Promise.resolve({ events: [], next: null }),
    async story(decisionId: string): Promise<Story | null> {
      stories ??= file<Stories>(folder, "decisions");
      return (await stories)?.[decisionId] ?? null;
    },
    logs: () => Promise.resolve({ kind: "none" }),
    ask: null,
  };
}
