/** Lighthouse's own verdict on the built page, on a throttled phone. Lighthouse is fetched for this alone. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BROWSER, serveDist } from "../browser/harness";

const LIGHTHOUSE = "lighthouse@12.8.2";
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const SCORE_MIN = 0.95;
const PAINT_MS_MAX = 1500;

interface Report {
  readonly categories: Record<string, { readonly score: number }>;
  readonly audits: Record<
    string,
    { readonly numericValue?: number; readonly score: number | null; readonly title: string }
  >;
}

let server: Server | undefined, address: string;

beforeAll(async () => {
  ({ server, address } = await serveDist());
});
afterAll(() => {
  server?.close();
});

async function reportOf(url: string): Promise<Report> {
  const file = join(mkdtempSync(join(tmpdir(), "lighthouse-")), "report.json");
  const flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking";
  await promisify(execFile)(
    "npx",
    [
      "--yes",
      LIGHTHOUSE,
      url,
      "--quiet",
      "--output=json",
      `--output-path=${file}`,
      `--chrome-flags=${flags}`,
    ].concat(`--only-categories=${CATEGORIES.join(",")}`),
    { env: { ...process.env, CHROME_PATH: BROWSER ?? "" }, maxBuffer: 1e8 },
  );
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

const TOLD = [
  "first-contentful-paint",
  "largest-contentful-paint",
  "total-blocking-time",
  "cumulative-layout-shift",
];

function scoreOf({ categories }: Report, name: string): number {
  return categories[name]?.score ?? 0;
}

function tell(report: Report): void {
  const { audits } = report;
  for (const name of CATEGORIES) console.log(`${name}: ${scoreOf(report, name) * 100}`);
  for (const name of TOLD) console.log(`${name}: ${audits[name]?.numericValue?.toFixed(2) ?? ""}`);
  const lacking = Object.values(audits).filter(({ score }) => score !== null && score < 0.9);
  for (const { title, score } of lacking) console.log(`  ${score ?? ""} ${title}`);
}

it.skipIf(BROWSER === undefined)("scores at least 95, and paints within 1.5 s", async () => {
  const report = await reportOf(`${address}/?demo`);
  tell(report);

  for (const name of CATEGORIES) expect(scoreOf(report, name), name).toBeGreaterThanOrEqual(SCORE_MIN);
  expect(report.audits["first-contentful-paint"]?.numericValue).toBeLessThan(PAINT_MS_MAX);
});
