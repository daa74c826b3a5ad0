import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PacketWriter, variableByteLength } from "../../lib/packet_writer.ts";

Deno.test("fields stand one behind the other, the high byte first", () => {
  const writer = new PacketWriter();
  writer.byte(0xfe);
  writer.twoBytes(0x1234);
  writer.fourBytes(0xfedc_ba98);
  writer.raw(Uint8Array.from([7, 8]));
  writer.binary(Uint8Array.from([9]));
  writer.text("aé");
  assert.equal(writer.length, 1 + 2 + 4 + 2 + 3 + 5);
  const expected = "fe 1234 fedcba98 0708 0001 09 0003 61c3a9".replaceAll(" ", "");
  assert.equal(Buffer.from(writer.take()).toString("hex"), expected);
});

Deno.test("a length has its low bytes first, and as few as it needs", () => {
  const lengths = {
    "00": 0,
    "7f": 127,
    "8001": 128,
    "ff7f": 16_383,
    "808001": 16_384,
    "ffff7f": 2_097_151,
    "80808001": 2_097_152,
    "ffffff7f": 268_435_455,
  };
  for (const [hex, length] of Object.entries(lengths)) {
    const writer = new PacketWriter();
    writer.variableByte(length);
    assert.equal(variableByteLength(length), writer.length);
    assert.equal(Buffer.from(writer.take()).toString("hex"), hex);
  }
});

Deno.test("a text is written as TextEncoder writes it", () => {
  for (
    const text of ["", "a", "é", "abc☃", "🎈", "\0\u007f\u0080", "half \ud83c", "ab".repeat(9_000)]
  ) {
    const writer = new PacketWriter();
    writer.text(text);
    const written = Buffer.from(writer.take());
    const bytes = Buffer.from(new TextEncoder().encode(text));
    assert.equal(written.readUInt16BE(), bytes.byteLength);
    assert.deepEqual(written.subarray(2), bytes);
  }
});

Deno.test("a writer grows, and keeps what was written", () => {
  const writer = new PacketWriter();
  for (let number = 0; number < 1_000; number++) writer.fourBytes(number);
  writer.text("☃".repeat(20_000));
  writer.raw(new Uint8Array(500_000).fill(7));
  const bytes = Buffer.from(writer.take());
  assert.equal(bytes.byteLength, 4_000 + 2 + 60_000 + 500_000);
  for (let number = 0; number < 1_000; number++) {
    assert.equal(bytes.readUInt32BE(4 * number), number);
  }
  assert.equal(bytes.subarray(4_002, 64_002).toString(), "☃".repeat(20_000));
});

Deno.test("what was taken stays as it is, and a writer goes on behind it", () => {
  const writer = new PacketWriter();
  const taken: Uint8Array[] = [];
  for (let number = 0; number < 1_000; number++) {
    writer.raw(new Uint8Array(number).fill(number % 251));
    taken.push(writer.take());
    assert.equal(writer.length, 0);
  }
  taken.forEach((bytes, number) => {
    assert.deepEqual(bytes, new Uint8Array(number).fill(number % 251));
  });
});

Deno.test("what is cut off is forgotten, and what was taken before is not", () => {
  const writer = new PacketWriter();
  writer.byte(1);
  const first = writer.take();
  writer.text("kept");
  const { length } = writer;
  writer.text("cut off");
  writer.truncate(length);
  writer.byte(2);
  assert.deepEqual([...first], [1]);
  assert.equal(Buffer.from(writer.take()).toString(), "\0\u0004kept\u0002");
});

Deno.test("a length stands before what it measures, one within another", () => {
  for (const size of [0, 1, 126, 127, 128, 16_380, 16_384, 70_000, 2_097_152]) {
    const writer = new PacketWriter();
    writer.byte(0xfe);
    const outer = writer.beginMeasured();
    writer.byte(7);
    const inner = writer.beginMeasured();
    writer.raw(new Uint8Array(size).fill(9));
    writer.endMeasured(inner);
    writer.endMeasured(outer, 5);
    writer.byte(0xff);
    const expected = new PacketWriter();
    expected.byte(0xfe);
    expected.variableByte(1 + variableByteLength(size) + size + 5);
    expected.byte(7);
    expected.variableByte(size);
    expected.raw(new Uint8Array(size).fill(9));
    expected.byte(0xff);
    assert.deepEqual(writer.take(), expected.take(), `${size}`);
  }
});

Deno.test("what is longer than a packet can say is a RangeError", () => {
  const writer = new PacketWriter();
  const begin = writer.beginMeasured();
  assert.throws(() => writer.endMeasured(begin, 268_435_456), RangeError);
  writer.endMeasured(begin, 268_435_455);
  assert.equal(Buffer.from(writer.take()).toString("hex"), "ffffff7f");
});
