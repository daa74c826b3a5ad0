// MQTT.js as it is, with an array that keeps what came: what an application would do by itself.
import process from "node:process";
import { residentBytes } from "../programs/resident_bytes.js";
import { mqtt } from "./deps.js";

const POLL_MS = 10;
const { url, version, topic, count, step } = JSON.parse(process.argv[2]);
const properties = version === 5
  ? { receiveMaximum: 65_535, sessionExpiryInterval: 3600 }
  : undefined;
// Another connection first, so that what a connection takes is not counted with the messages.
const first = await mqtt.connectAsync(url, { protocolVersion: version });
const before = step === "hold" ? residentBytes() : 0;
const client = mqtt.connect(url, {
  protocolVersion: version,
  clientId: topic,
  clean: false,
  properties,
});
const held = [];
client.on("message", (topic, payload, packet) => held.push({ topic, payload, packet }));
await new Promise((resolve) => client.once("connect", resolve));
if (step === "hold") {
  while (held.length < count) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  console.log(JSON.stringify({ bytes: (residentBytes() - before) / held.length }));
} else await client.subscribeAsync(topic, { qos: 1 });
await Promise.all([client.endAsync(), first.endAsync()]);
