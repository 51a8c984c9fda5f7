/** What each code of docs/reasons.md means, in the reader's language; fetched beside the page, not before it. */

import { effect, signal } from "@preact/signals";
import { locale } from ".";

const sentences = signal<Readonly<Record<string, string>>>({});

/** The sentence of a code; nothing for a code this page does not know, which is shown itself in any case. */
export function reasonText(code: string): string {
  return sentences.value[code] ?? "";
}

/** Fetch the sentences of the language, now and whenever it changes. */
export function learnReasons(): void {
  effect(() => {
    const wanted = locale.value;
    const file = wanted === "ko" ? import("./reasons.ko") : import("./reasons.en");
    file.then(
      ({ reasons }) => {
        if (locale.peek() === wanted) sentences.value = reasons;
      },
      () => undefined, // without them the codes still stand for themselves
    );
  });
}
