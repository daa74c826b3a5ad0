import assert from "node:assert/strict";
import { PacketBatch } from "../../lib/packet_batch.ts";
import { PacketType } from "../../lib/publish_packet.ts";
import { outgoing, parsePackets, wordsOf } from "./packets.ts";

/** A batch, and the stream behind it. */
class Setting {
  /** Whether the stream has room for more. */
  hasRoom = true;
  readonly written: Uint8Array[] = [];
  readonly batch = new PacketBatch(5, (bytes) => {
    this.written.push(bytes);
    return this.hasRoom;
  });

  /** The packets of each chunk, in words. */
  get chunks(): string[][] {
    return this.written.map((bytes) => parsePackets(bytes).map(wordsOf));
  }
}

Deno.test("what is written in one turn is one chunk", async () => {
  const setting = new Setting();
  const { batch, written } = setting;
  batch.writePublish(outgoing("a"), 1, false);
  batch.writeAcknowledgement(PacketType.puback, 7);
  batch.writePublish(outgoing("b"), 2, true);
  assert.equal(written.length, 0);
  await Promise.resolve();
  batch.writePublish(outgoing("c"), 3, false);
  await Promise.resolve();

  assert.deepEqual(setting.chunks, [
    ["publish 1 a", "puback 7", "publish 2 b dup"],
    ["publish 3 c"],
  ]);
});

Deno.test("what is flushed is not written again", async () => {
  const setting = new Setting();
  setting.batch.writeAcknowledgement(PacketType.pubrel, 7);
  setting.batch.flush();
  setting.batch.flush();
  await Promise.resolve();
  assert.deepEqual(setting.chunks, [["pubrel 7"]]);
});

Deno.test("a large payload goes out as it is, behind its head", () => {
  const setting = new Setting();
  const large = outgoing("x".repeat(8_192));
  setting.batch.writeAcknowledgement(PacketType.puback, 7);
  setting.batch.writePublish(large, 1, false);
  assert.equal(setting.written.length, 2);
  assert.equal(setting.written[1], large.payload);
});

Deno.test("a payload that is not large is copied at once", async () => {
  const setting = new Setting();
  const message = outgoing("x".repeat(8_191));
  setting.batch.writePublish(message, 1, false);
  message.payload.fill(0x79);
  await Promise.resolve();
  assert.deepEqual(setting.chunks, [[`publish 1 ${"x".repeat(8_191)}`]]);
});

Deno.test("what is gathered does not grow without end", () => {
  const setting = new Setting();
  for (let id = 1; id <= 60; id++) {
    setting.batch.writePublish(outgoing("x".repeat(4_000)), id, false);
  }
  assert.ok(setting.written.length >= 3);
  assert.ok(setting.written.every(({ byteLength }) => byteLength < 70_000));
  setting.batch.flush();
  const words = setting.chunks.flat();
  assert.deepEqual(words.map((each) => +each.split(" ")[1]), words.map((_, index) => index + 1));
  assert.equal(words.length, 60);
});

Deno.test("a message that cannot be written leaves nothing of it, and the others", () => {
  const setting = new Setting();
  const endless = outgoing("b", { properties: { contentType: "x".repeat(65_536) } });
  setting.batch.writePublish(outgoing("a"), 1, false);
  assert.throws(() => setting.batch.writePublish(endless, 2, false), RangeError);
  setting.batch.writePublish(outgoing("c"), 3, false);
  setting.batch.flush();
  assert.deepEqual(setting.chunks, [["publish 1 a", "publish 3 c"]]);
});

Deno.test("a stream without room makes the writer wait until it has drained", () => {
  const setting = new Setting();
  setting.hasRoom = false;
  assert.equal(setting.batch.writePublish(outgoing("a"), 0, false), true);
  setting.batch.flush();
  assert.equal(setting.batch.writePublish(outgoing("b"), 0, false), false);
  setting.batch.drained();
  assert.equal(setting.batch.writePublish(outgoing("c"), 0, false), true);
  assert.equal(setting.batch.writePublish(outgoing("d".repeat(10_000)), 0, false), false);
});
