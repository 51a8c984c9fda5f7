/** Whether a probability of 60 % comes true 60 times in 100: nobody should trade on one that does not. */

import { useState } from "preact/hooks";
import type { Bin, Reliability, Scores } from "../data/model";
import { percent, plain } from "../format/numbers";
import { locale, t } from "../i18n";
import type { Store } from "../state/store";
import { Empty, Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";

const SIZE = 220;
const MARGIN = 26;
const RADIUS_MIN = 3;
const RADIUS_SPAN = 9;

function x(share: number): number {
  return MARGIN + share * (SIZE - MARGIN - 8);
}

function y(share: number): number {
  return SIZE - MARGIN - share * (SIZE - MARGIN - 8);
}

function Diagram({ bins, summary }: { readonly bins: readonly Bin[]; readonly summary: string }) {
  const most = Math.max(1, ...bins.map((bin) => bin.samples));
  const filled = bins.filter((bin) => bin.samples > 0);
  return (
    <svg viewBox={`0 0 ${SIZE} ${SIZE}`} class="mx-auto w-full max-w-72" role="img" aria-label={summary}>
      {[0, 0.5, 1].map((share) => (
        <g key={share} class="fill-quiet text-[9px]">
          <line x1={x(0)} x2={x(1)} y1={y(share)} y2={y(share)} class="stroke-line" />
          <line x1={x(share)} x2={x(share)} y1={y(0)} y2={y(1)} class="stroke-line" />
          <text x={MARGIN - 4} y={y(share) + 3} text-anchor="end">
            {percent(share, locale.value, 0)}
          </text>
          <text x={x(share)} y={SIZE - MARGIN + 12} text-anchor="middle">
            {percent(share, locale.value, 0)}
          </text>
        </g>
      ))}
      <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} class="stroke-quiet" stroke-dasharray="4 4" />
      <polyline
        points={filled.map((bin) => `${x(bin.said)},${y(bin.happened)}`).join(" ")}
        class="fill-none stroke-accent"
        stroke-width="1.5"
      />
      {filled.map((bin) => (
        <circle
          key={bin.low}
          cx={x(bin.said)}
          cy={y(bin.happened)}
          r={RADIUS_MIN + RADIUS_SPAN * Math.sqrt(bin.samples / most)}
          class="fill-accent/40 stroke-accent"
        />
      ))}
    </svg>
  );
}

function ScoreRow({ scores, name }: { readonly scores: Scores; readonly name: string }) {
  return (
    <tr>
      <th scope="row" class="max-w-40 truncate" title={name}>
        {name}
      </th>
      <td>{scores.samples}</td>
      <td>{percent(scores.said, locale.value)}</td>
      <td>{percent(scores.happened, locale.value)}</td>
      <td>{plain(scores.brier, locale.value, 3)}</td>
      <td>{plain(scores.log_loss, locale.value, 3)}</td>
    </tr>
  );
}

function ScoreTable({ reliability }: { readonly reliability: Reliability }) {
  const { all, symbols, regimes } = reliability;
  return (
    <div
      class="scroll-thin max-h-72 overflow-auto"
      tabIndex={0}
      role="region"
      aria-label={t("calibration.scores")}
    >
      <table class="data">
        <thead>
          <tr>
            <th scope="col">{t("calibration.of")}</th>
            <th scope="col">{t("calibration.samples")}</th>
            <th scope="col">{t("calibration.said")}</th>
            <th scope="col">{t("calibration.happened")}</th>
            <th scope="col">{t("calibration.brier")}</th>
            <th scope="col">{t("calibration.logloss")}</th>
          </tr>
        </thead>
        <tbody>
          <ScoreRow scores={all} name={t("calibration.all")} />
          {[...symbols, ...regimes].map((scores) => (
            <ScoreRow key={scores.name} scores={scores} name={scores.name} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function summaryOf({ predictor, all }: Reliability): string {
  return t("calibration.summary", {
    predictor,
    samples: all.samples,
    said: percent(all.said, locale.value),
    happened: percent(all.happened, locale.value),
    brier: plain(all.brier, locale.value, 3),
  });
}

export function Calibration({ store, class: extra }: { readonly store: Store; readonly class: string }) {
  const predictors = store.views.calibration.value?.predictors ?? [];
  const [chosen, choose] = useState<string | null>(null);
  const shown = predictors.find((each) => each.predictor === chosen) ?? predictors[0];
  const aside = predictors.length > 1 && shown && (
    <Segmented
      label={t("calibration.predictor")}
      value={shown.predictor}
      options={predictors.map(({ predictor }) => [predictor, predictor] as const)}
      onChange={choose}
    />
  );
  return (
    <Panel id="calibration" title={t("calibration.title")} aside={aside} class={extra}>
      {shown ? (
        <div class="grid items-center gap-4 md:grid-cols-[18rem_1fr]">
          <figure>
            <Diagram bins={shown.bins} summary={summaryOf(shown)} />
            <figcaption class="text-center text-2xs text-quiet">{t("calibration.axes")}</figcaption>
          </figure>
          <div class="min-w-0">
            <p class="mb-2 text-sm text-quiet">{summaryOf(shown)}</p>
            <ScoreTable reliability={shown} />
          </div>
        </div>
      ) : (
        <Empty>{t("calibration.none")}</Empty>
      )}
    </Panel>
  );
}
