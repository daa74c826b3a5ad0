import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../mod.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { FaultyNetwork } from "./faulty_network.ts";

const IN_FLIGHT = 200;
/** One way; there and back twice as long. */
const DELAY_MS = 20;
/** Far more than it takes when they are sent one behind the other, far less than when each waits for the one before. */
const BOUND_MS = 2_000;

for (const qos of [1, 2] as QoS[]) {
  Deno.test(`a link with ${IN_FLIGHT} unanswered sends is soon made again on a slow network, QoS ${qos}`, async () => {
    await using broker = await Mosquitto.start();
    await using network = await FaultyNetwork.start(broker.port);
    await using queue = new MqttMessageQueue("resent", {
      url: `mqtt://127.0.0.1:${network.port}`,
      qos,
      reconnectTimeout: 10,
    });
    await queue.open();
    network.stall("down"); // The broker gets them, and its answers are lost.
    const sends = Array.from({ length: IN_FLIGHT }, (_, index) => {
      return queue.send(null, new MessageEnvelope(null, "job", `${index}`));
    });
    const lost = queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
    network.cut();
    network.heal();
    network.delay(DELAY_MS);
    await lost;
    const startedAt = performance.now();
    await queueEvent(queue, "statechange", ({ state }) => state === "connected");
    const took = performance.now() - startedAt;
    await Promise.all(sends);
    assert.ok(took < BOUND_MS, `${Math.round(took)} ms`);
  });
}
