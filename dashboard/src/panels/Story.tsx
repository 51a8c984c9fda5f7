/** The whole story of one decision: what it saw, what was asked and answered, what was sent, and what came of it. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Decision, EventRow, Execution, Label, Order, Story, Trade } from "../data/model";
import { average, exact, figure, multiple, NOTHING, percent } from "../format/numbers";
import { locale, t, type Key } from "../i18n";
import { reasonText } from "../i18n/reasons";
import type { Decided, Store } from "../state/store";
import { Change, Direction, Moment } from "../ui/values";
import { FRAMES } from "./HeatMap";

type Known =
  { readonly state: "loading" | "failed" } | { readonly state: "known"; readonly story: Story | null };

/** The story, read again when what became of the decision changes. */
function useStory(store: Store, row: Decided): Known {
  const [known, setKnown] = useState<Known>({ state: "loading" });
  const outcome = `${row.order?.state}${row.order?.blocked_by}`;
  useEffect(() => {
    let wanted = true;
    store.source.story(row.decision_id).then(
      (story) => {
        if (wanted) setKnown({ state: "known", story });
      },
      () => {
        if (wanted) setKnown({ state: "failed" });
      },
    );
    return () => {
      wanted = false;
    };
  }, [store, row.decision_id, outcome]);
  return known;
}

interface PartProps {
  readonly title: Key;
  readonly children: ComponentChildren;
  readonly class?: string;
}

function Part({ title, children, class: extra = "" }: PartProps) {
  return (
    <section class={`min-w-0 ${extra}`}>
      <h3 class="mb-1 text-xs font-semibold tracking-wide text-quiet uppercase">{t(title)}</h3>
      {children}
    </section>
  );
}

type Fact = readonly [Key, ComponentChildren];

function Facts({ rows }: { readonly rows: readonly Fact[] }) {
  return (
    <dl class="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 text-sm">
      {rows.map(([key, value]) => (
        <div key={key} class="contents">
          <dt class="text-quiet">{t(key)}</dt>
          <dd class="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Why({ decision }: { readonly decision: Decision }) {
  const { prediction, reasons, detail } = decision;
  return (
    <Part title="story.why">
      {reasons.length > 0 && (
        <ul class="mb-1 text-sm">
          {reasons.map((code) => (
            <li key={code}>
              <code class="font-mono text-xs text-warn">{code}</code> {reasonText(code)}
            </li>
          ))}
        </ul>
      )}
      {detail !== "" && <p class="text-sm text-quiet">{detail}</p>}
      {prediction && (
        <>
          <p class="mb-1 text-sm text-pretty">{prediction.reasoning}</p>
          <Facts
            rows={[
              ["column.direction", <Direction side={prediction.direction} />],
              ["story.said", percent(prediction.prob, locale.value)],
              ["story.calibrated", percent(prediction.calibrated, locale.value)],
              ["story.support", figure(prediction.support, locale.value)],
              ["story.resistance", figure(prediction.resistance, locale.value)],
            ]}
          />
        </>
      )}
    </Part>
  );
}

function LevelsPart({ decision }: { readonly decision: Decision }) {
  const { assessment } = decision;
  if (assessment === null) return null;
  const { levels } = assessment;
  return (
    <Part title="story.levels">
      <Facts
        rows={[
          ["column.entry", exact(levels?.entry, locale.value)],
          ["position.target", exact(levels?.tp, locale.value)],
          ["position.stop", exact(levels?.sl, locale.value)],
          ["story.rr", `${assessment.risk_reward ?? NOTHING} (≥ ${assessment.risk_reward_min ?? NOTHING})`],
          ["column.qty", exact(assessment.qty, locale.value)],
        ]}
      />
      {assessment.detail !== "" && <p class="text-sm text-quiet">{assessment.detail}</p>}
    </Part>
  );
}

function outcomeOf(trade: Trade): readonly Fact[] {
  const status: Fact = ["story.status", `${trade.status} ${trade.exit_reason ?? ""}`];
  if (trade.status !== "CLOSED") return [status];
  return [
    status,
    ["column.exit", average(trade.exit, locale.value)],
    ["column.net", <Change value={trade.net_pnl} />],
    ["column.gross", <Change value={trade.pnl} />],
    ["column.fees", exact(trade.fees, locale.value)],
    ["column.funding", exact(trade.funding, locale.value)],
    ["column.r", multiple(trade.r_multiple, locale.value)],
    ["column.closed", <Moment at={trade.closed_at} />],
  ];
}

function labelOf(label: Label): readonly Fact[] {
  return [
    ["story.barrier", label.barrier ?? t("story.notyet")],
    ["story.metat", <Moment at={label.met_at ?? label.due_at} />],
    ["story.regime", label.regime],
  ];
}

const LEGS: Record<string, Key> = { e: "leg.entry", s: "leg.stop", t: "leg.target", x: "leg.exit" };

function legName(leg: string): string {
  const key = LEGS[leg];
  return key === undefined ? leg : t(key);
}

function OrderRow({ id, order }: { readonly id: string; readonly order: Order }) {
  return (
    <tr>
      <td>{legName(order.leg)}</td>
      <td>{exact(order.qty, locale.value)}</td>
      <td>{exact(order.price, locale.value)}</td>
      <td>
        {order.outcome}
        {order.code !== 0 && ` (${order.code})`}
      </td>
      <td>
        {exact(order.filled, locale.value)} @ {average(order.average, locale.value)}
      </td>
      <td>
        <Moment at={order.sent_at} />
      </td>
      <td class="font-mono text-2xs">
        {id}
        <br />
        {order.order_id}
      </td>
    </tr>
  );
}

function Orders({ execution }: { readonly execution: Execution }) {
  const columns: readonly Key[] = [
    "order.leg",
    "column.qty",
    "order.price",
    "order.outcome",
    "order.filled",
    "order.sent",
    "order.ids",
  ];
  return (
    <Part title="story.orders">
      <p class="text-sm">
        {execution.phase} {execution.reason ?? ""} <Moment at={execution.phase_since} />
      </p>
      <div class="scroll-thin overflow-x-auto" tabIndex={0} role="region" aria-label={t("story.orders")}>
        <table class="data">
          <thead>
            <tr>
              {columns.map((key) => (
                <th key={key} scope="col">
                  {t(key)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Object.entries(execution.sent).map(([id, order]) => (
              <OrderRow key={id} id={id} order={order} />
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}

const INDICATORS = [
  "close",
  "rsi14",
  "atr14",
  "sma20",
  "volatility20",
  "relative_volume20",
  "support50",
  "resistance50",
];

type Features = Record<string, unknown>;

function isFeatures(value: unknown): value is Features {
  return typeof value === "object" && value !== null;
}

function indicator(value: unknown): string {
  return figure(typeof value === "number" ? value : null, locale.value);
}

/** The indicators of every timeframe, under the names they have in the prompt. */
function FeatureTable({ snapshot }: { readonly snapshot: Features | null }) {
  const frames = snapshot?.["frames"];
  if (!isFeatures(frames)) return null;
  const names = FRAMES.filter((frame) => isFeatures(frames[frame]));
  return (
    <Part title="story.known" class="wide:col-span-2">
      <div class="scroll-thin overflow-x-auto" tabIndex={0} role="region" aria-label={t("story.known")}>
        <table class="data">
          <thead>
            <tr>
              <th scope="col">{t("story.indicator")}</th>
              {names.map((frame) => (
                <th key={frame} scope="col">
                  {frame}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {INDICATORS.map((name) => (
              <tr key={name}>
                <th scope="row" class="font-mono text-xs">
                  {name}
                </th>
                {names.map((frame) => (
                  <td key={frame}>{indicator((frames[frame] as Features)[name])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}

function Raw({ title, value }: { readonly title: Key; readonly value: unknown }) {
  if (value === null || value === undefined) return null;
  return (
    <details class="inset min-w-0 px-3 py-2 text-sm">
      <summary class="font-medium">{t(title)}</summary>
      <pre
        class="scroll-thin mt-2 max-h-80 overflow-auto font-mono text-xs break-words whitespace-pre-wrap"
        tabIndex={0}
        aria-label={t(title)}
        role="region"
      >
        {typeof value === "string" ? value : JSON.stringify(value, null, 2)}
      </pre>
    </details>
  );
}

/** The words that went to a model, wherever in the audit they stand. */
function promptOf(asked: Record<string, unknown> | null): unknown {
  return asked === null ? null : (asked["prompt"] ?? asked["request"] ?? null);
}

function Happened({ events }: { readonly events: readonly EventRow[] }) {
  if (events.length === 0) return null;
  return (
    <Part title="story.events">
      <ul class="text-sm">
        {events.map((event) => (
          <li key={`${event.kind}${event.at}`}>
            <Moment at={event.at} /> <code class="font-mono text-xs">{event.kind}</code>{" "}
            <span class="break-all">{event.text}</span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Told({ story, row }: { readonly story: Story; readonly row: Decided }) {
  const { decision, intent, trade, label, events } = story;
  return (
    <div class="grid gap-4 md:grid-cols-2 wide:grid-cols-3">
      <Why decision={decision} />
      <LevelsPart decision={decision} />
      {(trade ?? label) && (
        <Part title="story.outcome">
          {trade && <Facts rows={outcomeOf(trade)} />}
          {label && <Facts rows={labelOf(label)} />}
        </Part>
      )}
      <FeatureTable snapshot={decision.snapshot} />
      {intent?.execution && (
        <div class="min-w-0 md:col-span-full">
          <Orders execution={intent.execution} />
        </div>
      )}
      <Happened events={events} />
      <div class="grid min-w-0 content-start gap-2 md:col-span-full">
        <Raw title="story.prompt" value={promptOf(decision.asked)} />
        <Raw title="story.asked" value={decision.asked} />
        <Raw title="story.features" value={decision.snapshot} />
        <Raw title="story.raw" value={story} />
        <p class="text-2xs break-all text-quiet">
          {row.decision_id} · {decision.snapshot_hash ?? NOTHING} · {decision.predictor ?? NOTHING}
        </p>
      </div>
    </div>
  );
}

export function StoryOf({ store, row }: { readonly store: Store; readonly row: Decided }) {
  const known = useStory(store, row);
  return (
    <div class="rising px-3 pt-1 pb-4">
      {known.state === "known" && known.story && <Told story={known.story} row={row} />}
      {known.state === "known" && !known.story && <p class="text-quiet">{t("story.none")}</p>}
      {known.state === "loading" && <p class="text-quiet">{t("loading")}</p>}
      {known.state === "failed" && <p class="text-down">{t("story.failed")}</p>}
    </div>
  );
}
