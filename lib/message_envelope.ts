import type { QoS } from "./connection.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const TEXT_IN_STRING = 50;

let readReceipt: (envelope: MessageEnvelope) => unknown;
let writeReceipt: (envelope: MessageEnvelope, receipt: unknown) => void;

/** What ties an envelope to the message that a queue holds. For the queue, not for its users. */
export function receiptOf(envelope: MessageEnvelope): unknown {
  return readReceipt(envelope);
}

/** Ties an envelope to the message that a queue holds. */
export function setReceipt(envelope: MessageEnvelope, receipt: unknown): void {
  writeReceipt(envelope, receipt);
}

/** An envelope as JSON: the form that Pip.Services writes, and what it does not know when it is there. */
export interface MessageEnvelopeJson {
  /** Unique. */
  message_id: string;
  /** What ties it to other work. */
  correlation_id: string | null;
  /** The same value as `correlation_id`; newer Pip.Services versions read this key. */
  trace_id: string | null;
  /** What the message is. */
  message_type: string | null;
  /** ISO 8601; `null` for a date that is none. */
  sent_time: string | null;
  /** The body in base64. */
  message: string | null;
  /** Media type of the body; where there is one. */
  content_type?: string;
  /** Properties of the sender's own; where there are some. */
  user_properties?: Record<string, string>;
}

/**
 * A message with what is said about it: who it belongs to, what it is, when it was sent.
 *
 * The first fields are the sender's. Those from `topic` on are filled in when a message arrives and
 * are not sent. The body is bytes; text is UTF-8.
 *
 * @example
 * ```ts
 * import { MessageEnvelope } from "../mod.ts";
 * const envelope = new MessageEnvelope("123", "order", { id: 7 });
 * console.log(envelope.getMessageAs<{ id: number }>()?.id); // 7
 * ```
 */
export class MessageEnvelope {
  /** Unique; a random UUID unless it is given. */
  messageId: string;
  /** What ties the message to other work, or `null`. `send` fills it in on the wire where it is `null`. */
  correlationId: string | null;
  /** What the message is; the topic where a foreign sender did not say. */
  messageType: string | null;
  /** When it was sent; when it arrived where a foreign sender did not say. */
  sentTime: Date;
  /** The body. */
  message: Uint8Array | null = null;
  /** Media type of the body, such as `application/json`, or `null`. */
  contentType: string | null = null;
  /** Properties of your own. They travel on every protocol version but in the bare form on 3.1.1. */
  userProperties: Record<string, string> = {};
  /** Seconds until the broker drops the message ([MQTT-3.3.2.3.3]), or `null`. On arrival: what remains. */
  expiry: number | null = null;

  /** The topic it arrived on. */
  topic: string | null = null;
  /** The quality of service it arrived with. */
  qos: QoS = 0;
  /** Whether the broker had it stored as the topic's retained message. */
  retained: boolean = false;
  /** Whether the broker may have delivered it before (DUP). */
  duplicate: boolean = false;
  /** How often it was handed to a receiver of this queue, this time included. */
  deliveryCount: number = 0;
  /** When the lock runs out, or `null` without one. */
  lockedUntil: Date | null = null;

  #reference: object | null = null;
  #receipt: unknown = null;

  static {
    readReceipt = (envelope) => envelope.#receipt;
    writeReceipt = (envelope, receipt) => envelope.#receipt = receipt;
  }

  /**
   * Makes a message to send.
   *
   * @param correlationId ties it to other work, or `null`
   * @param messageType what the message is
   * @param message the body: a string (UTF-8), bytes or an `ArrayBuffer` (kept as they are), or any JSON value
   * @param identity what it is known by, where it has that already: a new id and the time now by default
   * @throws {TypeError} where the body cannot be written as JSON
   */
  constructor(
    correlationId: string | null = null,
    messageType: string | null = null,
    message: unknown = null,
    identity: { messageId?: string; sentTime?: Date } = {},
  ) {
    this.messageId = identity.messageId ?? crypto.randomUUID();
    this.sentTime = identity.sentTime ?? new Date();
    this.correlationId = correlationId;
    this.messageType = messageType;
    if (typeof message === "string") this.setMessageAsString(message);
    else if (message instanceof Uint8Array) this.message = message;
    else if (message instanceof ArrayBuffer) this.message = new Uint8Array(message);
    else if (ArrayBuffer.isView(message)) {
      this.message = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
    } else if (message !== null && message !== undefined) this.setMessageAsObject(message);
  }

  /** The body as text, or `null` without one. Bytes that are no UTF-8 show as U+FFFD. */
  getMessageAsString(): string | null {
    return this.message === null ? null : decoder.decode(this.message);
  }

  /** Makes the text the body. */
  setMessageAsString(value: string | null): void {
    this.message = value === null ? null : encoder.encode(value);
  }

  /**
   * The body read as JSON, or `null` without one, or with an empty one: in the bare form a body that
   * is `null` arrives empty. `T` is the caller's word; nothing is checked.
   *
   * @throws {SyntaxError} where the body is no JSON
   */
  getMessageAs<T>(): T | null {
    const text = this.getMessageAsString();
    return text === null || text === "" ? null : JSON.parse(text) as T;
  }

  /**
   * Makes the value, written as JSON, the body.
   *
   * @throws {TypeError} where it has no JSON form
   */
  setMessageAsObject(value: unknown): void {
    if (value === null || value === undefined) {
      this.message = null;
      return;
    }
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError(`Cannot set the message: no JSON form, received ${typeof value}`);
    }
    this.setMessageAsString(text);
    this.contentType = "application/json";
  }

  /** The lock under which the message was received, or `null`: none, or settled. */
  getReference(): object | null {
    return this.#reference;
  }

  /** Sets the lock. The queue does this; there is rarely a reason to. */
  setReference(value: object | null): void {
    this.#reference = value;
  }

  /** `[correlation id,type,first 50 characters]`, `---` for what is missing. */
  toString(): string {
    const text = this.getMessageAsString();
    return `[${this.correlationId || "---"},${this.messageType || "---"},${
      text === null ? "---" : text.slice(0, TEXT_IN_STRING)
    }]`;
  }

  /** The envelope in the form that travels with `serializeEnvelope`. */
  toJSON(): MessageEnvelopeJson {
    return envelopeJson(this, this.correlationId, this.sentTime.toJSON());
  }

  /**
   * The envelope that `toJSON` wrote, from the object or its text. Either id key is read.
   *
   * @throws {SyntaxError} where the text is no JSON or the body no base64
   * @throws {TypeError} where it is no envelope
   */
  static fromJSON(value: unknown): MessageEnvelope {
    const json: unknown = typeof value === "string" ? JSON.parse(value) : value;
    const envelope = readEnvelope(json, Date.now());
    if (envelope !== null) return envelope;
    throw new TypeError(
      `Cannot read an envelope: message_id, message_type and message are needed, received ${
        String(JSON.stringify(json)).slice(0, 200)
      }`,
    );
  }
}

/**
 * The envelope as JSON.
 *
 * @param sentTime ISO 8601
 */
export function envelopeJson(
  { messageId, messageType, message, contentType, userProperties }: MessageEnvelope,
  correlationId: string | null,
  sentTime: string | null,
): MessageEnvelopeJson {
  const json: MessageEnvelopeJson = {
    message_id: messageId,
    correlation_id: correlationId,
    trace_id: correlationId,
    message_type: messageType,
    sent_time: sentTime,
    message: message === null ? null : message.toBase64(),
  };
  if (contentType !== null) json.content_type = contentType;
  if (Object.keys(userProperties).length > 0) json.user_properties = userProperties;
  return json;
}

/**
 * The envelope in a JSON value, or `null` where it is none.
 *
 * @param now stands in where the sender did not say when
 * @throws {SyntaxError} where the body is no base64
 */
export function readEnvelope(json: unknown, now: number): MessageEnvelope | null {
  if (!isEnvelopeJson(json)) return null;
  const sent = new Date(json.sent_time ?? NaN);
  const envelope = new MessageEnvelope(
    json.correlation_id ?? json.trace_id,
    json.message_type,
    json.message === null ? null : Uint8Array.fromBase64(json.message),
    {
      messageId: json.message_id ?? undefined,
      sentTime: Number.isNaN(sent.getTime()) ? new Date(now) : sent,
    },
  );
  if (typeof json.content_type === "string") envelope.contentType = json.content_type;
  envelope.userProperties = stringEntries(json.user_properties);
  return envelope;
}

type EnvelopeJsonRead = {
  message_id: string | null;
  correlation_id?: string | null;
  trace_id?: string | null;
  message_type: string | null;
  sent_time?: string | null;
  message: string | null;
  content_type?: unknown;
  user_properties?: unknown;
};

function isEnvelopeJson(value: unknown): value is EnvelopeJsonRead {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const json = value as Record<string, unknown>;
  return isText(json.message_id) && isText(json.message_type) && isText(json.message) &&
    isTextOrMissing(json.correlation_id) && isTextOrMissing(json.trace_id) &&
    isTextOrMissing(json.sent_time);
}

function isText(value: unknown): value is string | null {
  return typeof value === "string" || value === null;
}

function isTextOrMissing(value: unknown): value is string | null | undefined {
  return value === undefined || isText(value);
}

function stringEntries(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string"));
}
