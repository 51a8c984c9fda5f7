/** What an adapter reads from, whatever its name: documents that change, lines that break, doors that close. */

import { vi } from "vitest";
import type { Story } from "../../src/data/model";
import type { Source } from "../../src/data/source";
import type { World } from "../builders/world";

export interface Stage {
  readonly source: Source;
  /** Where this source says that its logs are: an address, or a path. */
  readonly logs: string;
  /** Change what there is, and tell the adapter as the real thing would. */
  change(world: World): Promise<void>;
  /** Wait until what is checked holds: at once for a stand-in, within seconds for the real thing. */
  until(check: () => void): Promise<void>;
  end(): Promise<void>;
  cut(): Promise<void>;
  mend(): Promise<void>;
  deny(): Promise<void>;
  /** What a refused request is told. */
  readonly refusal: RegExp;
  /** Requests that arrived, in order. */
  readonly asked: Record<string, unknown>[];
}

/** The documents under `collection/id`, as a store holds them. */
export function documentsOf(world: World): Map<string, unknown> {
  const documents = new Map<string, unknown>();
  for (const [name, view] of Object.entries(world.views))
    if (view !== null) documents.set(`views/${name}`, view);
  for (const feed of world.feeds) documents.set(`feed/${feed.tick_id}`, feed);
  for (const trade of world.trades) documents.set(`trades/${trade.id}`, trade);
  for (const [index, event] of world.events.entries()) documents.set(`events/${event.text}-${index}`, event);
  for (const [symbol, chart] of Object.entries(world.charts)) documents.set(`charts/${symbol}`, chart);
  for (const [id, story] of Object.entries(world.stories)) addStory(documents, id, story);
  return documents;
}

function addStory(documents: Map<string, unknown>, id: string, story: Story): void {
  documents.set(`decisions/${id}`, story.decision);
  if (story.intent) documents.set(`intents/${id}`, story.intent);
  if (story.trade) documents.set(`trades/${id}`, story.trade);
  if (story.label) documents.set(`labels/${id}`, story.label);
  for (const event of story.events) documents.set(`events/${id}-${event.kind.toLowerCase()}`, event);
}

/** Nothing is ever late on a stage that is a stand-in. */
export async function untilSettled(check: () => void): Promise<void> {
  await settled();
  check();
}

/** Give the test its own time and its own globals back. */
export function backToReal(): Promise<void> {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  return Promise.resolve();
}

/** Let everything that is due happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
