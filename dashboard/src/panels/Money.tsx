/** What was earned, after fees and funding: tiles above the fold, the curve further down. */

import type { ComponentChildren } from "preact";
import type { MoneyView, Stats } from "../data/model";
import { money, percent, plain } from "../format/numbers";
import { locale, t } from "../i18n";
import type { Store } from "../state/store";
import { ChartFrame } from "../ui/ChartFrame";
import { Empty, Panel } from "../ui/Panel";
import { Change, Moment } from "../ui/values";

function Tile({
  name,
  children,
  note,
}: {
  name: string;
  children: ComponentChildren;
  note?: ComponentChildren;
}) {
  return (
    <div class="min-w-0">
      <dt class="truncate text-xs text-quiet">{name}</dt>
      <dd class="truncate text-lg font-semibold tracking-tight">{children}</dd>
      {note !== undefined && <dd class="truncate text-2xs text-quiet">{note}</dd>}
    </div>
  );
}

/** Equity and what it did lately: the first thing anybody looks for. */
export function Headline({ store }: { readonly store: Store }) {
  const view = store.views.money.value;
  const equity = store.views.overview.value?.equity ?? view?.equity;
  return (
    <Panel id="money" title={t("money.title")}>
      <div class="grid grid-cols-3 gap-x-3 gap-y-3 md:grid-cols-5 wide:grid-cols-9">
        <dl class="contents">
          <Tile name={t("money.equity")}>
            <span title={equity}>{money(equity, locale.value)}</span>
          </Tile>
          <Tile name={t("money.today")}>
            <Change value={view?.today.net ?? null} />
          </Tile>
          <Tile name={t("money.week")}>
            <Change value={view?.week.net ?? null} />
          </Tile>
        </dl>
        <dl class="contents max-md:hidden">{view && <Ratios view={view} />}</dl>
      </div>
    </Panel>
  );
}

function costsNote(stats: Stats): string {
  return t("money.costs.note", {
    fees: money(stats.fees, locale.value),
    funding: money(stats.funding, locale.value),
  });
}

function Ratios({ view }: { readonly view: MoneyView }) {
  const { total } = view;
  return (
    <>
      <Tile name={t("money.all")}>
        <Change value={total.net} />
      </Tile>
      <Tile name={t("money.winrate")} note={t("money.trades", { wins: total.wins, trades: total.trades })}>
        {percent(total.win_rate, locale.value)}
      </Tile>
      <Tile name={t("money.profitfactor")}>{plain(total.profit_factor, locale.value)}</Tile>
      <Tile name={t("money.maxdd")}>{percent(view.max_drawdown_pct / 100, locale.value)}</Tile>
      <Tile name={t("money.costs")} note={costsNote(total)}>
        {percent(total.costs_share, locale.value)}
      </Tile>
      <Tile name={t("money.gross")}>
        <Change value={total.gross} />
      </Tile>
    </>
  );
}

function summary(view: MoneyView): string {
  const last = view.points.at(-1);
  return t("equity.summary", {
    points: view.points.length,
    from: money(view.starting_equity, locale.value),
    to: money(last?.equity ?? view.equity, locale.value),
    drawdown: percent(view.max_drawdown_pct / 100, locale.value),
  });
}

function EquityTable({ view }: { readonly view: MoneyView }) {
  return (
    <table class="data">
      <thead>
        <tr>
          <th scope="col">{t("column.at")}</th>
          <th scope="col">{t("money.equity")}</th>
          <th scope="col">{t("money.drawdown")}</th>
        </tr>
      </thead>
      <tbody>
        {view.points
          .slice(-TABLE_ROWS)
          .reverse()
          .map((point) => (
            <tr key={point.at}>
              <td>
                <Moment at={point.at} />
              </td>
              <td>{money(point.equity, locale.value)}</td>
              <td>{percent(point.drawdown_pct / 100, locale.value, 2)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

const TABLE_ROWS = 60;

/** The equity curve with its drawdown, and the same money held. */
export function Equity({ store, class: extra }: { readonly store: Store; readonly class: string }) {
  const view = store.views.money.value;
  return (
    <Panel id="equity" title={t("equity.title")} class={extra}>
      {view && (
        <dl class="mb-3 grid grid-cols-3 gap-3 md:hidden">
          <Ratios view={view} />
        </dl>
      )}
      {view && view.points.length > 0 ? (
        <ChartFrame
          summary={summary(view)}
          height="h-72"
          load={() => import("../charts/equity").then(({ drawEquity }) => drawEquity)}
          data={view}
          table={<EquityTable view={view} />}
        />
      ) : (
        <Empty>{t("equity.none")}</Empty>
      )}
    </Panel>
  );
}
