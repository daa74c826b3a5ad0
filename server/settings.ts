import { parseArgs } from "node:util";
import type { QoS } from "../mod.ts";
import { explainParseError, shownValue } from "./shown_value.ts";

/** What the server was asked to do. */
export interface Settings {
  /** The broker, or `null` for the embedded one. */
  brokerUrl: string | null;
  username: string | null;
  password: string | null;
  clientId: string | null;
  topic: string;
  qos: QoS;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** What a visitor must show, or `null`. */
  token: string | null;
  /** Host names the page may be asked for beside those of the address it listens on. */
  allowedHosts: string[];
}

/** Thrown where a flag or a variable cannot be used; the message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const PROTOCOLS = ["mqtt:", "mqtts:", "ws:", "wss:"];
/** What may be said of a wrong address. Of "user:word@host" the scheme is the user. */
const KNOWN_SCHEMES = [...PROTOCOLS, "http:", "https:", "ftp:", "tcp:", "ssl:", "tls:"];

export const USAGE = `Usage: deno task start [options]

  --broker URL        mqtt, mqtts, ws or wss; none starts the embedded broker   MQTT_URL
  --username NAME     for the broker                                            MQTT_USERNAME
  --password WORD     for the broker; better through the environment            MQTT_PASSWORD
  --client-id ID      makes the queue's session durable                         MQTT_CLIENT_ID
  --topic TOPIC       the queue's topic                         (mytopic)       MQTT_TOPIC
  --qos 0|1|2         quality of service                        (1)             MQTT_QOS
  --port PORT         of the page, 0 for any free one           (8080)          PORT
  --host ADDRESS      to listen on; any but loopback needs a    (127.0.0.1)     MQTT_QUEUE_HOST
                      token, and one is made where none is given
  --token WORD        what a visitor must show, 8 characters or more            MQTT_QUEUE_TOKEN
  --allow-host NAME   the page may be asked for by this name too (repeatable)   MQTT_QUEUE_ALLOW_HOST
  --help              this text
`;

const OPTIONS = {
  "broker": { type: "string" },
  "username": { type: "string" },
  "password": { type: "string" },
  "client-id": { type: "string" },
  "topic": { type: "string" },
  "qos": { type: "string" },
  "port": { type: "string" },
  "host": { type: "string" },
  "token": { type: "string" },
  "allow-host": { type: "string", multiple: true },
  "help": { type: "boolean" },
} as const;

/**
 * Reads the settings from the command line and, where a flag is missing, from the environment.
 *
 * @returns the settings, or `null` where only the usage was asked for
 * @throws {UsageError} where something is unknown or cannot be used
 */
export function readSettings(
  args: string[],
  env: (name: string) => string | undefined,
): Settings | null {
  const flags = parseFlags(args);
  if (flags.help) return null;
  const read = (flag: string | undefined, variable: string) => flag ?? (env(variable) || null);
  const host = read(flags.host, "MQTT_QUEUE_HOST") ?? "127.0.0.1";
  const token = read(flags.token, "MQTT_QUEUE_TOKEN");
  if (token !== null && token.length < 8) {
    throw new UsageError("Cannot use the token: 8 characters at least, received a shorter one");
  }
  return {
    brokerUrl: checkBroker(read(flags.broker, "MQTT_URL")),
    username: read(flags.username, "MQTT_USERNAME"),
    password: read(flags.password, "MQTT_PASSWORD"),
    clientId: read(flags["client-id"], "MQTT_CLIENT_ID"),
    topic: checkTopic(read(flags.topic, "MQTT_TOPIC") ?? "mytopic"),
    qos: checkNumber("qos", read(flags.qos, "MQTT_QOS") ?? "1", 2) as QoS,
    host,
    port: checkNumber("port", read(flags.port, "PORT") ?? "8080", 65535),
    token: token ?? (isLoopback(host) ? null : crypto.randomUUID().replaceAll("-", "")),
    allowedHosts: flags["allow-host"] ?? env("MQTT_QUEUE_ALLOW_HOST")?.split(/[\s,]+/) ?? [],
  };
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(host);
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What stands without its option may be an address with a password.
    const what = /unexpected argument/i.test(message)
      ? "a value stands without its option"
      : explainParseError(error);
    throw new UsageError(`Cannot read the command line: ${what}`);
  }
}

function checkBroker(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.parse(text);
  if (url === null || !PROTOCOLS.includes(url.protocol) || url.hostname === "") {
    throw new UsageError(
      `Cannot use the broker: a URL such as mqtt://localhost:1883 is needed, received ${
        describe(url)
      }`,
    );
  }
  return text;
}

/** Never the value itself: it may hold a password, wherever that stands. */
function describe(url: URL | null): string {
  if (url === null || !KNOWN_SCHEMES.includes(url.protocol)) return "something else";
  return url.hostname === "" ? `${url.protocol} without a host` : `${url.protocol}//…`;
}

function checkTopic(topic: string): string {
  if (topic.trim() === "") {
    throw new UsageError(`Cannot use the topic: a name is needed, received "${topic}"`);
  }
  return topic;
}

function checkNumber(name: string, text: string, max: number): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > max) {
    throw new UsageError(
      `Cannot use the ${name}: a number from 0 to ${max} is needed, received ${shownValue(text)}`,
    );
  }
  return Number(text);
}
