import { BytePool } from "./byte_pool.ts";
import type { Delivery, OutgoingMessage, QoS, WireProperties } from "./connection.ts";
import { PacketWriter } from "./packet_writer.ts";

/** The control packets that carry a message and its acknowledgements ([MQTT-2.1.2]). */
export const PacketType = { publish: 3, puback: 4, pubrec: 5, pubrel: 6, pubcomp: 7 } as const;

/** One of them that acknowledges. */
export type AcknowledgementType = Exclude<
  typeof PacketType[keyof typeof PacketType],
  typeof PacketType.publish
>;

/** An acknowledgement as it came. */
export interface Acknowledgement {
  type: AcknowledgementType;
  packetId: number;
  /** 0 on 3.1.1, which has none. */
  reasonCode: number;
}

/** What a packet needs beside the message. */
export interface PublishHead {
  version: 4 | 5;
  /** 0 at QoS 0. */
  packetId: number;
  /** Whether it was sent before. */
  dup: boolean;
}

/** What a PUBLISH is reckoned and written from. */
export type PublishParts = Pick<OutgoingMessage, "topic" | "payload" | "properties">;

/** Identifiers of the properties that a PUBLISH can have ([MQTT-3.3.2.3]). */
const Property = {
  payloadFormat: 1,
  messageExpiry: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  subscriptionIdentifier: 11,
  userProperty: 38,
} as const;

const NO_PROPERTIES: WireProperties = Object.freeze({});

const pool = new BytePool();
/** Packets are measured in it. */
const sizing = new PacketWriter();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes the PUBLISH packet up to its payload ([MQTT-3.3]).
 *
 * @throws {RangeError} where a text, or all of it, is longer than a packet can say
 */
export function writePublishHead(
  writer: PacketWriter,
  message: PublishParts & Pick<OutgoingMessage, "qos" | "retain">,
  { version, packetId, dup }: PublishHead,
): void {
  const { topic, payload, qos, retain, properties } = message;
  writer.byte(PacketType.publish << 4 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0));
  const body = writer.beginMeasured();
  writer.text(topic);
  if (qos > 0) writer.twoBytes(packetId);
  if (version === 5) {
    const begin = writer.beginMeasured();
    writeProperties(writer, properties);
    writer.endMeasured(begin);
  }
  writer.endMeasured(body, payload.byteLength);
}

/** The bytes of the PUBLISH packet at QoS 1 or 2. */
export function publishSize(parts: PublishParts, version: 4 | 5): number {
  sizing.truncate(0);
  const head = { version, packetId: 0, dup: false };
  writePublishHead(sizing, { ...parts, qos: 1, retain: false }, head);
  return sizing.length + parts.payload.byteLength;
}

/**
 * The message in a PUBLISH packet, held by nobody yet.
 *
 * @param flags the low half of its first byte
 * @param body what follows the length; nothing of it is kept
 * @throws {SyntaxError} where it is none ([MQTT-4.13.1-1])
 */
export function decodePublish(flags: number, body: Uint8Array, version: 4 | 5): Delivery {
  const qos = flags >> 1 & 3;
  if (qos === 3) throw new SyntaxError("Cannot read a PUBLISH: it has QoS 3"); // [MQTT-3.3.1-4]
  const topicEnd = textEnd(body, 0, body.byteLength);
  let at = topicEnd;
  let packetId: number | null = null;
  if (qos > 0) {
    if (at + 2 > body.byteLength) throw tooShort();
    packetId = body[at] << 8 | body[at + 1];
    at += 2;
    // [MQTT-2.2.1-3]
    if (packetId === 0) throw new SyntaxError("Cannot read a PUBLISH: its packet id is 0");
  }
  let properties = NO_PROPERTIES;
  if (version === 5) {
    const { value: length, end: start } = variableByteAt(body, at);
    at = start + length;
    if (at > body.byteLength) throw tooShort();
    if (length > 0) properties = readProperties(body, start, at);
  }
  return {
    topic: readTopic(body, topicEnd),
    payload: copyOf(body.subarray(at)),
    qos: qos as QoS,
    retain: (flags & 1) === 1,
    dup: (flags & 8) === 8,
    packetId,
    properties,
  };
}

/** Writes an acknowledgement that all went well. */
export function writeAcknowledgement(
  writer: PacketWriter,
  type: AcknowledgementType,
  packetId: number,
): void {
  writer.byte(type << 4 | (type === PacketType.pubrel ? 2 : 0)); // [MQTT-3.6.1-1]
  writer.byte(2);
  writer.twoBytes(packetId);
}

/**
 * An acknowledgement, its properties left out.
 *
 * @throws {SyntaxError} where it is none
 */
export function decodeAcknowledgement(
  type: AcknowledgementType,
  flags: number,
  body: Uint8Array,
): Acknowledgement {
  if (flags !== (type === PacketType.pubrel ? 2 : 0)) {
    throw new SyntaxError(`Cannot read an acknowledgement: its flags are ${flags}`); // [MQTT-2.1.3-1]
  }
  if (body.byteLength < 2) throw tooShort();
  return { type, packetId: body[0] << 8 | body[1], reasonCode: body[2] ?? 0 };
}

function writeProperties(writer: PacketWriter, properties: WireProperties): void {
  const { messageExpiryInterval, contentType, correlationData, userProperties } = properties;
  if (messageExpiryInterval !== undefined) {
    writer.byte(Property.messageExpiry);
    writer.fourBytes(messageExpiryInterval);
  }
  if (contentType !== undefined) {
    writer.byte(Property.contentType);
    writer.text(contentType);
  }
  if (correlationData !== undefined) {
    writer.byte(Property.correlationData);
    writer.binary(correlationData);
  }
  for (const name in userProperties) {
    const value = userProperties[name];
    for (const one of typeof value === "string" ? [value] : value) {
      writer.byte(Property.userProperty);
      writer.text(name);
      writer.text(one);
    }
  }
}

function readProperties(body: Uint8Array, start: number, end: number): WireProperties {
  const properties: WireProperties = {};
  const textOf = textReader(body, start, end);
  for (let at = start; at < end;) {
    const identifier = body[at++];
    switch (identifier) {
      case Property.userProperty: {
        const nameEnd = textEnd(body, at, end);
        const valueEnd = textEnd(body, nameEnd, end);
        const name = textOf(at + 2, nameEnd);
        addTo(properties.userProperties ??= {}, name, textOf(nameEnd + 2, valueEnd));
        at = valueEnd;
        break;
      }
      case Property.messageExpiry:
        if (at + 4 > end) throw tooShort();
        properties.messageExpiryInterval = (body[at] << 8 | body[at + 1]) * 0x1_0000 +
          (body[at + 2] << 8 | body[at + 3]);
        at += 4;
        break;
      case Property.contentType: {
        const valueEnd = textEnd(body, at, end);
        properties.contentType = textOf(at + 2, valueEnd);
        at = valueEnd;
        break;
      }
      case Property.correlationData: {
        const valueEnd = textEnd(body, at, end);
        properties.correlationData = body.slice(at + 2, valueEnd);
        at = valueEnd;
        break;
      }
      case Property.responseTopic:
        at = textEnd(body, at, end);
        break;
      case Property.payloadFormat:
        at++;
        break;
      case Property.subscriptionIdentifier:
        at = variableByteAt(body, at).end;
        break;
      default: // A topic alias too: none was allowed ([MQTT-3.1.2-26]).
        throw new SyntaxError(`Cannot read a PUBLISH: it has a property ${identifier}`);
    }
    if (at > end) throw tooShort();
  }
  return properties;
}

/** Adds a user property; one that comes again has all its values, in order ([MQTT-3.3.2-18]). */
function addTo(all: Record<string, string | string[]>, name: string, given: string): void {
  const value = Object.hasOwn(all, name) ? [all[name], given].flat() : given;
  if (name !== "__proto__") all[name] = value; // An object without a prototype would be slower.
  else Object.defineProperty(all, name, { value, enumerable: true, configurable: true });
}

/** Reads texts of a part of the body. Where that is ASCII all of it is decoded at once, which is cheaper. */
function textReader(
  body: Uint8Array,
  start: number,
  end: number,
): (from: number, to: number) => string {
  for (let index = start; index < end; index++) {
    if (body[index] > 0x7f) return (from, to) => decoder.decode(body.subarray(from, to));
  }
  const whole = decoder.decode(body.subarray(start, end));
  return (from, to) => whole.slice(from - start, to - start);
}

let lastTopic = { bytes: new Uint8Array(), text: "" };

/** The topic that stands at the beginning, up to `end`. Messages of a queue mostly come on one. */
function readTopic(body: Uint8Array, end: number): string {
  if (!beginsWith(body, end, lastTopic.bytes)) {
    const bytes = body.slice(0, end);
    lastTopic = { bytes, text: decoder.decode(bytes.subarray(2)) };
  }
  return lastTopic.text;
}

function beginsWith(body: Uint8Array, end: number, expected: Uint8Array): boolean {
  if (end !== expected.byteLength) return false;
  for (let index = 0; index < end; index++) {
    if (body[index] !== expected[index]) return false;
  }
  return true;
}

/** A copy, as the bytes around it would stay in memory; not where they are mostly its own. */
function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength * 2 >= bytes.buffer.byteLength) return bytes;
  const copy = pool.take(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

/** Where a field ends that begins with its length in two bytes. */
function textEnd(body: Uint8Array, at: number, limit: number): number {
  if (at + 2 > limit) throw tooShort();
  const end = at + 2 + (body[at] << 8 | body[at + 1]);
  if (end > limit) throw tooShort();
  return end;
}

function variableByteAt(body: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    if (at + index >= body.byteLength) throw tooShort();
    const byte = body[at + index];
    value |= (byte & 0x7f) << 7 * index;
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  throw new SyntaxError("Cannot read a PUBLISH: a length has no end");
}

function tooShort(): SyntaxError {
  return new SyntaxError("Cannot read a packet: it is shorter than it says");
}
