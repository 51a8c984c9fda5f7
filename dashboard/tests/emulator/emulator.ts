/** Google's Firestore emulator, found and run by tests/emulators.py, and a line to it that a test can cut. */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const PYTHON = join(ROOT, ".venv/bin/python");
const RULES = join(ROOT, "dashboard/firestore.rules");
const NOBODY_S_ADDRESS = "owner@example.invalid";

export interface Emulator {
  readonly host: string;
  readonly port: number;
  end(): void;
}

/** One that runs until `end`. Rejects with what to install where there is none. */
export function begin(): Promise<Emulator> {
  const python = existsSync(PYTHON) ? PYTHON : "python3";
  const process = spawn(python, ["-m", "tests.emulators", "firestore"], { cwd: ROOT, stdio: "pipe" });
  let said = "";
  process.stderr.on("data", (text: Buffer) => (said += text.toString()));
  return new Promise((resolve, reject) => {
    process.once("error", reject);
    process.once("close", () => {
      reject(new Error(said.trim() || "the emulator has ended"));
    });
    process.stdout.once("data", (line: Buffer) => {
      const [host = "", port = ""] = line.toString().trim().split(":");
      resolve({ host, port: Number(port), end: () => process.stdin.end() });
    });
  });
}

/** Let a project have these rules: the page's own for an owner, or such that nobody may do anything. */
export async function load(emulator: Emulator, project: string, owner: string | null): Promise<void> {
  const closed = "service cloud.firestore { match /{all=**} { allow read, write: if false; } }";
  const content =
    owner === null ? closed : readFileSync(RULES, "utf8").replace(NOBODY_S_ADDRESS, owner.toLowerCase());
  const answer = await fetch(
    `http://${emulator.host}:${emulator.port}/emulator/v1/projects/${project}:securityRules`,
    {
      method: "PUT",
      headers: { "Content-Type": "application/json", Authorization: "Bearer owner" },
      body: JSON.stringify({ rules: { files: [{ name: "firestore.rules", content }] } }),
    },
  );
  if (!answer.ok) throw new Error(`the rules were not taken: ${await answer.text()}`);
}

/** A port that leads to the emulator, until it is cut. */
export class Line {
  private readonly open = new Set<Socket>();
  private isCut = false;
  private readonly server = createServer((near) => {
    if (this.isCut) {
      near.destroy();
      return;
    }
    const far = connect(this.emulator.port, this.emulator.host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.open.delete(one);
        other.destroy();
      });
    }
  });

  private constructor(private readonly emulator: Emulator) {}

  static async to(emulator: Emulator): Promise<Line> {
    const line = new Line(emulator);
    await new Promise<void>((resolve) => line.server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  end(): void {
    this.cut();
    this.server.close();
  }
}
