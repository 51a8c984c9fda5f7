/** The local adapter: JSON from the api function, and its stream of what has changed. */

import type { Changed, Chart, EventPage, FeedPage, Session, Story, TradePage } from "./model";
import type { Logs } from "./logs";
import {
  Refused,
  VIEWS,
  type Sink,
  type Source,
  type Stop,
  type ViewName,
  type Views,
  type Wish,
} from "./source";

const RETRY_MS = 2000;
const RETRY_MS_MAX = 15_000;
const FEEDS = 48;
const ROWS = 100;

async function answerOf(response: Response): Promise<unknown> {
  if (response.ok) return response.json();
  const said = (await response.json().catch(() => ({}))) as { message?: string };
  const sentence = said.message ?? `${response.url} answered ${response.status}`;
  throw response.status < 500 ? new Refused(sentence) : new Error(sentence);
}

async function read<Answer>(path: string): Promise<Answer> {
  return (await answerOf(await fetch(`/api/${path}`, { cache: "no-store" }))) as Answer;
}

/** The stream of what has changed, and the documents that are read again when they have. */
class LocalSource implements Source {
  readonly time = "run";
  private sink: Sink | null = null;
  private stream: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private wait = RETRY_MS;
  private readonly charts = new Map<string, Set<(chart: Chart | null) => void>>();

  open(sink: Sink): Stop {
    this.sink = sink;
    sink.line("connecting");
    this.connect();
    return () => {
      this.hangUp();
      this.sink = null;
    };
  }

  private hangUp(): void {
    clearTimeout(this.retry);
    this.stream?.close();
    this.stream = null;
  }

  private connect(): void {
    const stream = new EventSource("/api/stream");
    this.stream = stream;
    stream.onopen = () => {
      // Whatever happened before the line stood is read now; a server that began anew counts from the start again.
      this.refresh(stream, [
        ...VIEWS.map((name) => `views/${name}`),
        "feed",
        "trades",
        "events",
        ...this.chartTopics(),
      ]);
    };
    stream.addEventListener("changed", (message: MessageEvent<string>) => {
      this.refresh(stream, (JSON.parse(message.data) as Changed).topics);
    });
    stream.onerror = () => {
      // A full server ends the stream and names the wait before the next, which the browser keeps: whether the line
      // stands is asked of the overview. What the browser gives up is opened anew from here.
      if (stream.readyState === EventSource.CLOSED) this.lost(stream, new Error("the stream was closed"));
      else this.refresh(stream, ["views/overview"]);
    };
  }

  private chartTopics(): string[] {
    return [...this.charts.keys()].map((symbol) => `charts/${symbol}`);
  }

  /** Read topics again. What comes of it says how the line is, unless another stream has begun since. */
  private refresh(stream: EventSource, topics: readonly string[]): void {
    Promise.all([...new Set(topics)].map((topic) => this.readTopic(topic))).then(
      () => {
        if (this.stream !== stream) return;
        this.wait = RETRY_MS;
        this.sink?.line("open");
      },
      (error: unknown) => {
        this.lost(stream, error);
      },
    );
  }

  private lost(stream: EventSource | null, error: unknown): void {
    if (this.sink === null || this.stream !== stream) return;
    this.hangUp();
    this.sink.line(error instanceof Refused ? "refused" : "offline");
    this.retry = setTimeout(() => {
      this.connect();
    }, this.wait);
    this.wait = Math.min(2 * this.wait, RETRY_MS_MAX);
  }

  private async readTopic(topic: string): Promise<void> {
    const [kind, name = ""] = topic.split("/", 2);
    await this.readers[kind ?? ""]?.(name);
  }

  /** How each kind of topic is read again. A topic that this page does not show has none. */
  private readonly readers: Record<string, (name: string) => Promise<void>> = {
    views: async (name) => {
      const known = VIEWS.find((each) => each === name);
      if (known !== undefined) await this.readView(known);
    },
    feed: async () => this.sink?.feed(await read<FeedPage>(`feed?limit=${FEEDS}`)),
    trades: async () => this.sink?.trades(await read<TradePage>(`trades?limit=${ROWS}`)),
    events: async () => this.sink?.events(await read<EventPage>(`events?limit=${ROWS}`)),
    charts: (symbol) => this.readChart(symbol),
  };

  private async readView(name: ViewName): Promise<void> {
    const document = await read<Views[ViewName] | null>(`views/${name}`);
    this.sink?.view(name, document);
  }

  private async readChart(symbol: string): Promise<void> {
    const watchers = this.charts.get(symbol);
    if (!watchers) return;
    const chart = await read<Chart | null>(`charts/${encodeURIComponent(symbol)}`).catch((error: unknown) => {
      if (error instanceof Refused) return null; // no candles of this symbol are kept
      throw error;
    });
    for (const tell of watchers) tell(chart);
  }

  watchChart(symbol: string, tell: (chart: Chart | null) => void): Stop {
    const watchers = this.charts.get(symbol) ?? new Set();
    this.charts.set(symbol, watchers.add(tell));
    const { stream } = this;
    this.readChart(symbol).catch((error: unknown) => {
      this.lost(stream, error);
    });
    return () => {
      watchers.delete(tell);
      if (watchers.size === 0) this.charts.delete(symbol);
    };
  }

  feedBefore(next: string): Promise<FeedPage> {
    return read(`feed?limit=${FEEDS}&after=${encodeURIComponent(next)}`);
  }

  tradesBefore(next: string): Promise<TradePage> {
    return read(`trades?limit=${ROWS}&after=${encodeURIComponent(next)}`);
  }

  eventsBefore(next: string): Promise<EventPage> {
    return read(`events?limit=${ROWS}&after=${encodeURIComponent(next)}`);
  }

  async story(decisionId: string): Promise<Story | null> {
    try {
      return await read<Story>(`decisions/${encodeURIComponent(decisionId)}`);
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }

  async logs(): Promise<Logs> {
    return { kind: "file", path: (await read<Session>("session")).log };
  }

  readonly ask = async (wish: Wish): Promise<void> => {
    const session = await read<Session>("session");
    const body = JSON.stringify({ ...wish, id: crypto.randomUUID() });
    const headers = { "Content-Type": "application/json", "X-WithEarth-Token": session.token };
    await answerOf(await fetch("/api/control", { method: "POST", headers, body }));
  };
}

export function localSource(): Source {
  return new LocalSource();
}
