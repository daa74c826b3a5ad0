import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { MqttMessageQueue } from "../../mod.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { FaultyNetwork } from "./faulty_network.ts";

const BASE_MS = 10;
const LOSSES = 10;
/** Many times what is waited before the next attempt at first. */
const HELD_MS = 300;

Deno.test("a link that held for a while is made again as fast as at first, however often it was lost", async () => {
  await using broker = await Mosquitto.start();
  await using network = await FaultyNetwork.start(broker.port);
  await using queue = new MqttMessageQueue("backoff", {
    url: `mqtt://127.0.0.1:${network.port}`,
    reconnectTimeout: BASE_MS,
  });
  await queue.open();
  const waits: number[] = [];
  queue.addEventListener("statechange", ({ detail: { retryInMs } }) => {
    if (retryInMs !== undefined) waits.push(retryInMs);
  });
  for (let losses = 0; losses < LOSSES; losses++) {
    const back = queueEvent(queue, "statechange", ({ state }) => state === "connected");
    network.cut();
    await back;
    await delay(HELD_MS); // The time that a link holds is what this is about.
  }
  assert.ok(waits.every((wait) => wait <= 4 * BASE_MS), `${waits}`);
});

Deno.test("the link that is made first hurries the one that still waits", async () => {
  await using broker = await Mosquitto.start();
  await using network = await FaultyNetwork.start(broker.port);
  await using queue = new MqttMessageQueue("backoff", {
    url: `mqtt://127.0.0.1:${network.port}`,
    autoSubscribe: true,
    reconnectTimeout: 2_000,
  });
  await queue.open();
  const random = Math.random;
  const jitter = [0, 1]; // One link waits for half a step, the other for all of it.
  Math.random = () => jitter.shift() ?? random();
  try {
    const waits: number[] = [];
    queue.addEventListener("statechange", ({ detail: { retryInMs } }) => {
      if (retryInMs !== undefined) waits.push(retryInMs);
    });
    const back = queueEvent(queue, "statechange", ({ state }) => state === "connected");
    const cutAt = performance.now();
    network.cut();
    await back;
    const took = performance.now() - cutAt;
    assert.deepEqual(waits, [1_000, 2_000]);
    assert.ok(took < 1_700, `${took} ms`);
  } finally {
    Math.random = random;
  }
});
