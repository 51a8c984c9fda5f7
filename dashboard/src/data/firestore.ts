/**
 * The Firestore adapter: listeners on `views/*` and on the newest feeds, trades and events; everything else is read
 * when it is asked for. It only looks, but for one document: `control/request`.
 */

import type * as Firestore from "@firebase/firestore";
import type {
  Chart,
  Decision,
  EventPage,
  EventRow,
  Feed,
  FeedPage,
  Intent,
  Label,
  Story,
  Trade,
  TradePage,
} from "./model";
import { cloudLogs, type Logs } from "./logs";
import {
  Refused,
  VIEWS,
  type Line,
  type Sink,
  type Source,
  type Stop,
  type ViewName,
  type Views,
  type Wish,
} from "./source";

/** What of the SDK is used. */
export type Sdk = Pick<
  typeof Firestore,
  | "collection"
  | "doc"
  | "documentId"
  | "getDoc"
  | "getDocs"
  | "limit"
  | "onSnapshot"
  | "orderBy"
  | "query"
  | "runTransaction"
  | "serverTimestamp"
  | "startAfter"
  | "Timestamp"
  | "where"
>;

export interface Connection {
  readonly sdk: Sdk;
  readonly db: Firestore.Firestore;
  /** The address of who is signed in, which the rules compare. */
  readonly who: string;
  readonly project: string;
}

const FEEDS = 48;
const ROWS = 100;

interface Listed {
  readonly collection: "feed" | "trades" | "events";
  readonly by: string;
  readonly size: number;
}
const FEED: Listed = { collection: "feed", by: "at", size: FEEDS };
const TRADES: Listed = { collection: "trades", by: "opened_at", size: ROWS };
const EVENTS: Listed = { collection: "events", by: "at", size: ROWS };

interface Page<Row> {
  readonly rows: Row[];
  readonly next: string | null;
}

interface Observer {
  readonly heard: () => void;
  readonly error: (error: unknown) => void;
}

const RETRY_MS = 2_000;
const RETRY_MS_MAX = 60_000;
/** What `next` is: the whole instant of a page's last row, and its id. */
const PLACE = /^(-?\d+)\.(\d+)~(.*)$/s;

function page<Row>({ by, size }: Listed, found: Firestore.QuerySnapshot): Page<Row> {
  const last = found.size < size ? undefined : found.docs.at(-1);
  const rows = found.docs.map((each) => plainOf(each.data()) as Row);
  if (last === undefined) return { rows, next: null };
  const { seconds, nanoseconds } = last.data()[by] as Firestore.Timestamp;
  return { rows, next: `${seconds}.${nanoseconds}~${last.id}` };
}

/** Documents as the app knows them: every Timestamp becomes the text of its instant. */
export function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf);
  if (value === null || typeof value !== "object") return value;
  if ("toDate" in value && typeof value.toDate === "function") {
    return (value as { toDate: () => Date }).toDate().toISOString();
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainOf(each)]));
}

/** A decision is claimed before it is made, and then has no more than its claim. */
function isDone(document: unknown): document is Decision {
  return (document as { state?: unknown } | null)?.state === "DONE";
}

function isDenied(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "permission-denied" || code === "unauthenticated";
}

class FirestoreSource implements Source {
  readonly time = "wall";
  private sink: Sink | null = null;
  private overviewLine: Line = "connecting";
  /** Listeners that are over, until others have taken their place. */
  private readonly failed = new Map<symbol, "offline" | "refused">();

  constructor(private readonly connection: Connection) {}

  open(sink: Sink): Stop {
    this.sink = sink;
    sink.line("connecting");
    const stops = [
      ...VIEWS.map((name) => this.watchView(sink, name)),
      this.watchNewest<Feed>(FEED, ({ rows, next }) => {
        sink.feed({ feeds: rows, next });
      }),
      this.watchNewest<Trade>(TRADES, ({ rows, next }) => {
        sink.trades({ trades: rows, next });
      }),
      this.watchNewest<EventRow>(EVENTS, ({ rows, next }) => {
        sink.events({ events: rows, next });
      }),
    ];
    return () => {
      this.sink = null;
      for (const stop of stops) stop();
    };
  }

  /**
   * Listen until stopped. To the SDK a listener that has met an error is over, so another takes its place, after a
   * longer wait each time; not where reading is refused, which needs a person.
   */
  private listen(start: (observer: Observer) => Stop): Stop {
    const self = Symbol("listener");
    let wait = RETRY_MS;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let stop: Stop = () => undefined;
    const begin = (): void => {
      stop = start({
        heard: () => {
          wait = RETRY_MS;
          if (this.failed.delete(self)) this.tellLine();
        },
        error: (error) => {
          this.failed.set(self, isDenied(error) ? "refused" : "offline");
          this.tellLine();
          if (isDenied(error)) return;
          retry = setTimeout(begin, wait);
          wait = Math.min(2 * wait, RETRY_MS_MAX);
        },
      });
    };
    begin();
    return () => {
      clearTimeout(retry);
      this.failed.delete(self);
      stop();
    };
  }

  /** The line is as good as the worst of its listeners: nothing that one of them shows may pass for fresh. */
  private tellLine(): void {
    const failed = [...this.failed.values()];
    this.sink?.line(failed.includes("refused") ? "refused" : (failed[0] ?? this.overviewLine));
  }

  private watchView(sink: Sink, name: ViewName): Stop {
    const { sdk, db } = this.connection;
    const told = (found: Firestore.DocumentSnapshot): void => {
      const { fromCache } = found.metadata;
      // The overview is written every minute, so its listener is the one that tells whether the line stands.
      if (name === "overview") {
        this.overviewLine = fromCache ? "offline" : "open";
        this.tellLine();
      }
      if (!fromCache || found.exists())
        sink.view(name, (plainOf(found.data()) ?? null) as Views[ViewName] | null);
    };
    const options = { includeMetadataChanges: name === "overview" };
    return this.listen(({ heard, error }) =>
      sdk.onSnapshot(sdk.doc(db, "views", name), options, {
        next: (found) => {
          heard();
          told(found);
        },
        error,
      }),
    );
  }

  private watchNewest<Row>(listed: Listed, tell: (page: Page<Row>) => void): Stop {
    return this.listen(({ heard, error }) =>
      this.connection.sdk.onSnapshot(this.newest(listed), {
        next: (found) => {
          heard();
          if (!found.metadata.fromCache || found.size > 0) tell(page(listed, found));
        },
        error,
      }),
    );
  }

  private newest({ collection, by, size }: Listed, ...after: Firestore.QueryConstraint[]): Firestore.Query {
    const { sdk, db } = this.connection;
    const order = [sdk.orderBy(by, "desc"), sdk.orderBy(sdk.documentId(), "desc")];
    return sdk.query(sdk.collection(db, collection), ...order, ...after, sdk.limit(size));
  }

  private async before<Row>(listed: Listed, next: string): Promise<Page<Row>> {
    const { sdk } = this.connection;
    const [, seconds = "", nanoseconds = "", id = ""] = PLACE.exec(next) ?? [];
    const at = new sdk.Timestamp(Number(seconds), Number(nanoseconds));
    return page(listed, await sdk.getDocs(this.newest(listed, sdk.startAfter(at, id))));
  }

  async feedBefore(next: string): Promise<FeedPage> {
    const page = await this.before<Feed>(FEED, next);
    return { feeds: page.rows, next: page.next };
  }

  async tradesBefore(next: string): Promise<TradePage> {
    const page = await this.before<Trade>(TRADES, next);
    return { trades: page.rows, next: page.next };
  }

  async eventsBefore(next: string): Promise<EventPage> {
    const page = await this.before<EventRow>(EVENTS, next);
    return { events: page.rows, next: page.next };
  }

  watchChart(symbol: string, tell: (chart: Chart | null) => void): Stop {
    const { sdk, db } = this.connection;
    return this.listen(({ heard, error }) =>
      sdk.onSnapshot(sdk.doc(db, "charts", symbol), {
        next: (found) => {
          heard();
          if (!found.metadata.fromCache || found.exists())
            tell((plainOf(found.data()) ?? null) as Chart | null);
        },
        error,
      }),
    );
  }

  async story(decisionId: string): Promise<Story | null> {
    const { sdk, db } = this.connection;
    const read = async (collection: string): Promise<unknown> =>
      plainOf((await sdk.getDoc(sdk.doc(db, collection, decisionId))).data()) ?? null;
    const id = sdk.documentId();
    // "." is the character after "-": every id that begins with the decision's, and no other.
    const about = [sdk.where(id, ">=", `${decisionId}-`), sdk.where(id, "<", `${decisionId}.`)];
    const [decision, intent, trade, label, events] = await Promise.all([
      read("decisions"),
      read("intents"),
      read("trades"),
      read("labels"),
      sdk.getDocs(sdk.query(sdk.collection(db, "events"), ...about)),
    ]);
    if (!isDone(decision)) return null;
    return {
      decision,
      intent: intent as Intent | null,
      trade: trade as Trade | null,
      label: label as Label | null,
      events: events.docs.map((each) => plainOf(each.data()) as EventRow),
    };
  }

  logs(): Promise<Logs> {
    return Promise.resolve(cloudLogs(this.connection.project));
  }

  readonly ask = async (wish: Wish): Promise<void> => {
    const { sdk, db, who } = this.connection;
    const request = { ...wish, id: crypto.randomUUID(), who, at: sdk.serverTimestamp() };
    try {
      // A plain write would wait for a line, and a request to close everything must not go out an hour later.
      await sdk.runTransaction(
        db,
        (transaction) => {
          transaction.set(sdk.doc(db, "control", "request"), request);
          return Promise.resolve();
        },
        { maxAttempts: 1 },
      );
    } catch (error) {
      throw isDenied(error) ? new Refused((error as Error).message) : error;
    }
  };
}

export function firestoreSource(connection: Connection): Source {
  return new FirestoreSource(connection);
}
