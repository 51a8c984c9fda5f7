/** Everything the page knows, as signals: what a panel reads is all that redraws it. */

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { EventRow, Feed, FeedRow, OverviewView, Trade } from "../data/model";
import type { Line, Sink, Source, ViewName, Views } from "../data/source";
import { millis } from "../format/times";
import { instant, now, setNow } from "./clock";
import { ReadDecisions } from "./decisions";
import { beatOf } from "./verdict";

/** How long ago the heartbeat of a saved demo is said to be when it opens. */
const SAVED_AGE_MS = 12_000;

/** `undefined` while nobody has told, `null` where there is nothing yet. */
type Known<Document> = Signal<Document | null | undefined>;

export interface Decided extends FeedRow {
  readonly at: string;
}

/** How many rows may arrive before a list lets go of what is old: what was scrolled to is counted apart. */
const ARRIVALS_MAX = 5_000;

/** A list that grows at both ends: newer rows arrive by themselves, older ones when somebody scrolls to them. */
class Growing<Row> {
  readonly told = signal(false);
  private readonly known = signal<readonly Row[]>([]);
  readonly rows: ReadonlySignal<readonly Row[]> = this.known;
  private next: string | null = null;
  private reading = false;
  private arrived = 0;

  constructor(
    private readonly keyOf: (row: Row) => string,
    private readonly timeOf: (row: Row) => string,
    private readonly sizeOf: (row: Row) => number = () => 1,
  ) {}

  /** Take the newest page. It is the whole truth about the time that it spans: what it lacks there is no more. */
  tell(newest: readonly Row[], next: string | null): void {
    const keys = new Set(newest.map(this.keyOf));
    const from = newest.at(-1);
    const before =
      from === undefined || next === null
        ? []
        : this.known
            .peek()
            .filter((row) => this.timeOf(row) <= this.timeOf(from) && !keys.has(this.keyOf(row)));
    // Where the page does not reach back to what is known, something is missing in between: begin anew.
    const reaches = this.known.peek().some((row) => keys.has(this.keyOf(row)));
    this.arrived += this.sizeOfNew(newest);
    if (reaches && this.arrived <= ARRIVALS_MAX) this.known.value = [...newest, ...before];
    else {
      this.known.value = newest;
      this.next = next;
      this.arrived = 0;
    }
    this.told.value = true;
  }

  private sizeOfNew(newest: readonly Row[]): number {
    const known = new Set(this.known.peek().map(this.keyOf));
    return newest.reduce((sum, row) => sum + (known.has(this.keyOf(row)) ? 0 : this.sizeOf(row)), 0);
  }

  async readOlder(read: (next: string) => Promise<readonly [readonly Row[], string | null]>): Promise<void> {
    const asked = this.next;
    if (asked === null || this.reading) return;
    this.reading = true;
    try {
      const [rows, next] = await read(asked);
      if (this.next !== asked) return; // the list has begun anew meanwhile: this is no longer what comes next
      this.next = next;
      const keys = new Set(rows.map(this.keyOf));
      this.known.value = [...this.known.peek().filter((row) => !keys.has(this.keyOf(row))), ...rows];
    } finally {
      this.reading = false;
    }
  }
}

export class Store implements Sink {
  readonly source: Source;
  readonly connection = signal<Line>("connecting");
  /** When the line was last known to stand, by this browser's clock. */
  readonly heardAt = signal<number | null>(null);
  readonly views: { readonly [Name in ViewName]: Known<Views[Name]> } = {
    overview: signal(undefined),
    money: signal(undefined),
    positions: signal(undefined),
    heatmap: signal(undefined),
    limits: signal(undefined),
    calibration: signal(undefined),
    control: signal(undefined),
  };
  readonly feeds = new Growing<Feed>(
    (feed) => feed.tick_id,
    (feed) => feed.at,
    (feed) => feed.rows.length,
  );
  readonly tradeList = new Growing<Trade>(
    (trade) => trade.id,
    (trade) => trade.opened_at,
  );
  readonly eventList = new Growing<EventRow>(
    (event) => [event.at, event.kind, event.symbol, event.text].join("|"),
    (event) => event.at,
  );
  readonly decisions = computed<readonly Decided[]>(() =>
    this.feeds.rows.value.flatMap((feed) => feed.rows.map((row) => ({ ...row, at: feed.at }))),
  );
  /** The symbol whose candles are shown; the first one until somebody chooses. */
  readonly chosen = signal<string | null>(null);
  readonly symbol = computed(() => this.chosen.value ?? this.views.overview.value?.symbols[0] ?? null);

  /** Decisions that were looked at one by one. */
  readonly looked: ReadDecisions;

  constructor(source: Source) {
    this.source = source;
    this.looked = new ReadDecisions(source);
  }

  private beat: number | null = null;
  /** When the newest heartbeat arrived, on the page's clock: it may be wrong, and then a heartbeat seems young for long. */
  readonly beatHeardAt = signal<number | null>(null);

  /** Whether what is shown is older than it may be. A saved demo does not age. */
  readonly isStale = computed(() => {
    if (this.connection.value === "offline" || this.connection.value === "refused") return true;
    const overview = this.views.overview.value;
    const beat = beatOf(overview, this.beatHeardAt.value);
    return beat !== null && now.value - beat > (overview?.stale_after_s ?? 0) * 1000;
  });

  /** Whether there is something to show of everything, or no hope that there soon will be. */
  readonly isTold = computed(() => {
    const views = Object.values(this.views).every((view) => view.value !== undefined);
    const lists = [this.feeds, this.tradeList, this.eventList].every((list) => list.told.value);
    return (views && lists) || this.connection.value === "offline" || this.connection.value === "refused";
  });

  line(line: Line): void {
    this.connection.value = line;
    if (line !== "open") this.looked.forget(); // what comes back may be another run
    if (line === "open") this.heardAt.value = Date.now();
  }

  view<Name extends ViewName>(name: Name, document: Views[Name] | null): void {
    if (name === "overview") this.tellTime(document as OverviewView | null);
    this.views[name].value = document;
  }

  /** Move the clock to where the time of this source is, with every heartbeat that is a new one. */
  private tellTime(overview: OverviewView | null): void {
    const { time } = this.source;
    const beat = millis(overview?.heartbeat_at);
    if (beat === null || beat === this.beat) return;
    this.beat = beat;
    if (time === "saved") setNow(beat + SAVED_AGE_MS, true);
    else if (time === "run" && overview?.market !== "LIVE") setNow(beat);
    this.beatHeardAt.value = instant();
  }

  feed(newest: { readonly feeds: readonly Feed[]; readonly next: string | null }): void {
    this.feeds.tell(newest.feeds, newest.next);
  }

  trades(newest: { readonly trades: readonly Trade[]; readonly next: string | null }): void {
    this.tradeList.tell(newest.trades, newest.next);
  }

  events(newest: { readonly events: readonly EventRow[]; readonly next: string | null }): void {
    this.eventList.tell(newest.events, newest.next);
  }

  readonly olderDecisions = (): void => {
    const older = this.feeds.readOlder(async (next) => {
      const page = await this.source.feedBefore(next);
      return [page.feeds, page.next];
    });
    older.catch(() => {
      this.line("offline");
    });
  };

  readonly olderTrades = (): void => {
    const older = this.tradeList.readOlder(async (next) => {
      const page = await this.source.tradesBefore(next);
      return [page.trades, page.next];
    });
    older.catch(() => {
      this.line("offline");
    });
  };

  readonly olderEvents = (): void => {
    const older = this.eventList.readOlder(async (next) => {
      const page = await this.source.eventsBefore(next);
      return [page.events, page.next];
    });
    older.catch(() => {
      this.line("offline");
    });
  };
}
