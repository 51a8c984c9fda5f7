/** What only a store of documents can do to the page: end one listener of many. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { firestoreSource } from "../../src/data/firestore";
import { aWorld } from "../builders/world";
import { Heard } from "../contract/source";
import { FakeFirestore } from "../fakes/firestore";
import { documentsOf, settled } from "../fakes/stage";

describe("a listener that has met an error", () => {
  let fake: FakeFirestore, heard: Heard;
  beforeEach(async () => {
    vi.useFakeTimers();
    fake = new FakeFirestore();
    fake.documents = documentsOf(aWorld());
    heard = new Heard();
    firestoreSource({ sdk: fake.sdk, db: {} as never, who: "", project: "" }).open(heard);
    await settled();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is no longer shown as fresh, whatever the others hear", async () => {
    fake.fail("trades", "failed-precondition");
    fake.tellAll();
    await settled();

    expect(heard.lines.at(-1)).toBe("offline");
  });

  it("has another in its place by itself, which then tells what was missed", async () => {
    fake.fail("trades", "internal");
    fake.documents = documentsOf(aWorld({ trades: 7 }));
    fake.mendAll();
    await vi.advanceTimersByTimeAsync(2000);
    await settled();

    expect(heard.lines.at(-1)).toBe("open");
    expect(heard.tradeRows.length).toBeLessThan(60);
  });

  it("is tried less and less often", async () => {
    fake.fail("trades", "failed-precondition");
    await vi.advanceTimersByTimeAsync(3_600_000);

    expect(fake.listened.get("trades")).toBeGreaterThan(60);
    expect(fake.listened.get("trades")).toBeLessThan(70);
  });

  it("is asked no more where reading is refused", async () => {
    fake.fail("trades", "permission-denied");
    await vi.advanceTimersByTimeAsync(3_600_000);
    fake.tellAll();

    expect(heard.lines.at(-1)).toBe("refused");
    expect(fake.listened.get("trades")).toBe(1);
  });
});
