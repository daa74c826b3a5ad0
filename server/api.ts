import type { MessageEnvelope, ReceiveMode } from "../mod.ts";
import { readMessage, readText, readWhole, writeDeadLetter, writeMessage } from "./api_messages.ts";
import { type Context, Hono } from "./deps.ts";
import { shortHandle } from "./message_handle.ts";
import { problem } from "./problem.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import type { QueuePool } from "./queue_pool.ts";
import type { Terminals } from "./terminals.ts";

const DEFAULT_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;
const MAX_PEEKED = 1000;
const MAX_DELAY_MS = 3_600_000;

/** What the API works on. */
export interface ApiParts {
  keeper: QueueKeeper;
  topic: string;
  pool: QueuePool;
  terminals: Terminals;
}

type Fields = Record<string, unknown>;
type Settling = (keeper: QueueKeeper, envelope: MessageEnvelope, fields: Fields) => Promise<void>;
type Work = (keeper: QueueKeeper, fields: Fields, c: Context) => Promise<Response>;

/** The JSON API: one path a command, `?topic=` chooses another queue than the server's own. */
export function apiRoutes(parts: ApiParts): Hono {
  const routes = new Hono();

  const get = (path: string, work: Work) => {
    routes.get(path, (c) => withQueue(parts, c, (keeper) => work(keeper, {}, c)));
    routes.all(path, (c) => wrongMethod(c, "GET, HEAD"));
  };
  const post = (path: string, known: readonly string[], work: Work) => {
    routes.post(path, async (c) => {
      const fields = await readFields(c, known);
      return await withQueue(parts, c, (keeper) => work(keeper, fields, c));
    });
    routes.all(path, (c) => wrongMethod(c, "POST"));
  };

  post("/send", ["type", "correlationId", "message", "encoding"], async ({ queue }, fields, c) => {
    const envelope = readMessage(fields);
    await queue.send(null, envelope);
    return c.json({ messageId: envelope.messageId });
  });

  post("/receive", ["timeout", "mode"], async (keeper, fields, c) => {
    const wait = readWhole("timeout", fields.timeout, DEFAULT_WAIT_MS, MAX_WAIT_MS);
    const mode = readMode(fields);
    const { signal } = c.req.raw; // Aborted when the client has gone.
    const envelope = await keeper.queue.receive(null, wait, { mode, signal }).catch((error) => {
      if (signal.aborted) return null;
      throw error;
    });
    if (envelope === null) return c.body(null, 204);
    if (signal.aborted) {
      await keeper.queue.abandon(envelope); // It came for somebody who is no longer there.
      return c.body(null, 204);
    }
    if (mode === "peekLock") keeper.keepLocked(envelope);
    tell(parts, keeper, mode === "peekLock" ? "locked" : "received", envelope);
    return c.json(writeMessage(envelope));
  });

  get("/peek", async ({ queue }, _fields, c) => {
    const max = readWhole("max", c.req.query("max"), 1, MAX_PEEKED, 1);
    return c.json((await queue.peekBatch(null, max)).map(writeMessage));
  });

  get("/count", async ({ queue }, _fields, c) => c.json({ count: await queue.readMessageCount() }));

  post(
    "/complete",
    ["messageId"],
    settle("completed", ({ queue }, envelope) => {
      return queue.complete(envelope);
    }),
  );
  post(
    "/abandon",
    ["messageId", "delay"],
    settle("abandoned", ({ queue }, envelope, fields) => {
      return queue.abandon(envelope, { delay: readWhole("delay", fields.delay, 0, MAX_DELAY_MS) });
    }),
  );
  post(
    "/lock",
    ["messageId"],
    settle(null, async (keeper, envelope) => {
      await keeper.queue.lock(envelope);
      keeper.keepLocked(envelope);
    }),
  );
  post(
    "/renew",
    ["messageId"],
    settle(null, ({ queue }, envelope) => queue.renewLock(envelope)),
  );
  const givenUp = ["messageId", "reason", "description"];
  post(
    "/dead-letter",
    givenUp,
    settle("dead-lettered", ({ queue }, envelope, fields) => {
      const reason = readText(fields, "reason") ?? undefined;
      const description = readText(fields, "description") ?? undefined;
      return queue.moveToDeadLetter(envelope, { reason, description });
    }),
  );

  get("/dead-letters", async ({ queue }, _fields, c) => {
    const max = readWhole("max", c.req.query("max"), 100, MAX_PEEKED, 1);
    return c.json((await queue.deadLetters.peekBatch(max)).map(writeDeadLetter));
  });
  post("/redrive", ["messageId"], async ({ queue }, fields, c) => {
    const id = readText(fields, "messageId") ?? undefined;
    return c.json({ count: await queue.deadLetters.redrive(id) });
  });
  post("/purge", ["messageId"], async ({ queue }, fields, c) => {
    const id = readText(fields, "messageId") ?? undefined;
    return c.json({ count: await queue.deadLetters.purge(id) });
  });

  get("/stats", ({ queue, link }, _fields, c) =>
    Promise.resolve(c.json({
      topic: queue.getName(),
      ...queue.stats(),
      link,
      capabilities: queue.getCapabilities(),
    })));

  /** One way to settle the message that the request names by its id; a line of the terminal tells the outcome. */
  function settle(outcome: string | null, work: Settling): Work {
    return async (keeper, fields, c) => {
      const messageId = readText(fields, "messageId");
      if (messageId === null) {
        throw new TypeError(`Cannot settle a message: "messageId" is needed, received none`);
      }
      const envelope = await keeper.find(messageId);
      if (envelope === null) {
        return problem(c, 404, "No such message: it is settled, or its lock was lost long ago");
      }
      await work(keeper, envelope, fields);
      if (outcome !== null) tell(parts, keeper, outcome, envelope);
      return c.body(null, 204);
    };
  }

  return routes;
}

async function withQueue(
  { keeper, topic, pool }: ApiParts,
  c: Context,
  work: (keeper: QueueKeeper) => Promise<Response>,
): Promise<Response> {
  const other = c.req.query("topic");
  if (other === undefined || other === topic) return await work(keeper);
  return await pool.use(other, work);
}

/** What was done from outside shows in the terminal, so that nobody wonders where a message went. */
function tell(parts: ApiParts, keeper: QueueKeeper, outcome: string, envelope: MessageEnvelope) {
  const terminal = parts.terminals.find(keeper.queue.getName());
  terminal?.tell("plain", `${outcome} through the API`, shortHandle(envelope.messageId));
}

/** A misspelt field would otherwise be one that is silently not there. */
async function readFields(c: Context, known: readonly string[]): Promise<Fields> {
  const text = await c.req.text();
  if (text.trim() === "") return {};
  const fields: unknown = JSON.parse(text);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new TypeError(
      "Cannot read the request: a JSON object is needed, received something else",
    );
  }
  for (const name of Object.keys(fields)) {
    if (known.includes(name)) continue;
    throw new TypeError(
      `Cannot read the request: ${known.join(", ")} may be given, received "${name.slice(0, 100)}"`,
    );
  }
  return fields as Fields;
}

function readMode(fields: Fields): ReceiveMode {
  const mode = readText(fields, "mode") ?? "receiveAndDelete";
  if (mode === "receiveAndDelete" || mode === "peekLock") return mode;
  throw new TypeError(
    `Cannot use mode: "receiveAndDelete" or "peekLock" is needed, received ${JSON.stringify(mode)}`,
  );
}

function wrongMethod(c: Context, allow: string): Response {
  return problem(c, 405, `Use ${allow.replace(", ", " or ")} here`, { allow });
}
