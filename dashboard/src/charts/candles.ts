import {
  CandlestickSeries,
  createSeriesMarkers,
  HistogramSeries,
  LineStyle,
  type CandlestickData,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type SeriesMarker,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Bars, Position, Trade } from "../data/model";
import { forDrawing, type Decimal } from "../format/numbers";
import { t } from "../i18n";
import type { Decided } from "../state/store";
import type { Draw } from "../ui/ChartFrame";
import { chartIn, colours, seconds, type Colours } from "./look";

export interface CandleData {
  readonly bars: Bars;
  readonly trades: readonly Trade[];
  readonly decisions: readonly Decided[];
  readonly positions: readonly Position[];
  /** The bar that was chosen, by its open time; null while the newest one is followed. */
  readonly chosenMs: number | null;
  /** What the pointer is over: the open time of a bar, null beside the chart. */
  readonly onHover: (openMs: number | null) => void;
  /** What was clicked or tapped. */
  readonly onChoose: (openMs: number) => void;
}

type Marker = SeriesMarker<UTCTimestamp>;

function candles({ bars }: CandleData): CandlestickData<UTCTimestamp>[] {
  return bars.open_ms.map((ms, index) => ({
    time: (ms / 1000) as UTCTimestamp,
    open: bars.open[index] ?? 0,
    high: bars.high[index] ?? 0,
    low: bars.low[index] ?? 0,
    close: bars.close[index] ?? 0,
  }));
}

/** The bar that an instant falls into, null where it is before the first one. */
function barOf(bars: Bars, time: UTCTimestamp): UTCTimestamp | null {
  const found = bars.open_ms.findLast((ms) => ms <= time * 1000);
  return found === undefined ? null : ((found / 1000) as UTCTimestamp);
}

function tradeMarkers({ bars, trades }: CandleData, look: Colours): Marker[] {
  return trades.flatMap((trade) => {
    const isLong = trade.side === "long";
    const entered = barOf(bars, seconds(trade.opened_at));
    const left = trade.closed_at === null ? null : barOf(bars, seconds(trade.closed_at));
    const entry: Marker[] =
      entered === null
        ? []
        : [
            {
              time: entered,
              position: isLong ? "belowBar" : "aboveBar",
              shape: isLong ? "arrowUp" : "arrowDown",
              color: isLong ? look.up : look.down,
              text: t(isLong ? "side.long" : "side.short"),
            },
          ];
    const exit: Marker[] =
      left === null
        ? []
        : [
            {
              time: left,
              position: isLong ? "aboveBar" : "belowBar",
              shape: "square",
              color: look.text,
              text: trade.exit_reason ?? "",
            },
          ];
    return [...entry, ...exit];
  });
}

/** A pin where a decision came all the way to its order, and that was refused: trades have marks of their own. */
function decisionMarkers({ bars, decisions }: CandleData, look: Colours): Marker[] {
  return decisions.flatMap((decision) => {
    const time = barOf(bars, (seconds(decision.at) - 1) as UTCTimestamp);
    if (time === null || decision.stage !== "order" || decision.order?.state !== "REFUSED") return [];
    return [{ time, position: "inBar", shape: "circle", color: look.warn, size: 0.6 } satisfies Marker];
  });
}

function markers(data: CandleData, look: Colours): Marker[] {
  return [...tradeMarkers(data, look), ...decisionMarkers(data, look)].sort((a, b) => a.time - b.time);
}

function levels(series: ISeriesApi<"Candlestick">, data: CandleData, look: Colours): IPriceLine[] {
  const line = (price: Decimal, color: string, title: string, style: LineStyle): IPriceLine =>
    series.createPriceLine({
      price: forDrawing(price),
      color,
      title,
      lineStyle: style,
      lineWidth: 1,
      axisLabelVisible: true,
    });
  return data.positions.flatMap((position) => [
    line(position.entry, look.text, t("column.entry"), LineStyle.Solid),
    line(
      position.stop.price,
      look.down,
      t("position.stop"),
      position.stop.armed ? LineStyle.Dashed : LineStyle.Dotted,
    ),
    line(position.target.price, look.up, t("position.target"), LineStyle.Dashed),
  ]);
}

/** As many decimals as the largest price needs five significant digits, so that 0.000012 can be told from 0.000013. */
function precision({ bars }: CandleData): number {
  const size = Math.max(...bars.high);
  return Number.isFinite(size) && size > 0 ? Math.min(10, Math.max(1, 4 - Math.floor(Math.log10(size)))) : 2;
}

const VOLUME_TOP = 0.82;

/** Show where the chosen bar stands, and move the chart to it where it is out of sight. */
function mark(chart: IChartApi, series: ISeriesApi<"Candlestick">, { bars, chosenMs }: CandleData): void {
  const index = chosenMs === null ? -1 : bars.open_ms.indexOf(chosenMs);
  const close = bars.close[index];
  if (chosenMs === null || close === undefined) {
    chart.clearCrosshairPosition();
    return;
  }
  const seen = chart.timeScale().getVisibleLogicalRange();
  if (seen !== null && (index < seen.from || index > seen.to)) {
    const half = (seen.to - seen.from) / 2;
    chart.timeScale().setVisibleLogicalRange({ from: index - half, to: index + half });
  }
  chart.setCrosshairPosition(close, (chosenMs / 1000) as UTCTimestamp, series);
}

/** What the drawing is made from; all else only moves over it. */
const DRAWN = ["bars", "trades", "decisions", "positions"] as const;

/** Candles with entries, exits, stops, targets and decisions. */
export const drawCandles: Draw<CandleData> = (box, first) => {
  const look = colours();
  const chart = chartIn(box, look);
  const series = chart.addSeries(CandlestickSeries, {
    upColor: look.up,
    downColor: "transparent", // a falling bar is hollow: told apart without its colour
    borderUpColor: look.up,
    borderDownColor: look.down,
    wickUpColor: look.up,
    wickDownColor: look.down,
    priceFormat: { type: "price", precision: precision(first), minMove: 10 ** -precision(first) },
  });
  const volume = chart.addSeries(HistogramSeries, {
    color: look.line,
    priceScaleId: "volume",
    priceFormat: { type: "volume" },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: VOLUME_TOP, bottom: 0 } });
  const marks = createSeriesMarkers(series, []);
  let lines: IPriceLine[] = [];
  let newest = first;
  const draw = (data: CandleData): void => {
    series.setData(candles(data));
    volume.setData(
      data.bars.open_ms.map((ms, index) => ({
        time: (ms / 1000) as UTCTimestamp,
        value: data.bars.volume[index] ?? 0,
      })),
    );
    marks.setMarkers(markers(data, look));
    for (const line of lines) series.removePriceLine(line);
    lines = levels(series, data, look);
  };
  const update = (data: CandleData): void => {
    const before = newest;
    newest = data;
    if (DRAWN.some((name) => before[name] !== data[name])) draw(data);
    if (before.chosenMs !== data.chosenMs) mark(chart, series, data);
  };
  draw(first);
  if (first.chosenMs !== null) mark(chart, series, first);
  chart.subscribeCrosshairMove(({ time }) => {
    newest.onHover(typeof time === "number" ? time * 1000 : null);
  });
  chart.subscribeClick(({ time }) => {
    if (typeof time === "number") newest.onChoose(time * 1000);
  });
  return {
    update,
    remove: () => {
      chart.remove();
    },
  };
};
