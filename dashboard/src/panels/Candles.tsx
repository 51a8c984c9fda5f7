/** The price of one symbol, with everything that was done and decided on it. */

import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { CandleData } from "../charts/candles";
import type { Bars, Chart, Frame } from "../data/model";
import { figure } from "../format/numbers";
import { locale, t } from "../i18n";
import type { Store } from "../state/store";
import { ChartFrame } from "../ui/ChartFrame";
import { Empty, Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { Moment, momentText } from "../ui/values";
import { BarFacts, PRICE_DIGITS } from "./BarFacts";
import { FRAMES } from "./HeatMap";

const TABLE_ROWS = 60;

function useChart(store: Store, symbol: string | null): Chart | null | undefined {
  const [chart, setChart] = useState<Chart | null | undefined>(undefined);
  useEffect(() => {
    setChart(undefined);
    if (symbol === null) return undefined;
    return store.source.watchChart(symbol, setChart);
  }, [store, symbol]);
  // Of the symbol before until the effect has run: another symbol's prices are no prices of this one.
  return chart?.symbol === symbol ? chart : chart === null ? null : undefined;
}

function price(value: number | undefined): string {
  return figure(value, locale.value, PRICE_DIGITS);
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
            <td>{figure(bars.volume[index], locale.value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Shown {
  readonly store: Store;
  readonly bars: Bars;
  readonly symbol: string;
  readonly frame: Frame;
}

/** Which bar is read: the one under the pointer, else the one that was chosen, else the newest. */
function useBar(bars: Bars) {
  const [hovered, setHovered] = useState<number | null>(null);
  const [chosenMs, setChosen] = useState<number | null>(null);
  const last = bars.open_ms.length - 1;
  const index = bars.open_ms.indexOf(hovered ?? chosenMs ?? Number.NaN);
  const choose = useCallback(
    (openMs: number | null) => {
      setChosen(openMs === bars.open_ms.at(-1) ? null : openMs);
    },
    [bars],
  );
  return { index: index < 0 ? last : index, chosenMs, isChosen: index >= 0, choose, onHover: setHovered };
}

function useCandleData(
  { store, bars, symbol }: Shown,
  chosenMs: number | null,
  onHover: (ms: number | null) => void,
  onChoose: (ms: number) => void,
): CandleData {
  const trades = store.tradeList.rows.value;
  const decisions = store.decisions.value;
  const positions = store.views.positions.value?.positions;
  const drawn = useMemo(() => {
    const ofSymbol = <Row extends { readonly symbol: string }>(rows: readonly Row[]): Row[] =>
      rows.filter((row) => row.symbol === symbol);
    return {
      bars,
      trades: ofSymbol(trades),
      decisions: ofSymbol(decisions),
      positions: ofSymbol(positions ?? []),
    };
  }, [bars, trades, decisions, positions, symbol]);
  return useMemo(() => ({ ...drawn, chosenMs, onHover, onChoose }), [drawn, chosenMs, onHover, onChoose]);
}

function Chartful(shown: Shown) {
  const { store, bars, symbol, frame } = shown;
  const { index, chosenMs, isChosen, choose, onHover } = useBar(bars);
  const data = useCandleData(shown, chosenMs, onHover, choose);
  const openMs = bars.open_ms[index] ?? 0;
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
      <BarFacts store={store} symbol={symbol} frame={frame} bars={bars} index={index} isChosen={isChosen} />
      <input
        type="range"
        class="mb-2 block w-full accent-accent"
        min={0}
        max={bars.open_ms.length - 1}
        value={index}
        aria-label={t("candle.choose")}
        aria-valuetext={`${momentText(openMs)}, ${t("candle.close")} ${price(bars.close[index])}`}
        onInput={(event) => {
          choose(bars.open_ms[event.currentTarget.valueAsNumber] ?? null);
        }}
      />
      <ChartFrame
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
          <Chartful key={`${symbol}${frame}`} store={store} bars={bars} symbol={symbol} frame={frame} />
        ) : (
          <Empty>{t(chart === undefined ? "loading" : "candle.none")}</Empty>
        )}
      </div>
    </Panel>
  );
}
