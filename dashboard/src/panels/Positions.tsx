/** What is open now, and whether its stop stands on the exchange. A position without one is the loudest thing here. */

import type { ComponentChildren } from "preact";
import type { Guard, Position } from "../data/model";
import { average, exact, multiple, percent } from "../format/numbers";
import { duration, millis } from "../format/times";
import { locale, t } from "../i18n";
import { now } from "../state/clock";
import type { Store } from "../state/store";
import { Empty, Panel } from "../ui/Panel";
import { Age, Change, Direction, Moment } from "../ui/values";

function Value({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="min-w-0">
      <dt class="text-2xs text-quiet">{name}</dt>
      <dd class="break-all">{children}</dd>
    </div>
  );
}

function GuardValue({ name, guard, isShadow }: { name: string; guard: Guard; isShadow: boolean }) {
  const armed = guard.armed ? (
    <span class="text-up">
      ✓ {t("position.armed")} {guard.since !== null && <Age at={guard.since} />}
    </span>
  ) : (
    <span class="font-semibold text-down">✕ {t("position.unarmed")}</span>
  );
  return (
    <Value name={name}>
      {exact(guard.price, locale.value)}
      <span class="block text-2xs">
        {isShadow ? <span class="text-quiet">{t("position.shadow")}</span> : armed}
      </span>
    </Value>
  );
}

/** Where the mark stands between stop and target: 0 at the stop, 1 at the target. */
function progress({ mark, stop, target }: Position): number | null {
  if (mark === null) return null;
  const span = Number(target.price) - Number(stop.price);
  return span === 0 ? null : Math.min(1, Math.max(0, (Number(mark) - Number(stop.price)) / span));
}

function Track({ position }: { readonly position: Position }) {
  const share = progress(position);
  if (share === null) return null;
  return (
    <div
      class="relative mt-2.5 h-1.5 rounded-full bg-raised"
      role="img"
      aria-label={t("position.track", { share: percent(share, locale.value, 0) })}
    >
      <span class="absolute inset-y-0 left-0 w-1 rounded-full bg-down" />
      <span class="absolute inset-y-0 right-0 w-1 rounded-full bg-up" />
      <span
        class="absolute -top-1 size-3.5 -translate-x-1/2 rounded-full border-2 border-ground bg-text transition-[left] duration-500"
        style={{ left: `${share * 100}%` }}
      />
    </div>
  );
}

/** An old mark makes an old result: it says so beside it, whatever the heartbeat does. */
function MarkAge({ at, after }: { readonly at: string | null; readonly after: number }) {
  const ms = millis(at);
  if (ms === null || now.value - ms <= after * 1000) return null;
  return (
    <span class="block text-2xs font-semibold text-warn">
      ⚠ {t("position.markold")} <Age at={at} />
    </span>
  );
}

function left(position: Position): string {
  const ends = millis(position.ends_at);
  return duration(ends === null ? null : ends - now.value, locale.value);
}

function Details({ position, staleAfterS }: { position: Position; staleAfterS: number }) {
  const isShadow = position.protection === "SHADOW";
  const { liquidation } = position;
  return (
    <dl class="mt-2.5 grid grid-cols-3 gap-x-3 gap-y-2 text-sm">
      <Value name={t("column.entry")}>{average(position.entry, locale.value)}</Value>
      <GuardValue name={t("position.stop")} guard={position.stop} isShadow={isShadow} />
      <GuardValue name={t("position.target")} guard={position.target} isShadow={isShadow} />
      <Value name={t("position.mark")}>
        {exact(position.mark, locale.value)}
        <MarkAge at={position.mark_at} after={staleAfterS} />
      </Value>
      <Value name={t("position.held")}>
        <Age at={position.opened_at} />
        <span class="block text-2xs text-quiet">{t("position.left", { left: left(position) })}</span>
      </Value>
      <Value name={t("position.liquidation")}>
        {liquidation === null ? (
          <span class="text-quiet">{t("position.noliquidation")}</span>
        ) : (
          <>
            {exact(liquidation.price, locale.value)}
            <span class="block text-2xs text-quiet">
              {t("position.away", { share: percent(liquidation.distance_pct / 100, locale.value) })}
            </span>
          </>
        )}
      </Value>
    </dl>
  );
}

interface CardProps {
  readonly position: Position;
  readonly staleAfterS: number;
  readonly onChart: (symbol: string) => void;
}

function Card({ position, staleAfterS, onChart }: CardProps) {
  const { symbol, side, qty, unrealised, r, protection } = position;
  return (
    <li class={`inset p-3 ${protection === "NAKED" ? "border-2 border-alarm" : ""}`}>
      <div class="flex items-start justify-between gap-3">
        <div class="min-w-0">
          <a
            href="#candles"
            class="font-semibold break-all text-text underline decoration-line underline-offset-4"
            onClick={() => {
              onChart(symbol);
            }}
          >
            {symbol}
          </a>
          <p class="text-sm">
            <Direction side={side} /> <span class="text-quiet">{exact(qty, locale.value)}</span>
          </p>
        </div>
        <div class="text-right">
          <p class="text-lg font-semibold">
            <Change value={unrealised} />
          </p>
          <p class="text-xs text-quiet">
            {t("position.net")} {r !== null && multiple(r, locale.value)}
          </p>
        </div>
      </div>
      <Track position={position} />
      <Details position={position} staleAfterS={staleAfterS} />
    </li>
  );
}

/** What is held without a stop. */
export function nakedOf(store: Store): readonly Position[] {
  return store.views.positions.value?.positions.filter((each) => each.protection === "NAKED") ?? [];
}

/** Full width, above everything: somebody's money is without a stop. */
export function NakedAlarm({ store }: { readonly store: Store }) {
  const naked = nakedOf(store);
  if (naked.length === 0) return null;
  return (
    <div role="alert" class="mb-3 rounded-2xl bg-alarm p-4 text-on-alarm">
      <p class="text-lg font-bold">⚠ {t("position.naked.title")}</p>
      <ul>
        {naked.map((each) => (
          <li key={each.id} class="font-medium break-words">
            {t("position.naked", {
              symbol: each.symbol,
              qty: exact(each.qty, locale.value),
              phase: each.phase ?? "–",
            })}
          </li>
        ))}
      </ul>
    </div>
  );
}

const STALE_AFTER_S = 180;

/** When the oldest of the marks was made, null where none has one. */
function oldestMark(positions: readonly Position[]): string | null {
  const marks = positions.flatMap(({ mark_at: at }) => (at === null ? [] : [at]));
  return marks.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}

export function Positions({ store }: { readonly store: Store }) {
  const view = store.views.positions.value;
  const positions = view?.positions ?? [];
  const markedAt = oldestMark(positions);
  const aside = markedAt !== null && (
    <p class="text-xs text-quiet">
      {t("position.markedat")} <Moment at={markedAt} />
    </p>
  );
  return (
    <Panel id="positions" title={t("positions.title", { count: positions.length })} aside={aside}>
      {positions.length === 0 ? (
        <Empty>{t(view ? "positions.none" : "positions.first")}</Empty>
      ) : (
        <ul class="grid gap-3 md:grid-cols-2 wide:grid-cols-3">
          {positions.map((position) => (
            <Card
              key={position.id}
              position={position}
              staleAfterS={store.views.overview.value?.stale_after_s ?? STALE_AFTER_S}
              onChart={(symbol) => {
                store.chosen.value = symbol;
              }}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}
