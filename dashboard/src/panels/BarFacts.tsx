/** What was known and decided at the close of one bar. */

import { useRef } from "preact/hooks";
import type { Bars, Decision, Frame } from "../data/model";
import { decisionIdAt } from "../data/ids";
import { figure, percent } from "../format/numbers";
import { locale, t, type Key } from "../i18n";
import { reasonText } from "../i18n/reasons";
import { useDecision, type Looked } from "../state/decisions";
import type { Store } from "../state/store";
import { useNear } from "../ui/near";
import { Direction, Moment, momentText } from "../ui/values";

export const PRICE_DIGITS = 10;
const DIGITS = 4;

const FRAME_MS: Record<Frame, number> = {
  "5m": 300_000,
  "1h": 3_600_000,
  "4h": 14_400_000,
  "1d": 86_400_000,
};

type Kind = "price" | "measure" | "share" | "rate";
type Feature = readonly [name: string, key: Key, kind: Kind];

/** What of a snapshot is told, under the names of features/snapshot.py: of the bar's timeframe, then of the symbol. */
const OF_THE_FRAME: readonly Feature[] = [
  ["rsi14", "feature.rsi14", "measure"],
  ["atr14", "feature.atr14", "price"],
  ["sma20", "feature.sma20", "price"],
  ["volatility20", "feature.volatility20", "share"],
  ["relative_volume20", "feature.relative_volume20", "measure"],
  ["support50", "feature.support50", "price"],
  ["resistance50", "feature.resistance50", "price"],
];
const OF_THE_SYMBOL: readonly Feature[] = [
  ["price", "feature.price", "price"],
  ["spread_bps", "feature.spread_bps", "measure"],
  ["day_trend", "feature.day_trend", "share"],
  ["funding_rate", "feature.funding_rate", "rate"],
  ["depth_imbalance", "feature.depth_imbalance", "measure"],
];

function written(value: unknown, kind: Kind): string {
  const number = typeof value === "number" ? value : null;
  if (kind === "share") return percent(number, locale.value, 2);
  if (kind === "rate") return percent(number, locale.value, 4);
  return figure(number, locale.value, kind === "price" ? PRICE_DIGITS : DIGITS);
}

function within(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

interface Known {
  readonly key: Key;
  readonly text: string;
}

/** Every feature with its value, a dash for what the snapshot does not hold. */
function featuresOf(snapshot: unknown, frame: Frame): readonly Known[] {
  const ofFrame = within(within(snapshot, "frames"), frame);
  const from = (features: readonly Feature[], values: unknown): Known[] =>
    features.map(([name, key, kind]) => ({ key, text: written(within(values, name), kind) }));
  return [...from(OF_THE_FRAME, ofFrame), ...from(OF_THE_SYMBOL, snapshot)];
}

function Outcome({ decision }: { readonly decision: Decision }) {
  const { prediction, blocked_by: code, stage } = decision;
  return (
    <span class="min-w-0 truncate" title={code === null ? "" : reasonText(code)}>
      <Direction side={prediction?.direction ?? "hold"} />{" "}
      {prediction !== null && <span>{percent(prediction.calibrated ?? prediction.prob, locale.value)} </span>}
      <span class="text-quiet">{code ?? stage}</span>
    </span>
  );
}

const LACKS: Record<Exclude<Looked["state"], "known">, Key> = {
  none: "candle.nodecision",
  failed: "candle.failed",
  reading: "loading",
};

/** Why there is nothing to read, null where there is. */
function lackOf(looked: Looked): string | null {
  if (looked.state !== "known") return t(LACKS[looked.state]);
  const { snapshot, blocked_by: code } = looked.decision;
  return snapshot === null ? `${t("candle.nofeatures")} ${reasonText(code ?? "")}` : null;
}

function Features({ known }: { readonly known: readonly Known[] }) {
  return (
    <dl
      class="mb-2 grid grid-cols-3 gap-x-3 gap-y-1 md:grid-cols-6 wide:grid-cols-12"
      data-testid="bar-features"
    >
      {known.map(({ key, text }) => (
        <div key={key} class="min-w-0">
          <dt class="truncate text-2xs text-quiet" title={t(key)}>
            {t(key)}
          </dt>
          <dd class="truncate text-xs font-medium" title={text}>
            {text}
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface Props {
  readonly store: Store;
  readonly symbol: string;
  readonly frame: Frame;
  readonly bars: Bars;
  readonly index: number;
  /** Whether somebody asked for this bar: what only follows the market is not read aloud. */
  readonly isChosen: boolean;
}

function knownAt(frame: Frame, decision: Decision | null): string {
  return t("candle.features", { frame, at: momentText(Date.parse(decision?.as_of ?? "")) });
}

/** What is said aloud of a bar that somebody asked for. */
function spoken(openMs: number, lack: string | null, known: readonly Known[]): string {
  return `${momentText(openMs)}: ${lack ?? known.map(({ key, text }) => `${t(key)} ${text}`).join(", ")}`;
}

export function BarFacts({ store, symbol, frame, bars, index, isChosen }: Props) {
  const openMs = bars.open_ms[index] ?? 0;
  const place = useRef<HTMLParagraphElement>(null);
  const isNear = useNear(place);
  const id = decisionIdAt(symbol, openMs + FRAME_MS[frame]);
  const looked = useDecision(store.looked, isNear ? id : null);
  const decision = looked.state === "known" ? looked.decision : null;
  const known = featuresOf(decision?.snapshot, frame);
  const lack = lackOf(looked);
  return (
    <>
      <p ref={place} class="mb-1 flex min-h-6 flex-wrap gap-x-4 text-sm">
        <Moment at={new Date(openMs).toISOString()} />
        <span>
          <span class="text-quiet">{t("candle.close")}</span>{" "}
          {figure(bars.close[index], locale.value, PRICE_DIGITS)}
        </span>
        {decision && <Outcome decision={decision} />}
      </p>
      <p class="min-h-5 text-xs text-quiet" data-testid="bar-lack">
        {lack ?? knownAt(frame, decision)}
      </p>
      <Features known={known} />
      <p class="sr-only" aria-live="polite" data-testid="bar-spoken">
        {isChosen && looked.state !== "reading" && spoken(openMs, lack, known)}
      </p>
    </>
  );
}
