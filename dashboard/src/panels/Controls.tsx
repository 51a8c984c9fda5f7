/** What its owner may do from here: trade less, trade again, close everything. Each press writes one request. */

import { useId, useState } from "preact/hooks";
import type { Action, ControlAnswer, State, Trading } from "../data/model";
import { Refused, type Wish } from "../data/source";
import { locale, t, type Key } from "../i18n";
import { reasonText } from "../i18n/reasons";
import type { Store } from "../state/store";
import { Panel } from "../ui/Panel";
import { Moment } from "../ui/values";

export const FLATTEN_WORD = "FLATTEN";

const ACTIONS: readonly (readonly [Action, Key, Key])[] = [
  ["reduce", "control.reduce", "control.reduce.hint"],
  ["halt", "control.halt", "control.halt.hint"],
  ["resume", "control.resume", "control.resume.hint"],
  ["flatten", "control.flatten", "control.flatten.hint"],
];
const STATES: Record<State, { readonly key: Key; readonly look: string }> = {
  ACTIVE: { key: "state.active", look: "text-up" },
  REDUCING: { key: "state.reducing", look: "text-warn" },
  HALTED: { key: "state.halted", look: "text-down" },
};
const WHY_MAX = 200;

/** What an action is called; an answer may be about one that this page does not know. */
function actionName(action: string): string {
  const key = ACTIONS.find(([each]) => each === action)?.[1];
  return key === undefined ? action : t(key);
}

function Standing({ trading }: { readonly trading: Trading }) {
  const { key, look } = STATES[trading.state];
  return (
    <p class="mb-3">
      <strong class={look}>{t(key)}</strong>{" "}
      <span class="text-sm text-quiet">
        {trading.at !== null && <Moment at={trading.at} />} {trading.who} {trading.why && `“${trading.why}”`}
        {!trading.known && ` ${t("control.unknown")}`}
      </span>
    </p>
  );
}

type Progress =
  "idle" | "sending" | { readonly sent: Action } | { readonly failed: string; readonly isRefused: boolean };

function useWish(ask: (wish: Wish) => Promise<void>) {
  const [progress, setProgress] = useState<Progress>("idle");
  const send = (wish: Wish): void => {
    setProgress("sending");
    ask(wish).then(
      () => {
        setProgress({ sent: wish.action });
      },
      (error: unknown) => {
        const failed = error instanceof Error ? error.message : String(error);
        setProgress({ failed, isRefused: error instanceof Refused });
      },
    );
  };
  return { progress, send };
}

function Report({ progress }: { readonly progress: Progress }) {
  if (progress === "idle") return null;
  if (progress === "sending") return <>{t("control.sending")}</>;
  if ("sent" in progress)
    return <span class="text-up">✓ {t("control.sent", { action: actionName(progress.sent) })}</span>;
  const { failed: message, isRefused } = progress;
  return <span class="text-down">✕ {t(isRefused ? "control.failed" : "control.unsure", { message })}</span>;
}

function Form({ ask, trading }: { ask: (wish: Wish) => Promise<void>; trading: Trading | undefined }) {
  const [chosen, choose] = useState<Action | null>(null);
  const [why, setWhy] = useState("");
  const [word, setWord] = useState("");
  const { progress, send } = useWish(ask);
  const ids = useId();
  const isFlatten = chosen === "flatten";
  const isReady = chosen !== null && progress !== "sending" && (!isFlatten || word === FLATTEN_WORD);
  const hint = ACTIONS.find(([action]) => action === chosen)?.[2];
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!isReady) return;
        send({ action: chosen, word: isFlatten ? word : null, why: why.trim() });
        choose(null);
        setWord("");
        setWhy("");
      }}
    >
      <div role="group" aria-label={t("control.title")} class="grid grid-cols-2 gap-2">
        {ACTIONS.map(([action, key]) => (
          <button
            key={action}
            type="button"
            class={`button ${action === "flatten" ? "button-danger" : ""}`}
            aria-pressed={chosen === action}
            disabled={action === "resume" && trading?.state === "ACTIVE"}
            onClick={() => {
              choose(chosen === action ? null : action);
            }}
          >
            {t(key)}
          </button>
        ))}
      </div>
      {chosen !== null && hint !== undefined && (
        <div class="rising mt-3 grid gap-3">
          <p class="text-sm">{t(hint)}</p>
          <label class="grid gap-1 text-sm" for={`${ids}why`}>
            {t("control.why")}
            <input
              id={`${ids}why`}
              class="field"
              value={why}
              maxLength={WHY_MAX}
              autocomplete="off"
              onInput={(event) => {
                setWhy(event.currentTarget.value);
              }}
            />
          </label>
          {isFlatten && (
            <label class="grid gap-1 text-sm" for={`${ids}word`}>
              {t("control.word", { word: FLATTEN_WORD })}
              <input
                id={`${ids}word`}
                class="field font-mono"
                value={word}
                autocomplete="off"
                autocapitalize="characters"
                spellcheck={false}
                onInput={(event) => {
                  setWord(event.currentTarget.value);
                }}
              />
            </label>
          )}
          <button type="submit" class={`button ${isFlatten ? "button-danger" : ""}`} disabled={!isReady}>
            {t("control.confirm")}
          </button>
        </div>
      )}
      <p class="mt-3 min-h-5 text-sm" role="status">
        <Report progress={progress} />
      </p>
    </form>
  );
}

function Answer({ answer }: { readonly answer: ControlAnswer }) {
  const isObeyed = answer.outcome === "OBEYED";
  return (
    <li class="border-b border-line py-1.5 text-sm">
      <Moment at={answer.answered_at} /> <strong>{actionName(answer.action)}</strong>{" "}
      <span class={isObeyed ? "text-up" : "text-down"}>
        {isObeyed ? "✓" : "✕"} {t(isObeyed ? "control.obeyed" : "control.refused")} {answer.code ?? ""}
      </span>{" "}
      {answer.code !== null && <span>{reasonText(answer.code)} </span>}
      <span class="break-words text-quiet">
        {answer.who} {answer.why && `“${answer.why}”`} → {t(STATES[answer.state].key)}
      </span>
    </li>
  );
}

export function Controls({ store, class: extra }: { readonly store: Store; readonly class: string }) {
  const { ask } = store.source;
  const trading = store.views.overview.value?.trading ?? store.views.limits.value?.trading;
  const control = store.views.control.value;
  return (
    <Panel id="controls" title={t("control.title")} class={extra}>
      {trading && <Standing trading={trading} />}
      {store.views.overview.value?.flattening && (
        <p class="mb-3 font-medium text-warn">⚠ {t("control.flattening")}</p>
      )}
      {ask ? <Form ask={ask} trading={trading} /> : <p class="text-sm text-quiet">{t("control.readonly")}</p>}
      {control && control.answers.length > 0 && (
        <ul
          class="scroll-thin mt-2 max-h-60 overflow-y-auto"
          aria-label={t("control.answers")}
          lang={locale.value}
          tabIndex={0}
        >
          {control.answers.map((answer) => (
            <Answer key={answer.id} answer={answer} />
          ))}
        </ul>
      )}
    </Panel>
  );
}
