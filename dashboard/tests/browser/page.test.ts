/** The built page as a browser shows it: in every state, theme and width, with the headers it is hosted under. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Position } from "../../src/data/model";
import { instant, NOW } from "../builders/basics";
import { aWorld } from "../builders/world";
import { misplaced } from "./layout";
import { BROWSER } from "./harness";
import { address, opened, settled } from "./open";
import { STATES } from "./states";

const THEMES = ["dark", "light"] as const;
const WIDTHS = [1440, 768, 360] as const;
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

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

  it("shouts it in colour when the line is gone, and in the tab", async () => {
    const { context, page } = await opened((STATES["naked"] ?? aWorld)(), { path: "/" });
    await page.clock.install();
    await page.clock.fastForward(200_000);
    await page.waitForSelector("main.stale");
    const greyed = await page.getByRole("alert").evaluate((node) => node.closest(".stale") !== null);

    expect(greyed).toBe(false);
    expect(await page.title()).toMatch(/^⚠ A position has no stop on the exchange · DEMO EXCHANGE/);
    await context.close();
  });

  it("says beside a result that its mark is old, though the heart beats", async () => {
    const [first, ...others] = aWorld().views.positions?.positions ?? [];
    const old = { ...first, mark_at: instant(NOW - 900_000) } as Position;
    const { context, page } = await opened(aWorld({ positions: [old, ...others] }), { width: 360 });
    const marks = page.locator("#positions").getByText("this mark is old");

    expect(await marks.count()).toBe(1);
    expect(await page.locator("#positions header time").getAttribute("datetime")).toBe(old.mark_at);
    expect(await misplaced(page)).toEqual([]);
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

  it("says that it could not begin, instead of nothing for ever", async () => {
    const { context, page } = await opened(aWorld());
    await context.route("**/config.json", (route) => route.abort());
    await page.goto(`${address}/`);

    expect(await page.getByRole("alert").innerText()).toContain("This page could not begin");
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
