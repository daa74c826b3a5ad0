import { Hono } from "./deps.ts";
import type { Terminal } from "./terminal.ts";
import { pageView } from "./views.ts";

/** The page, and the one form target behind everything on it. */
export function uiRoutes(terminal: Terminal, topic: string): Hono {
  const routes = new Hono();

  routes.get("/", (c) => c.html(pageView(terminal, topic)));

  routes.post("/command", async (c) => {
    const form = await c.req.formData();
    const message = textOf(form, "message");
    const running = message === null ? terminal.run(textOf(form, "line") ?? "") : terminal.send({
      // Forms break lines with two characters, whatever was typed.
      text: message.replaceAll("\r\n", "\n"),
      messageType: textOf(form, "type") || null,
      correlationId: textOf(form, "correlationId") || null,
    });
    // What comes of it reaches every page through the feed, this one too.
    if (c.req.header("hx-request") === "true") return c.body(null, 204);
    await running;
    return c.redirect("/#line", 303);
  });

  return routes;
}

function textOf(form: FormData, name: string): string | null {
  const value = form.get(name);
  return typeof value === "string" ? value : null;
}
