import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Delivery, OutgoingMessage, QoS, WireProperties } from "../../lib/connection.ts";
import { PacketWriter } from "../../lib/packet_writer.ts";
import {
  type AcknowledgementType,
  decodeAcknowledgement,
  decodePublish,
  PacketType,
  type PublishHead,
  publishSize,
  writeAcknowledgement,
  writePublishHead,
} from "../../lib/publish_packet.ts";
import {
  concat,
  factsOf,
  factsOfPacket,
  generatePacket,
  outgoing,
  type Packet,
  parsePackets,
  publishPacket,
} from "./packets.ts";

const VERSIONS = [4, 5] as const;
const SOME_BYTES = new Uint8Array([0, 1, 0x7f, 0x80, 0xff]);
const ALL_PROPERTIES: WireProperties = {
  messageExpiryInterval: 0xfedc_ba98,
  contentType: "text/plain; charset=utf-8",
  correlationData: SOME_BYTES,
  userProperties: { color: "blå", empty: "", "": "nameless", many: ["1", "2", "3"] },
};
const ACKNOWLEDGEMENTS: [AcknowledgementType, "puback" | "pubrec" | "pubrel" | "pubcomp"][] = [
  [PacketType.puback, "puback"],
  [PacketType.pubrec, "pubrec"],
  [PacketType.pubrel, "pubrel"],
  [PacketType.pubcomp, "pubcomp"],
];

/** The whole packet as it goes out. */
function encode(message: OutgoingMessage, given: Partial<PublishHead> = {}): Uint8Array {
  const packetId = message.qos === 0 ? 0 : 1;
  const writer = new PacketWriter();
  writePublishHead(writer, message, { version: 5, packetId, dup: false, ...given });
  writer.raw(message.payload);
  return writer.take();
}

/** What mqtt-packet reads of a message that we write. */
function written(message: OutgoingMessage, given: Partial<PublishHead> = {}): unknown {
  const packets = parsePackets(encode(message, given), given.version);
  assert.equal(packets.length, 1);
  return factsOfPacket(packets[0]);
}

/** What it should read. */
function expected(message: OutgoingMessage, given: Partial<Delivery> = {}): unknown {
  return factsOf({ dup: false, packetId: message.qos === 0 ? null : 1, ...message, ...given });
}

/** Where the body of a whole packet begins. */
function bodyAt(packet: Uint8Array): number {
  return packet.findIndex((byte, index) => index > 0 && byte < 0x80) + 1;
}

/** What we read of a whole packet. */
function decode(packet: Uint8Array, version: 4 | 5 = 5): Delivery {
  return decodePublish(packet[0] & 0xf, packet.subarray(bodyAt(packet)), version);
}

function assertReadAlike(packet: Uint8Array, version: 4 | 5 = 5): void {
  assert.deepEqual(
    factsOf(decode(packet, version)),
    factsOfPacket(parsePackets(packet, version)[0]),
  );
}

function assertMalformed(flags: number, body: readonly number[], version: 4 | 5 = 5): void {
  assert.throws(() => decodePublish(flags, Uint8Array.from(body), version), SyntaxError);
}

for (const version of VERSIONS) {
  for (const qos of [0, 1, 2] as QoS[]) {
    Deno.test(`what we write at QoS ${qos} on version ${version} is what we meant`, () => {
      for (const retain of [false, true]) {
        for (const dup of [false, true]) {
          const message = outgoing("body", { qos, retain });
          assert.deepEqual(written(message, { version, dup }), expected(message, { dup }));
        }
      }
    });

    Deno.test(`what others write at QoS ${qos} on version ${version} is read`, () => {
      for (const retain of [false, true]) {
        for (const dup of [false, true]) {
          const packet = publishPacket({ payload: "body", qos, retain, dup });
          const read = factsOf(decode(generatePacket(packet, version), version));
          assert.deepEqual(read, factsOfPacket(packet));
        }
      }
    });
  }

  Deno.test(`packet ids of one and of two bytes are written and read on version ${version}`, () => {
    for (const packetId of [1, 0x80, 0xff, 0x100, 0x80ff, 65_535]) {
      const message = outgoing();
      assert.deepEqual(written(message, { version, packetId }), expected(message, { packetId }));
      assert.equal(decode(encode(message, { version, packetId }), version).packetId, packetId);
    }
  });

  Deno.test(`a topic beyond ASCII is written and read on version ${version}`, () => {
    for (const topic of ["blå", "☃/abc", "abc/🎈", "\ufeffmarked", "\u0080", "ÿ".repeat(500)]) {
      const message = outgoing("body", { topic });
      assert.deepEqual(written(message, { version }), expected(message));
      assert.equal(decode(encode(message, { version }), version).topic, topic);
    }
  });

  Deno.test(`texts as long as can be are written and read on version ${version}`, () => {
    for (const topic of ["a".repeat(65_535), `a${"é".repeat(32_767)}`, "☃".repeat(21_845)]) {
      const message = outgoing("body", { topic });
      assert.deepEqual(written(message, { version }), expected(message));
      assert.equal(decode(encode(message, { version }), version).topic, topic);
    }
  });

  Deno.test(`an empty payload is written and read on version ${version}`, () => {
    for (const properties of version === 4 ? [{}] : [{}, ALL_PROPERTIES]) {
      const message = outgoing("", { properties });
      assert.deepEqual(written(message, { version }), expected(message));
      assert.equal(decode(encode(message, { version }), version).payload.byteLength, 0);
    }
  });

  Deno.test(`lengths around each number of bytes are written and read on version ${version}`, () => {
    for (const remaining of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const rest = encode(outgoing("", { topic: "t" }), { version }).byteLength - 2;
      const message = outgoing(new Uint8Array(remaining - rest).fill(7), { topic: "t" });
      const packet = encode(message, { version });
      const [parsed] = parsePackets(packet, version);
      assert.equal(parsed.length, remaining);
      assert.deepEqual(factsOfPacket(parsed), expected(message));
      assert.deepEqual(factsOf(decode(packet, version)), expected(message));
    }
  });

  Deno.test(`the size that is reckoned is what is written on version ${version}`, () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`name ${n}`, `${n}`]));
    const properties = [{}, ALL_PROPERTIES, { userProperties: many }];
    for (const size of [0, 1, 110, 113, 120, 127, 16_370, 16_376, 16_383, 16_384, 2_097_145]) {
      for (const each of properties) {
        for (const qos of [1, 2] as QoS[]) {
          const message = outgoing(new Uint8Array(size), { qos, topic: "blå", properties: each });
          assert.equal(publishSize(message, version), encode(message, { version }).byteLength);
        }
      }
    }
  });
}

Deno.test("every property is written and read on version 5", () => {
  const message = outgoing("body", { properties: ALL_PROPERTIES });
  assert.deepEqual(written(message), expected(message));
  assert.deepEqual(factsOf(decode(encode(message))), expected(message));
});

Deno.test("no property is written on version 4", () => {
  const message = outgoing("body", { properties: ALL_PROPERTIES });
  assert.deepEqual(written(message, { version: 4 }), expected({ ...message, properties: {} }));
});

Deno.test("each property alone is written and read", () => {
  const each: WireProperties[] = [
    { messageExpiryInterval: 0 },
    { messageExpiryInterval: 1 },
    { messageExpiryInterval: 0x8000_0000 },
    { messageExpiryInterval: 0xffff_ffff },
    { contentType: "" },
    { contentType: "text/☃" },
    { correlationData: new Uint8Array() },
    { correlationData: new Uint8Array(65_535).fill(0xee) },
    { userProperties: {} },
    { userProperties: { ["__proto__"]: "a name like any other" } },
    { userProperties: { "🎈": "☃".repeat(21_845), ["a".repeat(65_535)]: "" } },
  ];
  for (const properties of each) {
    const message = outgoing("body", { properties });
    assert.deepEqual(written(message), expected(message));
    assert.deepEqual(factsOf(decode(encode(message))), expected(message));
  }
});

Deno.test("what no UTF-8 can say is written as the sign for that", () => {
  const message = outgoing("body", { topic: "half \ud83c", properties: { contentType: "\udc00" } });
  const properties = { contentType: "\ufffd" };
  assert.deepEqual(written(message), expected(message, { topic: "half \ufffd", properties }));
});

Deno.test("properties that others write are read", () => {
  const properties = { ...ALL_PROPERTIES, correlationData: Buffer.from(SOME_BYTES) };
  assertReadAlike(generatePacket(publishPacket({ payload: "body", properties })));
});

Deno.test("a user property that is repeated has all its values in order", () => {
  const userProperties = { a: ["1", "2", "3"], b: "4", "c ☃": ["5", "6"] };
  const { properties } = decode(generatePacket(publishPacket({ properties: { userProperties } })));
  assert.deepEqual(Object.entries(properties.userProperties!), Object.entries(userProperties));
});

Deno.test("an empty value of a repeated user property is one as well", () => {
  const message = outgoing("", { properties: { userProperties: { a: ["", "", "1", ""] } } });
  assert.deepEqual(decode(encode(message)).properties.userProperties!.a, ["", "", "1", ""]);
});

Deno.test("user properties named after an object's own members are like any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const named = Object.fromEntries(names.map((name) => [name, name]));
  const packet = generatePacket(publishPacket({ properties: { userProperties: named } }));
  const { userProperties } = decode(packet).properties;
  assert.deepEqual(Object.entries(userProperties!), Object.entries(named));
  const twice = Object.fromEntries(names.map((name) => [name, ["1", "2"]]));
  const read = decode(encode(outgoing("", { properties: { userProperties: twice } })));
  assert.deepEqual(Object.entries(read.properties.userProperties!), Object.entries(twice));
});

Deno.test("properties that nobody asks for are passed over", () => {
  for (const subscriptionIdentifier of [1, 127, 128, 268_435_455, [1, 20_000, 3]]) {
    const properties = {
      payloadFormatIndicator: true,
      contentType: "text/plain",
      responseTopic: "answers/☃",
      subscriptionIdentifier,
      userProperties: { a: "1" },
    };
    assertReadAlike(generatePacket(publishPacket({ payload: "body", properties })));
  }
});

Deno.test("properties of many bytes are read, ASCII or not", () => {
  for (const sign of ["a", "å"]) {
    for (const length of [100, 20_000]) {
      const userProperties = Object.fromEntries(
        Array.from({ length: 30 }, (_, number) => [`${number}`, sign.repeat(length)]),
      );
      assertReadAlike(
        generatePacket(publishPacket({ payload: "b", properties: { userProperties } })),
      );
    }
  }
});

Deno.test("topics that take turns are told apart", () => {
  const topics = ["a/1", "a/2", "a/1", "a", "a/1", "å/1", "a/1"];
  const packets = topics.map((topic) => generatePacket(publishPacket({ topic })));
  assert.deepEqual(packets.map((packet) => decode(packet).topic), topics);
});

Deno.test("a PUBLISH of QoS 3 is malformed", () => {
  for (const version of VERSIONS) assertMalformed(6, [0, 1, 0x74, 0, 1, 0], version);
});

Deno.test("a PUBLISH with the packet id 0 is malformed", () => {
  for (const version of VERSIONS) {
    for (const flags of [2, 4]) assertMalformed(flags, [0, 1, 0x74, 0, 0, 0], version);
  }
});

Deno.test("a PUBLISH that ends before its payload is malformed", () => {
  for (const version of VERSIONS) {
    for (const qos of [0, 1, 2] as QoS[]) {
      const properties = { ...ALL_PROPERTIES, correlationData: Buffer.from(SOME_BYTES) };
      const packet = generatePacket(publishPacket({ qos, properties }), version);
      const body = [...packet.subarray(bodyAt(packet))];
      for (let length = 0; length < body.length; length++) {
        assertMalformed(qos << 1, body.slice(0, length), version);
      }
      assert.ok(decodePublish(qos << 1, Uint8Array.from(body), version));
    }
  }
});

Deno.test("properties that end within one are malformed", () => {
  const fields = [
    [1, 1],
    [2, 0, 0, 0, 9],
    [3, 0, 1, 0x61],
    [8, 0, 1, 0x61],
    [9, 0, 1, 0xff],
    [11, 0x80, 1],
    [38, 0, 1, 0x61, 0, 1, 0x62],
  ];
  const ends = fields.map((_, index) => fields.slice(0, index).flat().length);
  const all = fields.flat();
  for (let length = 0; length <= all.length; length++) {
    const body = [0, 1, 0x74, length, ...all];
    if (ends.includes(length) || length === all.length) {
      assert.ok(decodePublish(0, Uint8Array.from(body), 5));
    } else assertMalformed(0, body);
  }
});

Deno.test("properties that pass the end of the packet are malformed", () => {
  for (const length of [[6], [0x7f], [0xff, 0x7f], [0xff, 0xff, 0xff, 0x7f]]) {
    assertMalformed(0, [0, 1, 0x74, ...length, 2, 0, 0, 0, 9]);
  }
});

Deno.test("a length without an end is malformed, of properties and in one", () => {
  assertMalformed(0, [0, 1, 0x74, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0]);
  assertMalformed(0, [0, 1, 0x74, 6, 11, 0xff, 0xff, 0xff, 0xff, 1, 0]);
});

Deno.test("a topic alias is malformed, as none was allowed", () => {
  const packet = generatePacket(publishPacket({ topic: "", properties: { topicAlias: 1 } }));
  assert.throws(() => decode(packet), SyntaxError);
});

Deno.test("a property that no PUBLISH has is malformed", () => {
  const known = [1, 2, 3, 8, 9, 11, 38];
  for (let identifier = 0; identifier < 256; identifier++) {
    if (known.includes(identifier)) continue;
    const body = Uint8Array.from([0, 1, 0x74, 5, identifier, 0, 0, 0, 0]);
    assert.throws(() => decodePublish(0, body, 5), SyntaxError, `${identifier}`);
  }
});

for (const [type, cmd] of ACKNOWLEDGEMENTS) {
  Deno.test(`a ${cmd.toUpperCase()} that we write is what we meant`, () => {
    for (const version of VERSIONS) {
      for (const packetId of [1, 0xff, 0x100, 65_535]) {
        const writer = new PacketWriter();
        writeAcknowledgement(writer, type, packetId);
        const [parsed] = parsePackets(writer.take(), version);
        assert.deepEqual([parsed.cmd, parsed.messageId], [cmd, packetId]);
      }
    }
  });

  Deno.test(`a ${cmd.toUpperCase()} that others write is read`, () => {
    const userProperties = { color: "blå" };
    const ends = [
      { reasonCode: 0 },
      { reasonCode: 0x92 },
      { reasonCode: 0x92, properties: { reasonString: "none of mine", userProperties } },
      { reasonCode: 0, properties: { reasonString: "well done" } },
    ];
    for (const version of VERSIONS) {
      for (const end of ends) {
        const packet = generatePacket({ cmd, messageId: 0x1234, ...end } as Packet, version);
        const read = decodeAcknowledgement(type, packet[0] & 0xf, packet.subarray(2));
        const reasonCode = version === 4 ? 0 : end.reasonCode;
        assert.deepEqual(read, { type, packetId: 0x1234, reasonCode });
      }
    }
  });

  Deno.test(`a ${cmd.toUpperCase()} with wrong flags or without a packet id is malformed`, () => {
    const flags = type === PacketType.pubrel ? 2 : 0;
    for (const body of [[], [1]]) {
      assert.throws(() => decodeAcknowledgement(type, flags, Uint8Array.from(body)), SyntaxError);
    }
    for (let wrong = 0; wrong < 16; wrong++) {
      if (wrong === flags) continue;
      const body = Uint8Array.from([0, 1]);
      assert.throws(() => decodeAcknowledgement(type, wrong, body), SyntaxError);
    }
  });
}

Deno.test("a payload does not keep the network chunk that it was cut from", () => {
  for (const { size, kept } of [{ size: 10, kept: 4_096 }, { size: 20_000, kept: 20_000 }]) {
    const packet = generatePacket(publishPacket({ payload: new Uint8Array(size).fill(7) }));
    const chunk = new Uint8Array(64 * 1024);
    chunk.set(packet, 100);
    const { payload } = decode(chunk.subarray(100, 100 + packet.byteLength));
    assert.deepEqual(new Uint8Array(payload), new Uint8Array(size).fill(7));
    assert.ok(payload.buffer.byteLength <= kept);
  }
});

Deno.test("a payload that is most of its chunk is not copied", () => {
  const packet = generatePacket(publishPacket({ payload: new Uint8Array(60_000) }));
  assert.equal(decode(packet).payload.buffer, packet.buffer);
});

Deno.test("what was read does not change with the chunk that it came in", () => {
  const properties = { ...ALL_PROPERTIES, correlationData: Buffer.from(SOME_BYTES) };
  const packet = generatePacket(publishPacket({ topic: "blå", payload: "body", properties }));
  const chunk = new Uint8Array(64 * 1024);
  chunk.set(packet);
  const read = decode(chunk.subarray(0, packet.byteLength));
  chunk.fill(0xff);
  assert.deepEqual(factsOf(read), factsOfPacket(parsePackets(packet)[0]));
});

Deno.test("a topic that stands where another one stood is not taken for that", () => {
  const chunk = new Uint8Array(64 * 1024);
  for (const topic of ["a/1", "a/2", "a/1"]) {
    const packet = generatePacket(publishPacket({ topic }));
    chunk.set(packet);
    assert.equal(decode(chunk.subarray(0, packet.byteLength)).topic, topic);
  }
});

Deno.test("messages that were read do not share their bytes", () => {
  const chunk = concat([new Uint8Array(4_096), generatePacket(publishPacket({ payload: "body" }))]);
  const first = decode(chunk.subarray(4_096));
  const second = decode(chunk.subarray(4_096));
  first.payload.fill(0);
  assert.equal(new TextDecoder().decode(second.payload), "body");
});
