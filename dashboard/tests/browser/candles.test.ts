/** The features behind a candle, by pointer, tap and keyboard. */

import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { decisionIdAt } from "../../src/data/ids";
import { TICK } from "../builders/basics";
import { rsiAt } from "../builders/decisions";
import { aWorld, type World } from "../builders/world";
import { BROWSER } from "./harness";
import { opened } from "./open";

describe.skipIf(BROWSER === undefined)("the features behind a candle", () => {
  const world = aWorld();
  const newest = Date.parse(world.feeds[0]?.at ?? "");
  const rsi = (at: number): string => `RSI 14${rsiAt(at).toFixed(1).replace(".0", "")}`;
  const shown = async (
    more: object = {},
  ): Promise<{ context: BrowserContext; page: Page; told: () => Promise<string> }> => {
    const { context, page } = await opened({ ...world, ...more }, { touch: true });
    await page.locator("#candles").scrollIntoViewIfNeeded();
    await page.waitForSelector("#candles canvas");
    await page.waitForFunction((text) => document.body.textContent.includes(text), rsi(newest));
    return { context, page, told: () => page.getByTestId("bar-features").innerText() };
  };
  const waitFor = (page: Page, text: string): Promise<unknown> =>
    page.waitForFunction(
      (wanted) => (document.querySelector("[data-testid=bar-features]")?.textContent ?? "").includes(wanted),
      text,
    );

  it("are those of the newest bar until somebody chooses another, and are read aloud only then", async () => {
    const { context, page } = await shown();
    const spoken = page.getByTestId("bar-spoken");
    expect(await page.getByTestId("bar-lack").innerText()).toContain("Features of 5m");
    expect(await spoken.innerText()).toBe("");
    await page.getByLabel("Candle to read").focus();
    for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowLeft");
    await waitFor(page, rsi(newest - 3 * TICK));
    await page.waitForFunction(() =>
      (document.querySelector("[data-testid=bar-spoken]")?.textContent ?? "").includes("RSI 14"),
    );

    expect(await spoken.textContent()).toContain("ATR 14 0.0000041234, Average 20 3,518.23");
    expect(await page.getByLabel("Candle to read").getAttribute("aria-valuetext")).toContain("Close");
    await page.keyboard.press("End");
    await waitFor(page, rsi(newest));
    expect(await spoken.textContent()).toBe("");
    await context.close();
  });

  it("are read for nobody who has not come near them", async () => {
    const { context, page } = await opened(world, { width: 360 });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.reload();
    await page.waitForSelector("#candles time");
    await page.waitForLoadState("networkidle");
    expect(asked.filter((path) => path.includes("decisions"))).toEqual([]);
    await page.locator("#candles").scrollIntoViewIfNeeded();
    await waitFor(page, rsi(newest));

    expect(asked.filter((path) => path.includes("decisions")).length).toBe(1);
    await context.close();
  });

  it("follow the pointer once it rests, and a tap", async () => {
    const { context, page, told } = await shown();
    const box = await page.locator("#candles canvas").first().boundingBox();
    const right = (box?.x ?? 0) + (box?.width ?? 0);
    const middle = (box?.y ?? 0) + 60;
    const under = async (): Promise<number> =>
      Date.parse((await page.locator("#candles time").first().getAttribute("datetime")) ?? "") + TICK;
    await page.mouse.move(right - 300, middle);
    await page.mouse.move(right - 20, middle, { steps: 40 });
    await waitFor(page, rsi(await under()));
    expect(await under()).toBeLessThanOrEqual(newest);
    await page.mouse.move(5, 5);
    await waitFor(page, rsi(newest));
    await page.touchscreen.tap(right - 40, middle);
    await page.waitForFunction(
      (last) => document.querySelector("#candles time")?.getAttribute("datetime") !== last,
      new Date(newest - TICK).toISOString(),
    );
    await waitFor(page, rsi(await under()));

    expect(await told()).toContain("Volatility 20");
    expect(await page.getByLabel("Candle to read").inputValue()).not.toBe("159");
    await context.close();
  });

  it("say in words that there is no decision, and that one had none", async () => {
    const id = decisionIdAt("BTCUSDT", newest - TICK);
    const story = world.stories[id];
    const decision = {
      ...story?.decision,
      stage: "data",
      blocked_by: "CANDLE_GAP",
      snapshot: null,
      prediction: null,
    };
    const stories = { ...world.stories, [id]: { ...story, decision } } as World["stories"];
    const { context, page, told } = await shown({ stories });
    const lack = page.getByTestId("bar-lack");
    await page.getByLabel("Candle to read").focus();
    await page.keyboard.press("ArrowLeft");
    await lack.getByText("There were no features").waitFor();
    expect(await lack.innerText()).toMatch(/no features .* gap|bar is missing|missing/i);
    await page.keyboard.press("Home");
    await lack.getByText("No decision is kept").waitFor();

    expect(await told()).not.toMatch(/\d\.\d/);
    await context.close();
  });
});

describe.skipIf(BROWSER === undefined)("a chart whose drawing cannot be fetched", () => {
  it("is a table that says so, as after a newer version of the page has been put in its place", async () => {
    const { context, page } = await opened(aWorld());
    await context.route("**/assets/candles-*.js", (route) => route.fulfill({ status: 404 }));
    await page.reload();
    await page.locator("#candles").scrollIntoViewIfNeeded();
    await page.waitForSelector("#candles [role=status] >> text=could not be fetched");

    expect(await page.locator("#candles table tbody tr").count()).toBeGreaterThan(10);
    await context.close();
  });
});
