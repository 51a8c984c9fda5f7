/** A browser for the tests of a file, and pages in it. */

import type { Server } from "node:http";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import type { World } from "../builders/world";
import { answering, BROWSER, complaints, launch, serveDist, showing } from "./harness";

let browser: Browser | undefined, server: Server | undefined;
export let address: string;

beforeAll(async () => {
  if (BROWSER === undefined) return;
  ({ server, address } = await serveDist());
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

export interface Look {
  readonly width?: number;
  readonly theme?: string;
  readonly locale?: string;
  readonly touch?: boolean;
  readonly path?: "/" | "/?demo";
}

/** The page over a world: as a saved demo, or with the path of a local run. */
export async function opened(
  world: World,
  look: Look = {},
): Promise<{ context: BrowserContext; page: Page; heard: string[] }> {
  const { width = 1440, theme = "dark", locale = "en-GB", touch = false, path = "/?demo" } = look;
  if (browser === undefined) throw new Error("no browser");
  const context = await browser.newContext({
    viewport: { width, height: 740 },
    locale,
    timezoneId: "Asia/Seoul",
    reducedMotion: "reduce",
    bypassCSP: false,
    hasTouch: touch,
  });
  await context.addInitScript((chosen) => {
    localStorage.setItem("withearth.theme", chosen);
  }, theme);
  await showing(context, world);
  await answering(context, world);
  const page = await context.newPage();
  const heard = complaints(page);
  await page.goto(`${address}${path}`);
  await page.waitForSelector("#contents");
  await settled(page);
  return { context, page, heard };
}

/** Two frames later, when what has to follow a change has followed. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}
