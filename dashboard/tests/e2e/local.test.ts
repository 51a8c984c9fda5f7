/** The page over a running system: from its first, empty minute to a halt that somebody typed. One story, in order. */

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER, complaints, launch } from "../browser/harness";
import { misplaced } from "../browser/layout";
import { LocalSystem } from "./system";

const PANELS = [
  "money",
  "positions",
  "equity",
  "heatmap",
  "candles",
  "decisions",
  "calibration",
  "activity",
  "limits",
  "controls",
];
const LIVE_MS = 2000;
const LIVE_TRIES = 3;
const SHOTS = process.env["SHOTS"] ?? join(tmpdir(), "withearth-shots");

describe.skipIf(BROWSER === undefined)("the page over a running system", () => {
  let system: LocalSystem, browser: Browser, page: Page, heard: string[];

  beforeAll(async () => {
    system = await LocalSystem.begin();
    browser = await launch();
    page = await browser.newPage({
      viewport: { width: 1440, height: 900 },
      locale: "en-GB",
      timezoneId: "Asia/Seoul",
    });
    heard = complaints(page);
    await page.goto(`${system.address}/dashboard`);
  });
  afterAll(async () => {
    await browser.close();
    await system.end();
  });

  const textOf = (panel: string): Promise<string> => page.locator(`#${panel}`).innerText();
  const decided = async (): Promise<number> =>
    Number(await page.locator("#decisions li").first().getAttribute("aria-setsize"));
  const grownFrom = (before: number) =>
    page.waitForFunction(
      (known) => Number(document.querySelector("#decisions li")?.getAttribute("aria-setsize")) > known,
      before,
      { polling: 50 },
    );

  it("says in its first minute that nothing has happened yet", async () => {
    await page.waitForSelector("#contents");
    await page.waitForFunction(
      () => !(document.querySelector("[role=status]")?.textContent ?? "Connecting").includes("Connecting"),
    );

    expect(await page.locator("[role=status]").first().innerText()).not.toMatch(/undefined|NaN|null/);
    for (const panel of PANELS) expect(await textOf(panel), panel).not.toMatch(/undefined|NaN|\[object/);
    expect(await page.locator("#decisions li").count()).toBe(0);
    expect(heard).toEqual([]);
  });

  it("fills every panel by itself as the system runs", async () => {
    await system.ask("ticks 14");
    await page.waitForFunction(() => document.querySelectorAll("#decisions li").length > 10);
    await page.waitForSelector("#equity canvas");
    await page.waitForSelector("#candles canvas");
    await page.locator("#positions").getByText("armed").first().waitFor();

    for (const panel of PANELS) expect((await textOf(panel)).length, panel).toBeGreaterThan(20);
    expect(await page.getByTestId("logs").innerText()).toContain("withearth.log, older ones beside it");
    expect(await page.locator("[data-testid=labels]").innerText()).toMatch(/PAPER[\s\S]*SYNTHETIC PRICES/);
    expect(await page.locator("main.stale").count()).toBe(0);
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.locator("#decisions li button").first().click();
    await page.waitForSelector("#decisions li button[aria-expanded=true]");
    await page.getByText("All documents (JSON)").waitFor();
    await page.locator("#decisions li button").first().click();
    expect(heard).toEqual([]);
  });

  it("shows a new tick within two seconds of its commit", async () => {
    // The best of a few: a machine with other work to do makes one slow, a page that is slow makes all of them so.
    const took: number[] = [];
    while (took.length < LIVE_TRIES && !took.some((ms) => ms < LIVE_MS)) {
      const before = await decided();
      await system.ask("ticks 1");
      const started = performance.now();
      await grownFrom(before);
      took.push(performance.now() - started);
    }

    expect(Math.min(...took)).toBeLessThan(LIVE_MS);
  });

  it("looks right in both themes at every width", async () => {
    mkdirSync(SHOTS, { recursive: true });
    for (const theme of ["dark", "light"])
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: width < 700 ? 740 : 900 });
        await page.evaluate((chosen) => (document.documentElement.dataset["theme"] = chosen), theme);
        await page.evaluate(
          () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
        );
        const shot = await page.screenshot({ path: join(SHOTS, `local-${width}-${theme}.png`) });

        expect(shot.length, `${theme} ${width}`).toBeGreaterThan(20_000);
        expect(await misplaced(page), `${theme} ${width}`).toEqual([]);
      }
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  /** Go on with Tab until this button has the focus, then press it. */
  async function press(name: string): Promise<void> {
    for (let step = 0; step < 200; step += 1) {
      const focused = await page.evaluate(() => (document.activeElement?.textContent ?? "").trim());
      if (focused === name) {
        await page.keyboard.press("Enter");
        return;
      }
      await page.keyboard.press("Tab");
    }
    throw new Error(`no ${name} within 200 steps of the keyboard`);
  }

  async function wish(action: string): Promise<void> {
    await press(action);
    await page.keyboard.press("Tab");
    const confirm = await page.locator("#controls button[type=submit]").innerText();
    await press(confirm);
    await page.waitForSelector("#controls [role=status] .text-up");
  }

  it("halts by keyboard alone, and nothing is entered from then on", async () => {
    await page.keyboard.press("Tab");
    await wish(await page.locator("#controls button").nth(1).innerText());
    const halted = await system.ask("ticks 1");
    const later = await system.ask("ticks 5");

    expect(halted.state).toBe("HALTED");
    expect(later.trades).toBe(halted.trades);
    await page.waitForFunction(() =>
      (document.querySelector("#controls")?.textContent ?? "").includes("HALTED"),
    );
    await page.locator("[role=status]").first().getByText(/halt/i).first().waitFor();
  });

  it("comes back by itself after the server was away", async () => {
    await system.ask("stop");
    await page.waitForSelector("main.stale");
    const before = await decided();
    await system.ask("ticks 1");
    await system.ask("start");
    await page.waitForFunction(() => document.querySelector("main.stale") === null);
    await grownFrom(before);
  });

  it("trades again when it is told to", async () => {
    const before = await system.ask("ticks 1");
    await wish(await page.locator("#controls button").nth(2).innerText());
    const after = await system.ask("ticks 2");

    expect(after.state).toBe("ACTIVE");
    expect(after.trades).toBeGreaterThan(before.trades ?? 0);
  });

  it("closes everything, and only for the whole word", async () => {
    await page.waitForSelector("#positions li");
    await page.locator("#controls button").nth(3).click();
    const confirm = page.locator("#controls button[type=submit]");
    const word = page.locator("#controls input.font-mono");
    for (const almost of ["", "flatten", "FLATTE"]) {
      await word.fill(almost);
      expect(await confirm.isDisabled(), almost).toBe(true);
    }
    await word.fill("FLATTEN");
    await confirm.click();
    await page.waitForSelector("#controls [role=status] .text-up");
    const told = await system.ask("ticks 2");

    expect(told.state).not.toBe("ACTIVE");
    await page.waitForFunction(() => document.querySelectorAll("#positions li").length === 0);
  });
});
