/** Every limit, how far it is used, and when what it stops is let through again. */

import type { LimitRow, LimitsView } from "../data/model";
import { exact, isDecimal, percent } from "../format/numbers";
import { millis, duration } from "../format/times";
import { locale, t } from "../i18n";
import { reasonText } from "../i18n/reasons";
import { now } from "../state/clock";
import type { Store } from "../state/store";
import { Empty, Panel } from "../ui/Panel";
import { Moment } from "../ui/values";

const WATCH_FROM = 0.8;

function isOff({ value }: LimitRow): boolean {
  return Number(value) === 0;
}

function shareOf({ value, used }: LimitRow): number | null {
  if (!isDecimal(used) || Number(value) === 0) return null;
  return Math.min(1, Math.max(0, Number(used) / Number(value)));
}

function Meter({ row }: { readonly row: LimitRow }) {
  const share = shareOf(row);
  if (share === null) return null;
  const colour = row.stops ? "bg-down" : share >= WATCH_FROM ? "bg-warn" : "bg-accent";
  return (
    <div class="mt-1.5 h-1.5 overflow-hidden rounded-full bg-raised" aria-hidden="true">
      <div
        class={`h-full rounded-full transition-[width] duration-500 ${colour}`}
        style={{ width: percent(share, "en", 1) }}
      />
    </div>
  );
}

function Lifts({ at }: { readonly at: string | null }) {
  const ms = millis(at);
  if (ms === null) return <>{t("limits.person")}</>;
  return (
    <>
      {t("limits.lifts", { left: duration(ms - now.value, locale.value) })} (<Moment at={at} />)
    </>
  );
}

function Row({ row }: { readonly row: LimitRow }) {
  const off = isOff(row);
  return (
    <li class={`inset p-3 ${row.stops ? "border-down" : ""}`}>
      <div class="flex items-baseline justify-between gap-3">
        <code class="min-w-0 font-mono text-xs break-all">{row.limit}</code>
        <span class="text-sm font-semibold whitespace-nowrap">
          {off ? (
            <span class="text-quiet">{t("limits.off")}</span>
          ) : (
            <>
              {exact(row.used, locale.value)}{" "}
              <span class="text-quiet">/ {exact(row.value, locale.value)}</span>
            </>
          )}
        </span>
      </div>
      <Meter row={row} />
      <p class="mt-1.5 text-xs text-quiet">
        {row.stops ? (
          <span class="font-medium text-down">
            ✕ {t("limits.stops")} <Lifts at={row.lifts_at} />
          </span>
        ) : (
          reasonText(row.reason)
        )}
      </p>
    </li>
  );
}

function Notice({ view }: { readonly view: LimitsView }) {
  if (!view.readable) return <p class="mb-3 font-medium text-down">✕ {t("limits.unreadable")}</p>;
  if (!view.applies) return <p class="mb-3 text-sm text-quiet">{t("limits.shadow")}</p>;
  return null;
}

export function Limits({ store, class: extra }: { readonly store: Store; readonly class: string }) {
  const view = store.views.limits.value;
  return (
    <Panel id="limits" title={t("limits.title")} class={extra}>
      {view ? (
        <>
          <Notice view={view} />
          <ul class="grid gap-2 sm:grid-cols-2">
            {view.limits.map((row) => (
              <Row key={row.limit} row={row} />
            ))}
          </ul>
        </>
      ) : (
        <Empty>{t("limits.none")}</Empty>
      )}
    </Panel>
  );
}
