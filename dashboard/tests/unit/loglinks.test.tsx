// @vitest-environment happy-dom
import type { ComponentChild } from "preact";
import { render } from "preact";
import { describe, expect, it } from "vitest";
import { cloudLogs, type Logs } from "../../src/data/logs";
import { LogLink, WhereLogsAre } from "../../src/ui/logs";

function shown(content: ComponentChild): HTMLElement {
  const box = document.createElement("div");
  render(content, box);
  return box;
}

const CLOUD = cloudLogs("a-project");
const FILE: Logs = { kind: "file", path: "/var/log/withearth.log" };

describe("the way to the logs", () => {
  it("is a link of the project, and one for each id, which give nothing away to where they lead", () => {
    const all = shown(<WhereLogsAre logs={CLOUD} />).querySelector("a");
    const one = shown(<LogLink logs={CLOUD} id="BTCUSDT-20260105T0605Z" />).querySelector("a");

    expect(all?.href).toMatch(
      /^https:\/\/console\.cloud\.google\.com\/logs\/query;query=.*\?project=a-project$/,
    );
    expect(one?.href).toContain("BTCUSDT-20260105T0605Z");
    expect(one?.getAttribute("aria-label")).toContain("BTCUSDT-20260105T0605Z");
    for (const link of [all, one]) expect(link?.rel).toBe("noopener noreferrer");
  });

  it("is a sentence where there is nothing to link to", () => {
    expect(shown(<WhereLogsAre logs={FILE} />).textContent).toContain("/var/log/withearth.log");
    expect(shown(<WhereLogsAre logs={{ kind: "none" }} />).textContent).toContain("no log");
    expect(shown(<LogLink logs={FILE} id="BTCUSDT-20260105T0605Z" />).innerHTML).toBe("");
    expect(shown(<LogLink logs={CLOUD} id={null} />).innerHTML).toBe("");
  });
});
