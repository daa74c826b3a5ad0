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
  const expected = "fe 1234 fedcba98 0708 0001 09 0003 61c3a9".replaceAll(" ", "");
  assert.equal(Buffer.from(writer.bytes).toString("hex"), expected);
  assert.equal(writer.length, expected.length / 2);
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
    assert.equal(Buffer.from(writer.bytes).toString("hex"), hex);
    assert.equal(variableByteLength(length), writer.length);
  }
});

Deno.test("a text is written as TextEncoder writes it", () => {
  for (
    const text of ["", "a", "é", "abc☃", "🎈", "\0\u007f\u0080", "half \ud83c", "ab".repeat(9_000)]
  ) {
    const writer = new PacketWriter();
    writer.text(text);
    const bytes = new TextEncoder().encode(text);
    assert.equal(Buffer.from(writer.bytes).readUInt16BE(), bytes.byteLength);
    assert.deepEqual(writer.bytes.slice(2), bytes);
  }
});

Deno.test("a writer grows, and keeps what was written", () => {
  const writer = new PacketWriter();
  for (let number = 0; number < 1_000; number++) writer.fourBytes(number);
  writer.text("☃".repeat(20_000));
  writer.raw(new Uint8Array(500_000).fill(7));
  const bytes = Buffer.from(writer.bytes);
  assert.equal(bytes.byteLength, 4_000 + 2 + 60_000 + 500_000);
  for (let number = 0; number < 1_000; number++) {
    assert.equal(bytes.readUInt32BE(4 * number), number);
  }
  assert.equal(bytes.subarray(4_002, 64_002).toString(), "☃".repeat(20_000));
});

Deno.test("a writer that is cleared begins anew", () => {
  const writer = new PacketWriter();
  writer.text("the first one");
  writer.clear().byte(1);
  assert.deepEqual([...writer.bytes], [1]);
  assert.equal(writer.clear().length, 0);
});
