/** Every decision, newest first: how far it came, what stopped it, and behind each row its whole story. */

import { useMemo, useState } from "preact/hooks";
import { percent, plain } from "../format/numbers";
import { locale, t } from "../i18n";
import { reasonText } from "../i18n/reasons";
import type { Decided, Store } from "../state/store";
import { Funnel } from "../ui/Funnel";
import { Empty, Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { Direction, Moment } from "../ui/values";
import { VirtualList } from "../ui/VirtualList";
import { StoryOf } from "./Story";

export type Filter = "all" | "blocked" | "traded" | "invalid";

const ROW_HEIGHT = 66;
const MICRO = 1e6;
/** Where the answer itself was at fault, not the market or a limit. */
const INVALID =
  /^(MODEL_(TRUNCATED|BLOCKED|INVALID|WRONG_SYMBOL|CONTRADICTORY)|CANDLE_INVALID|LEVELS_INVALID|EVENT_)/;

/** What stopped a decision, on its way or at its order; null for one that went through. */
function codeOf(row: Decided): string | null {
  return row.blocked_by ?? row.order?.blocked_by ?? null;
}

const FILTERS: Record<Filter, (row: Decided) => boolean> = {
  all: () => true,
  blocked: (row) => codeOf(row) !== null,
  // CLAIMED is an order that is out: it lasts until the trade is closed.
  traded: (row) => row.order !== null && row.order.state !== "REFUSED",
  invalid: (row) => INVALID.test(codeOf(row) ?? ""),
};

/** Whether a decision belongs to what the reader asked for. */
export function belongs(filter: Filter, row: Decided): boolean {
  return FILTERS[filter](row);
}

function Outcome({ row }: { readonly row: Decided }) {
  const code = codeOf(row);
  if (code !== null) {
    return (
      <span class="min-w-0 truncate" title={reasonText(code)}>
        <code class="font-mono text-xs text-warn">{code}</code>{" "}
        <span class="text-quiet max-md:hidden">{reasonText(code)}</span>
      </span>
    );
  }
  const key =
    row.order === null
      ? "decision.waiting"
      : row.order.state === "EXECUTED"
        ? "decision.traded"
        : "decision.shadow";
  return (
    <span class="min-w-0 truncate text-up">
      ✓ {t(row.order?.state === "CLAIMED" ? "decision.claimed" : key)}
    </span>
  );
}

function cost(row: Decided): string {
  if (row.cost_micro_usd === 0) return t("decision.free");
  return `$${plain(row.cost_micro_usd / MICRO, locale.value, 6)}`;
}

interface RowProps {
  readonly row: Decided;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly store: Store;
}

function DecisionRow({ row, isOpen, onToggle, store }: RowProps) {
  return (
    <article class="border-b border-line">
      <button
        type="button"
        class="grid w-full grid-cols-[1fr_auto_auto] items-center gap-x-3 gap-y-0.5 px-2 py-2 text-left hover:bg-raised md:grid-cols-[7rem_9rem_5rem_auto_3.5rem_1fr_auto]"
        aria-expanded={isOpen}
        onClick={onToggle}
      >
        <span class="text-right text-sm text-quiet max-md:order-3 md:text-left">
          <Moment at={row.at} />
        </span>
        <span class="truncate font-medium max-md:order-1" title={row.symbol}>
          {row.symbol}
        </span>
        <span class="text-sm max-md:order-2">
          <Direction side={row.direction} />
        </span>
        <span class="max-md:order-6 max-md:justify-self-end">
          <Funnel stage={row.stage} blockedBy={row.blocked_by} order={row.order} />
        </span>
        <span class="text-right text-sm max-md:order-5" title={t("column.prob")}>
          {percent(row.prob, locale.value)}
        </span>
        <span class="flex min-w-0 text-sm max-md:order-4">
          <Outcome row={row} />
        </span>
        <span class="text-right text-xs whitespace-nowrap text-quiet max-md:hidden">
          {cost(row)} · {t("decision.latency", { ms: row.latency_ms })}
        </span>
      </button>
      {isOpen && <StoryOf store={store} row={row} />}
    </article>
  );
}

function Counts({ rows }: { readonly rows: readonly Decided[] }) {
  const traded = rows.filter((row) => belongs("traded", row)).length;
  const blocked = rows.filter((row) => belongs("blocked", row)).length;
  return (
    <p class="mb-2 text-xs text-quiet">{t("decisions.counts", { shown: rows.length, blocked, traded })}</p>
  );
}

export function Decisions({ store, class: extra }: { readonly store: Store; readonly class: string }) {
  const [filter, setFilter] = useState<Filter>("all");
  const [open, setOpen] = useState<string | null>(null);
  const all = store.decisions.value;
  const rows = useMemo(() => all.filter((row) => belongs(filter, row)), [all, filter]);
  const aside = (
    <Segmented
      label={t("decisions.filter")}
      value={filter}
      onChange={setFilter}
      options={[
        ["all", t("filter.all")],
        ["blocked", t("filter.blocked")],
        ["traded", t("filter.traded")],
        ["invalid", t("filter.invalid")],
      ]}
    />
  );
  return (
    <Panel id="decisions" title={t("decisions.title")} aside={aside} class={extra}>
      {rows.length === 0 ? (
        <Empty>
          {t(all.length > 0 ? "decisions.nomatch" : store.feeds.told.value ? "decisions.none" : "loading")}
        </Empty>
      ) : (
        <>
          <Counts rows={rows} />
          <VirtualList
            items={rows}
            keyOf={(row) => row.decision_id}
            rowHeight={ROW_HEIGHT}
            label={t("decisions.title")}
            onEnd={store.olderDecisions}
            render={(row) => (
              <DecisionRow
                row={row}
                store={store}
                isOpen={open === row.decision_id}
                onToggle={() => {
                  setOpen(open === row.decision_id ? null : row.decision_id);
                }}
              />
            )}
          />
        </>
      )}
    </Panel>
  );
}
