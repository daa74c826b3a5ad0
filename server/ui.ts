import { type Context, Hono, html } from "./deps.ts";
import { quoteWord } from "./command_line.ts";
import type { Html } from "./live_feed.ts";
import { type MessageDraft, readNumber, readProperties } from "./message_draft.ts";
import { readPart, renderPanel } from "./panel.ts";
import type { CopiedPart } from "./panel_parts.ts";
import { type PanelPlace, readPlace, writePlace } from "./panel_place.ts";
import { problem } from "./problem.ts";
import type { QoS } from "../mod.ts";
import type { Outcome, Terminal } from "./terminal.ts";
import type { Terminals } from "./terminals.ts";
import { pageView } from "./views.ts";

const PARTS: readonly CopiedPart[] = ["text", "hex", "base64", "properties", "command", "file"];
const NO_PAGE = "";
const TEXT = "text/plain; charset=utf-8";

/** The page, its panel, and the one form target behind everything on it. */
export function uiRoutes(terminals: Terminals): Hono {
  const routes = new Hono();
  const topicOf = (c: Context) => c.req.query("topic") ?? terminals.main.topic;

  routes.get("/", async (c) => {
    const topic = topicOf(c);
    // A page of another site may lead here, but it opens no queue.
    const foreign = /^(?:cross|same)-site$/.test(c.req.header("sec-fetch-site") ?? "");
    if (foreign && c.req.url.includes("?")) return c.redirect("/", 303);
    const page = crypto.randomUUID().slice(0, 8);
    let terminal: Terminal;
    try {
      terminal = terminals.visit(topic, page);
    } catch (error) {
      terminals.main.fail(error);
      return c.redirect("/", 303);
    }
    const place = readPlace((name) => c.req.query(name));
    const panel = place === null ? "" : await renderPanel(terminal.sources, place);
    return c.html(pageView(terminal, page, panel));
  });

  routes.get("/panel", async (c) => {
    const place = readPlace((name) => c.req.query(name));
    const terminal = terminals.find(topicOf(c));
    if (place === null || terminal === null) return problem(c, 404, "No such panel is open");
    return c.html(await renderPanel(terminal.sources, place));
  });

  routes.get("/part", async (c) => {
    const place = readPlace((name) => c.req.query(name));
    const part = PARTS.find((each) => each === c.req.query("as"));
    const terminal = terminals.find(topicOf(c));
    if (place?.kind !== "message" || part === undefined || terminal === null) {
      return problem(c, 404, "No such part of a message");
    }
    const { content, fileName } = await readPart(terminal.sources, place, part);
    if (fileName === null) return c.body(content, 200, { "content-type": TEXT });
    return c.body(content, 200, attachment("application/octet-stream", fileName));
  });

  routes.get("/export", (c) => {
    const terminal = terminals.find(topicOf(c));
    if (terminal === null) return problem(c, 404, "No such queue is open");
    const filter = (c.req.query("filter") ?? "").toLowerCase();
    const lines = terminal.live.records().map((record) => `${JSON.stringify(record)}\n`)
      .filter((line) => line.toLowerCase().includes(filter));
    return c.body(lines.join(""), 200, attachment("application/x-ndjson", "messages.jsonl"));
  });

  // A browser keeps what is saved, and brings it back to a server that was started anew.
  routes.get("/saved", (c) => c.json(terminals.saved.copy()));
  routes.post("/saved", async (c) => {
    const lines: unknown = await c.req.json();
    if (typeof lines !== "object" || lines === null) return problem(c, 400, "An object is needed");
    terminals.saved.restore({ ...lines });
    return c.json(terminals.saved.copy());
  });

  routes.post("/command", async (c) => {
    const form = await c.req.formData();
    const terminal = terminals.find(textOf(form, "topic") ?? terminals.main.topic);
    if (terminal === null) return problem(c, 404, "This queue was closed: load the page again");
    const outcome = run(terminal, form);
    if (outcome.go !== null) return goTo(c, terminals, terminal, outcome.go);
    if (c.req.header("hx-request") === "true") return await fragment(c, terminal, outcome.panel);
    await outcome.done;
    const { topic } = terminal;
    const back = outcome.panel === null
      ? textOf(form, "back") ?? new URLSearchParams({ topic }).toString()
      : writePlace(topic, outcome.panel);
    const own = topic === terminals.main.topic && !back.includes("panel=");
    return c.redirect(own ? "/#line" : `/?${new URLSearchParams(back)}#line`, 303);
  });

  return routes;
}

function run(terminal: Terminal, form: FormData): Outcome {
  const page = textOf(form, "page") ?? "";
  const message = textOf(form, "message");
  if (message !== null) {
    try {
      return terminal.send(draftIn(form, message), page);
    } catch (error) {
      terminal.fail(error);
      return { done: Promise.resolve(), panel: null, go: null };
    }
  }
  const line = textOf(form, "line") ?? "";
  const confirm = textOf(form, "confirm");
  if (confirm === null) return terminal.run(line.replaceAll("\r\n", "\n"), page);
  return terminal.run(line.replace(/^purge/, `purge --confirm ${quoteWord(confirm)}`), page);
}

function draftIn(form: FormData, message: string): MessageDraft {
  const lines = (textOf(form, "properties") ?? "").split(/\r?\n/).filter((line) => line.trim());
  return {
    // Forms break lines with two characters, whatever was typed.
    body: message.replaceAll("\r\n", "\n"),
    messageType: textOf(form, "type") || null,
    correlationId: textOf(form, "correlationId") || null,
    to: textOf(form, "to") || null,
    qos: readNumber("QoS", textOf(form, "qos"), 0, 2) as QoS | null,
    retain: textOf(form, "retain") !== null,
    expiry: readNumber("expiry", textOf(form, "expiry"), 1, 4_294_967_295),
    userProperties: readProperties(lines),
  };
}

/** The panel belongs to the page that asked; everything else reaches it through the feed. */
async function fragment(
  c: Context,
  terminal: Terminal,
  panel: PanelPlace | null,
): Promise<Response> {
  if (panel === null) return c.body(null, 204);
  const content: Html = await renderPanel(terminal.sources, panel);
  return c.html(
    html`<hx-partial hx-target="#panel" hx-swap="innerHTML">${content}</hx-partial>`,
  );
}

/** Leads to another queue, where it can be opened. */
function goTo(c: Context, terminals: Terminals, from: Terminal, topic: string): Response {
  try {
    terminals.visit(topic, NO_PAGE);
    terminals.leave(topic, NO_PAGE); // The page that is loaded next holds it.
  } catch (error) {
    from.fail(error);
    topic = from.topic;
  }
  const byHtmx = c.req.header("hx-request") === "true";
  if (topic === from.topic && byHtmx) return c.body(null, 204);
  const url = topic === terminals.main.topic ? "/" : `/?topic=${encodeURIComponent(topic)}`;
  return byHtmx ? c.body(null, 204, { "hx-redirect": url }) : c.redirect(`${url}#line`, 303);
}

function attachment(type: string, name: string): Record<string, string> {
  return { "content-type": type, "content-disposition": `attachment; filename="${name}"` };
}

function textOf(form: FormData, name: string): string | null {
  const value = form.get(name);
  return typeof value === "string" ? value : null;
}
