import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../mod.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { FaultyNetwork } from "./faulty_network.ts";

for (const qos of [1, 2] as QoS[]) {
  Deno.test(`a message that was given up does not come again when its acknowledgement is lost, QoS ${qos}`, async () => {
    await using broker = await Mosquitto.start();
    await using network = await FaultyNetwork.start(broker.port);
    await using queue = new MqttMessageQueue("given/up", {
      url: `mqtt://127.0.0.1:${network.port}`,
      clientId: "consumer",
      qos,
      receiveMode: "peekLock",
      reconnectTimeout: 10,
    });
    await queue.open();
    assert.equal(await queue.readMessageCount(), 0);
    await queue.send(null, new MessageEnvelope(null, "job", "hopeless"));
    const message = (await queue.receive(null, 10_000))!;
    // The acknowledgement follows the word that the copy is there, and gets no further than this.
    queue.addEventListener("settle", () => network.stall("up"));
    await queue.moveToDeadLetter(message);
    const back = queueEvent(queue, "statechange", ({ state }) => state === "connected");
    network.cut();
    network.heal();
    await back;
    assert.equal(await queue.readMessageCount(), 0);
    assert.equal(await queue.deadLetters.count(), 1);
  });
}
