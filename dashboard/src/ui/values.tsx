/** How single values look everywhere: amounts with sign, shape and colour, and times with UTC behind them. */

import { duration, localTime, millis, utcTime } from "../format/times";
import { money, NOTHING, signOf, type Decimal } from "../format/numbers";
import { locale, t } from "../i18n";
import { now, quarter } from "../state/clock";
import { zone } from "../state/preferences";

const SHAPES = { "-1": "▼", 0: "", 1: "▲" } as const;
const COLOURS = { "-1": "text-down", 0: "text-quiet", 1: "text-up" } as const;

/** A gain or a loss: sign, shape and colour say the same. The whole text is behind the rounded one. */
export function Change({ value, unit = "", text }: { value: Decimal | null; unit?: string; text?: string }) {
  const sign = signOf(value);
  return (
    <span class={`whitespace-nowrap ${COLOURS[sign]}`} title={value ?? ""}>
      {SHAPES[sign] && (
        <span aria-hidden="true" class="mr-1 text-[0.7em]">
          {SHAPES[sign]}
        </span>
      )}
      {text ?? money(value, locale.value, true)}
      {unit && value !== null && <span class="ml-1 text-[0.75em] text-quiet">{unit}</span>}
    </span>
  );
}

/** Long or short, in word, shape and colour. */
export function Direction({ side }: { readonly side: "long" | "short" | "hold" }) {
  if (side === "hold") return <span class="whitespace-nowrap text-quiet">■ {t("side.hold")}</span>;
  const [shape, colour] = side === "long" ? ["▲", "text-up"] : ["▼", "text-down"];
  return (
    <span class={`whitespace-nowrap font-medium ${colour}`}>
      <span aria-hidden="true">{shape}</span> {t(side === "long" ? "side.long" : "side.short")}
    </span>
  );
}

/** An instant in the reader's zone, as text. */
export function momentText(ms: number): string {
  return localTime(ms, quarter.value, locale.value, zone.value === "utc" ? "UTC" : undefined);
}

/** An instant in the reader's zone; UTC when pointed at. */
export function Moment({ at }: { readonly at: string | null }) {
  const ms = millis(at);
  if (ms === null) return <span>{NOTHING}</span>;
  return (
    <time dateTime={at ?? ""} title={utcTime(ms)} class="whitespace-nowrap">
      {momentText(ms)}
    </time>
  );
}

/** How long ago an instant was. */
export function Age({ at }: { readonly at: string | null }) {
  const ms = millis(at);
  if (ms === null) return <span>{NOTHING}</span>;
  return (
    <time dateTime={at ?? ""} title={utcTime(ms)} class="whitespace-nowrap">
      {duration(now.value - ms, locale.value)}
    </time>
  );
}
