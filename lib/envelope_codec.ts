import type { Delivery, QoS, WireProperties } from "./connection.ts";
import { MessageEnvelope } from "./message_envelope.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const OPEN_BRACE = 0x7b;

/** Longest text that a packet can carry, in bytes. */
const MAX_TEXT_BYTES = 65_535;

/** What the codec itself puts among the user properties of a bare message. */
const MESSAGE_ID = "message_id";
const MESSAGE_TYPE = "message_type";
const SENT_TIME = "sent_time";

/** What `encodeEnvelope` needs beside the envelope. */
export interface EncodeOptions {
  /** Used where the envelope has no correlation id. */
  correlationId: string | null;
  /** `true`: JSON; `false`: the body alone; unset: what loses nothing on this version. */
  serializeEnvelope: boolean | undefined;
  /** The protocol version of the link: properties travel on 5 only. */
  protocolVersion: 4 | 5;
  /** Seconds until the broker drops it, or `null`. */
  expiry: number | null;
  /** When it is sent. */
  now: number;
  /** User properties that are not the envelope's own: the trace context. */
  carrier?: Record<string, string>;
}

/** A payload and what travels beside it. */
export interface EncodedEnvelope {
  payload: Uint8Array;
  properties: WireProperties;
}

/** What was read, and whether the sender named the message or the id is ours. */
export interface DecodedEnvelope {
  envelope: MessageEnvelope;
  hasOwnId: boolean;
}

/**
 * The envelope as it goes on the wire. The envelope is not changed.
 *
 * @throws {TypeError} where a property is no text that MQTT can carry ([MQTT-1.5.4])
 */
export function encodeEnvelope(envelope: MessageEnvelope, options: EncodeOptions): EncodedEnvelope {
  const { protocolVersion, serializeEnvelope, expiry } = options;
  const correlationId = envelope.correlationId ?? options.correlationId;
  const sentTime = new Date(options.now).toISOString();
  const properties: WireProperties = {};
  assertText("correlationId", correlationId);
  assertText("messageId", envelope.messageId);
  assertText("messageType", envelope.messageType);
  assertText("contentType", envelope.contentType);
  for (const [key, value] of Object.entries(envelope.userProperties)) {
    assertText("userProperties", key);
    assertText(`userProperties.${key}`, value);
  }
  if (protocolVersion === 5 && expiry !== null) properties.messageExpiryInterval = expiry;

  if (serializeEnvelope ?? protocolVersion === 4) {
    const json = envelope.toJSON();
    json.correlation_id = json.trace_id = correlationId;
    json.sent_time = sentTime;
    const traced = options.carrier !== undefined && Object.keys(options.carrier).length > 0;
    if (protocolVersion === 5) properties.contentType = "application/json";
    // MQTT.js makes a malformed packet of user properties without any.
    if (traced && protocolVersion === 5) properties.userProperties = { ...options.carrier };
    else if (traced) json.user_properties = { ...json.user_properties, ...options.carrier };
    return { payload: encoder.encode(JSON.stringify(json)), properties };
  }

  if (protocolVersion === 5) {
    if (envelope.contentType !== null) properties.contentType = envelope.contentType;
    if (correlationId !== null) properties.correlationData = encoder.encode(correlationId);
    properties.userProperties = {
      ...envelope.userProperties,
      ...options.carrier,
      [MESSAGE_ID]: envelope.messageId,
      [SENT_TIME]: sentTime,
    };
    if (envelope.messageType !== null) {
      properties.userProperties[MESSAGE_TYPE] = envelope.messageType;
    }
  }
  return { payload: envelope.message ?? new Uint8Array(), properties };
}

/**
 * The envelope in what arrived. Never throws: what is no envelope comes back as raw bytes with the
 * topic as its type.
 */
export function decodeEnvelope(
  delivery: Delivery,
  serializeEnvelope: boolean | undefined,
  now: number,
): DecodedEnvelope {
  const { properties } = delivery;
  const named = properties.userProperties?.[MESSAGE_ID] !== undefined;
  const fromJson = named || serializeEnvelope === false ? null : readJson(delivery.payload);
  const envelope = fromJson ?? readBare(delivery, now);
  for (const [key, value] of Object.entries(properties.userProperties ?? {})) {
    if (isOurs(key) && fromJson === null) continue;
    envelope.userProperties[key] ??= lastOf(value);
  }
  envelope.expiry = properties.messageExpiryInterval ?? null;
  envelope.topic = delivery.topic;
  envelope.qos = delivery.qos as QoS;
  envelope.retained = delivery.retain;
  envelope.duplicate = delivery.dup;
  return { envelope, hasOwnId: named || fromJson !== null };
}

function readJson(payload: Uint8Array): MessageEnvelope | null {
  if (payload[0] !== OPEN_BRACE) return null;
  try {
    return MessageEnvelope.fromJSON(decoder.decode(payload));
  } catch {
    return null; // Tolerant reading: it is somebody else's payload, and stays as it is.
  }
}

function readBare(delivery: Delivery, now: number): MessageEnvelope {
  const { properties, topic } = delivery;
  const own = properties.userProperties ?? {};
  const envelope = new MessageEnvelope(
    properties.correlationData === undefined ? null : decoder.decode(properties.correlationData),
    own[MESSAGE_TYPE] === undefined ? topic : lastOf(own[MESSAGE_TYPE]),
  );
  if (own[MESSAGE_ID] !== undefined) {
    envelope.messageId = lastOf(own[MESSAGE_ID]);
    // A sender of ours that gave no type said so; the topic stands in for foreign senders only.
    if (own[MESSAGE_TYPE] === undefined) envelope.messageType = null;
  }
  const sent = own[SENT_TIME] === undefined ? NaN : Date.parse(lastOf(own[SENT_TIME]));
  envelope.sentTime = new Date(Number.isNaN(sent) ? now : sent);
  envelope.message = delivery.payload;
  envelope.contentType = properties.contentType ?? null;
  return envelope;
}

function assertText(what: string, value: string | null): void {
  if (value === null) return;
  const sendable = typeof value === "string" && value.isWellFormed() && !value.includes("\0") &&
    (value.length <= MAX_TEXT_BYTES / 3 || encoder.encode(value).byteLength <= MAX_TEXT_BYTES);
  if (!sendable) {
    const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 50)) : typeof value;
    throw new TypeError(
      `Cannot send: ${what} must be text of at most ${MAX_TEXT_BYTES} bytes without NUL, received ${shown}`,
    );
  }
}

function isOurs(key: string): boolean {
  return key === MESSAGE_ID || key === MESSAGE_TYPE || key === SENT_TIME;
}

function lastOf(value: string | string[]): string {
  return typeof value === "string" ? value : value.at(-1) ?? "";
}
