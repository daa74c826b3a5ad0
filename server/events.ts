import { Hono } from "./deps.ts";
import type { LiveFeed } from "./live_feed.ts";
import { problem } from "./problem.ts";

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that collects the answer first would hold the frames back.
  "x-accel-buffering": "no",
};

/** The live feed as server-sent events. */
export function eventRoutes(live: LiveFeed): Hono {
  const routes = new Hono();
  routes.get("/events", (c) => {
    // Nobody would read the stream, and it would count as a page for ever.
    if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
    const stream = live.stream(c.req.header("last-event-id") ?? c.req.query("after") ?? null);
    if (stream === null) {
      return problem(c, 503, "As many pages listen as may, close one", { "retry-after": "5" });
    }
    return c.body(stream, 200, HEADERS);
  });
  return routes;
}
