/** Which source this page has: the saved demo when it is asked for, else what `config.json` beside it says. */

import { demoSource } from "../data/demo";
import { localSource } from "../data/local";
import type { Source } from "../data/source";

export interface Chosen {
  readonly source: Source;
  readonly signOut: (() => void) | null;
}

interface Config {
  readonly source: "local" | "firestore";
}

async function config(): Promise<Config> {
  const response = await fetch("./config.json", { cache: "no-cache" });
  return (await response.json()) as Config;
}

export async function chooseSource(root: HTMLElement): Promise<Chosen> {
  if (new URLSearchParams(location.search).has("demo")) return { source: demoSource(), signOut: null };
  const { source } = await config();
  if (source === "local") return { source: localSource(), signOut: null };
  const { signIn } = await import("./signin");
  return signIn(root);
}
