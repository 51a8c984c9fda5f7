/** The Firestore adapter over Google's SDK, Google's emulator and the rules as they are deployed. */

import * as sdk from "@firebase/firestore";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { firestoreSource } from "../../src/data/firestore";
import type { Line } from "../../src/data/source";
import { aWorld } from "../builders/world";
import { Heard, keepsItsPromises } from "../contract/source";
import { documentsOf } from "../fakes/stage";
import { begin, type Emulator } from "./emulator";
import { emulatorStage, OWNER, Project, type Person } from "./stage";

async function found(): Promise<Emulator | null> {
  try {
    return await begin();
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    if (process.env["REQUIRE_EMULATORS"] === "1") throw new Error(`REQUIRE_EMULATORS is 1. ${sentence}`);
    console.warn(`SKIPPED, the page's Firestore adapter is not tried on Google's emulator. ${sentence}`);
    return null;
  }
}

const emulator = await found();

afterAll(() => {
  emulator?.end();
});

if (emulator === null) {
  it.skip("the Firestore adapter on Google's emulator, which was not found", () => undefined);
} else {
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  keepsItsPromises("Firestore (Google's emulator)", emulatorStage(emulator));

  describe("under the rules", () => {
    let project: Project;
    afterEach(() => project.end());

    const as = async (person: Person | null) => {
      project = await Project.of(emulator, person);
      return firestoreSource({ sdk, db: project.db, who: person?.email ?? "", project: project.name });
    };
    const STRANGERS: Record<string, Person | null> = {
      "nobody who is signed in": null,
      "another person": { email: "someone@example.com" },
      "an address that is not verified": { email: OWNER, isVerified: false },
      "another provider": { email: OWNER, provider: "password" },
    };

    it.each(Object.entries(STRANGERS))("%s is refused, and shown nothing", async (_who, person) => {
      const source = await as(person);
      await project.hold(documentsOf(aWorld({ ticks: 2, trades: 2 })));
      const heard = new Heard();
      const stop = source.open(heard);
      await vi.waitFor(
        () => {
          expect(heard.lines.at(-1)).toBe("refused" satisfies Line);
        },
        { timeout: 20_000 },
      );
      stop();

      expect(heard.calls).toBe(0);
      await expect(source.story("BTCUSDT-20261122T1205Z")).rejects.toThrow();
      await expect(source.ask?.({ action: "halt", word: null, why: "" })).rejects.toThrow();
      expect((await sdk.getDoc(sdk.doc(project.admin, "control/request"))).exists()).toBe(false);
    });

    it.each([
      { action: "halt", word: null, why: "looks odd" },
      { action: "reduce", word: null, why: "" },
      { action: "resume", word: null, why: "x".repeat(200) },
      { action: "flatten", word: "FLATTEN", why: "" },
    ] as const)("the request to $action is taken as the page writes it", async (wish) => {
      const source = await as({ email: OWNER });
      await source.ask?.(wish);
      const request = (await sdk.getDoc(sdk.doc(project.admin, "control/request"))).data();

      expect(request).toEqual({
        ...wish,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        who: OWNER,
        at: expect.any(sdk.Timestamp) as sdk.Timestamp,
      });
    });

    it("a request that is none is refused, whatever the page would let through", async () => {
      const source = await as({ email: OWNER });

      await expect(source.ask?.({ action: "flatten", word: "flatten", why: "" })).rejects.toThrow();
      await expect(source.ask?.({ action: "halt", word: null, why: "x".repeat(201) })).rejects.toThrow();
      expect((await sdk.getDoc(sdk.doc(project.admin, "control/request"))).exists()).toBe(false);
    });

    it("the newest hundred trades come first, told apart by the microsecond, and all others after them", async () => {
      const source = await as({ email: OWNER });
      const [trade] = aWorld({ ticks: 1, trades: 1 }).trades;
      const second = Date.parse("2026-11-22T12:00:00Z") / 1000;
      const batch = sdk.writeBatch(project.admin);
      const ids = Array.from({ length: 230 }, (_, index) => `T${String(index).padStart(3, "0")}`);
      for (const [index, id] of ids.entries()) {
        const opened = new sdk.Timestamp(second, index * 1000);
        batch.set(sdk.doc(project.admin, "trades", id), { ...trade, id, opened_at: opened });
      }
      await batch.commit();
      const heard = new Heard();
      const stop = source.open(heard);
      await vi.waitFor(() => {
        expect(heard.tradeRows.length).toBe(100);
      });
      const seen = heard.tradeRows.map((each) => each.id);
      let next = heard.nextTrades;
      while (next !== null) {
        const page = await source.tradesBefore(next);
        seen.push(...page.trades.map((each) => each.id));
        next = page.next;
      }
      stop();

      expect(seen).toEqual(ids.toReversed());
    });
  });
}
