/** Pictures of every state, theme and width; looked at by people, and by the assertions of page.test.ts. */

import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { BROWSER, launch, serveDist, showing } from "./harness";
import { aWorld } from "../builders/world";
import { STATES } from "./states";

const OUT = process.env["SHOTS"];

describe.skipIf(BROWSER === undefined || OUT === undefined)("pictures", () => {
  let browser: Browser, server: Server, address: string;
  beforeAll(async () => {
    mkdirSync(OUT ?? "", { recursive: true });
    ({ server, address } = await serveDist());
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });
  const states = (process.env["STATES"] ?? "full").split(",");
  const widths = (process.env["WIDTHS"] ?? "360,768,1440").split(",").map(Number);
  const themes = (process.env["THEMES"] ?? "dark,light").split(",");
  for (const state of states)
    for (const width of widths)
      for (const theme of themes)
        it(`${state} ${width} ${theme}`, { timeout: 30_000 }, async () => {
          const context = await browser.newContext({
            viewport: { width, height: width < 700 ? 740 : 900 },
            locale: process.env["LOCALE"] ?? "en-GB",
            timezoneId: "Asia/Seoul",
            reducedMotion: "reduce",
          });
          await context.addInitScript((chosen) => {
            localStorage.setItem("withearth.theme", chosen);
          }, theme);
          await showing(context, (STATES[state] ?? aWorld)());
          const page = await context.newPage();
          page.on("console", (message) => {
            if (message.type() === "error") console.log(message.text());
          });
          page.on("pageerror", (error) => {
            console.log(String(error));
          });
          await page.goto(`${address}/?demo`);
          await page.waitForSelector("#contents");
          await page.waitForTimeout(900);
          const name = `${OUT}/${state}-${width}-${theme}`;
          await page.screenshot({ path: `${name}-fold.png` });
          if (process.env["OPEN"]) {
            await page.locator("#decisions li button").nth(Number(process.env["OPEN"])).click();
            await page.waitForTimeout(500);
          }
          await page.screenshot({ path: `${name}.png`, fullPage: true });
          await context.close();
        });
});
