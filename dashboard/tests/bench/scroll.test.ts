/**
 * Scrolling 5,000 decisions and 2,000 trades: how many frames a second, and what each costs the page. Chromium's trace of
 * it is kept in `traces/`, for the performance panel of its developer tools.
 */

import type { Server } from "node:http";
import type { Browser, CDPSession } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BROWSER, launch, serveDist, showing } from "../browser/harness";
import { aWorld } from "../builders/world";

const FRAME_MS = 1000 / 60;
const FRAMES = 240;
const STEP_PX = 90;

let browser: Browser | undefined, server: Server | undefined, address: string;

beforeAll(async () => {
  ({ server, address } = await serveDist());
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** Processor time of the page's main thread so far, in ms: what others do on the machine does not count. */
async function workOf(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}

it.skipIf(BROWSER === undefined).each(["#decisions", "#activity"])(
  "%s scrolls at 60 frames a second",
  async (panel) => {
    if (browser === undefined) throw new Error("no browser");
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await showing(context, aWorld({ ticks: 834, trades: 2000 }));
    const page = await context.newPage();
    await page.goto(`${address}/?demo`);
    await page.waitForSelector(`${panel} li`);
    await page.locator(panel).scrollIntoViewIfNeeded();
    await page.waitForTimeout(1500);
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const trace = `traces/${panel.slice(1)}.json`;
    await browser.startTracing(page, { path: trace });
    const before = await workOf(session);
    const intervals = await page.locator(`${panel} [role=region]`).evaluate(
      (box, [frames, step]) =>
        new Promise<number[]>((resolve) => {
          const times: number[] = [];
          const next = (now: number): void => {
            times.push(now);
            box.scrollTop += step;
            if (times.length <= frames) requestAnimationFrame(next);
            else resolve(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
          };
          requestAnimationFrame(next);
        }),
      [FRAMES, STEP_PX] as const,
    );
    const work = ((await workOf(session)) - before) / FRAMES;
    await browser.stopTracing();
    const rate = 1000 / (intervals.reduce((sum, each) => sum + each, 0) / intervals.length);
    console.log(
      `${panel}: ${rate.toFixed(1)} frames/s, interval median ${quantile(intervals, 0.5).toFixed(1)} ms, ` +
        `95 % ${quantile(intervals, 0.95).toFixed(1)} ms; main thread ${work.toFixed(2)} ms of processor time a frame; ${trace}`,
    );

    expect(quantile(intervals, 0.5)).toBeLessThan(FRAME_MS * 1.1);
    expect(work).toBeLessThan(FRAME_MS);
    await context.close();
  },
);
