import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { PacketBatch } from "../../lib/packet_batch.ts";
import { tapPackets } from "../../lib/packet_tap.ts";
import { PacketType } from "../../lib/publish_packet.ts";
import {
  concat,
  cut,
  generatePacket,
  type Packet,
  parsePackets,
  publishPacket,
  wordsOf,
} from "./packets.ts";

const CONNACK: Packet = { cmd: "connack", reasonCode: 0, sessionPresent: false };
const PINGRESP: Packet = { cmd: "pingresp" };
const SUBACK: Packet = { cmd: "suback", messageId: 9, granted: [1] };

/** A transport with a tap, and who reads the rest. */
class Setting {
  readonly stream = new PassThrough();
  readonly rest = new PassThrough();
  /** Types of what was taken out. */
  readonly taken: number[] = [];
  /** What goes out. */
  packets: PacketBatch | null = null;
  chunks = 0;
  #passed: Uint8Array[] = [];

  /** @param onPacket what becomes of a packet that was taken out */
  constructor(onPacket: () => void = () => {}) {
    this.rest.on("data", (bytes: Uint8Array) => this.#passed.push(bytes));
    const tapped = tapPackets(this.stream, 5, {
      onTransport: (packets) => this.packets = packets,
      onChunk: () => this.chunks++,
      onPacket: (type) => {
        this.taken.push(type);
        onPacket();
      },
    });
    assert.equal(tapped.pipe(this.rest), this.rest);
  }

  /** Ends the transport, and tells what was passed on. */
  async end(): Promise<string[]> {
    this.stream.end();
    return await this.passed();
  }

  /** What was passed on, as soon as that has ended. */
  async passed(): Promise<string[]> {
    await once(this.rest, "end");
    return parsePackets(concat(this.#passed)).map(wordsOf);
  }
}

Deno.test("messages and acknowledgements are taken out, the rest is passed on in order", async () => {
  const setting = new Setting();
  const packets: Packet[] = [
    CONNACK,
    publishPacket({ payload: "body" }),
    SUBACK,
    { cmd: "puback", messageId: 1 },
    { cmd: "pubrec", messageId: 2 },
    { cmd: "pubrel", messageId: 3 },
    PINGRESP,
    { cmd: "pubcomp", messageId: 4 },
    { cmd: "unsuback", messageId: 10, granted: [0] },
    { cmd: "disconnect", reasonCode: 0 },
  ];
  for (const packet of packets) setting.stream.write(generatePacket(packet));
  const passed = ["connack", "suback 9", "pingresp", "unsuback 10", "disconnect"];
  assert.deepEqual(await setting.end(), passed);
  assert.deepEqual(setting.taken, [3, 4, 5, 6, 7]);
});

Deno.test("packets that chunks cut through are put together, whoever they are for", async () => {
  const setting = new Setting();
  const stream = concat([SUBACK, publishPacket({ payload: "body" }), PINGRESP, CONNACK]
    .map((packet) => generatePacket(packet)));
  for (const chunk of cut(stream, () => 3)) setting.stream.write(chunk);
  assert.deepEqual(await setting.end(), ["suback 9", "pingresp", "connack"]);
  assert.deepEqual(setting.taken, [3]);
});

Deno.test("every chunk is told, even one without a whole packet", async () => {
  const setting = new Setting();
  const packet = generatePacket(publishPacket({ payload: "body" }));
  for (const chunk of cut(packet, () => 5)) setting.stream.write(chunk);
  await setting.end();
  assert.equal(setting.chunks, Math.ceil(packet.byteLength / 5));
});

Deno.test("the end is passed on, behind everything else", async () => {
  const setting = new Setting();
  setting.stream.write(generatePacket(PINGRESP));
  assert.deepEqual(await setting.end(), ["pingresp"]);
});

Deno.test("what cannot be read ends the transport with an error that has a code", async () => {
  const setting = new Setting(() => {
    throw new SyntaxError("no packet");
  });
  const failed = once(setting.stream, "error");
  setting.stream.write(generatePacket(publishPacket()));
  const [error] = await failed;
  assert.equal(error.message, "no packet");
  assert.equal(error.code, "SyntaxError");
  assert.equal(setting.stream.destroyed, true);
});

Deno.test("a length without an end ends the transport too", async () => {
  const setting = new Setting();
  const failed = once(setting.stream, "error");
  setting.stream.write(Uint8Array.from([0x30, 0xff, 0xff, 0xff, 0xff]));
  const [error] = await failed;
  assert.equal(error.code, "SyntaxError");
});

Deno.test("nothing behind what cannot be read is read", async () => {
  const setting = new Setting(() => {
    throw new SyntaxError("no packet");
  });
  const failed = once(setting.stream, "error");
  setting.stream.cork();
  const bytes = generatePacket(publishPacket());
  setting.stream.write(concat([bytes, bytes, generatePacket(PINGRESP)]));
  setting.stream.write(bytes);
  setting.stream.uncork();
  await failed;
  assert.deepEqual([setting.taken, setting.chunks], [[3], 1]);
  setting.rest.end();
  assert.deepEqual(await setting.passed(), []);
});

Deno.test("an error that has a code keeps it, and what is no error becomes one", async () => {
  for (
    const { thrown, code } of [
      { thrown: Object.assign(new Error("no"), { code: "ENO" }), code: "ENO" },
      { thrown: "no", code: "Error" },
    ]
  ) {
    const setting = new Setting(() => {
      throw thrown;
    });
    const failed = once(setting.stream, "error");
    setting.stream.write(generatePacket(publishPacket()));
    const [error] = await failed;
    assert.deepEqual([error.message, error.code], ["no", code]);
  }
});

Deno.test("what MQTT.js writes comes behind what was gathered before, and nothing is written twice", async () => {
  const stream = new PassThrough();
  let packets: PacketBatch | null = null;
  tapPackets(stream, 5, {
    onTransport: (made) => packets = made,
    onChunk() {},
    onPacket() {},
  });
  packets!.writeAcknowledgement(PacketType.puback, 1);
  stream.write(generatePacket(PINGRESP));
  packets!.writeAcknowledgement(PacketType.puback, 2);
  await Promise.resolve();
  stream.write(generatePacket(SUBACK));
  stream.end();
  const written = parsePackets(concat(await Array.fromAsync(stream)));
  assert.deepEqual(written.map(wordsOf), ["puback 1", "pingresp", "puback 2", "suback 9"]);
});
