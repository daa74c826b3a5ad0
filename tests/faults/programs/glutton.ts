// Holds three messages under a lock, then asks for more memory than it may have.
import { MqttMessageQueue } from "../../../mod.ts";

const queue = new MqttMessageQueue("glutton", {
  url: Deno.args[0],
  clientId: "glutton",
  autoSubscribe: true,
  receiveMode: "peekLock",
});
await queue.open();
console.log("open");
for (let held = 0; held < 3; held++) await queue.receive(null, Infinity);
console.log("holding 3");
const eaten: number[][] = [];
for (;;) eaten.push(Array.from({ length: 100_000 }, Math.random));
