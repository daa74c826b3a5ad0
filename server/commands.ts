import { MessageEnvelope } from "../mod.ts";
import { type CommandLine, nearestWord, unquoteText } from "./command_line.ts";
import { type Html } from "./live_feed.ts";
import { html } from "./deps.ts";
import { messageEntry, noticeEntry, tableEntry } from "./entry_views.ts";
import { formatSize, previewMessage } from "./message_preview.ts";
import type { QueueKeeper } from "./queue_keeper.ts";

const MAX_WAIT_MS = 60_000;
const DEFAULT_WAIT_MS = 1000;
const MAX_PEEKED = 100;

/** What a command may use. */
export interface CommandContext {
  keeper: QueueKeeper;
  /** What `status` shows. */
  statusRows: () => [string, string][];
  clear: () => void;
}

/** One command of the terminal. */
export interface Command {
  name: string;
  usage: string;
  summary: string;
  options: readonly string[];
  /** Whether something may stand behind the options. */
  takesRest: boolean;
  /** Resolves with what to print, or `null` for nothing. */
  run: (context: CommandContext, line: CommandLine) => Promise<Html | null>;
}

/** A message as a person wants it sent. */
export interface Draft {
  text: string;
  messageType: string | null;
  correlationId: string | null;
}

export const COMMANDS: readonly Command[] = [
  {
    name: "send",
    usage: "send [--type T] [--correlation-id C] text",
    summary: "send a message: text, or JSON as it stands; quotes around the whole are taken off",
    options: ["type", "correlation-id"],
    takesRest: true,
    run: ({ keeper }, { options, rest }) =>
      sendDraft(keeper, {
        text: unquoteText(rest),
        messageType: options.get("type") ?? null,
        correlationId: options.get("correlation-id") ?? null,
      }),
  },
  {
    name: "receive",
    usage: "receive [--timeout ms]",
    summary: "take the oldest message off the queue; waits 1000 ms for one unless told otherwise",
    options: ["timeout"],
    takesRest: false,
    run: receive,
  },
  {
    name: "peek",
    usage: "peek [n]",
    summary: "look at the next message, or the next n, and leave them where they are",
    options: [],
    takesRest: true,
    run: peek,
  },
  {
    name: "count",
    usage: "count",
    summary: "how many messages are ready to be received",
    options: [],
    takesRest: false,
    run: count,
  },
  {
    name: "status",
    usage: "status",
    summary: "the link, the broker and the counters",
    options: [],
    takesRest: false,
    run: ({ statusRows }) => Promise.resolve(tableEntry(statusRows())),
  },
  {
    name: "clear",
    usage: "clear",
    summary: "empty the scrollback, here and in every other tab; messages stay",
    options: [],
    takesRest: false,
    run: ({ clear }) => {
      clear();
      return Promise.resolve(null);
    },
  },
  {
    name: "help",
    usage: "help",
    summary: "this list",
    options: [],
    takesRest: false,
    run: () => Promise.resolve(tableEntry(COMMANDS.map(({ usage, summary }) => [usage, summary]))),
  },
];

/**
 * The command that a line names.
 *
 * @throws {SyntaxError} where there is none such, or it does not take what stands behind it
 */
export function findCommand(line: CommandLine): Command {
  const names = COMMANDS.map(({ name }) => name);
  const command = COMMANDS.find(({ name }) => name === line.name);
  if (command === undefined) {
    const near = nearestWord(line.name, names);
    throw new SyntaxError(
      `Cannot run "${line.name}": no such command; ${
        near === null ? `there are ${names.join(", ")}` : `did you mean ${near}?`
      }`,
    );
  }
  for (const option of line.options.keys()) {
    if (!command.options.includes(option)) {
      throw new SyntaxError(
        `Cannot run ${command.name}: it has no option --${option}; usage: ${command.usage}`,
      );
    }
  }
  if (!command.takesRest && line.rest !== "") {
    throw new SyntaxError(
      `Cannot run ${command.name}: "${line.rest}" is too much; usage: ${command.usage}`,
    );
  }
  return command;
}

/** Sends what a person wrote and says so. JSON goes as it was typed, marked as JSON. */
export async function sendDraft(keeper: QueueKeeper, draft: Draft): Promise<Html> {
  if (draft.text === "") {
    throw new SyntaxError(`Cannot send: a text is needed, received none; try: send hello`);
  }
  const envelope = new MessageEnvelope(draft.correlationId, draft.messageType, draft.text);
  if (isJson(draft.text)) envelope.contentType = "application/json";
  await keeper.queue.send(draft.correlationId, envelope);
  const size = formatSize(envelope.message?.byteLength ?? 0);
  const kind = envelope.contentType === null ? "" : " of JSON";
  return noticeEntry("good", `sent ${size}${kind}`, new Date(), envelope.messageId.slice(0, 8));
}

async function receive({ keeper }: CommandContext, { options }: CommandLine): Promise<Html> {
  const wait = readNumber("--timeout", options.get("timeout"), DEFAULT_WAIT_MS, MAX_WAIT_MS);
  const envelope = await keeper.queue.receive(null, wait);
  if (envelope === null) {
    return noticeEntry("plain", `nothing to receive: none came within ${wait} ms`, new Date());
  }
  return messageEntry(previewMessage(envelope), "received", new Date(), { opens: true });
}

async function peek({ keeper }: CommandContext, { rest }: CommandLine): Promise<Html> {
  const max = readNumber("n", rest === "" ? undefined : rest, 1, MAX_PEEKED);
  const envelopes = await keeper.queue.peekBatch(null, max);
  const at = new Date();
  if (envelopes.length === 0) {
    return noticeEntry("plain", "nothing to peek at: no message is ready", at);
  }
  const { available } = keeper.queue.stats();
  return html`${
    envelopes.map((envelope) =>
      messageEntry(previewMessage(envelope), "peeked", at, { opens: max === 1 })
    )
  }${
    available > envelopes.length
      ? noticeEntry("plain", `${envelopes.length} of ${available} that are ready`, at)
      : ""
  }`;
}

async function count({ keeper }: CommandContext): Promise<Html> {
  const ready = await keeper.queue.readMessageCount();
  const { locked } = keeper.queue.stats();
  const messages = ready === 1 ? "message" : "messages";
  return noticeEntry(
    "good",
    `${ready} ${messages} ready${locked === 0 ? "" : `, ${locked} locked`}`,
    new Date(),
  );
}

function readNumber(name: string, text: string | undefined, missing: number, max: number): number {
  if (text === undefined) return missing;
  if (!/^\d{1,6}$/.test(text) || Number(text) > max) {
    throw new RangeError(
      `Cannot use ${name}: a whole number from 0 to ${max} is needed, received "${text}"`,
    );
  }
  return Number(text);
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // A text that merely begins like JSON is a text.
  }
}
