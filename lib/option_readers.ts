import { ConfigError } from "./errors.ts";
import { isPlainText } from "./topic_filter.ts";

/** Reads the value under a key, or throws a `ConfigError` that names the key. */
export type Reader = (value: unknown, key: string) => unknown;

/** The schemes that a broker's address may have. */
export const PROTOCOLS = ["mqtt", "mqtts", "ws", "wss"];

/** The longest client id, in bytes: the sending link puts `-send` behind it ([MQTT-1.5.4]). */
const MAX_CLIENT_ID_BYTES = 65_535 - "-send".length;

/** The address of a broker. */
export function readUrl(value: unknown, key: string): string {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (
    url === null || !isDecodable(url.username) || !isDecodable(url.password) ||
    !PROTOCOLS.includes(url.protocol.slice(0, -1)) || url.hostname === ""
  ) {
    // The address may hold a password, so what was received is not shown.
    throw new ConfigError(
      `Cannot configure "${key}": mqtt://host:port is needed (or mqtts, ws, wss; "%" as %25)`,
      key,
    );
  }
  return url.href;
}

/** `auto`, 5, 4, or its other name 3.1.1. */
export function readProtocolVersion(value: unknown, key: string): "auto" | 4 | 5 {
  if (value === "auto") return value;
  const version = value === "3.1.1" ? 4 : typeof value === "string" ? Number(value) : value;
  if (version === 4 || version === 5) return version;
  throw illTyped(key, '"auto", 4 or 5', value);
}

/** A string that is not empty. */
export function text(value: unknown, key: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw illTyped(key, "a string that is not empty", value);
}

/** A client id that a broker takes, on both links. */
export function clientId(value: unknown, key: string): string {
  const id = text(value, key);
  if (!isPlainText(id)) {
    throw illTyped(key, "text without control characters and lone surrogates", id);
  }
  const bytes = new TextEncoder().encode(id).byteLength;
  if (bytes <= MAX_CLIENT_ID_BYTES) return id;
  throw new ConfigError(
    `Cannot configure "${key}": at most ${MAX_CLIENT_ID_BYTES} bytes in UTF-8, received ${bytes}`,
    key,
  );
}

/** `true` or `false`, also as text or number. */
export function boolean(value: unknown, key: string): boolean {
  if (value === true || value === "true" || value === "1" || value === 1) return true;
  if (value === false || value === "false" || value === "0" || value === 0) return false;
  throw illTyped(key, "true or false", value);
}

/** A whole number within bounds, also as text. */
export function integer(min: number, max: number): Reader {
  return (value, key) => {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) {
      return number;
    }
    throw illTyped(key, `a whole number from ${min} to ${max}`, value);
  };
}

/** One of these strings. */
export function oneOf(...choices: string[]): Reader {
  return (value, key) => {
    if (typeof value === "string" && choices.includes(value)) return value;
    throw illTyped(key, choices.map((choice) => `"${choice}"`).join(" or "), value);
  };
}

/** A string that passes a check of its own. */
export function checked(assert: (value: string) => void): Reader {
  return (value, key) => {
    try {
      assert(value as string);
      return value;
    } catch (cause) {
      throw new ConfigError(`Cannot configure "${key}": ${(cause as Error).message}`, key, {
        cause,
      });
    }
  };
}

/** A string, or a function that gives one. The value is never shown. */
export function credential(value: unknown, key: string): unknown {
  if (typeof value === "string" || typeof value === "function") return value;
  throw new ConfigError(`Cannot configure "${key}": a string or a function is needed`, key);
}

/** A key or certificate. The value is never shown. */
export function pem(value: unknown, key: string): unknown {
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw new ConfigError(`Cannot configure "${key}": PEM text or bytes are needed`, key);
}

/** The name of a host, nothing around it. What is received is not shown: it may hold a password. */
export function hostName(value: unknown, key: string): string {
  const host = typeof value === "string" && value.includes(":") && !value.startsWith("[")
    ? `[${value}]`
    : value;
  const url = typeof host === "string" ? URL.parse(`mqtt://${host}:1883`) : null;
  if (url !== null && url.hostname !== "" && url.host === `${url.hostname}:1883` && isBare(url)) {
    return host as string;
  }
  throw new ConfigError(`Cannot configure "${key}": the name or address of a host is needed`, key);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function inspect(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value; // Circular, or a bigint.
  }
}

function isBare(url: URL): boolean {
  return url.username + url.password + url.search + url.hash === "" && url.pathname.length < 2;
}

function illTyped(key: string, needed: string, value: unknown): ConfigError {
  const shown = typeof value === "string" ? JSON.stringify(value) : inspect(value);
  return new ConfigError(`Cannot configure "${key}": ${needed} is needed, received ${shown}`, key);
}
