import type { MessageEnvelope } from "../mod.ts";
import { type CommandLine, parseCommandLine, splitWord } from "./command_line.ts";
import { messageEntry, noticeEntry, tableEntry } from "./entry_views.ts";
import type { Html } from "./live_feed.ts";
import {
  DRAFT_FLAGS,
  envelopeOf,
  type MessageDraft,
  readDraft,
  readNumber,
} from "./message_draft.ts";
import { shortHandle } from "./message_handle.ts";
import { formatSize, previewMessage } from "./message_preview.ts";
import type { MessageShelf } from "./message_shelf.ts";
import { MAX_PEEKED } from "./panel_place.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import type { SavedMessages } from "./saved_messages.ts";

const MAX_WAIT_MS = 60_000;
const DEFAULT_WAIT_MS = 1000;
const MAX_DELAY_MS = 3_600_000;

/** What a command may use. */
export interface CommandContext {
  keeper: QueueKeeper;
  topic: string;
  shelf: MessageShelf;
  saved: SavedMessages;
  /** What was sent last, for `save`. */
  lastSent: MessageDraft | null;
  /** What `status` shows. */
  statusRows: () => [string, string][];
  /** What `topic` shows. */
  topics: () => [string, string][];
  clear: () => void;
  /** Starts or ends to take every message; tells whether that changed anything. */
  listen: (on: boolean) => Promise<boolean>;
}

/** `send` */
export async function send(context: CommandContext, line: CommandLine): Promise<Html> {
  const [, name] = /^@(\S+)$/.exec(line.rest) ?? [];
  return await sendDraft(context, name === undefined ? readDraft(line) : context.saved.get(name));
}

/** Sends what a person wrote, and says so. */
export async function sendDraft(context: CommandContext, draft: MessageDraft): Promise<Html> {
  const envelope = envelopeOf(draft);
  const { to, qos, retain, expiry } = draft;
  await context.keeper.queue.send(null, envelope, {
    ...(to === null ? {} : { topic: to }),
    ...(qos === null ? {} : { qos }),
    ...(retain ? { retain } : {}),
    ...(expiry === null ? {} : { expiry }),
  });
  context.lastSent = draft;
  const size = formatSize(envelope.message?.byteLength ?? 0);
  const kind = envelope.contentType === null ? "" : " of JSON";
  const where = to === null ? "" : ` to ${to}`;
  return said("good", `sent ${size}${kind}${where}`, envelope);
}

/** `receive` */
export async function receive(
  { keeper, shelf, topic }: CommandContext,
  { options }: CommandLine,
): Promise<Html> {
  const typed = options.get("timeout")?.at(-1) ?? null;
  const wait = readNumber("--timeout", typed, 0, MAX_WAIT_MS) ?? DEFAULT_WAIT_MS;
  const locks = options.has("lock");
  const mode = locks ? "peekLock" : "receiveAndDelete";
  const envelope = await keeper.queue.receive(null, wait, { mode });
  if (envelope === null) {
    return noticeEntry("plain", `nothing to receive: none came within ${wait} ms`, new Date());
  }
  if (locks) keeper.keepLocked(envelope);
  else shelf.put(envelope);
  const mark = locks ? "locked" : "received";
  return messageEntry(previewMessage(envelope), mark, new Date(), { opens: true, queue: topic });
}

/** `peek` */
export async function peek(
  { keeper, topic }: CommandContext,
  { rest }: CommandLine,
): Promise<Html> {
  const max = readNumber("n", rest, 1, MAX_PEEKED) ?? 1;
  const envelopes = await keeper.queue.peekBatch(null, max);
  const at = new Date();
  const { available } = keeper.queue.stats();
  if (envelopes.length === 0) {
    return noticeEntry("plain", "nothing to peek at: no message is ready", at);
  }
  if (max === 1) {
    const shown = { opens: true, queue: topic };
    return messageEntry(previewMessage(envelopes[0]), "peeked", at, shown);
  }
  return noticeEntry("good", `peeked at ${envelopes.length} of ${available} that are ready`, at);
}

/** `count` */
export async function count({ keeper }: CommandContext): Promise<Html> {
  const ready = await keeper.queue.readMessageCount();
  const { locked } = keeper.queue.stats();
  const messages = ready === 1 ? "message" : "messages";
  return noticeEntry(
    "good",
    `${ready} ${messages} ready${locked === 0 ? "" : `, ${locked} locked`}`,
    new Date(),
  );
}

/** `listen` */
export async function listen(context: CommandContext, { rest }: CommandLine): Promise<Html> {
  if (rest !== "on" && rest !== "off") {
    throw new SyntaxError(`Cannot listen: on or off is needed, received "${rest}"`);
  }
  const changed = await context.listen(rest === "on");
  const state = rest === "on" ? "listening: every message is taken and completed" : "not listening";
  return noticeEntry("good", changed ? state : `${state}, as before`, new Date());
}

/** `inspect`: the panel does the work. */
export function inspect(_context: CommandContext, { rest }: CommandLine): Promise<null> {
  if (rest === "") throw new SyntaxError("Cannot inspect: an id is needed, received none");
  return Promise.resolve(null);
}

/** `complete` */
export async function complete({ keeper }: CommandContext, { rest }: CommandLine): Promise<Html> {
  const envelope = await meant(keeper, "complete", rest);
  await keeper.queue.complete(envelope);
  return said("good", "completed", envelope);
}

/** `abandon` */
export async function abandon(
  { keeper }: CommandContext,
  { options, rest }: CommandLine,
): Promise<Html> {
  const delay = readNumber("--delay", options.get("delay")?.at(-1) ?? null, 0, MAX_DELAY_MS) ?? 0;
  const envelope = await meant(keeper, "abandon", rest);
  const wasLocked = envelope.lockedUntil !== null;
  await keeper.queue.abandon(envelope, { delay });
  const how = delay === 0 ? "" : `, it comes back in ${delay} ms`;
  return said("good", wasLocked ? `abandoned${how}` : "it was not locked", envelope);
}

/** `lock` */
export async function lock({ keeper }: CommandContext, { rest }: CommandLine): Promise<Html> {
  if (rest === "") throw new SyntaxError("Cannot lock: an id is needed, received none");
  const envelope = await meant(keeper, "lock", rest);
  await keeper.queue.lock(envelope);
  keeper.keepLocked(envelope);
  return said("good", "locked", envelope);
}

/** `renew` */
export async function renew({ keeper }: CommandContext, { rest }: CommandLine): Promise<Html> {
  const envelope = await meant(keeper, "renew the lock of", rest);
  await keeper.queue.renewLock(envelope);
  const seconds = Math.round((Number(envelope.lockedUntil) - Date.now()) / 1000);
  return said("good", `locked for ${seconds} s from now`, envelope);
}

/** `save`: without a name it shows what is saved. */
export function save(context: CommandContext, line: CommandLine): Promise<Html> {
  const [name, after] = splitWord(line.rest);
  const { entries } = context.saved;
  if (name === "" && line.options.size === 0 && entries.length > 0) {
    return Promise.resolve(tableEntry(entries));
  }
  const draft = after === "" && line.options.size === 0
    ? context.lastSent
    : readDraft(parseCommandLine(`save ${after}`, DRAFT_FLAGS));
  if (draft === null) {
    throw new SyntaxError("Cannot save: nothing was sent yet; try: save name text");
  }
  context.saved.put(name, draft);
  return Promise.resolve(noticeEntry("good", `saved: send @${name} sends it`, new Date()));
}

/** `forget` */
export function forget({ saved }: CommandContext, { rest }: CommandLine): Promise<Html> {
  saved.remove(rest.replace(/^@/, ""));
  return Promise.resolve(noticeEntry("good", "no longer saved", new Date(), rest));
}

/** The message that a person means: by its id, or the one that was locked last. */
export async function meant(
  keeper: QueueKeeper,
  action: string,
  word: string,
): Promise<MessageEnvelope> {
  const envelope = word === "" ? keeper.locked.at(-1) ?? null : await keeper.lookUp(word);
  if (envelope !== null) return envelope;
  throw new RangeError(
    word === ""
      ? `Cannot ${action} a message: none is locked here, name one by its id`
      : `Cannot ${action} the message: none here has this id, received "${word}"`,
  );
}

/** A sentence about a message. */
export function said(
  tone: "plain" | "good",
  text: string,
  { messageId }: { messageId: string },
): Html {
  return noticeEntry(tone, text, new Date(), shortHandle(messageId));
}
