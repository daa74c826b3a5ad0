import assert from "node:assert/strict";
import { PacketReader } from "../../lib/packet_reader.ts";
import { concat, cut, generatePacket, publishPacket } from "./packets.ts";
import { pseudoRandom } from "./pseudo_random.ts";

const PUBLISH = 3;
const PUBACK = 4;
/** An answer to a ping, the shortest packet there is. */
const PINGRESP = Uint8Array.from([0xd0, 0]);

/** What was read: a packet that was asked for in three parts, another one whole. */
type Read = { type: number; flags: number; body: Uint8Array } | { other: Uint8Array };

/** A reader for PUBLISH and PUBACK that keeps what it reads. */
class Setting {
  readonly read: Read[] = [];
  readonly reader = new PacketReader([PUBLISH, PUBACK], {
    onPacket: (type, flags, body) => this.read.push({ type, flags, body: Uint8Array.from(body) }),
    onOther: (packet) => this.read.push({ other: Uint8Array.from(packet) }),
  });

  readAll(chunks: Iterable<Uint8Array>): Read[] {
    for (const chunk of chunks) this.reader.read(chunk);
    return this.read;
  }
}

/** A packet whose body has so many bytes, all of them different from their neighbours. */
function packetOf(firstByte: number, length: number): { packet: Uint8Array; body: Uint8Array } {
  const head = [firstByte];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) head.push(rest & 0x7f | 0x80);
  head.push(rest);
  const body = Uint8Array.from({ length }, (_, index) => (index * 7 + length) % 251);
  return { packet: concat([Uint8Array.from(head), body]), body };
}

/** Packets of many kinds with bodies of these sizes, as a stream and as they should be read. */
function streamOf(sizes: readonly number[]): { stream: Uint8Array; expected: Read[] } {
  const packets: Uint8Array[] = [];
  const expected: Read[] = [];
  for (const size of sizes) {
    for (const firstByte of [0x30, 0x90, 0x3d, 0x40, 0x62]) {
      const { packet, body } = packetOf(firstByte, size);
      const [type, flags] = [firstByte >> 4, firstByte & 0xf];
      packets.push(packet, PINGRESP);
      expected.push(
        type === PUBLISH || type === PUBACK ? { type, flags, body } : { other: packet },
      );
      expected.push({ other: PINGRESP });
    }
  }
  return { stream: concat(packets), expected };
}

Deno.test("packets of every size in one chunk are read in their order", () => {
  const sizes = [0, 1, 2, 127, 128, 16_383, 16_384, 70_000];
  const { stream, expected } = streamOf(sizes);
  assert.deepEqual(new Setting().readAll([stream]), expected);
});

Deno.test("packets that come one by one are read", () => {
  const { stream, expected } = streamOf([0, 200, 70_000]);
  const sizes = expected.map((each) =>
    "other" in each
      ? each.other.byteLength
      : packetOf(each.type << 4, each.body.byteLength).packet.byteLength
  );
  assert.deepEqual(new Setting().readAll(cut(stream, () => sizes.shift()!)), expected);
});

Deno.test("a stream that is cut in two anywhere is read as if it were whole", () => {
  const { stream, expected } = streamOf([0, 1, 127, 128]);
  for (let at = 0; at <= stream.byteLength; at++) {
    const read = new Setting().readAll([stream.subarray(0, at), stream.subarray(at)]);
    assert.deepEqual(read, expected, `${at}`);
  }
});

Deno.test("a stream that is cut in three around the heads is read as if it were whole", () => {
  const { stream, expected } = streamOf([3, 130]);
  for (let at = 0; at < stream.byteLength; at++) {
    for (const size of [1, 2, 3, 4]) {
      const parts = [
        stream.subarray(0, at),
        stream.subarray(at, at + size),
        stream.subarray(at + size),
      ];
      assert.deepEqual(new Setting().readAll(parts), expected, `${at} ${size}`);
    }
  }
});

Deno.test("a stream that comes byte by byte is read as if it were whole", () => {
  const { stream, expected } = streamOf([0, 1, 127, 128, 16_384]);
  assert.deepEqual(new Setting().readAll(cut(stream, () => 1)), expected);
});

for (const largest of [3, 50, 5_000, 100_000]) {
  Deno.test(`a stream in chunks of up to ${largest} bytes is read as if it were whole`, () => {
    const { stream, expected } = streamOf([0, 1, 126, 127, 128, 129, 4_000, 70_000, 2]);
    for (let seed = 0; seed < 2; seed++) {
      const random = pseudoRandom(seed);
      assert.deepEqual(new Setting().readAll(cut(stream, () => random(largest) + 1)), expected);
    }
  });
}

Deno.test("empty chunks change nothing", () => {
  const { stream, expected } = streamOf([1, 300]);
  const empty = new Uint8Array();
  const chunks = cut(stream, () => 7).flatMap((chunk) => [empty, chunk, empty]);
  assert.deepEqual(new Setting().readAll(chunks), expected);
});

Deno.test("chunks of 64 KiB make up a packet of 1 MiB", () => {
  const payload = Uint8Array.from({ length: 1 << 20 }, (_, index) => index % 251);
  const packet = generatePacket(publishPacket({ payload }));
  const [read, after, ...rest] = new Setting().readAll(
    cut(concat([packet, PINGRESP]), () => 65_536),
  );
  assert.ok("body" in read);
  assert.deepEqual(read.body.subarray(-payload.byteLength), payload);
  assert.deepEqual(after, { other: PINGRESP });
  assert.deepEqual(rest, []);
});

Deno.test("what was read of several chunks does not change with them", () => {
  const bodies: Uint8Array[] = [];
  const reader = new PacketReader([PUBLISH], {
    onPacket: (_type, _flags, body) => bodies.push(body),
    onOther: (packet) => bodies.push(packet),
  });
  const asked = packetOf(0x30, 100);
  const other = packetOf(0x90, 100);
  for (const { packet } of [asked, other]) {
    for (const chunk of cut(packet, () => 40)) {
      reader.read(chunk);
      chunk.fill(0xff);
    }
  }
  assert.deepEqual(bodies, [asked.body, other.packet]);
});

Deno.test("a reader that is asked for nothing passes everything on", () => {
  const others: Uint8Array[] = [];
  const reader = new PacketReader([], {
    onPacket: () => assert.fail("nobody asked for it"),
    onOther: (packet) => others.push(Uint8Array.from(packet)),
  });
  const { stream, expected } = streamOf([5, 500]);
  for (const chunk of cut(stream, () => 100)) reader.read(chunk);
  assert.equal(others.length, expected.length);
  assert.deepEqual(concat(others), stream);
});

Deno.test("a packet that is not all there is not told", () => {
  const { packet, body } = packetOf(0x30, 300);
  const setting = new Setting();
  for (const chunk of cut(packet.subarray(0, -1), () => 50)) setting.reader.read(chunk);
  assert.deepEqual(setting.read, []);
  setting.reader.read(packet.subarray(-1));
  assert.deepEqual(setting.read, [{ type: PUBLISH, flags: 0, body }]);
});

Deno.test("a length without an end is a SyntaxError, and what came before it is told", () => {
  const { packet, body } = packetOf(0x30, 10);
  const endless = Uint8Array.from([0x30, 0xff, 0xff, 0xff, 0xff]);
  for (const size of [1, 2, 4, 100]) {
    const setting = new Setting();
    assert.throws(() => setting.readAll(cut(concat([packet, endless]), () => size)), SyntaxError);
    assert.deepEqual(setting.read, [{ type: PUBLISH, flags: 0, body }]);
  }
});

Deno.test("a length of four bytes that ends is none of that", () => {
  const setting = new Setting();
  setting.reader.read(Uint8Array.from([0x30, 0xff, 0xff, 0xff]));
  setting.reader.read(Uint8Array.from([0x01]));
  assert.deepEqual(setting.read, []);
});

Deno.test("what a handler throws comes out", () => {
  const failure = new Error("handler");
  const reader = new PacketReader([PUBLISH], {
    onPacket() {
      throw failure;
    },
    onOther() {},
  });
  const { packet } = packetOf(0x30, 10);
  assert.throws(() => reader.read(packet), failure);
});
