/** How every lightweight-charts chart looks: the page's own tokens, its language and its time zone. */

import {
  createChart,
  CrosshairMode,
  type DeepPartial,
  type IChartApi,
  type TimeChartOptions,
  type UTCTimestamp,
} from "lightweight-charts";
import { locale } from "../i18n";
import { zone } from "../state/preferences";

export interface Colours {
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly accent: string;
  readonly up: string;
  readonly down: string;
  readonly warn: string;
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: token("text"),
    quiet: token("quiet"),
    line: token("line"),
    accent: token("accent"),
    up: token("up"),
    down: token("down"),
    warn: token("warn"),
  };
}

function timeText(seconds: number, options: Intl.DateTimeFormatOptions): string {
  const timeZone = zone.value === "utc" ? { timeZone: "UTC" } : {};
  return new Intl.DateTimeFormat(locale.value, { ...options, ...timeZone }).format(seconds * 1000);
}

const DAY_TICKS = 2;
/** lightweight-charts' tick mark types 0 to 4: year, month, day, time, time with seconds. */
const TICKS: readonly Intl.DateTimeFormatOptions[] = [
  { year: "numeric" },
  { month: "short" },
  { month: "short", day: "numeric" },
  { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
];

function options(look: Colours): DeepPartial<TimeChartOptions> {
  return {
    autoSize: true,
    layout: {
      background: { color: "transparent" },
      textColor: look.quiet,
      fontFamily: getComputedStyle(document.body).fontFamily,
      attributionLogo: false, // it would bring an inline style; the page's foot names and links the library instead
      panes: { separatorColor: look.line },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: look.line } },
    rightPriceScale: { borderVisible: false },
    timeScale: {
      borderVisible: false,
      timeVisible: true,
      tickMarkFormatter: (time: number, kind: number) =>
        timeText(time, TICKS[kind] ?? TICKS[DAY_TICKS] ?? {}),
    },
    crosshair: { mode: CrosshairMode.Magnet },
    localization: {
      locale: locale.value,
      timeFormatter: (time: number) =>
        timeText(time, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }),
    },
    // A page is scrolled over its charts far more often than they are dragged up or down.
    handleScroll: { vertTouchDrag: false, mouseWheel: false },
    handleScale: { mouseWheel: false },
  };
}

export function chartIn(box: HTMLElement, look: Colours): IChartApi {
  return createChart(box, options(look));
}

export function seconds(text: string): UTCTimestamp {
  return Math.floor(Date.parse(text) / 1000) as UTCTimestamp;
}

/** Points in time order with one for each second, the last where several share it: what a chart insists on. */
export function ordered<Point extends { readonly time: UTCTimestamp }>(points: readonly Point[]): Point[] {
  return [...new Map(points.map((point) => [point.time, point])).values()].sort((a, b) => a.time - b.time);
}
