/** A local run in a process of its own: tests/e2e/local_system.py, told over its standard input what to do. */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "../../..");
export const PYTHON = join(ROOT, ".venv/bin/python");

export interface Told {
  readonly address?: string;
  readonly trades?: number;
  readonly state?: string;
}

export class LocalSystem {
  readonly address: string;
  private constructor(
    private readonly process: ChildProcess,
    private readonly answers: AsyncIterator<string>,
    private readonly folder: string,
    first: Told,
  ) {
    this.address = first.address ?? "";
  }

  static async begin(): Promise<LocalSystem> {
    if (!existsSync(PYTHON)) throw new Error(`There is no ${PYTHON}: run \`make test\`, which makes it.`);
    const folder = mkdtempSync(join(tmpdir(), "withearth-e2e-"));
    const process = spawn(PYTHON, ["-m", "tests.e2e.local_system", folder], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    return new LocalSystem(process, lines, folder, await told(lines));
  }

  async ask(command: string): Promise<Told> {
    this.process.stdin?.write(`${command}\n`);
    return told(this.answers);
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdin?.end("end\n");
    await gone;
    rmSync(this.folder, { recursive: true });
  }
}

async function told(lines: AsyncIterator<string>): Promise<Told> {
  const line = await lines.next();
  if (line.done === true) throw new Error("The local system has ended.");
  return JSON.parse(line.value) as Told;
}
