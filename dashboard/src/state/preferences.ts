/** What the reader chose, kept in this browser only. */

import { effect, signal, type Signal } from "@preact/signals";
import { locale, speak, type Locale } from "../i18n";

export type Theme = "dark" | "light";
export type Palette = "red-green" | "blue-orange";
export type Zone = "local" | "utc";

const PREFIX = "withearth.";

function kept<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
  try {
    const found = localStorage.getItem(PREFIX + name);
    return allowed.find((each) => each === found) ?? fallback;
  } catch {
    return fallback; // storage is switched off: nothing is remembered, nothing breaks
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // as above
  }
}

function preference<T extends string>(name: string, allowed: readonly T[], fallback: T): Signal<T> {
  return signal(kept(name, allowed, fallback));
}

export const theme = preference<Theme>("theme", ["dark", "light"], "dark");
export const palette = preference<Palette>("palette", ["red-green", "blue-orange"], "red-green");
export const zone = preference<Zone>("zone", ["local", "utc"], "local");

/** Apply the preferences to the document and keep what changes. */
export async function applyPreferences(): Promise<void> {
  const browsers: Locale = navigator.language.startsWith("ko") ? "ko" : "en";
  const chosen = kept<Locale>("locale", ["en", "ko"], browsers);
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    document.documentElement.dataset["palette"] = palette.value;
    keep("theme", theme.value);
    keep("palette", palette.value);
    keep("zone", zone.value);
  });
  if (chosen !== "en") await speak(chosen);
}

/** Change the language, and remember it. */
export async function chooseLocale(wanted: Locale): Promise<void> {
  await speak(wanted);
  keep("locale", locale.value);
}
