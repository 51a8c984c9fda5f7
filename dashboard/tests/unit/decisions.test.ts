import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decisionIdAt } from "../../src/data/ids";
import type { FeedPage, Story } from "../../src/data/model";
import { ReadDecisions } from "../../src/state/decisions";
import { aWorld } from "../builders/world";

const { stories } = aWorld({ ticks: 24 });
const [first = "", second = ""] = Object.keys(stories);

class Reads {
  readonly asked: string[] = [];
  answer: (id: string) => Promise<Story | null> = (id) => Promise.resolve(stories[id] ?? null);
  readonly decisions = new ReadDecisions({
    story: (id) => {
      this.asked.push(id);
      return this.answer(id);
    },
  });
}

describe("the id of a decision", () => {
  it("follows from its symbol and the close of its bar, as in a real run", () => {
    const file = join(import.meta.dirname, "../../public/demo/feed.json");
    const { feeds } = JSON.parse(readFileSync(file, "utf8")) as FeedPage;
    const rows = feeds.flatMap((feed) => feed.rows.map((row) => ({ ...row, at: feed.at })));

    expect(rows.length).toBeGreaterThan(20);
    for (const { symbol, at, decision_id: id } of rows) expect(decisionIdAt(symbol, Date.parse(at))).toBe(id);
  });
});

describe("decisions that were looked at", () => {
  it("are read once, however often and however close together they are asked for", async () => {
    const reads = new Reads();
    const together = await Promise.all([reads.decisions.read(first), reads.decisions.read(first)]);
    const later = await reads.decisions.read(first);

    expect(together).toEqual([stories[first]?.decision, stories[first]?.decision]);
    expect(later).toBe(together[0]);
    expect(reads.asked).toEqual([first]);
  });

  it("are asked for again where there was none yet, or no line", async () => {
    const reads = new Reads();
    reads.answer = () => Promise.resolve(null);
    expect(await reads.decisions.read(first)).toBeNull();
    reads.answer = () => Promise.reject(new Error("no line"));
    await expect(reads.decisions.read(first)).rejects.toThrow("no line");
    reads.answer = (id) => Promise.resolve(stories[id] ?? null);

    expect(await reads.decisions.read(first)).toEqual(stories[first]?.decision);
    expect(reads.decisions.known(first)).toEqual(stories[first]?.decision);
  });

  it("are kept by the dozen, not by the day", async () => {
    const reads = new Reads();
    reads.answer = () => Promise.resolve(stories[second] ?? null);
    for (let index = 0; index < 500; index += 1) await reads.decisions.read(`${second}-${index}`);
    const kept = reads.asked.filter((id) => reads.decisions.known(id) !== undefined);

    expect(kept.length).toBeLessThan(100);
    expect(kept.at(-1)).toBe(`${second}-499`);
  });
});
