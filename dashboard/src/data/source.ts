/** Where the page's documents come from. Every adapter keeps the same promises: tests/contract/source.ts. */

import type {
  Action,
  CalibrationView,
  Chart,
  ControlView,
  EventPage,
  FeedPage,
  HeatMapView,
  LimitsView,
  MoneyView,
  OverviewView,
  PositionsView,
  Story,
  TradePage,
} from "./model";
import type { Logs } from "./logs";

export interface Views {
  readonly overview: OverviewView;
  readonly money: MoneyView;
  readonly positions: PositionsView;
  readonly heatmap: HeatMapView;
  readonly limits: LimitsView;
  readonly calibration: CalibrationView;
  readonly control: ControlView;
}
export type ViewName = keyof Views;
export const VIEWS: readonly ViewName[] = [
  "overview",
  "money",
  "positions",
  "heatmap",
  "limits",
  "calibration",
  "control",
];

/**
 * Whose time it is: the wall's; that of a `saved` moment; or, for a `run` on a market that is not live, that of its
 * newest heartbeat, since such a run may go through a minute in a second.
 */
export type Time = "wall" | "saved" | "run";

/** `offline` comes back by itself; `refused` needs a person: another account, or another right. */
export type Line = "connecting" | "open" | "offline" | "refused";

/** What a source tells. Each call replaces what it told before about the same thing. */
export interface Sink {
  line(line: Line): void;
  view<Name extends ViewName>(name: Name, document: Views[Name] | null): void;
  feed(newest: FeedPage): void;
  trades(newest: TradePage): void;
  events(newest: EventPage): void;
}

/** Whoever was asked understood, and said no. Any other failure leaves open whether a request arrived. */
export class Refused extends Error {}

/** A request to trade less, or to trade again. The reconciler answers it in `views/control`. */
export interface Wish {
  readonly action: Action;
  readonly word: string | null;
  readonly why: string;
}

export type Stop = () => void;

export interface Source {
  readonly time: Time;
  /** Tell the sink what there is and what changes, until stopped. */
  open(sink: Sink): Stop;
  /** The candles of a symbol, now and whenever they change; null while there are none. */
  watchChart(symbol: string, tell: (chart: Chart | null) => void): Stop;
  /** What came before a page, given its `next`. These reject when there is no line. */
  feedBefore(next: string): Promise<FeedPage>;
  tradesBefore(next: string): Promise<TradePage>;
  eventsBefore(next: string): Promise<EventPage>;
  /** Everything about one decision, null for an unknown one. */
  story(decisionId: string): Promise<Story | null>;
  /** Where the log lines are. Rejects when there is no line. */
  logs(): Promise<Logs>;
  /**
   * Ask for another trading state; null for who only looks. Rejects with Refused, or with whatever
   * came between: a request is sent now or never, and none waits for the line to come back.
   */
  readonly ask: ((wish: Wish) => Promise<void>) | null;
}
