/** What the build may weigh, and whom it may name. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { hostedHeaders } from "./harness";

const DIST = join(import.meta.dirname, "../../dist");
const KB = 1000;

function scripts(): string[] {
  return readdirSync(join(DIST, "assets")).filter((name) => name.endsWith(".js"));
}

function weight(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, "assets", name))).length, 0);
}

describe("the build", () => {
  it("needs at most 170 KB of JavaScript before sign-in, Google's sign-in among it", () => {
    const before = scripts().filter((name) => !name.startsWith("firebase-records"));

    expect(scripts().some((name) => name.startsWith("firebase-records"))).toBe(true);
    expect(weight(before)).toBeLessThan(170 * KB);
  });

  it("shows itself with less than 60 KB", () => {
    const page = readFileSync(join(DIST, "index.html"), "utf8");
    const first = scripts().filter((name) => page.includes(name));

    expect(first.length).toBeGreaterThan(0);
    expect(weight(first)).toBeLessThan(60 * KB);
  });

  it("has no script or style of its own in the page, and no address but its own", () => {
    const page = readFileSync(join(DIST, "index.html"), "utf8");

    expect(page).not.toMatch(/<script(?![^>]*\ssrc="\.\/)/);
    expect(page).not.toMatch(/<style|\sstyle=|https?:/);
  });

  it("is hosted under a policy that allows no inline script or style, and no host but Google's", () => {
    const policy = hostedHeaders()["Content-Security-Policy"] ?? "";
    const hosts = [...policy.matchAll(/https:\/\/([\w.*-]+)/g)].map(([, host = ""]) => host);

    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(hosts.filter((host) => !/(^|\.)(google|googleapis|firebaseapp)\.com$/.test(host))).toEqual([]);
  });
});
