import { parseArgs } from "node:util";
import type { QoS } from "../mod.ts";

/** The commands of the shell. */
export type CliCommand = "send" | "receive" | "peek" | "count";

/** What the shell was asked to do. */
export interface CliOptions {
  command: CliCommand;
  broker: string;
  username: string | undefined;
  password: string | undefined;
  topic: string;
  qos: QoS;
  /** The durable session; `null` for the shell's own. */
  clientId: string | null;
  /** Whether JSON Lines were asked for. */
  json: boolean;
  timeoutMs: number;
  count: number;
  type: string | null;
  correlationId: string | null;
  /** The file that is the body, or `null`. */
  file: string | null;
  /** The words that are the body, or `null`. */
  body: string | null;
}

/** Thrown where the command line cannot be used; the message is for the person who typed it. */
export class CliUsageError extends Error {
  override readonly name = "CliUsageError";
}

const COMMANDS = ["send", "receive", "peek", "count"] as const;
const PROTOCOLS = ["mqtt:", "mqtts:", "ws:", "wss:"];
const MAX_COUNT = 1_000_000;
const MAX_TIMEOUT_MS = 2_147_483_647;
const DEFAULT_COUNT = { send: 1, receive: 1, peek: 10, count: 1 };

const OPTIONS = {
  "broker": { type: "string" },
  "username": { type: "string" },
  "password": { type: "string" },
  "topic": { type: "string" },
  "qos": { type: "string" },
  "client-id": { type: "string" },
  "json": { type: "boolean" },
  "timeout": { type: "string" },
  "count": { type: "string" },
  "type": { type: "string" },
  "correlation-id": { type: "string" },
  "file": { type: "string" },
  "help": { type: "boolean", short: "h" },
} as const;

const ONLY_SEND = ["type", "correlation-id", "file"] as const;

/** The text that `--help` shows. */
export const CLI_USAGE = `Usage: deno task send [options] [message]
       deno task receive|peek|count [options]

  send      sends the words given, the whole of a file, or standard input: one message a line
  receive   takes messages out of the queue; one is gone when its line has been written
  peek      shows messages and leaves them in the queue
  count     tells how many messages are in the queue

  --broker URL          mqtt, mqtts, ws or wss  (mqtt://localhost:1883)   MQTT_URL
  --username NAME       for the broker                                    MQTT_USERNAME
  --password WORD       for the broker; better through the environment    MQTT_PASSWORD
  --topic TOPIC         the queue's topic       (mytopic)                 MQTT_TOPIC
  --qos 0|1|2           quality of service      (1)                       MQTT_QOS
  --client-id ID        receive, peek, count: the session to use
  --count N             receive: at most so many (1); peek likewise (10)
  --timeout MS          receive: how long to wait for messages (10000)
  --type NAME           send: the message type
  --correlation-id ID   send: the correlation id
  --file PATH           send: the file that is the body
  --json                JSON Lines; always so where the output is no terminal
  --help                this text

receive, peek and count use a durable session of the shell's own, one for each user, machine and topic:
the broker keeps messages for it while no shell runs. The first of these commands makes the session, so
it sees only what is sent afterwards (and retained messages). Run one of them once before you rely on it.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing there, 130 interrupted.
`;

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
      `Cannot run this: send, receive, peek or count is needed, received ${name ?? "nothing"}`,
    );
  }
  const read = (flag: string | undefined, variable: string) => flag ?? (env(variable) || undefined);
  if (command !== "send") refuseSendOptions(command, values, words);
  if (values.file !== undefined && words.length > 0) {
    throw new CliUsageError("Cannot send: a message and --file were given, one of them is enough");
  }
  return {
    command,
    broker: checkBroker(read(values.broker, "MQTT_URL") ?? "mqtt://localhost:1883"),
    username: read(values.username, "MQTT_USERNAME"),
    password: read(values.password, "MQTT_PASSWORD"),
    topic: checkTopic(read(values.topic, "MQTT_TOPIC") ?? "mytopic"),
    qos: readWhole("--qos", read(values.qos, "MQTT_QOS") ?? "1", 0, 2) as QoS,
    clientId: values["client-id"] ?? null,
    json: values.json ?? false,
    timeoutMs: readWhole("--timeout", values.timeout ?? "10000", 0, MAX_TIMEOUT_MS),
    count: readWhole("--count", values.count ?? `${DEFAULT_COUNT[command]}`, 1, MAX_COUNT),
    type: values.type ?? null,
    correlationId: values["correlation-id"] ?? null,
    file: values.file ?? null,
    body: words.length > 0 ? words.join(" ") : null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliUsageError(`Cannot read the command line: ${message.split(". ")[0]}`);
  }
}

function refuseSendOptions(
  command: CliCommand,
  values: { [Name in typeof ONLY_SEND[number]]?: string },
  words: readonly string[],
): void {
  const given = ONLY_SEND.find((name) => values[name] !== undefined);
  if (given !== undefined) {
    throw new CliUsageError(`Cannot ${command}: --${given} belongs to send`);
  }
  if (words.length > 0) {
    throw new CliUsageError(
      `Cannot ${command}: no words are needed, received "${words.join(" ")}"`,
    );
  }
}

/** The value itself is not shown: there may be a password in it. */
function checkBroker(text: string): string {
  const url = URL.parse(text);
  if (url === null || !PROTOCOLS.includes(url.protocol) || url.hostname === "") {
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
    `Cannot use ${name}: a whole number from ${min} to ${max} is needed, received "${text}"`,
  );
}
