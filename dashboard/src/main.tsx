import { render } from "preact";
import { App } from "./app/App";
import { chooseSource } from "./app/choose";
import { learnReasons } from "./i18n/reasons";
import { applyPreferences } from "./state/preferences";
import { Store } from "./state/store";
import "./styles.css";

async function start(root: HTMLElement): Promise<void> {
  await applyPreferences();
  const chosen = await chooseSource(root);
  const store = new Store(chosen.source);
  root.replaceChildren();
  render(<App store={store} onSignOut={chosen.signOut} />, root);
  chosen.source.open(store);
  learnReasons();
}

const root = document.getElementById("app");
if (root) void start(root);
