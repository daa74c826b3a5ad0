// How much memory a queue takes while far more waits at the broker than it may hold.
import { MessageEnvelope, MqttMessageQueue } from "../../../mod.ts";

const SAMPLE_MS = 20;
const WAIT_MS = 5_000;
const MIB = 1024 * 1024;
const { url, version, topic, count, holdMs, step } = JSON.parse(Deno.args[0]);
const options = { url, protocolVersion: version, clientId: topic, sendTimeout: 60_000 };
if (step === "fill") {
  const queue = new MqttMessageQueue(topic, { ...options, autoSubscribe: true });
  await queue.open();
  await queue.close();
  const sender = new MqttMessageQueue(topic, { ...options, clientId: undefined });
  await sender.open();
  const body = new Uint8Array(MIB);
  for (let sent = 0; sent < count; sent++) {
    await sender.send(null, new MessageEnvelope(null, "block", body));
  }
  await sender.close();
} else {
  let peak = 0;
  const sample = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), SAMPLE_MS);
  const queue = new MqttMessageQueue(topic, { ...options, autoSubscribe: true });
  let lostLinks = 0;
  await queue.open();
  queue.addEventListener("statechange", () => lostLinks++);
  await new Promise((resolve) => setTimeout(resolve, holdMs));
  const ids = new Set<string>();
  for (;;) {
    const message = await queue.receive(null, WAIT_MS);
    if (message === null) break;
    ids.add(message.messageId);
    if (ids.size === count) break;
  }
  clearInterval(sample);
  console.log(JSON.stringify({ peak: peak / MIB, lost: count - ids.size, lostLinks }));
  await queue.close();
}
