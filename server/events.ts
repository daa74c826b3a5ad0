import { Hono } from "./deps.ts";
import { problem } from "./problem.ts";
import type { Terminals } from "./terminals.ts";

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that collects the answer first would hold the frames back.
  "x-accel-buffering": "no",
};

/** The live feed as server-sent events. */
export function eventRoutes(terminals: Terminals): Hono {
  const routes = new Hono();
  routes.get("/events", (c) => {
    // Nobody would read the stream, and it would count as a page for ever.
    if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
    const position = c.req.header("last-event-id") ?? c.req.query("after") ?? null;
    const { topic = terminals.main.topic, page = "" } = c.req.query();
    const stream = terminals.stream(topic, page, position);
    if (stream === null) {
      return problem(c, 503, "As many pages listen as may, close one", { "retry-after": "5" });
    }
    return c.body(stream, 200, HEADERS);
  });
  // The page says goodbye when it is closed, so that its queue need not wait for it.
  routes.post("/leave", (c) => {
    const { topic = "", page = "" } = c.req.query();
    terminals.leave(topic, page);
    return c.body(null, 204);
  });
  return routes;
}
