// Opens a queue, sends a message, receives it, and says when.
import { MessageEnvelope, MqttMessageQueue } from "../../../mod.ts";

const { url, version, topic } = JSON.parse(Deno.args[0]);
const queue = new MqttMessageQueue(topic, { url, protocolVersion: version, autoSubscribe: true });
await queue.open();
const [message] = await Promise.all([
  queue.receive(null, 10_000),
  queue.send(null, new MessageEnvelope(null, "m", "first")),
]);
if (message === null) throw new Error("Cannot measure: no message came");
console.log(JSON.stringify({ at: performance.timeOrigin + performance.now() }));
await queue.close();
