import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cloudLogs, cloudQuery, FUNCTIONS, idIn } from "../../src/data/logs";

const ROOT = join(import.meta.dirname, "../../..");
const ID = "BTCUSDT-20260105T0605Z";

function linkOf(id: string | null): string {
  const logs = cloudLogs("a-project");
  return logs.kind === "cloud" ? logs.link(id) : "";
}

describe("the logs in the cloud", () => {
  it("are those of every function there is", () => {
    const functions = readdirSync(join(ROOT, "functions"), { withFileTypes: true });

    expect(functions.flatMap((each) => (each.isDirectory() ? [each.name] : [])).sort()).toEqual([
      ...FUNCTIONS,
    ]);
    expect(cloudQuery(null)).toBe(
      'resource.type="cloud_run_revision"\n' +
        'resource.labels.service_name=("api" OR "dispatcher" OR "executor" OR "reconciler" OR "sentiment" OR "worker")',
    );
  });

  it("about an id are those with its fields, from the close of its bar on", () => {
    expect(cloudQuery(ID).split("\n").slice(2)).toEqual([
      `(jsonPayload.decision_id="${ID}" OR jsonPayload.intent_id="${ID}" OR jsonPayload.message:"${ID}")`,
      'timestamp>="2026-01-05T06:05:00Z"',
    ]);
  });

  it("are asked for by fields that are really written", () => {
    const said = (file: string): string => readFileSync(join(ROOT, "shared/withearth", file), "utf8");

    expect(said("handlers/push.py")).toContain("decision_id=event.about");
    expect(said("flow/limits.py")).toContain("intent_id=");
    expect(said("cloud/logs.py")).toContain('"message": ');
  });

  it("are one address, whatever an id holds", () => {
    const odd = `A;B"\\?&#)(/-20260105T0605Z`;
    const url = new URL(linkOf(odd));

    expect(`${url.origin}${url.pathname.split(";")[0] ?? ""}`).toBe(
      "https://console.cloud.google.com/logs/query",
    );
    expect(url.search).toBe("?project=a-project");
    expect(decodeURIComponent(url.pathname.split(";query=")[1] ?? "")).toContain(
      'decision_id="A;B\\"\\\\?&#)(/-20260105T0605Z"',
    );
    expect(linkOf(null)).not.toMatch(/[()"\s]/);
  });
});

describe("ids in a text", () => {
  it("are found where they are named, and nowhere else", () => {
    expect(idIn(`${ID} POSITIONS_FULL`)).toBe(ID);
    expect(idIn(`${ID}-s1 stood without a position`)).toBe(ID);
    expect(idIn("币安人生USDT-20260105T0605Z")).toBe("币安人生USDT-20260105T0605Z");
    expect(idIn("STOP net -0.76")).toBeNull();
    expect(idIn("")).toBeNull();
  });
});
