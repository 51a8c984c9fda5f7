/** The built page in Chromium, served with the headers it will have, over a world that a test made up. */

import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { filesOf, type World } from "../builders/world";

const DIST = join(import.meta.dirname, "../../dist");
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** Where Chromium is; undefined where there is none, and then nothing may pretend to have been checked. */
export const BROWSER = process.env["CHROMIUM"] ?? BROWSERS.find((each) => existsSync(each));

if (BROWSER === undefined) {
  if (process.env["REQUIRE_BROWSER"] === "1")
    throw new Error("REQUIRE_BROWSER is 1 and there is no Chromium");
  console.warn("NO BROWSER FOUND: the page itself is not checked. Install Chromium.");
}

interface Hosting {
  readonly hosting: {
    readonly headers: readonly { readonly headers: readonly { key: string; value: string }[] }[];
  };
}

/** The headers of the hosted page, from the very file that sets them. */
export function hostedHeaders(): Record<string, string> {
  const { hosting } = JSON.parse(readFileSync(join(DIST, "../firebase.json"), "utf8")) as Hosting;
  const everywhere = hosting.headers[0]?.headers ?? [];
  return Object.fromEntries(everywhere.map(({ key, value }) => [key, value]));
}

export async function serveDist(): Promise<{ readonly server: Server; readonly address: string }> {
  const headers = hostedHeaders();
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = join(DIST, path.endsWith("/") ? `${path}index.html` : path);
    if (!file.startsWith(DIST) || !existsSync(file)) {
      response.writeHead(404, headers).end();
      return;
    }
    const isImmutable = path.startsWith("/assets/");
    response.writeHead(200, {
      ...headers,
      ...(isImmutable ? { "Cache-Control": "public, max-age=31536000, immutable" } : {}),
      "Content-Type": TYPES[extname(file)] ?? "text/plain",
      "Content-Encoding": "gzip",
    });
    response.end(gzipSync(readFileSync(file)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  return { server, address: `http://127.0.0.1:${address.port}` };
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: BROWSER ?? "", args: FLAGS });
}

/** Answer the saved demo's files from a world. */
export async function showing(context: BrowserContext, world: World): Promise<void> {
  const files = filesOf(world);
  await context.route("**/demo/*.json", async (route) => {
    const name =
      new URL(route.request().url()).pathname
        .split("/")
        .at(-1)
        ?.replace(/\.json$/, "") ?? "";
    const content = files[decodeURIComponent(name)];
    if (content === undefined) await route.fulfill({ status: 404, body: "" });
    else await route.fulfill({ json: content });
  });
}

/** Answer a local run's api from a world; its stream ends at once and is not opened again for an hour. */
export async function answering(context: BrowserContext, world: World): Promise<void> {
  const files = filesOf(world);
  await context.route("**/api/**", async (route) => {
    const path = decodeURIComponent(new URL(route.request().url()).pathname.replace("/api/", ""));
    const id = path.split("decisions/")[1];
    if (path === "stream")
      await route.fulfill({ contentType: "text/event-stream", body: "retry: 3600000\n\n" });
    else await route.fulfill({ json: (id ? world.stories[id] : files[path.replace("/", "-")]) ?? null });
  });
}

/** Everything a browser complains about: a refused script, a style that the policy forbids, an exception. */
export function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("404")) heard.push(message.text());
  });
  return heard;
}
