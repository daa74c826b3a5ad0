import type { MessageEnvelope, ReceiveMode } from "../mod.ts";
import { readMessage, readText, readWhole, writeDeadLetter, writeMessage } from "./api_messages.ts";
import { type Context, Hono } from "./deps.ts";
import { problem } from "./problem.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import type { QueuePool } from "./queue_pool.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;
const MAX_PEEKED = 1000;
const MAX_DELAY_MS = 3_600_000;

/** What the API works on. */
export interface ApiParts {
  keeper: QueueKeeper;
  topic: string;
  pool: QueuePool;
  terminal: Terminal;
}

type Fields = Record<string, unknown>;
type Work = (keeper: QueueKeeper, fields: Fields, c: Context) => Promise<Response>;

/** The JSON API: one path a command, `?topic=` chooses another queue than the server's own. */
export function apiRoutes(parts: ApiParts): Hono {
  const routes = new Hono();

  const get = (path: string, work: Work) => {
    routes.get(path, (c) => withQueue(parts, c, (keeper) => work(keeper, {}, c)));
    routes.all(path, (c) => wrongMethod(c, "GET, HEAD"));
  };
  const post = (path: string, work: Work) => {
    routes.post(path, async (c) => {
      const fields = await readFields(c);
      return await withQueue(parts, c, (keeper) => work(keeper, fields, c));
    });
    routes.all(path, (c) => wrongMethod(c, "POST"));
  };

  post("/send", async ({ queue }, fields, c) => {
    const envelope = readMessage(fields);
    await queue.send(null, envelope);
    return c.json({ messageId: envelope.messageId });
  });

  post("/receive", async (keeper, fields, c) => {
    const wait = readWhole("timeout", fields.timeout, DEFAULT_WAIT_MS, MAX_WAIT_MS);
    const mode = readMode(fields);
    const { signal } = c.req.raw; // Aborted when the client has gone.
    const envelope = await keeper.queue.receive(null, wait, { mode, signal });
    if (envelope === null) return c.body(null, 204);
    if (signal.aborted) {
      await keeper.queue.abandon(envelope); // Nobody is there any more to take it.
      return c.body(null, 204);
    }
    if (mode === "peekLock") keeper.keepLocked(envelope);
    tell(parts, keeper, mode === "peekLock" ? "locked" : "received", envelope);
    return c.json(writeMessage(envelope));
  });

  get("/peek", async ({ queue }, _fields, c) => {
    const max = readWhole("max", c.req.query("max"), 1, MAX_PEEKED);
    return c.json((await queue.peekBatch(null, max)).map(writeMessage));
  });

  get("/count", async ({ queue }, _fields, c) => c.json({ count: await queue.readMessageCount() }));

  settle(parts, post, "/complete", "completed", ({ queue }, envelope) => queue.complete(envelope));
  settle(
    parts,
    post,
    "/abandon",
    "abandoned",
    ({ queue }, envelope, fields) =>
      queue.abandon(envelope, { delay: readWhole("delay", fields.delay, 0, MAX_DELAY_MS) }),
  );
  settle(
    parts,
    post,
    "/dead-letter",
    "dead-lettered",
    ({ queue }, envelope, fields) =>
      queue.moveToDeadLetter(envelope, {
        reason: readText(fields, "reason") ?? undefined,
        description: readText(fields, "description") ?? undefined,
      }),
  );

  get("/dead-letters", async ({ queue }, _fields, c) => {
    const max = readWhole("max", c.req.query("max"), 100, MAX_PEEKED);
    return c.json((await queue.deadLetters.peekBatch(max)).map(writeDeadLetter));
  });
  post(
    "/redrive",
    async ({ queue }, fields, c) =>
      c.json({
        count: await queue.deadLetters.redrive(readText(fields, "messageId") ?? undefined),
      }),
  );
  post(
    "/purge",
    async ({ queue }, fields, c) =>
      c.json({ count: await queue.deadLetters.purge(readText(fields, "messageId") ?? undefined) }),
  );

  get("/stats", ({ queue, link }, _fields, c) =>
    Promise.resolve(c.json({
      topic: queue.getName(),
      ...queue.stats(),
      link,
      capabilities: queue.getCapabilities(),
    })));

  return routes;
}

/** One way to settle a message that the request names by its id. */
function settle(
  parts: ApiParts,
  post: (path: string, work: Work) => void,
  path: string,
  outcome: string,
  work: (keeper: QueueKeeper, envelope: MessageEnvelope, fields: Fields) => Promise<void>,
): void {
  post(path, async (keeper, fields, c) => {
    const messageId = readText(fields, "messageId");
    if (messageId === null) {
      throw new TypeError(`Cannot settle a message: "messageId" is needed, received none`);
    }
    const envelope = await keeper.find(messageId);
    if (envelope === null) {
      return problem(c, 404, "No such message: it is settled, or its lock was lost long ago");
    }
    await work(keeper, envelope, fields);
    tell(parts, keeper, outcome, envelope);
    return c.body(null, 204);
  });
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
  if (keeper !== parts.keeper) return;
  parts.terminal.tell("plain", `${outcome} through the API`, envelope.messageId.slice(0, 8));
}

async function readFields(c: Context): Promise<Fields> {
  const text = await c.req.text();
  if (text.trim() === "") return {};
  const fields: unknown = JSON.parse(text);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new TypeError(
      "Cannot read the request: a JSON object is needed, received something else",
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
