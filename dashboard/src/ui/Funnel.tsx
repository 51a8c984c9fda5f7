/** How far a decision came: data → gate → model → risk → order. */

import type { OrderOutcome, Stage } from "../data/model";
import { t, type Key } from "../i18n";

const STAGES: readonly Stage[] = ["data", "gate", "model", "risk", "order"];
const NAMES: Record<Stage, Key> = {
  data: "stage.data",
  gate: "stage.gate",
  model: "stage.model",
  risk: "stage.risk",
  order: "stage.order",
};

interface Props {
  readonly stage: Stage;
  readonly blockedBy: string | null;
  readonly order: OrderOutcome | null;
}

/** The stage's name. */
export function stageName(stage: Stage): string {
  return t(NAMES[stage]);
}

/** Five steps: a full one was passed, a crossed one stopped it, an empty one was never reached. */
export function Funnel({ stage, blockedBy, order }: Props) {
  const reached = STAGES.indexOf(stage);
  const isBlocked = blockedBy !== null || order?.state === "REFUSED";
  const words = t(isBlocked ? "funnel.blocked" : "funnel.passed", { stage: stageName(stage) });
  return (
    <span class="inline-flex items-center gap-0.5" role="img" aria-label={words} title={words}>
      {STAGES.map((each, index) => {
        const isStop = isBlocked && index === reached;
        const look = isStop ? "bg-down" : index <= reached ? "bg-up" : "border border-quiet opacity-60";
        return (
          <span
            key={each}
            class={`flex h-2.5 w-3.5 items-center justify-center text-[0.5rem] leading-none font-black text-ground first:rounded-l-full last:rounded-r-full ${look}`}
          >
            {isStop ? "✕" : ""}
          </span>
        );
      })}
    </span>
  );
}
