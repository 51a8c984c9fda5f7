/** Google's own SDK and emulator as a stage, under the rules of dashboard/firestore.rules. */

import { deleteApp, initializeApp } from "@firebase/app";
import * as sdk from "@firebase/firestore";
import { vi } from "vitest";
import { firestoreSource } from "../../src/data/firestore";
import { documentsOf, type Stage } from "../fakes/stage";
import { Line, load, type Emulator } from "./emulator";

export const OWNER = "Owner@Example.com";
/** Longer than the SDK waits before it tries a broken line again. */
const PATIENCE_MS = 20_000;
const BATCH = 400;
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:]+Z$/;

sdk.setLogLevel("silent"); // what it complains of is what the tests do to it

let projects = 0;

export interface Person {
  readonly email: string;
  readonly isVerified?: boolean;
  readonly provider?: string;
}

/** A person's line to a project of their own: the database as the page has it, and as an administrator has it. */
export class Project {
  readonly name: string;
  readonly db: sdk.Firestore;
  readonly admin: sdk.Firestore;
  private known = new Set<string>();

  private constructor(
    private readonly emulator: Emulator,
    readonly line: Line,
    person: Person | null,
  ) {
    projects += 1;
    this.name = `demo-page-${process.pid}-${projects}`;
    this.db = database(this.name, "127.0.0.1", line.port, person === null ? null : tokenOf(person));
    this.admin = database(this.name, emulator.host, emulator.port, "owner");
  }

  static async of(emulator: Emulator, person: Person | null): Promise<Project> {
    const project = new Project(emulator, await Line.to(emulator), person);
    await load(emulator, project.name, OWNER);
    return project;
  }

  /** Let these documents be all there are. */
  async hold(documents: ReadonlyMap<string, unknown>): Promise<void> {
    const gone = [...this.known].filter((path) => !documents.has(path));
    const writes = [...documents, ...gone.map((path) => [path, undefined] as const)];
    for (let from = 0; from < writes.length; from += BATCH) {
      const batch = sdk.writeBatch(this.admin);
      for (const [path, data] of writes.slice(from, from + BATCH)) {
        if (data === undefined) batch.delete(sdk.doc(this.admin, path));
        else batch.set(sdk.doc(this.admin, path), stored(data) as sdk.DocumentData);
      }
      await batch.commit();
    }
    this.known = new Set(documents.keys());
  }

  /** From here on nobody may do anything, and whoever listens is asked again. */
  async close(): Promise<void> {
    await load(this.emulator, this.name, null);
    await sdk.disableNetwork(this.db);
    await sdk.enableNetwork(this.db);
  }

  async end(): Promise<void> {
    await Promise.all([this.db, this.admin].map((each) => deleteApp(each.app)));
    this.line.end();
  }
}

function tokenOf({ email, isVerified = true, provider = "google.com" }: Person) {
  return {
    sub: email,
    email,
    email_verified: isVerified,
    firebase: { sign_in_provider: provider, identities: {} },
  } as const;
}

type Token = ReturnType<typeof tokenOf> | "owner" | null;

function database(project: string, host: string, port: number, token: Token): sdk.Firestore {
  const app = initializeApp(
    { projectId: project },
    `${project} ${typeof token === "string" ? token : "page"}`,
  );
  const db = sdk.getFirestore(app);
  const mockUserToken = token as Exclude<
    Parameters<typeof sdk.connectFirestoreEmulator>[3],
    undefined
  >["mockUserToken"];
  sdk.connectFirestoreEmulator(db, host, port, mockUserToken ? { mockUserToken } : {});
  return db;
}

function stored(value: unknown): unknown {
  if (typeof value === "string" && INSTANT.test(value)) return sdk.Timestamp.fromDate(new Date(value));
  if (Array.isArray(value)) return value.map(stored);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, stored(each)]));
}

export function emulatorStage(emulator: Emulator): () => Promise<Stage> {
  return async () => {
    const project = await Project.of(emulator, { email: OWNER });
    const asked: Record<string, unknown>[] = [];
    const stop = sdk.onSnapshot(sdk.doc(project.admin, "control/request"), (found) => {
      const request = found.data();
      if (request) asked.push(request);
    });
    return {
      source: firestoreSource({ sdk, db: project.db, who: OWNER, project: project.name }),
      logs: `project=${project.name}`,
      refusal: /PERMISSION_DENIED|insufficient permissions/,
      asked,
      until: (check) => vi.waitFor(check, { timeout: PATIENCE_MS, interval: 20 }),
      change: (world) => project.hold(documentsOf(world)),
      cut: () => {
        project.line.cut();
        return Promise.resolve();
      },
      mend: () => {
        project.line.mend();
        return Promise.resolve();
      },
      deny: () => project.close(),
      end: async () => {
        stop();
        await project.end();
      },
    };
  };
}
