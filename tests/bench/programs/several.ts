// Several queues in this process: each sends and receives its messages, all at once. Says "ready", then waits for a
// message on the topic `go`.
import { MessageEnvelope, MqttMessageQueue } from "../../../mod.ts";
import { severally } from "./severally.js";

const BATCH = 1000;
const WAIT_MS = 20_000;
const { url, version, queues, count, window, size } = JSON.parse(Deno.args[0]);
const body = new Uint8Array(size).fill(97);
const options = { url, protocolVersion: version, autoSubscribe: true };
const go = new MqttMessageQueue("go", options);
const all = Array.from(
  { length: queues },
  () => new MqttMessageQueue(`bench-${crypto.randomUUID()}`, options),
);
await Promise.all([go, ...all].map((queue) => queue.open()));
await severally({
  count,
  window,
  waitForGo: () => go.receive(null, WAIT_MS),
  links: all.map((queue) => ({
    send: (done: (error?: unknown) => void) =>
      void queue.send(null, new MessageEnvelope(null, "m", body)).then(() => done(), done),
    async take(count: number) {
      for (let taken = 0; taken < count;) {
        const batch = await queue.receiveBatch(null, BATCH, WAIT_MS);
        if (batch.length === 0) throw new Error(`Cannot measure: ${taken} of ${count} came`);
        taken += batch.length;
      }
    },
  })),
});
await Promise.all([go, ...all].map((queue) => queue.close()));
