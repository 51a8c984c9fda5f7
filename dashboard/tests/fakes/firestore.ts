/** Firestore as far as the adapter uses it: documents, queries with order and cursor, listeners, and a door. */

import { vi } from "vitest";
import type * as Firestore from "@firebase/firestore";
import { firestoreSource, type Sdk } from "../../src/data/firestore";
import { anEmptyWorld, type World } from "../builders/world";
import { backToReal, documentsOf, settled, untilSettled, type Stage } from "./stage";

interface DocRef {
  readonly kind: "doc";
  readonly collection: string;
  readonly id: string;
}
interface Asked {
  readonly kind: "query";
  readonly collection: string;
  readonly by: string;
  readonly isDescending: boolean;
  readonly limit: number;
  readonly after: string | null;
  readonly bounds: readonly (readonly [string, string])[];
}
type Constraint = (asked: Asked) => Asked;
interface Observer {
  readonly target: DocRef | Asked;
  readonly next: (found: unknown) => void;
  readonly error: (error: unknown) => void;
}

class Timestamp {
  constructor(
    readonly seconds: number,
    readonly nanoseconds: number,
  ) {}
  toDate(): Date {
    return new Date(this.seconds * 1000 + this.nanoseconds / 1e6);
  }
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:]+Z$/;

/** A document with Timestamps where the JSON has instants. */
function stored(value: unknown): unknown {
  if (typeof value === "string" && INSTANT.test(value)) return new Timestamp(Date.parse(value) / 1000, 0);
  if (Array.isArray(value)) return value.map(stored);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, stored(each)]));
}

export class FakeFirestore {
  documents = new Map<string, unknown>();
  isCut = false;
  isDenied = false;
  readonly asked: Record<string, unknown>[] = [];
  /** How often anybody began to listen, by collection. */
  readonly listened = new Map<string, number>();
  private readonly broken = new Map<string, string>();
  private readonly observers = new Set<Observer>();

  readonly sdk = {
    collection: (_db: unknown, collection: string): Asked => ({
      kind: "query",
      collection,
      by: "",
      isDescending: false,
      limit: Number.MAX_SAFE_INTEGER,
      after: null,
      bounds: [],
    }),
    doc: (_db: unknown, collection: string, id: string): DocRef => ({ kind: "doc", collection, id }),
    documentId: () => "__name__",
    serverTimestamp: () => "now",
    query: (asked: Asked, ...constraints: Constraint[]) =>
      constraints.reduce((built, add) => add(built), asked),
    orderBy:
      (by: string, direction: string): Constraint =>
      (asked) =>
        by === "__name__" ? asked : { ...asked, by, isDescending: direction === "desc" },
    limit:
      (limit: number): Constraint =>
      (asked) => ({ ...asked, limit }),
    Timestamp,
    startAfter:
      (_at: Timestamp, id: string): Constraint =>
      (asked) => ({ ...asked, after: id }),
    where:
      (_field: string, operator: string, value: string): Constraint =>
      (asked) => ({
        ...asked,
        bounds: [...asked.bounds, [operator, value] as const],
      }),
    getDoc: (ref: DocRef) => this.answer(() => this.document(ref)),
    getDocs: (asked: Asked) => this.answer(() => this.found(asked)),
    runTransaction: (_db: unknown, write: (transaction: unknown) => Promise<void>) => {
      const writes: (readonly [DocRef, Record<string, unknown>])[] = [];
      const set = (ref: DocRef, data: Record<string, unknown>) => writes.push([ref, data]);
      return write({ set }).then(() =>
        this.answer(() => {
          for (const [ref, data] of writes)
            if (`${ref.collection}/${ref.id}` === "control/request") this.asked.push(data);
        }),
      );
    },
    onSnapshot: (target: DocRef | Asked, ...rest: unknown[]) => {
      const observer = { target, ...(rest.at(-1) as Omit<Observer, "target">) };
      this.observers.add(observer);
      this.listened.set(target.collection, (this.listened.get(target.collection) ?? 0) + 1);
      queueMicrotask(() => {
        this.tell(observer);
      });
      return () => this.observers.delete(observer);
    },
  } as unknown as Sdk;

  tellAll(): void {
    for (const observer of [...this.observers]) this.tell(observer);
  }

  /** Answer every listener of a collection with an error, as the SDK does where a query can never be answered. */
  fail(collection: string, code: string): void {
    this.broken.set(collection, code);
    this.tellAll();
  }

  mendAll(): void {
    this.broken.clear();
  }

  private tell(observer: Observer): void {
    if (!this.observers.has(observer)) return;
    const { target } = observer;
    const code = this.isDenied ? "permission-denied" : this.broken.get(target.collection);
    if (code !== undefined) {
      this.observers.delete(observer);
      observer.error({ code });
      return;
    }
    observer.next(target.kind === "doc" ? this.document(target) : this.found(target));
  }

  private answer<Answer>(give: () => Answer): Promise<Answer> {
    if (this.isDenied)
      return Promise.reject(Object.assign(new Error("You may not."), { code: "permission-denied" }));
    if (this.isCut) return Promise.reject(Object.assign(new Error("no line"), { code: "unavailable" }));
    return Promise.resolve(give());
  }

  private document({ collection, id }: DocRef) {
    const data = this.documents.get(`${collection}/${id}`);
    return {
      id,
      exists: () => data !== undefined,
      data: () => stored(data),
      metadata: { fromCache: this.isCut },
    };
  }

  private found(asked: Asked) {
    const docs = [...this.documents]
      .filter(([path]) => path.startsWith(`${asked.collection}/`))
      .map(([path, data]) => ({
        id: path.slice(asked.collection.length + 1),
        raw: data as Record<string, string>,
      }))
      .filter(({ id }) =>
        asked.bounds.every(([operator, value]) => (operator === ">=" ? id >= value : id < value)),
      )
      .sort((a, b) => {
        const [left, right] = [a, b].map(({ raw, id }) => `${raw[asked.by] ?? ""} ${id}`) as [string, string];
        return (left < right ? -1 : left > right ? 1 : 0) * (asked.isDescending ? -1 : 1);
      });
    const from = asked.after === null ? 0 : docs.findIndex(({ id }) => id === asked.after) + 1;
    const page = docs.slice(from, from + asked.limit).map(({ id, raw }) => ({ id, data: () => stored(raw) }));
    return { docs: page, size: page.length, metadata: { fromCache: this.isCut } };
  }
}

export function firestoreStage(): Promise<Stage> {
  vi.useFakeTimers();
  const fake = new FakeFirestore();
  fake.documents = documentsOf(anEmptyWorld());
  const db = {} as unknown as Firestore.Firestore; // the stand-in never looks at it
  const told = async (): Promise<void> => {
    fake.tellAll();
    await settled();
  };
  return Promise.resolve({
    until: untilSettled,
    end: backToReal,
    refusal: /^You may not\.$/,
    source: firestoreSource({ sdk: fake.sdk, db, who: "owner@example.com", project: "a-project" }),
    logs: "https://console.cloud.google.com/logs/query;query=",
    asked: fake.asked,
    async change(world: World) {
      fake.documents = documentsOf(world);
      await told();
    },
    async cut() {
      fake.isCut = true;
      await told();
    },
    async mend() {
      fake.isCut = false;
      await told();
    },
    async deny() {
      fake.isDenied = true;
      await told();
    },
  });
}
