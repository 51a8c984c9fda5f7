/** Text that others wrote, a symbol's name or a model's words, is text: nothing in it runs, loads or leads anywhere. */

import { describe, expect, it } from "vitest";
import { aWorld, type World } from "../builders/world";
import { BROWSER } from "./harness";
import { opened } from "./open";

const IMAGE = "<img src=x onerror=document.title='owned'>";
const LINK = "<a href=javascript:document.title='owned'>[click](javascript:alert(1))</a>{why}$&";

/** A world in which every name and every sentence is an attempt. */
function aHostileWorld(): World {
  const text = JSON.stringify(aWorld())
    .replaceAll("Trend and momentum agree", () => LINK)
    .replaceAll('"why":"looked at, all well"', () => `"why":"${LINK}"`)
    .replaceAll("ETHUSDT", IMAGE)
    .replaceAll('"predictor":"gemini:gemini-3-flash"', `"predictor":"${IMAGE}"`);
  return JSON.parse(text) as World;
}

describe.skipIf(BROWSER === undefined)("what others wrote", () => {
  it.each(["/", "/?demo"] as const)("stays text everywhere, at %s", async (path) => {
    const { context, page, heard } = await opened(aHostileWorld(), { path });
    await page.getByRole("button", { name: "Details" }).click();
    await page.locator("#candle-symbol").selectOption(IMAGE);
    await page.locator("#decisions li button", { hasText: "traded" }).first().click();
    await page.getByText("All documents (JSON)").click();
    await page.getByRole("button", { name: "Events" }).click();

    expect(await page.locator("body").innerText()).toContain(IMAGE);
    expect(await page.locator("img, iframe, object, [onerror], a[href^='javascript']").count()).toBe(0);
    expect(await page.title()).toBe("PAPER · withEarth");
    expect(heard).toEqual([]);
    await context.close();
  });
});
