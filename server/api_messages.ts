import { type DeadLetter, MessageEnvelope } from "../mod.ts";

/** A message as the JSON API writes it. */
export interface ApiMessage {
  messageId: string;
  correlationId: string | null;
  messageType: string | null;
  sentTime: string | null;
  contentType: string | null;
  topic: string | null;
  qos: number;
  retained: boolean;
  duplicate: boolean;
  deliveryCount: number;
  lockedUntil: string | null;
  expiry: number | null;
  userProperties: Record<string, string>;
  /** `json`: `message` is the value that was sent; `text`: a string; `base64`: bytes that are no text. */
  encoding: "json" | "text" | "base64";
  message: unknown;
}

/** The message with its body in the form in which it was sent: what goes in as a value comes out as one. */
export function writeMessage(envelope: MessageEnvelope): ApiMessage {
  return {
    messageId: envelope.messageId,
    correlationId: envelope.correlationId,
    messageType: envelope.messageType,
    sentTime: timeOf(envelope.sentTime),
    contentType: envelope.contentType,
    topic: envelope.topic,
    qos: envelope.qos,
    retained: envelope.retained,
    duplicate: envelope.duplicate,
    deliveryCount: envelope.deliveryCount,
    lockedUntil: timeOf(envelope.lockedUntil),
    expiry: envelope.expiry,
    userProperties: envelope.userProperties,
    ...writeBody(envelope),
  };
}

/** A dead letter as the JSON API writes it. */
export type ApiDeadLetter = ReturnType<typeof writeDeadLetter>;

/** A dead letter as the JSON API writes it: the message, and why it was given up. */
export function writeDeadLetter(letter: DeadLetter) {
  const { id, envelope, reason, description, topic, deliveryCount, time } = letter;
  return {
    ...writeMessage(envelope),
    messageId: id,
    reason,
    description,
    topic,
    deliveryCount,
    time: time.toISOString(),
  };
}

/**
 * The envelope in the body of a request to send.
 *
 * @throws {TypeError} where something in it is not what it should be
 */
export function readMessage(request: Record<string, unknown>): MessageEnvelope {
  if (!("message" in request)) {
    throw new TypeError(`Cannot send: "message" is needed, received ${fieldNames(request)}`);
  }
  return new MessageEnvelope(
    readText(request, "correlationId"),
    readText(request, "type"),
    readText(request, "encoding") === null ? request.message : readBytes(request),
  );
}

/** The bytes of a message's body; those of a JSON value as it is written without spaces. */
export function bodyOf({ encoding, message }: ApiMessage): Uint8Array {
  if (message === null) return new Uint8Array();
  if (encoding === "base64") return Uint8Array.fromBase64(String(message));
  return new TextEncoder().encode(encoding === "text" ? String(message) : JSON.stringify(message));
}

/**
 * The text in a field, `null` where the field is missing.
 *
 * @throws {TypeError} where it is no text
 */
export function readText(request: Record<string, unknown>, name: string): string | null {
  const value = request[name] ?? null;
  if (value === null || typeof value === "string") return value;
  throw new TypeError(`Cannot use ${name}: a string is needed, received ${typeof value}`);
}

/**
 * The whole number in a field or parameter.
 *
 * @throws {RangeError} where it is none between `min` and `max`
 */
export function readWhole(
  name: string,
  value: unknown,
  missing: number,
  max: number,
  min = 0,
): number {
  if (value === undefined || value === null) return missing;
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < min || number > max) {
    throw new RangeError(
      `Cannot use ${name}: a whole number from ${min} to ${max} is needed, received ${
        JSON.stringify(value)
      }`,
    );
  }
  return number;
}

/** Bytes that are no text come in as they go out: `encoding` says so. */
function readBytes({ encoding, message }: Record<string, unknown>): Uint8Array {
  if (encoding === "base64" && typeof message === "string") {
    return Uint8Array.fromBase64(message); // A SyntaxError where it is none.
  }
  throw new TypeError(
    `Cannot send: encoding is "base64" with a string or is left out, received ${
      JSON.stringify(encoding)
    }`,
  );
}

function writeBody(
  { message, contentType }: MessageEnvelope,
): Pick<ApiMessage, "encoding" | "message"> {
  if (message === null) return { encoding: "json", message: null };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message);
  } catch {
    return { encoding: "base64", message: message.toBase64() };
  }
  if (contentType !== "application/json") return { encoding: "text", message: text };
  try {
    return { encoding: "json", message: JSON.parse(text) };
  } catch {
    return { encoding: "text", message: text }; // The sender's word was wrong; the bytes are what counts.
  }
}

function timeOf(time: Date | null): string | null {
  return time === null || Number.isNaN(time.getTime()) ? null : time.toISOString();
}

function fieldNames(request: Record<string, unknown>): string {
  return Object.keys(request).map((name) => `"${name}"`).join(", ").slice(0, 200) || "nothing";
}
