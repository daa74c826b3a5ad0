import assert from "node:assert/strict";
import { MqttMessageQueue } from "../../mod.ts";
import { obedientReply } from "../faults/obedient_reply.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { queueEvent } from "../support/queue_event.ts";

for (const protocolVersion of [4, 5] as const) {
  for (const qos of [1, 2] as const) {
    for (const how of ["moveToDeadLetter()", "maxDeliveries"]) {
      Deno.test(`the copy of a dead letter is confirmed before the original is acknowledged, ${how}, QoS ${qos} (${protocolVersion})`, async () => {
        const seen: string[] = [];
        const copy = Promise.withResolvers<number>();
        await using broker = new FakeBroker((packet) => {
          if (packet.cmd === "subscribe") {
            const original = { topic: "given/up", payload: "poison", dup: false, retain: false };
            return [
              ...obedientReply(packet),
              { cmd: "publish", qos, messageId: 7, ...original },
            ];
          }
          if (packet.cmd !== "publish") {
            if (/^pub(ack|rec)$/.test(packet.cmd)) seen.push("original acknowledged");
            return obedientReply(packet);
          }
          seen.push(`${packet.topic.split("/", 1)} published`);
          copy.resolve(packet.messageId!);
          return "silence";
        });
        await using queue = new MqttMessageQueue("given/up", {
          url: broker.url,
          protocolVersion,
          qos,
          receiveMode: "peekLock",
          maxDeliveries: 1,
        });
        await queue.open();
        const message = (await queue.receive(null, 10_000))!;
        const told = queueEvent(queue, "deadletter");
        const moved = how === "maxDeliveries"
          ? queue.abandon(message)
          : queue.moveToDeadLetter(message);
        const messageId = await copy.promise;
        await queue.readMessageCount(); // A round trip: what was written before has come.
        assert.deepEqual(seen, ["dead-letter published"]);
        await broker.send({ cmd: "puback", messageId, reasonCode: 0 });
        await Promise.all([moved, told]);
        await queue.readMessageCount();
        assert.deepEqual(seen, ["dead-letter published", "original acknowledged"]);
      });
    }
  }
}
