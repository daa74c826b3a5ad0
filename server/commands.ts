import { type CommandLine, nearestWord } from "./command_line.ts";
import { dead, purge, redrive } from "./dead_letter_commands.ts";
import { tableEntry } from "./entry_views.ts";
import type { Html } from "./live_feed.ts";
import {
  abandon,
  type CommandContext,
  complete,
  count,
  forget,
  inspect,
  listen,
  lock,
  peek,
  receive,
  renew,
  save,
  send,
} from "./message_commands.ts";
import { DRAFT_FLAGS, DRAFT_OPTIONS } from "./message_draft.ts";
import { helpEntry } from "./help_view.ts";
import { FIRST_LIMIT, MAX_PEEKED, type PanelPlace } from "./panel_place.ts";

/** One command of the terminal. */
export interface Command {
  name: string;
  usage: string;
  summary: string;
  options: readonly string[];
  /** What may stand behind the options, for completion; `null` for nothing. */
  takes: "text" | "id" | "topic" | "saved" | "number" | "on off" | null;
  /** Resolves with what to print, or `null` for nothing. */
  run: (context: CommandContext, line: CommandLine) => Promise<Html | null>;
  /** What it opens beside the scrollback, in the tab in which it was typed. */
  opens?: (line: CommandLine) => PanelPlace | null;
}

/** Options that take no value. */
export const FLAGS: readonly string[] = [...DRAFT_FLAGS, "lock"];

export const COMMANDS: readonly Command[] = [
  {
    name: "send",
    usage: "send [--type T] [--correlation-id C] [--qos 0|1|2] [--retain] [--expiry s] " +
      "[--property k=v] [--to topic] text | @name",
    summary: "send a text, or JSON as it stands; quotes around the whole are taken off",
    options: DRAFT_OPTIONS,
    takes: "text",
    run: send,
  },
  {
    name: "receive",
    usage: "receive [--lock] [--timeout ms]",
    summary: "take the oldest message, or lock it; waits 1000 ms for one unless told otherwise",
    options: ["lock", "timeout"],
    takes: null,
    run: receive,
  },
  {
    name: "peek",
    usage: "peek [n]",
    summary: "look at the next message, or the next n, and leave them where they are",
    options: [],
    takes: "number",
    run: peek,
    opens: ({ rest }) =>
      /^\d{1,6}$/.test(rest) && Number(rest) > 1 && Number(rest) <= MAX_PEEKED
        ? { kind: "messages", max: Number(rest) }
        : null,
  },
  {
    name: "count",
    usage: "count",
    summary: "how many messages are ready to be received",
    options: [],
    takes: null,
    run: count,
  },
  {
    name: "listen",
    usage: "listen on|off",
    summary: "take and complete every message as it comes, until it is off",
    options: [],
    takes: "on off",
    run: listen,
  },
  {
    name: "inspect",
    usage: "inspect id",
    summary: "a message in full: text, JSON, hex, base64, properties",
    options: [],
    takes: "id",
    run: inspect,
    opens: ({ rest }) =>
      rest === ""
        ? null
        : { kind: "message", id: rest, view: null, limit: FIRST_LIMIT, of: "queue" },
  },
  {
    name: "complete",
    usage: "complete [id]",
    summary: "remove a message for good: the one that was locked last, or any by its id",
    options: [],
    takes: "id",
    run: complete,
  },
  {
    name: "abandon",
    usage: "abandon [--delay ms] [id]",
    summary: "give a locked message back, at once or after a delay",
    options: ["delay"],
    takes: "id",
    run: abandon,
  },
  {
    name: "lock",
    usage: "lock id",
    summary: "lock a message, wherever it stands, to be settled later",
    options: [],
    takes: "id",
    run: lock,
  },
  {
    name: "renew",
    usage: "renew [id]",
    summary: "let a lock run from now",
    options: [],
    takes: "id",
    run: renew,
  },
  {
    name: "dead",
    usage: "dead [--reason R] [--description D] [id]",
    summary: "make a message a dead letter; without an id, show the dead letters",
    options: ["reason", "description"],
    takes: "id",
    run: dead,
    opens: ({ rest }) => rest === "" ? { kind: "dead" } : null,
  },
  {
    name: "redrive",
    usage: "redrive [id]",
    summary: "send a dead letter, or all, to where it came from",
    options: [],
    takes: "id",
    run: redrive,
  },
  {
    name: "purge",
    usage: "purge [--confirm queue] [id]",
    summary: "remove a dead letter, or all, for good; asks for the queue's name first",
    options: ["confirm"],
    takes: "id",
    run: purge,
    opens: ({ rest, options }) =>
      options.has("confirm") ? null : { kind: "purge", id: rest === "" ? null : rest },
  },
  {
    name: "save",
    usage: "save [name] [options] [text]",
    summary: "save what was sent last, or this text, under a name, or list what is saved",
    options: DRAFT_OPTIONS,
    takes: "text",
    run: save,
  },
  {
    name: "forget",
    usage: "forget name",
    summary: "let go of a saved message",
    options: [],
    takes: "saved",
    run: forget,
  },
  {
    name: "topic",
    usage: "topic [name]",
    summary: "open the queue on another topic or filter beside this one",
    options: [],
    takes: "topic",
    run: ({ topics }) => Promise.resolve(tableEntry(topics())),
  },
  {
    name: "status",
    usage: "status",
    summary: "the link, the broker and the counters",
    options: [],
    takes: null,
    run: ({ statusRows }) => Promise.resolve(tableEntry(statusRows())),
  },
  {
    name: "clear",
    usage: "clear",
    summary: "empty the scrollback, here and in every other tab; messages stay",
    options: [],
    takes: null,
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
    takes: null,
    run: () => Promise.resolve(helpEntry(COMMANDS)),
  },
];

/** What options take that is known beforehand. */
const OPTION_VALUES = new Map([["qos", "0|1|2"], ["to", "topic"]]);

/** What Tab may complete: a line a command, its name, what it takes, its options with what those take. */
export const VOCABULARY = COMMANDS.map(({ name, takes, options }) => {
  const words = options.map((option) =>
    FLAGS.includes(option) ? `--${option}` : `--${option}=${OPTION_VALUES.get(option) ?? "-"}`
  );
  return [name, takes?.replace(" ", "|") ?? "-", ...words].join(" ");
}).join("\n");

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
  if (command.takes === null && line.rest !== "") {
    throw new SyntaxError(
      `Cannot run ${command.name}: "${line.rest}" is too much; usage: ${command.usage}`,
    );
  }
  return command;
}
