/** The one sentence at the top: how things stand, from what the page itself sees and what the reconciler says. */

import type { Check, Level, OverviewView } from "../data/model";
import type { Line } from "../data/source";
import { duration, millis } from "../format/times";
import { locale, t, type Key } from "../i18n";

export interface Verdict {
  readonly level: Level;
  readonly text: string;
}

const CHECKS: Record<Check, Key> = {
  TRADING: "verdict.trading",
  PROTECTION: "verdict.protection",
  LIMITS: "verdict.limits",
  ACCOUNT: "verdict.account",
  TICK: "verdict.tick",
  DATA: "verdict.data",
  CLOCK: "verdict.clock",
  WEIGHT: "verdict.weight",
  MODEL: "verdict.model",
  SPEND: "verdict.spend",
};

export interface Seen {
  readonly line: Line;
  readonly heardAt: number | null;
  readonly overview: OverviewView | null | undefined;
  /** When the newest heartbeat arrived. */
  readonly beatHeardAt: number | null;
  readonly now: number;
}

/** Since when there has been no heartbeat: when it was made or, by a browser whose clock is behind, when it arrived. */
export function beatOf(overview: OverviewView | null | undefined, heardAt: number | null): number | null {
  const beat = millis(overview?.heartbeat_at);
  return beat === null || heardAt === null ? beat : Math.min(beat, heardAt);
}

function age(since: number | null, now: number): string {
  return duration(since === null ? null : now - since, locale.value);
}

/** What the page sees by itself: without a line or a heartbeat, nothing else it shows may count as true. */
function ofTheLine({ line, heardAt, overview, beatHeardAt, now }: Seen): Verdict | null {
  if (line === "refused") return { level: "alarm", text: t("verdict.refused") };
  if (line === "offline") {
    const text =
      heardAt === null ? t("verdict.unreachable") : t("verdict.offline", { age: age(heardAt, now) });
    return { level: "alarm", text };
  }
  if (overview === undefined) return { level: "watch", text: t("verdict.connecting") };
  if (overview === null) return { level: "watch", text: t("verdict.first") };
  const beat = beatOf(overview, beatHeardAt);
  if (beat === null || now - beat > overview.stale_after_s * 1000) {
    return { level: "alarm", text: t("verdict.stale", { age: age(beat, now) }) };
  }
  return null;
}

/** What the worst check found, such as the name of a limit. */
function found({ health, verdict }: OverviewView): string {
  const value = health.find(({ check }) => check === verdict.check)?.value ?? null;
  return value === null ? "" : ` (${value})`;
}

/** What the reconciler says. */
function ofTheSystem(overview: OverviewView): Verdict {
  const { verdict, trading, symbols, open_trades: open, executes } = overview;
  if (verdict.check === null) {
    const key: Key = executes ? "verdict.ok" : "verdict.ok.shadow";
    return { level: verdict.level, text: t(key, { symbols: symbols.length, open }) };
  }
  if (verdict.check === "TRADING" && trading.state !== "ACTIVE") {
    const key = trading.state === "HALTED" ? "verdict.halted" : "verdict.reducing";
    return { level: verdict.level, text: t(key, { why: trading.why || "–", who: trading.who || "–" }) };
  }
  return { level: verdict.level, text: t(CHECKS[verdict.check]) + found(overview) };
}

/** The verdict, and how bad it is. */
export function verdictOf(seen: Seen): Verdict {
  const { overview } = seen;
  if (overview === undefined || overview === null) {
    return ofTheLine(seen) ?? { level: "watch", text: t("verdict.connecting") };
  }
  return ofTheLine(seen) ?? ofTheSystem(overview);
}
