import { Hono } from "./deps.ts";
import { problem } from "./problem.ts";

const ROOT = new URL("../", import.meta.url);
const IMPORT = /^(?:import|export)\b(?:[^;"']*\bfrom)?\s*"(\.[^"]+)"/gm;

/**
 * Serves the library's sources, so that any Deno can import the queue from the running server:
 * `import { MqttMessageQueue } from "http://127.0.0.1:8080/mod.ts"`.
 *
 * Served is what `mod.ts` imports and nothing else. The sources are read beside this module, from
 * wherever it was loaded itself: the disk or a URL.
 */
export function moduleRoutes(): Hono {
  let sources: Promise<Map<string, string>> | null = null;
  const routes = new Hono();
  for (const path of ["/mod.ts", "/lib/*"]) {
    routes.get(path, async (c) => {
      sources ??= readSources().catch((error) => {
        sources = null; // The next request tries again.
        throw error;
      });
      const text = (await sources).get(c.req.path.slice(1));
      if (text === undefined) return problem(c, 404, "No such module");
      return c.body(text, 200, {
        "content-type": "application/typescript; charset=utf-8",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "cache-control": "no-cache",
      });
    });
  }
  return routes;
}

/** The text of each module that `mod.ts` needs, by its path below the root. */
async function readSources(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  const waiting = [new URL("mod.ts", ROOT)];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    const path = url.href.slice(ROOT.href.length);
    if (sources.has(path) || !url.href.startsWith(ROOT.href)) continue;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`Cannot read ${path}: received status ${response.status}`);
    const text = await response.text();
    sources.set(path, text);
    for (const [, specifier] of text.matchAll(IMPORT)) waiting.push(new URL(specifier, url));
  }
  return sources;
}
