import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "../../src/i18n/en";
import { ko } from "../../src/i18n/ko";
import { reasons as reasonsEn } from "../../src/i18n/reasons.en";
import { reasons as reasonsKo } from "../../src/i18n/reasons.ko";

const SRC = join(import.meta.dirname, "../../src");
const KEYS = Object.keys(en) as (keyof typeof en)[];

function sources(): string {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => /\.tsx?$/.test(name) && !/i18n\/(en|ko|reasons)/.test(name))
    .map((name) => readFileSync(join(SRC, name), "utf8"))
    .join("\n");
}

function places(sentence: string): string[] {
  return [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();
}

describe("words", () => {
  it("are the same keys in both languages, with the same values in their sentences", () => {
    expect(Object.keys(ko).sort()).toEqual(Object.keys(en).sort());
    for (const key of KEYS) expect(places(ko[key]), key).toEqual(places(en[key]));
  });

  it("are all said somewhere", () => {
    const said = sources();

    expect(KEYS.filter((key) => !said.includes(`"${key}"`))).toEqual([]);
  });

  it("are none of them empty, and translated where there is something to translate", () => {
    const same = KEYS.filter((key) => en[key] === ko[key]);

    expect(KEYS.filter((key) => en[key].trim() === "" || ko[key].trim() === "")).toEqual([]);
    expect(same.filter((key) => /[a-z]{4}/.test(en[key].replaceAll(/\{\w+\}/g, "")))).toEqual([]);
  });
});

describe("reasons", () => {
  it("have a sentence in Korean each", () => {
    expect(Object.keys(reasonsEn).length).toBeGreaterThan(50);
    expect(Object.keys(reasonsKo).sort()).toEqual(Object.keys(reasonsEn).sort());
    expect(Object.values(reasonsKo).filter((text) => !/[가-힣]/.test(text))).toEqual([]);
  });
});
