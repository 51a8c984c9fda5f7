/** What the page says, in the reader's language. English is built in; another language is fetched when it is chosen. */

import { signal } from "@preact/signals";
import { en } from "./en";

export type Key = keyof typeof en;
export type Words = Record<Key, string>;
export type Locale = "en" | "ko";

const words = signal<Words>(en);
export const locale = signal<Locale>("en");

/** Switch to a language once its words are there. */
export async function speak(wanted: Locale): Promise<void> {
  words.value = wanted === "ko" ? (await import("./ko")).ko : en;
  locale.value = wanted;
  document.documentElement.lang = wanted;
}

/** The sentence under a key, with `{name}` replaced by its value. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return words.value[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The sentence for a count: `one` where the language has a form of its own for it. */
export function counted(one: Key, other: Key, count: number): string {
  const form = new Intl.PluralRules(locale.value).select(count) === "one" ? one : other;
  return t(form, { count: new Intl.NumberFormat(locale.value).format(count) });
}
