import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Delivery, OutgoingMessage } from "../../lib/connection.ts";
import { mqttPacket } from "../deps.ts";

export type Packet = mqttPacket.Packet;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** All packets that the bytes hold, and nothing else, as the package mqtt-packet reads them. */
export function parsePackets(bytes: Uint8Array, protocolVersion: 4 | 5 = 5): Packet[] {
  const parser = mqttPacket.parser({ protocolVersion });
  const packets: Packet[] = [];
  parser.on("packet", (packet) => packets.push(packet));
  parser.on("error", (error) => {
    throw error;
  });
  assert.equal(parser.parse(Buffer.from(bytes)), 0);
  return packets;
}

/** The bytes of a packet as mqtt-packet writes it; they have a buffer of their own. */
export function generatePacket(
  packet: Packet,
  protocolVersion: 4 | 5 = 5,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(mqttPacket.generate(packet, { protocolVersion }));
}

/** A PUBLISH for mqtt-packet; only what matters to a test is given. */
export function publishPacket(
  given: Partial<Omit<mqttPacket.IPublishPacket, "payload">> & { payload?: Uint8Array | string } =
    {},
): mqttPacket.IPublishPacket {
  const { payload = "", qos = 1, ...rest } = given;
  return {
    cmd: "publish",
    topic: "orders/new",
    payload: Buffer.from(typeof payload === "string" ? encoder.encode(payload) : payload),
    qos,
    retain: false,
    dup: false,
    ...qos === 0 ? {} : { messageId: 1 },
    ...rest,
  };
}

/** A message to send; only what matters to a test is given. */
export function outgoing(
  payload: string | Uint8Array = "",
  given: Partial<OutgoingMessage> = {},
): OutgoingMessage {
  return {
    topic: "orders/new",
    payload: typeof payload === "string" ? encoder.encode(payload) : payload,
    qos: 1,
    retain: false,
    properties: {},
    ...given,
  };
}

/** What a PUBLISH says, in a form that can be compared whoever read it. */
export function factsOfPacket(packet: Packet): unknown {
  assert.ok(packet.cmd === "publish");
  const { topic, payload, qos, retain, dup, messageId = null, properties = {} } = packet;
  return factsOf({
    ...{ topic, qos, retain, dup, properties },
    payload: payload as Buffer,
    packetId: messageId,
  });
}

/** What was read of a PUBLISH. */
export function factsOf(delivery: Delivery): unknown {
  const { topic, payload, qos, retain, dup, packetId, properties } = delivery;
  const { contentType, correlationData, messageExpiryInterval, userProperties = {} } = properties;
  return {
    ...{ topic, qos, retain, dup, packetId, contentType, messageExpiryInterval },
    payload: new Uint8Array(payload),
    correlationData: correlationData && new Uint8Array(correlationData),
    userProperties: Object.entries(userProperties),
  };
}

/** A packet in a few words, such as `publish 7 body dup` or `puback 7`. */
export function wordsOf(packet: Packet): string {
  const words: unknown[] = [packet.cmd, packet.messageId];
  if (packet.cmd === "publish") {
    words.push(decoder.decode(packet.payload as Buffer), packet.dup ? "dup" : "");
  }
  return words.filter((word) => word !== undefined && word !== "").join(" ");
}

/** One behind the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The bytes in pieces; each has so many bytes as the function says, each with its own buffer. */
export function cut(bytes: Uint8Array, nextSize: () => number): Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const size = Math.max(1, nextSize());
    pieces.push(new Uint8Array(bytes.slice(at, at + size)));
    at += size;
  }
  return pieces;
}
