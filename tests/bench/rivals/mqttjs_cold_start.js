// Connects, sends a message, gets it, and says when.
import process from "node:process";
import { mqtt } from "./deps.js";

const { url, version, topic } = JSON.parse(process.argv[2]);
const connect = () => mqtt.connectAsync(url, { protocolVersion: version });
const [sender, receiver] = await Promise.all([connect(), connect()]);
await receiver.subscribeAsync(topic, { qos: 1 });
await new Promise((resolve) => {
  receiver.once("message", resolve);
  sender.publish(topic, "first", { qos: 1 });
});
console.log(JSON.stringify({ at: performance.timeOrigin + performance.now() }));
await Promise.all([sender.endAsync(), receiver.endAsync()]);
