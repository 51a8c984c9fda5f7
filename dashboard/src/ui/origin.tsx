/** What kind of numbers these are: word, shape and colour, on every screen, so that nobody mistakes play for money. */

import type { Mode, Origin } from "../data/model";
import { t, type Key } from "../i18n";

type Kind = "SYNTHETIC" | "RECORDED" | "PRICES" | "SHADOW" | "PAPER" | "DEMO" | "LIVE";

/** Shapes of 24 × 24: each differs in outline, so that they are told apart without colour. */
const SHAPES: Record<Kind, string> = {
  SYNTHETIC: "M12 2 22 12 12 22 2 12Z M12 7 17 12 12 17 7 12Z",
  RECORDED: "M3 4h18v16H3Z M8 8l9 4-9 4Z",
  PRICES: "M2 13h5l3-8 4 14 3-6h5",
  SHADOW: "M12 2a10 10 0 1 0 0 20 8 8 0 0 1 0-20Z",
  PAPER: "M5 2h9l5 5v15H5Z M13 3v5h5 M8 12h8 M8 16h8",
  DEMO: "M12 2 23 21H1Z M12 9v6 M12 17v2",
  LIVE: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z",
};
const NAMES: Record<Kind, Key> = {
  SYNTHETIC: "origin.synthetic",
  RECORDED: "origin.recorded",
  PRICES: "origin.live",
  SHADOW: "mode.shadow",
  PAPER: "mode.paper",
  DEMO: "mode.demo",
  LIVE: "mode.live",
};
const HINTS: Record<Kind, Key> = {
  SYNTHETIC: "origin.synthetic.hint",
  RECORDED: "origin.recorded.hint",
  PRICES: "origin.live.hint",
  SHADOW: "mode.shadow.hint",
  PAPER: "mode.paper.hint",
  DEMO: "mode.demo.hint",
  LIVE: "mode.live.hint",
};

function Badge({ kind }: { readonly kind: Kind }) {
  return (
    <span class="origin" data-kind={kind} title={t(HINTS[kind])}>
      <svg viewBox="0 0 24 24" class="size-3.5 shrink-0" aria-hidden="true">
        <path d={SHAPES[kind]} />
      </svg>
      {t(NAMES[kind])}
    </span>
  );
}

/** The mode in the reader's language. */
export function modeName(mode: Mode): string {
  return t(NAMES[mode]);
}

/** Where orders go. */
export function ModeBadge({ mode }: { readonly mode: Mode }) {
  return <Badge kind={mode} />;
}

/** Where prices come from. Live prices are no live money, and do not look like it. */
export function MarketBadge({ market }: { readonly market: Origin }) {
  return <Badge kind={market === "LIVE" ? "PRICES" : market} />;
}
