// Receives as many messages as it is told, under a lock, and holds them until it is killed.
import { MqttMessageQueue, type QoS } from "../../../mod.ts";

const [url, qos, count] = Deno.args;
const queue = new MqttMessageQueue("held", {
  url,
  qos: Number(qos) as QoS,
  clientId: "consumer",
  autoSubscribe: true,
  receiveMode: "peekLock",
});
await queue.open();
console.log("open");
for (let held = 0; held < Number(count); held++) {
  const envelope = await queue.receive(null, Infinity);
  console.log(`held ${envelope!.messageId}`);
}
console.log("holding");
await new Promise(() => {});
