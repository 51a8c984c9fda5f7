/** What runs, whether it is well, and what kind of numbers these are. Stays in sight on every screen. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Check, Health, Level, OverviewView } from "../data/model";
import { t, type Key } from "../i18n";
import { now } from "../state/clock";
import type { Store } from "../state/store";
import { verdictOf } from "../state/verdict";
import { MarketBadge, ModeBadge } from "../ui/origin";
import { Age } from "../ui/values";

const LEVELS: Record<Level, { readonly shape: string; readonly colour: string; readonly word: Key }> = {
  ok: { shape: "M5 12.5l5 5L20 7", colour: "text-up", word: "level.ok" },
  watch: { shape: "M12 3v11 M12 19v2", colour: "text-warn", word: "level.watch" },
  alarm: { shape: "M5 5l14 14 M19 5 5 19", colour: "text-down", word: "level.alarm" },
};
const CHECKS: Record<Check, Key> = {
  TRADING: "check.trading",
  PROTECTION: "check.protection",
  LIMITS: "check.limits",
  ACCOUNT: "check.account",
  TICK: "check.tick",
  DATA: "check.data",
  CLOCK: "check.clock",
  WEIGHT: "check.weight",
  MODEL: "check.model",
  SPEND: "check.spend",
};

function LevelMark({ level, class: size }: { readonly level: Level; readonly class: string }) {
  const { shape, colour, word } = LEVELS[level];
  return (
    <svg viewBox="0 0 24 24" class={`${size} ${colour} shrink-0`} role="img" aria-label={t(word)}>
      <path d={shape} fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" />
    </svg>
  );
}

function Fact({ name, children, level }: { name: string; children: ComponentChildren; level?: Level }) {
  return (
    <div class="flex items-center gap-1.5 whitespace-nowrap">
      <dt class="flex items-center gap-1.5 text-quiet">
        {level && <LevelMark level={level} class="size-3.5" />}
        {name}
      </dt>
      <dd class="font-medium">{children}</dd>
    </div>
  );
}

function CheckFact({ health }: { readonly health: Health }) {
  const { check, level, value, limit } = health;
  return (
    <Fact name={t(CHECKS[check])} level={level}>
      {value ?? t(LEVELS[level].word)}
      {limit !== null && <span class="text-quiet"> / {limit}</span>}
    </Fact>
  );
}

function Facts({ overview }: { readonly overview: OverviewView }) {
  return (
    <dl class="flex flex-wrap gap-x-5 gap-y-1 text-sm">
      <Fact name={t("status.heartbeat")}>
        <Age at={overview.heartbeat_at} />
      </Fact>
      <Fact name={t("status.data")}>
        <Age at={overview.data_as_of} />
      </Fact>
      {overview.health.map((health) => (
        <CheckFact key={health.check} health={health} />
      ))}
      <Fact name={t("status.predictor")}>{overview.predictor}</Fact>
      <Fact name={t("status.version")}>{overview.version}</Fact>
    </dl>
  );
}

function Labels({ overview, isSaved }: { overview: OverviewView | null | undefined; isSaved: boolean }) {
  return (
    <p class="flex flex-wrap items-center gap-1.5" data-testid="labels">
      {overview && <ModeBadge mode={overview.mode} />}
      {overview && <MarketBadge market={overview.market} />}
      {isSaved && <span class="origin">{t("origin.saved")}</span>}
    </p>
  );
}

export function StatusBar({ store, tools }: { readonly store: Store; readonly tools: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const overview = store.views.overview.value;
  const line = store.connection.value;
  const heard = { heardAt: store.heardAt.value, beatHeardAt: store.beatHeardAt.value };
  const verdict = verdictOf({ line, ...heard, overview, now: now.value });
  return (
    <header class="bar sticky top-2 z-20 rounded-2xl px-3 pt-2.5 pb-2 sm:px-4">
      <div class="flex items-center gap-x-3 gap-y-1.5">
        <h1 class="sr-only sm:not-sr-only sm:text-lg sm:font-bold sm:tracking-tight">withEarth</h1>
        <Labels overview={overview} isSaved={store.source.time === "saved"} />
        <div class="ml-auto flex items-center gap-1.5">{tools}</div>
      </div>
      <div class="mt-1.5 flex items-start gap-2">
        <p role="status" class="flex min-w-0 flex-1 items-start gap-2 font-medium" data-level={verdict.level}>
          <LevelMark level={verdict.level} class="mt-0.5 size-4.5" />
          <span class="min-w-0 break-words">{verdict.text}</span>
        </p>
        {overview && (
          <button
            type="button"
            class="shrink-0 rounded-full px-2 text-sm text-accent"
            aria-expanded={isOpen}
            aria-controls="status-facts"
            onClick={() => {
              setOpen(!isOpen);
            }}
          >
            {t("status.details")} <span aria-hidden="true">{isOpen ? "▴" : "▾"}</span>
          </button>
        )}
      </div>
      <div id="status-facts" hidden={!isOpen} class="rising mt-2 border-t border-line pt-2">
        {overview && <Facts overview={overview} />}
      </div>
      <div class="mode-edge mt-2" data-mode={overview?.mode} aria-hidden="true" />
    </header>
  );
}
