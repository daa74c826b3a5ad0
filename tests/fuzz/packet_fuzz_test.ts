import assert from "node:assert/strict";
import type { Delivery, OutgoingMessage, QoS } from "../../lib/connection.ts";
import { PacketReader } from "../../lib/packet_reader.ts";
import { PacketWriter } from "../../lib/packet_writer.ts";
import {
  type AcknowledgementType,
  decodeAcknowledgement,
  decodePublish,
  PacketType,
  publishSize,
  writePublishHead,
} from "../../lib/publish_packet.ts";
import { concat, cut, factsOf, factsOfPacket, parsePackets } from "../lib/packets.ts";
import { check } from "./check.ts";
import { fc } from "./deps.ts";
import { anyText } from "./hostile_messages.ts";

const OUR_TYPES: readonly number[] = Object.values(PacketType);

/** Text that comes out of UTF-8 as it went in. */
const wellFormed = anyText.map((text) => text.toWellFormed());
/** mqtt-packet loses an empty value that is followed by another one. */
const repeated = fc.array(wellFormed.filter((text) => text !== ""), { minLength: 2, maxLength: 4 });

const anyMessage: fc.Arbitrary<OutgoingMessage> = fc.record({
  topic: wellFormed,
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 16_000, max: 17_000 }).map((length) => new Uint8Array(length).fill(length)),
  ),
  qos: fc.constantFrom<QoS[]>(0, 1, 2),
  retain: fc.boolean(),
  properties: fc.record({
    contentType: wellFormed,
    correlationData: fc.uint8Array({ maxLength: 50 }),
    messageExpiryInterval: fc.integer({ min: 0, max: 0xffff_ffff }),
    userProperties: fc.dictionary(wellFormed, fc.oneof(wellFormed, repeated), { maxKeys: 5 }),
  }, { requiredKeys: [] }),
});

/** Messages with the packet ids under which they are sent, and whether they were sent before. */
const anyPublishes = fc.array(
  fc.record({
    message: anyMessage,
    packetId: fc.integer({ min: 1, max: 65_535 }),
    dup: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

const anyVersion = fc.constantFrom<(4 | 5)[]>(4, 5);
/** Of chunks, in turn. */
const anySizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 20_000 })),
  {
    minLength: 1,
    maxLength: 10,
  },
);

/** A packet that says its own length, with whatever in it. */
const anyPacket = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 127 }))
  .map(([firstByte, body]) => concat([Uint8Array.of(firstByte, body.byteLength), body]));

/** What looks like a packet of ours, with some bytes changed. */
const nearlyPublish = fc.tuple(
  anyMessage,
  anyVersion,
  fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
).map(([message, version, changes]) => {
  const packet = encode({ message, packetId: 1, dup: false }, version);
  for (const [place, byte] of changes) packet[place % packet.byteLength] = byte;
  return packet;
});

interface Sent {
  message: OutgoingMessage;
  packetId: number;
  dup: boolean;
}

function encode({ message, packetId, dup }: Sent, version: 4 | 5): Uint8Array<ArrayBuffer> {
  const id = message.qos === 0 ? 0 : packetId;
  const writer = new PacketWriter();
  writePublishHead(writer, message, { version, packetId: id, dup });
  writer.raw(message.payload);
  return writer.take();
}

/** What we read of a stream, to its end or to where it cannot be read; what is no message is `null`. */
function read(
  chunks: Iterable<Uint8Array>,
  version: 4 | 5,
): { packets: (Delivery | null)[]; error: SyntaxError | null } {
  const packets: (Delivery | null)[] = [];
  const reader = new PacketReader(OUR_TYPES, {
    onPacket(type, flags, body) {
      assert.ok(OUR_TYPES.includes(type));
      if (type === PacketType.publish) packets.push(decodePublish(flags, body, version));
      else {
        decodeAcknowledgement(type as AcknowledgementType, flags, body);
        packets.push(null);
      }
    },
    onOther(packet) {
      assert.ok(!OUR_TYPES.includes(packet[0] >> 4));
      packets.push(null);
    },
  });
  try {
    for (const chunk of chunks) reader.read(chunk);
    return { packets, error: null };
  } catch (error) {
    assert.ok(error instanceof SyntaxError, `${error}`);
    return { packets, error };
  }
}

/** Takes chunks of these sizes, over and over. */
function sized(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  let turn = 0;
  return cut(bytes, () => sizes[turn++ % sizes.length]);
}

Deno.test("any messages come out of the wire as they went in, however it is cut", async () => {
  await check(fc.property(anyPublishes, anyVersion, anySizes, (sent, version, sizes) => {
    const bytes = concat(sent.map((each) => encode(each, version)));
    const expected = sent.map(({ message, packetId, dup }) =>
      factsOf({
        ...message,
        dup,
        packetId: message.qos === 0 ? null : packetId,
        properties: version === 4 ? {} : message.properties,
      })
    );
    const { packets, error } = read(sized(bytes, sizes), version);
    assert.equal(error, null);
    assert.deepEqual(packets.map((delivery) => factsOf(delivery!)), expected);
    assert.deepEqual(parsePackets(bytes, version).map(factsOfPacket), expected);
  }));
});

Deno.test("any message is as large as it was reckoned", async () => {
  await check(fc.property(anyPublishes, anyVersion, (sent, version) => {
    for (const { message, packetId, dup } of sent) {
      const sure = { ...message, qos: 1 as const };
      const { byteLength } = encode({ message: sure, packetId, dup }, version);
      assert.equal(publishSize(sure, version), byteLength);
    }
  }));
});

Deno.test("any text comes out of the wire as UTF-8 has it", async () => {
  await check(fc.property(anyText, anyText, anyText, (topic, name, value) => {
    const properties = { contentType: value, userProperties: { [name]: value } };
    const message = {
      topic,
      payload: new Uint8Array(),
      qos: 0,
      retain: false,
      properties,
    } as const;
    const [delivery] = read([encode({ message, packetId: 0, dup: false }, 5)], 5).packets;
    assert.equal(delivery!.topic, topic.toWellFormed());
    assert.equal(delivery!.properties.contentType, value.toWellFormed());
    assert.deepEqual(Object.entries(delivery!.properties.userProperties!), [
      [name.toWellFormed(), value.toWellFormed()],
    ]);
  }));
});

Deno.test("whatever arrives is read or is a SyntaxError, however it is cut", async () => {
  const anyStream = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 40 }), anyPacket, nearlyPublish),
    { minLength: 1, maxLength: 4 },
  ).map(concat);
  await check(
    fc.property(anyStream, anySizes, anyVersion, (bytes, sizes, version) => {
      const whole = read([bytes], version);
      const inChunks = read(sized(bytes, sizes), version);
      assert.equal(inChunks.error?.message, whole.error?.message);
      const facts = (packets: (Delivery | null)[]) => packets.map((each) => each && factsOf(each));
      assert.deepEqual(facts(inChunks.packets), facts(whole.packets));
      // Nothing was read twice.
      const payloads = whole.packets.reduce(
        (sum, each) => sum + (each?.payload.byteLength ?? 0),
        0,
      );
      assert.ok(2 * whole.packets.length + payloads <= bytes.byteLength);
    }),
    3_000,
  );
});
