/** Text on glass is readable wherever the light behind it falls: 4.5:1 for every text colour, 3:1 for edges that matter. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

type Rgba = readonly [number, number, number, number];

const CSS = readFileSync(join(import.meta.dirname, "../../src/styles.css"), "utf8");
const DARK = tokens(":root {");
const LIGHT = { ...DARK, ...tokens(':root[data-theme="light"] {') };
const THEMES: Record<string, Record<string, string>> = {
  dark: DARK,
  light: LIGHT,
  "dark, blue and orange": { ...DARK, ...tokens(':root[data-palette="blue-orange"] {') },
  "light, blue and orange": {
    ...LIGHT,
    ...tokens(':root[data-theme="light"][data-palette="blue-orange"] {'),
  },
};

function tokens(selector: string): Record<string, string> {
  const from = CSS.indexOf(selector);
  const block = CSS.slice(from, CSS.indexOf("}", from));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): ([^;]+);/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

function colour(text: string | undefined): Rgba {
  const hex = /^#(\w\w)(\w\w)(\w\w)$/.exec(text ?? "");
  if (hex) return [parseInt(hex[1] ?? "", 16), parseInt(hex[2] ?? "", 16), parseInt(hex[3] ?? "", 16), 1];
  const rgb = /^rgb\((\d+) (\d+) (\d+) \/ (\d+)%\)$/.exec(text ?? "");
  if (!rgb) throw new Error(`no colour: ${text ?? ""}`);
  return [Number(rgb[1]), Number(rgb[2]), Number(rgb[3]), Number(rgb[4]) / 100];
}

function over(top: Rgba, under: Rgba): Rgba {
  const mix = (index: 0 | 1 | 2): number => top[index] * top[3] + under[index] * (1 - top[3]);
  return [mix(0), mix(1), mix(2), 1];
}

function luminance(rgba: Rgba): number {
  const [r = 0, g = 0, b = 0] = rgba.slice(0, 3).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgba, b: Rgba): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** What can lie under text: the ground and each glow at its brightest, under the glass, with and without its sheen. */
function grounds(theme: Record<string, string>): Rgba[] {
  const ground = colour(theme["ground"]);
  const lit = ["glow-a", "glow-b", "glow-c"].map((name) => over(colour(theme[name]), ground));
  return [ground, ...lit].flatMap((under) => {
    const pane = over(colour(theme["surface"]), under);
    const inset = over(colour(theme["raised"]), pane);
    return [pane, inset, over(colour(theme["sheen"]), pane), over(colour(theme["sheen"]), inset)];
  });
}

describe.each(Object.entries(THEMES))("%s", (_name, theme) => {
  it.each(["text", "quiet", "accent", "up", "down", "warn"])("%s is readable on every ground", (name) => {
    for (const ground of grounds(theme))
      expect(contrast(colour(theme[name]), ground)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["synthetic", "shadow-mode", "paper", "testnet", "live"])(
    "the %s badge is readable on every ground",
    (name) => {
      for (const ground of grounds(theme))
        expect(contrast(colour(theme[name]), ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it("the alarm and pressed buttons are readable", () => {
    expect(contrast(colour(theme["on-alarm"]), colour(theme["alarm"]))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour(theme["on-accent"]), colour(theme["accent"]))).toBeGreaterThanOrEqual(4.5);
  });
});
