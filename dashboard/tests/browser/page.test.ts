/** The built page as a browser shows it: in every state, theme and width, with the headers it is hosted under. */

import type { Server } from "node:http";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decisionIdAt } from "../../src/data/ids";
import { TICK } from "../builders/basics";
import { rsiAt } from "../builders/decisions";
import { aWorld, type World } from "../builders/world";
import { misplaced } from "./layout";
import { answering, BROWSER, complaints, launch, serveDist, showing } from "./harness";
import { STATES } from "./states";

const THEMES = ["dark", "light"] as const;
const WIDTHS = [1440, 768, 360] as const;
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

let browser: Browser | undefined, server: Server | undefined, address: string;

beforeAll(async () => {
  if (BROWSER === undefined) return;
  ({ server, address } = await serveDist());
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

interface Look {
  readonly width?: number;
  readonly theme?: string;
  readonly locale?: string;
  readonly touch?: boolean;
  readonly path?: "/" | "/?demo";
}

async function opened(
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
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async (tags) => {
    const report = await (window as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: { type: "tag", values: tags },
    });
    return report.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ""}`),
    );
  }, WCAG);
}

describe.skipIf(BROWSER === undefined)("accessibility", () => {
  for (const [state, build] of Object.entries(STATES)) {
    it(`nothing violates WCAG 2.2 AA, sticks out or lies on another: ${state}`, async () => {
      const { context, page, heard } = await opened(build());
      for (const theme of THEMES) {
        await page.evaluate((chosen) => (document.documentElement.dataset["theme"] = chosen), theme);
        expect(await violations(page), theme).toEqual([]);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 740 });
          await settled(page);
          expect(await misplaced(page), `${theme}, ${width} px`).toEqual([]);
        }
        expect(await violations(page), `${theme}, 360 px`).toEqual([]);
      }

      expect(heard).toEqual([]);
      await context.close();
    });
  }

  for (const theme of THEMES) {
    it(`nothing violates WCAG 2.2 AA with everything opened, ${theme}`, async () => {
      const { context, page } = await opened(aWorld(), { theme });
      await page.getByRole("button", { name: "Details" }).click();
      await page.locator("#decisions li button", { hasText: "traded" }).first().click();
      await page.getByText("All documents (JSON)").click();
      for (const panel of ["equity", "candles"])
        await page.locator(`#${panel}`).getByText("As a table").click();
      await page.getByRole("button", { name: "Events" }).click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole("button", { name: "Display settings" }).click();

      expect(await violations(page)).toEqual([]);
      await context.close();
    });
  }

  it("everything is reached and worked by keyboard alone", async () => {
    const { context, page } = await opened(aWorld());
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the contents");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("contents");
    const seen: string[] = [];
    for (let step = 0; step < 70; step += 1) {
      await page.keyboard.press("Tab");
      seen.push(
        await page.evaluate(() => {
          const node = document.activeElement;
          const isMarked =
            node === null || node === document.body || getComputedStyle(node).outlineStyle !== "none";
          return `${isMarked ? "" : "UNMARKED "}${node?.closest("section, nav, header")?.id ?? ""}`;
        }),
      );
    }

    expect(seen.filter((each) => each.startsWith("UNMARKED"))).toEqual([]);
    for (const panel of ["positions", "equity", "heatmap", "candles", "decisions"])
      expect(seen).toContain(panel);
    const row = page.locator("#decisions li button").first();
    await row.focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("#decisions li button[aria-expanded=true]");
    await context.close();
  });

  it("every drawing has words for who does not see it", async () => {
    const { context, page } = await opened(aWorld());
    await page.locator("#candles").scrollIntoViewIfNeeded();
    await page.waitForSelector("#candles canvas", { state: "attached" });
    const dumb = await page.evaluate(() =>
      [...document.querySelectorAll("canvas, svg:not([aria-hidden])")]
        .filter((node) => !node.closest("[role=img][aria-label], [aria-hidden]:not([role=img] *)"))
        .map((node) => node.outerHTML.slice(0, 80)),
    );

    expect(dumb).toEqual([]);
    expect(await page.locator("#equity [role=img]").getAttribute("aria-label")).toContain(
      "Equity net of fees",
    );
    await context.close();
  });
});

describe.skipIf(BROWSER === undefined)("layout", () => {
  it("nothing sticks out or lies on another in Korean", async () => {
    const { context, page } = await opened(aWorld(), { width: 360, locale: "ko-KR" });

    expect(await misplaced(page)).toEqual([]);
    await context.close();
  });

  it("shows status, money and the first position above the fold of a phone", async () => {
    const { context, page } = await opened(aWorld(), { width: 360 });
    const fold = (await page.locator("nav").boundingBox())?.y ?? 0;
    for (const shown of [
      "header [role=status]",
      "#money dd",
      "#positions li a",
      "#positions li >> text=armed",
    ]) {
      const box = await page.locator(shown).first().boundingBox();
      expect((box?.y ?? 1e6) + (box?.height ?? 0), shown).toBeLessThan(fold);
    }
    await context.close();
  });
});

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

describe.skipIf(BROWSER === undefined)("what kind of numbers these are", () => {
  it("differs in word, shape and edge for every mode", async () => {
    const looks = await Promise.all(
      (["SHADOW", "PAPER", "DEMO", "LIVE"] as const).map(async (mode) => {
        const { context, page } = await opened(aWorld({ mode, market: "LIVE" }), { width: 360 });
        const badge = page.locator("[data-testid=labels] .origin").first();
        const word = await badge.innerText();
        const shape = await badge.locator("path").getAttribute("d");
        const colour = await badge.evaluate((node) => getComputedStyle(node).color);
        const edge = await page.locator(".mode-edge").evaluate((node) => getComputedStyle(node).background);
        const title = await page.title();
        await page.evaluate(() => {
          window.scrollTo(0, 3000);
        });
        expect(await badge.isVisible()).toBe(true);
        await context.close();
        return { word, shape, colour, edge, title };
      }),
    );

    for (const sign of ["word", "shape", "colour", "edge", "title"] as const) {
      expect(new Set(looks.map((look) => look[sign])).size, sign).toBe(4);
    }
  });

  it("says of made-up prices that they are, beside any mode", async () => {
    const { context, page } = await opened(aWorld({ mode: "PAPER", market: "SYNTHETIC" }));

    expect(await page.locator("[data-testid=labels]").innerText()).toContain("SYNTHETIC PRICES");
    await context.close();
  });
});

describe.skipIf(BROWSER === undefined)("states", () => {
  it("greys out with age, and says so first", async () => {
    const { context, page } = await opened(aWorld(), { path: "/" });
    expect(await page.locator("main.stale").count()).toBe(0);
    await page.clock.install();
    await page.clock.fastForward(200_000);

    await page.waitForSelector("main.stale");
    expect(await page.locator("[role=status]").first().innerText()).toContain("No heartbeat for 3m");
    await context.close();
  });

  it("keeps a saved demo as it was saved, however long somebody looks", async () => {
    const { context, page } = await opened(aWorld());
    const before = await page.locator("#positions").innerText();
    await page.clock.install();
    await page.clock.fastForward(3_600_000);
    await settled(page);

    expect(await page.locator("main.stale").count()).toBe(0);
    expect(await page.locator("#positions").innerText()).toBe(before);
    await context.close();
  });

  it("says the day of what happened yesterday, also of rows that were drawn before midnight", async () => {
    const { context, page } = await opened(aWorld(), { path: "/" });
    const first = page.locator("#decisions time").first();
    expect(await first.innerText()).toBe("21:05:00");
    await page.clock.install();
    await page.clock.fastForward(4 * 3_600_000);

    await page.waitForFunction(() =>
      (document.querySelector("#decisions time")?.textContent ?? "").includes("Nov 22"),
    );
    await context.close();
  });

  it("shouts about a position without a stop, across the whole width", async () => {
    const { context, page } = await opened((STATES["naked"] ?? aWorld)(), { width: 360 });
    const alarm = page.getByRole("alert");

    expect(await alarm.innerText()).toContain("BTCUSDT");
    expect((await alarm.boundingBox())?.width).toBeGreaterThan(330);
    await context.close();
  });

  it("keeps thousands of rows with a few in the page, and reaches the last", async () => {
    const { context, page, heard } = await opened(aWorld({ ticks: 834, trades: 2000 }));
    const list = page.locator("#decisions [role=region]");
    const count = (): Promise<number> => page.locator("#decisions li").count();
    expect(await page.locator("#decisions li").first().getAttribute("aria-setsize")).toBe("5004");
    expect(await count()).toBeLessThan(40);
    await list.evaluate((node) => {
      node.scrollTop = node.scrollHeight;
    });
    await page.waitForSelector('#decisions li[aria-posinset="5004"]');

    expect(await count()).toBeLessThan(40);
    expect(heard).toEqual([]);
    await context.close();
  });

  it("speaks Korean throughout", async () => {
    const { context, page } = await opened(aWorld(), { locale: "ko-KR" });

    expect(await page.locator("html").getAttribute("lang")).toBe("ko");
    expect(await page.locator("h2").allInnerTexts()).toSatisfy((titles: string[]) =>
      titles.every((title) => /[가-힣]/.test(title)),
    );
    await context.close();
  });

  it("asks nobody but its own host", async () => {
    const { context, page } = await opened(aWorld());
    const hosts = new Set<string>();
    page.on("request", (request) => hosts.add(new URL(request.url()).host));
    await page.reload();
    await page.waitForLoadState("networkidle");

    expect([...hosts]).toEqual([new URL(address).host]);
    await context.close();
  });
});
