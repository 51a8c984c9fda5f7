/** What happened: the journal of trades, and every operational fact. */

import { useEffect, useState } from "preact/hooks";
import { idIn, type Logs } from "../data/logs";
import type { EventRow, Trade } from "../data/model";
import { average, exact, multiple } from "../format/numbers";
import { locale, t } from "../i18n";
import { reasonText } from "../i18n/reasons";
import type { Store } from "../state/store";
import { LogLink, WhereLogsAre } from "../ui/logs";
import { Empty, Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { Change, Direction, Moment } from "../ui/values";
import { VirtualList } from "../ui/VirtualList";

type Tab = "trades" | "events";

const TRADE_HEIGHT = 62;
const EVENT_HEIGHT = 46;
const TROUBLE =
  /(REFUSED|FAILED|ORPHAN|UNKNOWN|HALTED|NAKED|DIFFERS|FOREIGN|ERROR|SAFE_MODE|UNREADABLE|RETIRED|LOST|STUCK|LEFT_OPEN)/;

const NO_LOGS: Logs = { kind: "none" };

/** Where the logs are, asked for again whenever the line comes back. */
function useLogs(store: Store): Logs | null {
  const [logs, setLogs] = useState<Logs | null>(null);
  const line = store.connection.value;
  useEffect(() => {
    let wanted = true;
    store.source.logs().then(
      (told) => {
        if (wanted) setLogs(told);
      },
      () => undefined, // the panel says nothing of logs until it knows
    );
    return () => {
      wanted = false;
    };
  }, [store, line]);
  return logs;
}

function TradeRow({ trade, logs }: { readonly trade: Trade; readonly logs: Logs }) {
  return (
    <div class="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-0.5 border-b border-line px-2 py-2 text-sm md:grid-cols-[8rem_9rem_6rem_1fr_1fr_7rem_8rem]">
      <span class="text-quiet max-md:order-3">
        <Moment at={trade.opened_at} />
      </span>
      <span class="truncate font-medium max-md:order-1" title={trade.symbol}>
        {trade.symbol}{" "}
        <span class="font-normal md:hidden">
          <Direction side={trade.side} />
        </span>
      </span>
      <span class="max-md:hidden">
        <Direction side={trade.side} />
      </span>
      <span class="truncate max-md:hidden">
        {exact(trade.qty, locale.value)} @ {average(trade.entry, locale.value)}
        {trade.exit !== null && ` → ${average(trade.exit, locale.value)}`}
      </span>
      <span class="truncate text-quiet max-md:hidden" title={t("trade.costs")}>
        {t("column.fees")} {exact(trade.fees, locale.value)} · {t("column.funding")}{" "}
        {exact(trade.funding, locale.value)}
      </span>
      <span class="max-md:order-4 max-md:text-right">
        <code class="font-mono text-xs text-quiet">{trade.exit_reason ?? trade.status}</code>{" "}
        <LogLink logs={logs} id={trade.id} />
      </span>
      <span class="text-right font-medium max-md:order-2">
        <Change value={trade.net_pnl} />
        <span class="ml-2 text-xs text-quiet">{multiple(trade.r_multiple, locale.value)}</span>
      </span>
    </div>
  );
}

function EventLine({ event, logs }: { readonly event: EventRow; readonly logs: Logs }) {
  const isTrouble = TROUBLE.test(event.kind);
  return (
    <div class="flex flex-wrap items-baseline gap-x-3 border-b border-line px-2 py-2 text-sm">
      <span class="text-quiet">
        <Moment at={event.at} />
      </span>
      <code class={`font-mono text-xs ${isTrouble ? "text-warn" : ""}`} title={reasonText(event.kind)}>
        {isTrouble && "⚠ "}
        {event.kind}
      </code>
      {event.symbol !== "" && <span class="font-medium break-all">{event.symbol}</span>}
      <span class="min-w-0 break-words text-quiet">{event.text}</span>
      <LogLink logs={logs} id={idIn(event.text)} />
    </div>
  );
}

interface ListProps {
  readonly store: Store;
  readonly logs: Logs;
}

function Trades({ store, logs }: ListProps) {
  const rows = store.tradeList.rows.value;
  if (rows.length === 0) return <Empty>{t(store.tradeList.told.value ? "trades.none" : "loading")}</Empty>;
  return (
    <VirtualList
      items={rows}
      keyOf={(trade) => trade.id}
      rowHeight={TRADE_HEIGHT}
      label={t("activity.trades")}
      onEnd={store.olderTrades}
      render={(trade) => <TradeRow trade={trade} logs={logs} />}
    />
  );
}

function Events({ store, logs }: ListProps) {
  const rows = store.eventList.rows.value;
  if (rows.length === 0) return <Empty>{t(store.eventList.told.value ? "events.none" : "loading")}</Empty>;
  return (
    <VirtualList
      items={rows}
      keyOf={(event) => [event.at, event.kind, event.symbol, event.text].join("|")}
      rowHeight={EVENT_HEIGHT}
      label={t("activity.events")}
      onEnd={store.olderEvents}
      render={(event) => <EventLine event={event} logs={logs} />}
    />
  );
}

export function Activity({ store, class: extra }: { readonly store: Store; readonly class: string }) {
  const [tab, setTab] = useState<Tab>("trades");
  const logs = useLogs(store);
  const aside = (
    <Segmented
      label={t("activity.title")}
      value={tab}
      onChange={setTab}
      options={[
        ["trades", t("activity.trades")],
        ["events", t("activity.events")],
      ]}
    />
  );
  return (
    <Panel id="activity" title={t("activity.title")} aside={aside} class={extra}>
      {tab === "trades" ? (
        <Trades store={store} logs={logs ?? NO_LOGS} />
      ) : (
        <Events store={store} logs={logs ?? NO_LOGS} />
      )}
      <p class="mt-2 min-h-5 text-xs break-words text-quiet" data-testid="logs">
        {logs && <WhereLogsAre logs={logs} />}
      </p>
    </Panel>
  );
}
