/** The price of one symbol, with everything that was done and decided on it. */

import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { CandleData } from "../charts/candles";
import type { Bars, Chart, Frame } from "../data/model";
import { plain } from "../format/numbers";
import { locale, t } from "../i18n";
import type { Decided, Store } from "../state/store";
import { ChartFrame } from "../ui/ChartFrame";
import { Empty, Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { Direction, Moment } from "../ui/values";
import { FRAMES } from "./HeatMap";

const TABLE_ROWS = 60;
const PRICE_DIGITS = 8;

function useChart(store: Store, symbol: string | null): Chart | null | undefined {
  const [chart, setChart] = useState<Chart | null | undefined>(undefined);
  useEffect(() => {
    setChart(undefined);
    if (symbol === null) return undefined;
    return store.source.watchChart(symbol, setChart);
  }, [store, symbol]);
  return chart;
}

function price(value: number | undefined): string {
  return plain(value, locale.value, PRICE_DIGITS);
}

function instant(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function CandleTable({ bars }: { readonly bars: Bars }) {
  const newest = bars.open_ms
    .map((_, index) => index)
    .slice(-TABLE_ROWS)
    .reverse();
  return (
    <table class="data">
      <thead>
        <tr>
          {(
            [
              "column.at",
              "candle.open",
              "candle.high",
              "candle.low",
              "candle.close",
              "candle.volume",
            ] as const
          ).map((key) => (
            <th key={key} scope="col">
              {t(key)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {newest.map((index) => (
          <tr key={bars.open_ms[index]}>
            <td>
              <Moment at={instant(bars.open_ms[index])} />
            </td>
            <td>{price(bars.open[index])}</td>
            <td>{price(bars.high[index])}</td>
            <td>{price(bars.low[index])}</td>
            <td>{price(bars.close[index])}</td>
            <td>{plain(bars.volume[index], locale.value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What was decided on the bar under the pointer, or on the newest one. */
function Pin({
  decision,
  bars,
  openMs,
}: {
  decision: Decided | undefined;
  bars: Bars;
  openMs: number | null;
}) {
  const index = openMs === null ? bars.open_ms.length - 1 : bars.open_ms.indexOf(openMs);
  return (
    <p class="mb-2 flex min-h-6 flex-wrap gap-x-4 gap-y-1 text-sm">
      <Moment at={instant(bars.open_ms[index])} />
      <span>
        <span class="text-quiet">{t("candle.close")}</span> {price(bars.close[index])}
      </span>
      {decision && (
        <span>
          <Direction side={decision.direction} />{" "}
          <span class="text-quiet">{decision.blocked_by ?? decision.order?.state ?? decision.stage}</span>
        </span>
      )}
    </p>
  );
}

function useCandleData(
  store: Store,
  bars: Bars,
  symbol: string,
  onHover: (ms: number | null) => void,
): CandleData {
  const trades = store.tradeList.rows.value;
  const decisions = store.decisions.value;
  const positions = store.views.positions.value?.positions;
  return useMemo(() => {
    const ofSymbol = <Row extends { readonly symbol: string }>(rows: readonly Row[]): Row[] =>
      rows.filter((row) => row.symbol === symbol);
    return {
      bars,
      onHover,
      trades: ofSymbol(trades),
      decisions: ofSymbol(decisions),
      positions: ofSymbol(positions ?? []),
    };
  }, [bars, onHover, trades, decisions, positions, symbol]);
}

const FRAME_MS: Record<Frame, number> = {
  "5m": 300_000,
  "1h": 3_600_000,
  "4h": 14_400_000,
  "1d": 86_400_000,
};

function Chartful({
  store,
  bars,
  symbol,
  frame,
}: {
  store: Store;
  bars: Bars;
  symbol: string;
  frame: Frame;
}) {
  const hovered = useSignal<number | null>(null);
  const onHover = useCallback(
    (ms: number | null) => {
      hovered.value = ms;
    },
    [hovered],
  );
  const data = useCandleData(store, bars, symbol, onHover);
  const barMs = hovered.value ?? bars.open_ms.at(-1) ?? 0;
  const decision = data.decisions.find(({ at }) => {
    const ms = Date.parse(at);
    return ms > barMs && ms <= barMs + FRAME_MS[frame];
  });
  const summary = t("candle.summary", {
    symbol,
    frame,
    bars: bars.open_ms.length,
    close: price(bars.close.at(-1)),
    trades: data.trades.length,
    positions: data.positions.length,
  });
  return (
    <>
      <Pin decision={decision} bars={bars} openMs={hovered.value} />
      <ChartFrame
        key={`${symbol}${frame}`}
        summary={summary}
        height="h-80"
        data={data}
        load={() => import("../charts/candles").then(({ drawCandles }) => drawCandles)}
        table={<CandleTable bars={bars} />}
      />
    </>
  );
}

interface Props {
  readonly store: Store;
  readonly frame: Frame;
  readonly onFrame: (frame: Frame) => void;
  readonly class: string;
}

export function Candles({ store, frame, onFrame, class: extra }: Props) {
  const symbol = store.symbol.value;
  const symbols = store.views.overview.value?.symbols ?? [];
  const chart = useChart(store, symbol);
  const bars = chart?.frames[frame];
  const aside = (
    <div class="flex min-w-0 flex-wrap items-center gap-2">
      <label class="sr-only" for="candle-symbol">
        {t("column.symbol")}
      </label>
      <select
        id="candle-symbol"
        class="field max-w-40 min-h-8 py-0 text-sm"
        value={symbol ?? ""}
        disabled={symbols.length === 0}
        onChange={(event) => {
          store.chosen.value = event.currentTarget.value;
        }}
      >
        {symbols.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
      <Segmented
        label={t("candle.frame")}
        value={frame}
        options={FRAMES.map((each) => [each, each] as const)}
        onChange={onFrame}
      />
    </div>
  );
  return (
    <Panel id="candles" title={t("candle.title")} aside={aside} class={extra}>
      {/* As high as it will be, so that nothing below moves when the candles come. */}
      <div class={chart === null ? "" : "min-h-[25rem]"}>
        {bars && bars.open_ms.length > 0 && symbol !== null ? (
          <Chartful store={store} bars={bars} symbol={symbol} frame={frame} />
        ) : (
          <Empty>{t(chart === undefined ? "loading" : "candle.none")}</Empty>
        )}
      </div>
    </Panel>
  );
}
