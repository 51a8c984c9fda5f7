/** Times: shown in the reader's own zone, with UTC for whoever looks closer. Everything that arrives is UTC. */

import { NOTHING } from "./numbers";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}${JSON.stringify(options)}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** Milliseconds since the epoch, or null for what is no time. */
export function millis(text: string | null | undefined): number | null {
  const ms = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** The day and time, or only the time where it is of today. `zone` is the reader's own unless a test names one. */
export function localTime(ms: number, now: number, locale: string, zone?: string): string {
  const timeZone = zone ? { timeZone: zone } : {};
  const day = format(locale, { dateStyle: "short", ...timeZone });
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...timeZone } as const;
  if (day.format(ms) === day.format(now)) return format(locale, { ...time, second: "2-digit" }).format(ms);
  return format(locale, { month: "short", day: "numeric", ...time }).format(ms);
}

/** `2026-01-05 06:05:00 UTC`. */
export function utcTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** A length of time in its two largest units, such as `2h 5m`. */
export function duration(ms: number | null, locale: string): string {
  if (ms === null || !Number.isFinite(ms)) return NOTHING;
  let rest = Math.max(0, ms);
  const parts: string[] = [];
  for (const [unit, size] of STEPS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || (unit === "second" && parts.length === 0)) {
      parts.push(new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(count));
    }
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}
