import { parseArgs } from "node:util";
import type { QoS } from "../mod.ts";
import { explainParseError, shownValue } from "./shown_value.ts";

/** The commands of the shell. */
export type CliCommand = typeof COMMANDS[number];

/** What `dead` does. */
export type DeadAction = typeof DEAD_ACTIONS[number];

/** A queue on a broker. */
export interface BrokerTarget {
  url: string;
  username: string | undefined;
  password: string | undefined;
  topic: string;
  qos: QoS;
  /** The durable session; `null` for the shell's own. */
  clientId: string | null;
}

/** A queue of a running server. */
export interface ServerTarget {
  /** Ends with a slash. */
  url: string;
  token: string | undefined;
  /** Another topic than the server's own. */
  topic: string | undefined;
}

/** What the shell was asked to do. */
export interface CliOptions {
  command: CliCommand;
  target: { broker: BrokerTarget } | { server: ServerTarget };
  /** Whether JSON Lines were asked for. */
  json: boolean;
  /** `Infinity` for no end, as `count`. */
  timeoutMs: number;
  count: number;
  type: string | null;
  correlationId: string | null;
  /** The file that is the body, or `null`. */
  file: string | null;
  /** The words that are the body, or `null`. */
  body: string | null;
  /** What `dead` does, and with which: `null` for all of them. */
  dead: { action: DeadAction; id: string | null };
}

/** Thrown where the command line cannot be used; the message is for the person who typed it. */
export class CliUsageError extends Error {
  override readonly name = "CliUsageError";
}

const COMMANDS = ["send", "receive", "peek", "count", "listen", "dead"] as const;
const DEAD_ACTIONS = ["browse", "redrive", "purge"] as const;
const BROKER_PROTOCOLS = ["mqtt:", "mqtts:", "ws:", "wss:"];
const MAX_COUNT = 1_000_000;
const MAX_TIMEOUT_MS = 2_147_483_647;
const DEFAULT_COUNT: Partial<Record<CliCommand, number>> = {
  receive: 1,
  peek: 10,
  listen: Infinity,
  dead: 100,
};

const OPTIONS = {
  "broker": { type: "string" },
  "username": { type: "string" },
  "password": { type: "string" },
  "topic": { type: "string" },
  "qos": { type: "string" },
  "client-id": { type: "string" },
  "server": { type: "string" },
  "token": { type: "string" },
  "json": { type: "boolean" },
  "timeout": { type: "string" },
  "count": { type: "string" },
  "type": { type: "string" },
  "correlation-id": { type: "string" },
  "file": { type: "string" },
  "all": { type: "boolean" },
  "help": { type: "boolean", short: "h" },
} as const;

/** Options that change nothing for any other command, and would be silently without effect. */
const BELONGING: readonly [keyof Flags, readonly CliCommand[]][] = [
  ["type", ["send"]],
  ["correlation-id", ["send"]],
  ["file", ["send"]],
  ["timeout", ["receive", "listen"]],
  ["count", ["receive", "peek", "listen", "dead"]],
  ["all", ["dead"]],
];
const ONLY_BROKER = ["broker", "username", "password", "qos", "client-id"] as const;

type Flags = NonNullable<ReturnType<typeof parse>>["values"];
type Read = (flag: string | undefined, variable: string) => string | undefined;

/**
 * Reads the command line and, where a flag is missing, the environment.
 *
 * @returns the options, or `null` where only the usage was asked for
 * @throws {CliUsageError} where something is unknown or cannot be used
 */
export function readCliOptions(
  args: readonly string[],
  env: (name: string) => string | undefined,
): CliOptions | null {
  const { values, positionals: [name, ...words] } = parse(args);
  if (values.help || name === "help") return null;
  const command = COMMANDS.find((command) => command === name);
  if (command === undefined) {
    throw new CliUsageError(
      `Cannot run this: one of ${COMMANDS.join(", ")} is needed, received ${
        name === undefined ? "nothing" : shownValue(name)
      }`,
    );
  }
  const read: Read = (flag, variable) => flag ?? (env(variable) || undefined);
  refuseForeignOptions(command, values);
  const dead = readDead(command, words, values.all ?? false);
  if (dead.action !== "browse" && values.count !== undefined) {
    throw new CliUsageError(`Cannot ${dead.action}: --count belongs to dead browse`);
  }
  if (command !== "send" && command !== "dead") refuseWords(command, words);
  if (values.file !== undefined && words.length > 0) {
    throw new CliUsageError("Cannot send: a message and --file were given, one of them is enough");
  }
  const listens = command === "listen";
  return {
    command,
    target: values.server === undefined
      ? { broker: readBroker(values, read) }
      : { server: readServer(values.server, values, read) },
    json: values.json ?? false,
    timeoutMs: values.timeout === undefined
      ? (listens ? Infinity : 10_000)
      : readWhole("--timeout", values.timeout, listens ? 1 : 0, MAX_TIMEOUT_MS),
    count: values.count === undefined
      ? DEFAULT_COUNT[command] ?? 1
      : readWhole("--count", values.count, 1, MAX_COUNT),
    type: values.type ?? null,
    correlationId: values["correlation-id"] ?? null,
    file: values.file ?? null,
    body: words.length > 0 ? words.join(" ") : null,
    dead,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    throw new CliUsageError(`Cannot read the command line: ${explainParseError(error)}`);
  }
}

function readBroker(flags: Flags, read: Read): BrokerTarget {
  if (flags.token !== undefined) {
    throw new CliUsageError("Cannot use --token: it belongs to --server");
  }
  return {
    url: checkBroker(read(flags.broker, "MQTT_URL") ?? "mqtt://localhost:1883"),
    username: read(flags.username, "MQTT_USERNAME"),
    password: read(flags.password, "MQTT_PASSWORD"),
    topic: checkTopic(read(flags.topic, "MQTT_TOPIC") ?? "mytopic"),
    qos: readWhole("--qos", read(flags.qos, "MQTT_QOS") ?? "1", 0, 2) as QoS,
    clientId: flags["client-id"] ?? null,
  };
}

/** The address that the server printed is enough: it may have the token in it. */
function readServer(text: string, flags: Flags, read: Read): ServerTarget {
  const given = ONLY_BROKER.find((name) => flags[name] !== undefined);
  if (given !== undefined) {
    throw new CliUsageError(`Cannot use --${given} with --server: the server has its own broker`);
  }
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password !== "") {
    throw new CliUsageError(
      "Cannot use the server: a URL such as http://127.0.0.1:8080 is needed, received another form",
    );
  }
  const topic = read(flags.topic, "MQTT_TOPIC");
  return {
    url: url.origin + url.pathname.replace(/\/*$/, "/"),
    token: flags.token ?? url.searchParams.get("token") ?? (read(undefined, "MQTT_QUEUE_TOKEN")),
    topic: topic === undefined ? undefined : checkTopic(topic),
  };
}

function readDead(command: CliCommand, words: readonly string[], all: boolean): CliOptions["dead"] {
  const [word = "browse", ...ids] = command === "dead" ? words : [];
  const action = DEAD_ACTIONS.find((action) => action === word);
  if (action === undefined) {
    throw new CliUsageError(
      `Cannot do this with dead letters: ${DEAD_ACTIONS.join(", ")} can be done, received ${
        shownValue(word)
      }`,
    );
  }
  const needed = action === "browse" || all ? 0 : 1;
  if (ids.length === needed && !(action === "browse" && all)) return { action, id: ids[0] ?? null };
  throw new CliUsageError(
    action === "browse"
      ? "Cannot browse: neither an id nor --all is needed; --count says how many"
      : `Cannot ${action}: one id or --all is needed, received ${all ? "both" : words.length - 1}`,
  );
}

function refuseForeignOptions(command: CliCommand, flags: Flags): void {
  for (const [name, owners] of BELONGING) {
    if (flags[name] === undefined || owners.includes(command)) continue;
    throw new CliUsageError(`Cannot ${command}: --${name} belongs to ${owners.join(", ")}`);
  }
}

function refuseWords(command: CliCommand, words: readonly string[]): void {
  if (words.length === 0) return;
  const received = shownValue(words.join(" "));
  throw new CliUsageError(`Cannot ${command}: no words are needed, received ${received}`);
}

/** The value itself is not shown: there may be a password in it. */
function checkBroker(text: string): string {
  const url = URL.parse(text);
  if (url === null || !BROKER_PROTOCOLS.includes(url.protocol) || url.hostname === "") {
    throw new CliUsageError(
      "Cannot use the broker: a URL such as mqtt://localhost:1883 is needed, received another form",
    );
  }
  return text;
}

function checkTopic(topic: string): string {
  if (topic !== "") return topic;
  throw new CliUsageError('Cannot use the topic: a name is needed, received ""');
}

function readWhole(name: string, text: string, min: number, max: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw new CliUsageError(
    `Cannot use ${name}: a whole number from ${min} to ${max} is needed, received ${
      shownValue(text)
    }`,
  );
}
