/** The sentences of docs/reasons.md themselves, which the settings' code writes. */

import page from "../../../docs/reasons.md?raw";

const ROW = /^\| `([A-Z0-9_]+)` \| (.*) \|$/gm;

export const reasons: Readonly<Record<string, string>> = Object.fromEntries(
  [...page.matchAll(ROW)].map(([, code = "", sentence = ""]) => [code, sentence]),
);
