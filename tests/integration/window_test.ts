// How many messages each broker hands over before it wants the first acknowledgement.
import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { MessageEnvelope, MqttMessageQueue, type QueueOptions } from "../../mod.ts";
import { Mosquitto } from "../support/mosquitto.ts";

/** Sends so many to a queue that settles none, and tells how many come. */
async function windowOf(
  broker: { url: string },
  sent: number,
  options: QueueOptions,
): Promise<number> {
  const given = { url: broker.url, sendTimeout: 60_000, ...options };
  await using queue = new MqttMessageQueue("window", {
    ...given,
    receiveMode: "peekLock",
    autoSubscribe: true,
  });
  await using sender = new MqttMessageQueue("window", given);
  await queue.open();
  await sender.open();
  await sender.sendBatch(
    null,
    Array.from({ length: sent }, () => new MessageEnvelope(null, "job", "x")),
  );
  for (let count = 0;;) {
    const before = count;
    count = await queue.readMessageCount();
    if (count === before) return count; // A round trip brought no more.
  }
}

Deno.test("Mosquitto with our settings hands over prefetch, 65,535 at most, on MQTT 5", async () => {
  await using broker = await Mosquitto.start();
  assert.equal(await windowOf(broker, 1_000, { protocolVersion: 5, prefetch: 300 }), 300);
  assert.equal(await windowOf(broker, 66_000, { protocolVersion: 5 }), 65_535);
});

Deno.test("on 3.1.1 no more are held than packet ids tell apart", async () => {
  await using broker = await Mosquitto.start();
  const held = await windowOf(broker, 66_000, { protocolVersion: 4, prefetch: 300 });
  assert.ok(held >= 49_152 && held <= 65_535, `${held}`);
});

Deno.test("of more messages than there are packet ids on 3.1.1 each is settled for good", async () => {
  await using broker = await Mosquitto.start();
  const options: QueueOptions = {
    ...{ url: broker.url, protocolVersion: 4, clientId: "worker", autoSubscribe: true },
    ...{ serializeEnvelope: false, maxPending: 70_000 },
  };
  const queue = new MqttMessageQueue("window", options);
  await queue.open();
  const messages = Array.from({ length: 66_000 }, () => new MessageEnvelope(null, "job", "x"));
  await queue.sendBatch(null, messages);
  for (let taken = 0; taken < 66_000;) {
    const batch = await queue.receiveBatch(null, 5_000, 10_000);
    assert.notEqual(batch.length, 0, `${taken} came`);
    taken += batch.length;
  }
  await queue.close();
  await using again = new MqttMessageQueue("window", options);
  await again.open();
  assert.equal(await again.readMessageCount(), 0);
});

Deno.test("Mosquitto as it comes hands over prefetch on MQTT 5, and 20 on 3.1.1", async () => {
  await using broker = await Mosquitto.start({ asItComes: true });
  assert.equal(await windowOf(broker, 1_000, { protocolVersion: 5, prefetch: 300 }), 300);
  assert.equal(await windowOf(broker, 1_000, { protocolVersion: 4 }), 20);
});

Deno.test("the embedded broker hands over all of it", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  assert.equal(await windowOf(broker, 5_000, { prefetch: 300 }), 5_000);
});
