import { MessageEnvelope, type QoS } from "../mod.ts";
import { type CommandLine, quoteWord, splitWord, unquoteText } from "./command_line.ts";

/** A message as a person wants it sent. What is `null` is as the queue has it. */
export interface MessageDraft {
  body: string | Uint8Array;
  messageType: string | null;
  correlationId: string | null;
  /** Another topic than the queue's. */
  to: string | null;
  qos: QoS | null;
  retain: boolean;
  /** Seconds. */
  expiry: number | null;
  userProperties: Record<string, string>;
}

/** The options of a line that sends. */
export const DRAFT_OPTIONS = [
  "type",
  "correlation-id",
  "qos",
  "retain",
  "expiry",
  "property",
  "to",
  "base64",
] as const;

/** Those of them that take no value. */
export const DRAFT_FLAGS = ["retain", "base64"] as const;

const MAX_EXPIRY_S = 4_294_967_295;

/**
 * The message that a line stands for.
 *
 * @throws {SyntaxError} where there is no text, or a property is not `key=value`
 * @throws {RangeError} where a number is none
 */
export function readDraft({ name, options, rest }: CommandLine): MessageDraft {
  if (rest === "") {
    throw new SyntaxError(`Cannot ${name}: a text is needed, received none; try: send hello`);
  }
  const last = (option: string) => options.get(option)?.at(-1) ?? null;
  return {
    body: options.has("base64") ? readBase64(rest) : unquoteText(rest),
    messageType: last("type"),
    correlationId: last("correlation-id"),
    to: last("to"),
    qos: readNumber("--qos", last("qos"), 0, 2) as QoS | null,
    retain: options.has("retain"),
    expiry: readNumber("--expiry", last("expiry"), 1, MAX_EXPIRY_S),
    userProperties: readProperties(options.get("property") ?? []),
  };
}

/** The message as an envelope. JSON goes as it was typed, marked as JSON. */
export function envelopeOf(draft: MessageDraft): MessageEnvelope {
  const envelope = new MessageEnvelope(draft.correlationId, draft.messageType, draft.body);
  if (typeof draft.body === "string" && isJson(draft.body)) {
    envelope.contentType = "application/json";
  }
  envelope.userProperties = { ...draft.userProperties };
  return envelope;
}

/** The line that would have to be typed to send the message. */
export function writeDraft(draft: MessageDraft): string {
  const words = ["send"];
  const add = (option: string, value: string | number | null) => {
    if (value !== null) words.push(`--${option}`, quoteWord(String(value)));
  };
  add("to", draft.to);
  add("type", draft.messageType);
  add("correlation-id", draft.correlationId);
  add("qos", draft.qos);
  if (draft.retain) words.push("--retain");
  add("expiry", draft.expiry);
  for (const [key, value] of Object.entries(draft.userProperties)) {
    add("property", `${key}=${value}`);
  }
  if (draft.body instanceof Uint8Array) words.push("--base64", quoteWord(draft.body.toBase64()));
  else words.push(writeText(draft.body));
  return words.join(" ");
}

/** The draft that would send the message again. */
export function draftOf(envelope: MessageEnvelope): MessageDraft {
  const { message, messageType, topic } = envelope;
  return {
    body: readUtf8(message ?? new Uint8Array()) ?? message ?? "",
    // A foreign sender's message is called after its topic.
    messageType: messageType === topic ? null : messageType,
    correlationId: envelope.correlationId,
    to: null,
    qos: null,
    retain: envelope.retained,
    expiry: envelope.expiry,
    userProperties: envelope.userProperties,
  };
}

/** The bytes as text, or `null` where they are none. */
export function readUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // The caller shows bytes.
  }
}

/**
 * The whole number that was typed, `null` where none was.
 *
 * @throws {RangeError} where it is none between `min` and `max`
 */
export function readNumber(
  name: string,
  text: string | null,
  min: number,
  max: number,
): number | null {
  if (text === null || text === "") return null;
  if (!/^\d{1,10}$/.test(text) || Number(text) < min || Number(text) > max) {
    throw new RangeError(
      `Cannot use ${name}: a whole number from ${min} to ${max} is needed, received "${text}"`,
    );
  }
  return Number(text);
}

/**
 * Properties as they are typed, each `key=value`.
 *
 * @throws {SyntaxError} where one is not
 */
export function readProperties(lines: readonly string[]): Record<string, string> {
  const entries = lines.map((line) => {
    const [, key, value] = /^([^=]+)=([^]*)$/.exec(line) ?? [];
    if (key === undefined) {
      throw new SyntaxError(`Cannot use a property: key=value is needed, received "${line}"`);
    }
    return [key, value];
  });
  return Object.fromEntries(entries);
}

function writeText(text: string): string {
  const asItStands = text === text.trim() && !/^(?:--|@|["'])/.test(text) && text !== "";
  return asItStands ? text : JSON.stringify(text);
}

function readBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(splitWord(text)[0]);
  } catch (error) {
    throw new SyntaxError("Cannot send: with --base64 the text must be base64", { cause: error });
  }
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
