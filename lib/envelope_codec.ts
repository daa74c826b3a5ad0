import type { Delivery, QoS, WireProperties } from "./connection.ts";
import { envelopeJson, MessageEnvelope, readEnvelope } from "./message_envelope.ts";
import { RESENT } from "./resent_mark.ts";
import { isPlainText } from "./topic_filter.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const OPEN_BRACE = 0x7b;

/** Longest text that a packet can carry, in bytes. */
const MAX_TEXT_BYTES = 65_535;

/** How a property of an ordinary object is. */
const OWN = { enumerable: true, writable: true, configurable: true };

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
  const sentTime = isoTime(options.now);
  const properties: WireProperties = {};
  if (protocolVersion === 5 && expiry !== null) properties.messageExpiryInterval = expiry;

  if (envelope.message !== null && !(envelope.message instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot send: message must be a Uint8Array or null, received ${typeof envelope.message}`,
    );
  }
  const unsendable = unsendableText(envelope, correlationId);
  // Unset: properties carry all but what they cannot, and a body that is none is not an empty one.
  const bare = serializeEnvelope === undefined
    ? protocolVersion === 5 && unsendable === null && envelope.message !== null
    : !serializeEnvelope;
  if (bare && protocolVersion === 5 && unsendable !== null) {
    throw new TypeError(
      `Cannot send: ${unsendable} must be text of at most ${MAX_TEXT_BYTES} bytes without control characters`,
    );
  }

  if (!bare) {
    const json = envelopeJson(envelope, correlationId, sentTime);
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
  const fromJson = named || serializeEnvelope === false ? null : readJson(delivery.payload, now);
  const envelope = fromJson ?? readBare(delivery, now);
  const given = properties.userProperties;
  const hasOwnId = named || fromJson !== null;
  for (const key in given) {
    // The mark is ours beside an id; a foreign sender may mean something else by the word.
    if (key === RESENT ? hasOwnId : isOurs(key) && fromJson === null) continue;
    if (Object.hasOwn(envelope.userProperties, key)) continue;
    // A plain assignment would lose a property called "__proto__".
    Object.defineProperty(envelope.userProperties, key, { ...OWN, value: lastOf(given[key]) });
  }
  envelope.expiry = properties.messageExpiryInterval ?? null;
  envelope.topic = delivery.topic;
  envelope.qos = delivery.qos as QoS;
  envelope.retained = delivery.retain;
  envelope.duplicate = delivery.dup;
  return { envelope, hasOwnId };
}

function readJson(payload: Uint8Array, now: number): MessageEnvelope | null {
  if (payload[0] !== OPEN_BRACE) return null;
  try {
    return readEnvelope(JSON.parse(decoder.decode(payload)), now);
  } catch {
    return null; // Tolerant reading: it is somebody else's payload, and stays as it is.
  }
}

function readBare(delivery: Delivery, now: number): MessageEnvelope {
  const { properties, topic } = delivery;
  const own = properties.userProperties ?? {};
  const [id, type, time] = [own[MESSAGE_ID], own[MESSAGE_TYPE], own[SENT_TIME]];
  const sent = time === undefined ? NaN : Date.parse(lastOf(time));
  // A sender of ours that gave no type said so; the topic stands in for foreign senders only.
  const untyped = id === undefined ? topic : null;
  const envelope = new MessageEnvelope(
    properties.correlationData === undefined ? null : decoder.decode(properties.correlationData),
    type === undefined ? untyped : lastOf(type),
    delivery.payload,
    {
      messageId: id === undefined ? undefined : lastOf(id),
      sentTime: new Date(Number.isNaN(sent) ? now : sent),
    },
  );
  envelope.contentType = properties.contentType ?? null;
  return envelope;
}

/**
 * What a property cannot carry, or `null`: JSON is used then, unless the bare form is asked for.
 *
 * @throws {TypeError} where it is no text at all
 */
function unsendableText(envelope: MessageEnvelope, correlationId: string | null): string | null {
  const { messageId, messageType, contentType, userProperties } = envelope;
  let unsendable: string | null = null;
  const check = (what: string, value: unknown) => {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot send: ${what} must be text, received ${typeof value}`);
    }
    if (!isSendable(value)) unsendable ??= what;
  };
  check("messageId", messageId);
  if (correlationId !== null) check("correlationId", correlationId);
  if (messageType !== null) check("messageType", messageType);
  if (contentType !== null) check("contentType", contentType);
  for (const key of Object.keys(userProperties)) {
    check("userProperties", key);
    if (isOurs(key)) unsendable ??= `userProperties.${key}`; // The name is taken there.
    check(`userProperties.${key}`, userProperties[key]);
  }
  return unsendable;
}

let lastTime = { now: NaN, text: "" };

/** ISO 8601; many messages are sent in one millisecond. */
function isoTime(now: number): string {
  if (now !== lastTime.now) lastTime = { now, text: new Date(now).toISOString() };
  return lastTime.text;
}

/** Whether a property can carry it ([MQTT-1.5.4]). */
function isSendable(text: string): boolean {
  return isPlainText(text) &&
    (text.length <= MAX_TEXT_BYTES / 3 || encoder.encode(text).byteLength <= MAX_TEXT_BYTES);
}

function isOurs(key: string): boolean {
  return key === MESSAGE_ID || key === MESSAGE_TYPE || key === SENT_TIME || key === RESENT;
}

function lastOf(value: string | string[]): string {
  return typeof value === "string" ? value : value.at(-1) ?? "";
}
