import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app/App";
import { chooseSource } from "./app/choose";
import { t } from "./i18n";
import { learnReasons } from "./i18n/reasons";
import { applyPreferences } from "./state/preferences";
import { Store } from "./state/store";
import "./styles.css";

const PATIENCE_MS = 2500;

/** The page appears with its contents: panels that fill one after the other would push each other around. */
function told(store: Store): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, PATIENCE_MS);
    effect(() => {
      if (!store.isTold.value) return;
      clearTimeout(patience);
      resolve();
    });
  });
}

async function start(root: HTMLElement): Promise<void> {
  await applyPreferences();
  const chosen = await chooseSource(root);
  const store = new Store(chosen.source);
  learnReasons();
  chosen.source.open(store);
  await told(store);
  root.replaceChildren();
  render(<App store={store} onSignOut={chosen.signOut} />, root);
}

const root = document.getElementById("app");
if (root) {
  start(root).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    render(
      <p class="boot" role="alert">
        {t("boot.failed", { message })}
      </p>,
      root,
    );
  });
}
