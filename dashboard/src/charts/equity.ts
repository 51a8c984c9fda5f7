import {
  AreaSeries,
  BaselineSeries,
  LineSeries,
  LineStyle,
  LineType,
  type SingleValueData,
} from "lightweight-charts";
import type { MoneyView } from "../data/model";
import { forDrawing } from "../format/numbers";
import { t } from "../i18n";
import type { Draw } from "../ui/ChartFrame";
import { chartIn, colours, ordered, seconds } from "./look";

const DRAWDOWN_SHARE = 0.3;

function equityPoints({ points }: MoneyView): SingleValueData[] {
  return ordered(points.map(({ at, equity }) => ({ time: seconds(at), value: forDrawing(equity) })));
}

function drawdownPoints({ points }: MoneyView): SingleValueData[] {
  return ordered(points.map((point) => ({ time: seconds(point.at), value: -point.drawdown_pct })));
}

function benchmarkPoints({ benchmark }: MoneyView): SingleValueData[] {
  const points = benchmark?.points ?? [];
  return ordered(points.map(({ at, equity }) => ({ time: seconds(at), value: forDrawing(equity) })));
}

/** Equity over its starting value, the benchmark held beside it, the drawdown beneath. */
export const drawEquity: Draw<MoneyView> = (box, first) => {
  const look = colours();
  const chart = chartIn(box, look);
  const quiet = { priceLineVisible: false, lastValueVisible: false } as const;
  const held = chart.addSeries(LineSeries, {
    ...quiet,
    color: look.quiet,
    lineStyle: LineStyle.Dashed,
    lineWidth: 1,
    title: first.benchmark ? t("equity.hold", { symbol: first.benchmark.symbol }) : "",
    lastValueVisible: true,
  });
  const equity = chart.addSeries(BaselineSeries, {
    baseValue: { type: "price", price: forDrawing(first.starting_equity) },
    topLineColor: look.up,
    topFillColor1: `color-mix(in srgb, ${look.up} 30%, transparent)`,
    topFillColor2: "transparent",
    bottomLineColor: look.down,
    bottomFillColor1: "transparent",
    bottomFillColor2: "transparent",
    lineWidth: 2,
    lineType: LineType.WithSteps,
    priceLineVisible: false,
    title: t("money.equity"),
  });
  const drawdown = chart.addSeries(
    AreaSeries,
    {
      ...quiet,
      lineColor: look.down,
      topColor: "transparent",
      bottomColor: "transparent",
      invertFilledArea: true,
      lineWidth: 1,
      lineType: LineType.WithSteps,
      title: t("money.drawdown"),
      priceFormat: { type: "custom", formatter: (value: number) => `${value.toFixed(1)} %` },
    },
    1,
  );
  chart.panes()[0]?.setStretchFactor(1 - DRAWDOWN_SHARE);
  chart.panes()[1]?.setStretchFactor(DRAWDOWN_SHARE);
  const update = (data: MoneyView): void => {
    equity.setData(equityPoints(data));
    held.setData(benchmarkPoints(data));
    drawdown.setData(drawdownPoints(data));
  };
  update(first);
  chart.timeScale().fitContent();
  return {
    update,
    remove: () => {
      chart.remove();
    },
  };
};
