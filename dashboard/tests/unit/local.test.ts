/** What only a stream of events can do to the page. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aWorld } from "../builders/world";
import { Heard } from "../contract/source";
import { api, apiStage, Stream } from "../fakes/api";
import { settled, type Stage } from "../fakes/stage";

let stage: Stage, heard: Heard;
beforeEach(async () => {
  stage = await apiStage();
  heard = new Heard();
  Stream.count = 0;
});
afterEach(() => stage.end());

const opened = async (): Promise<void> => {
  stage.source.open(heard);
  await settled();
};

describe("a server that has no stream left", () => {
  it("is not pressed: the browser waits as it was told, and the line stands meanwhile", async () => {
    await stage.change(aWorld());
    await opened();
    const before = heard.calls;
    Stream.open?.end();
    await vi.advanceTimersByTimeAsync(14_000);

    expect(Stream.count).toBe(1);
    expect(heard.lines).not.toContain("offline");
    expect(heard.calls - before).toBe(1);
  });
});

describe("a server that is away", () => {
  it("is tried less and less often", async () => {
    api.isCut = true;
    await opened();
    await vi.advanceTimersByTimeAsync(600_000);

    expect(heard.lines.at(-1)).toBe("offline");
    expect(Stream.count).toBeGreaterThan(30);
    expect(Stream.count).toBeLessThan(50);
  });

  it("is not called back by an answer that was late", async () => {
    await opened();
    let answer: (response: Response) => void = () => undefined;
    vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (answer = resolve)));
    Stream.open?.dispatchEvent(
      new MessageEvent("changed", { data: '{"seq": 3, "topics": ["views/overview"]}' }),
    );
    const stream = Stream.open;
    stream?.close();
    stream?.onerror?.();
    expect(heard.lines.at(-1)).toBe("offline");
    answer(Response.json(null));
    await settled();

    expect(heard.lines.at(-1)).toBe("offline");
  });
});
